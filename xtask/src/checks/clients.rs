//! Clients that others' generators make of the OpenAPI document tell the README's story to a server of their own:
//! openapi-typescript with openapi-fetch, @hey-api/openapi-ts, openapi-python-client. The stories are type-checked
//! first. The generated clients are not checked in.

use std::{env, path::Path, process::Command};

use crate::kit::{
    api::Api,
    command::{Outcome, Run as _, command},
    folders::root,
    scratch::with_folder,
    tools,
};

const FOLDER: &str = "tests/clients";

/// Generates, checks and runs them.
pub(crate) fn run(_: &[String]) -> Outcome {
    let (node, python) = (tools::npm(FOLDER)?, tools::python("clients")?);
    // openapi-python-client formats its code with ruff, which is beside it.
    let mut path = vec![node, python];
    path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let path = env::join_paths(path)?;
    let client = |program: &str, arguments: &[&str]| -> Command {
        let mut client = command(program);
        client.args(arguments).current_dir(root().join(FOLDER)).env("PATH", &path);
        client
    };
    let document = "../../openapi.json";
    client("openapi-typescript", &[document, "--output", "openapi-fetch/api.ts"]).run()?;
    client("openapi-ts", &[]).run()?;
    client("tsc", &[]).run()?;
    let generate = ["generate", "--path", document, "--output-path", "python/client", "--overwrite"];
    client("openapi-python-client", &generate).run()?;
    client("mypy", &["--strict", "python/story.py"]).env("MYPYPATH", "python/client").run()?;
    with_folder(|work: &Path| {
        let api = Api::start(work, &[])?;
        client("node", &["built/openapi-fetch/story.js", &api.base_url]).run()?;
        client("node", &["built/hey-api/story.js", &api.base_url]).run()?;
        client("python", &["python/story.py", &api.base_url]).env("PYTHONPATH", "python/client").run()
    })
}
