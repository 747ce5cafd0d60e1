//! The whole API by `docker-compose.yml`, as somebody without Rust starts it: built, healthy, not root, with the demo
//! data.

use std::time::Duration;

use crate::kit::{
    api::{curl, log_in},
    command::{Outcome, Run as _, cargo, command},
    docker::Project,
    ports,
};

const ORIGIN: &str = "https://app.example.com";

/// With `built`, the image has the binary that Cargo has built here, and the Postgres image as a base: for machines
/// without images of Rust and Debian.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let (port, database_port) = (ports::free()?, ports::free()?);
    let environment = [
        ("POSTGRES_PORT", database_port.to_string()),
        ("API_PORT", port.to_string()),
        ("ALLOWED_ORIGINS", ORIGIN.to_owned()),
    ];
    let project = Project::new("image", &["--profile", "api"], &environment);
    project.or_show_logs(try_out(&project, port, arguments.first().is_some_and(|word| word == "built")))
}

fn try_out(project: &Project, port: u16, built: bool) -> Outcome {
    if built {
        build_around_binary()?;
    } else {
        project.compose().args(["build", "api"]).run()?;
    }
    project.compose().args(["up", "--detach"]).run()?;
    project.wait_until_healthy("api", Duration::from_mins(2))?;
    let user = command("docker").args(["inspect", "--format", "{{.Config.User}}", "microloans-dev"]).read()?;
    if user.trim() != "10001:10001" {
        return Err(format!("the image runs as {user}").into());
    }
    let base_url = format!("http://127.0.0.1:{port}");
    log_in(&base_url, "admin")?;
    let head = ["--head", "--header", &format!("Origin: {ORIGIN}"), &format!("{base_url}/openapi.json")];
    let headers = curl().args(head).read()?.to_lowercase();
    let allowed = format!("access-control-allow-origin: {ORIGIN}");
    if headers.lines().any(|line| line.trim() == allowed) { Ok(()) } else { Err("the origin is not allowed".into()) }
}

fn build_around_binary() -> Outcome {
    cargo("build").args(["--locked", "--package", "local", "--bin", "dev"]).run()?;
    // BuildKit leaves out unused stages. A client after 20.10 needs its component buildx for that; the one of Debian's
    // engine does not.
    let has_buildx = command("docker").args(["buildx", "version"]).succeeds();
    let mut build = command(if has_buildx { "docker" } else { "/usr/bin/docker" });
    build.args(["build", "--quiet", "--tag", "microloans-dev"]).env("DOCKER_BUILDKIT", "1");
    build.args(["--build-arg", "BINARY=built", "--build-arg", "RUN_IMAGE=postgres:17", "."]).run()
}
