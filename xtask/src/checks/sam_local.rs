//! The release builds in containers: Postgres by `docker-compose.yml`, migrations by `sam local invoke`, the whole
//! story through `sam local start-api`, and the scheduled function with its event.

use std::{fs, path::Path, process::Stdio, time::Duration};

use serde_json::Value;

use crate::kit::{
    api::{curl, tell_story},
    command::{Outcome, Run as _, command, tool},
    docker::{self, Project},
    folders::root,
    ports,
    scratch::with_folder,
    tools,
};

/// Needs what `cargo xtask build x86_64` has built, and Docker.
pub(crate) fn run(_: &[String]) -> Outcome {
    tools::python("venv")?;
    docker::images()?;
    let project = Project::new("ci", &[], &[("POSTGRES_PORT", ports::free()?.to_string())]);
    let _leavings = Leavings { network: project.name() };
    project.or_show_logs(with_folder(|work| tell(&project, work)))
}

fn tell(project: &Project, work: &Path) -> Outcome {
    project.compose().args(["up", "--detach"]).run()?;
    project.wait_until_healthy("postgres", Duration::from_secs(90))?;
    let local = Local { network: project.name(), work };
    local.invoke("MigrateFunction", "{}")?;

    let port = ports::free()?;
    let mut serve = tool("sam");
    serve.args(["local", "start-api", "--host", "127.0.0.1", "--port", &port.to_string()]).args(local.options());
    let _api = serve.to_log(&work.join("api.log"))?.start()?;
    ports::wait_until_open(port, Duration::from_mins(1))?;
    let base_url = format!("http://127.0.0.1:{port}");
    println!("{}", curl().arg(format!("{base_url}/health/ready")).read()?);
    tell_story(&base_url)?;
    local.invoke("StatsFunction", &fs::read_to_string(root().join("tests/events/stats.json"))?)?;
    local.invoke("StatsFunction", "{}")
}

struct Local<'a> {
    network: &'a str,
    work: &'a Path,
}

impl Local<'_> {
    fn options(&self) -> [&str; 5] {
        ["--skip-pull-image", "--docker-network", self.network, "--parameter-overrides", "Architecture=x86_64"]
    }

    /// `sam local invoke` succeeds even where the function fails: its answer tells. Where the function cannot start, it
    /// waits for the function's own time limit.
    fn invoke(&self, function: &str, event: &str) -> Outcome {
        let (file, answer) = (self.work.join("event.json"), self.work.join("answer.json"));
        fs::write(&file, event)?;
        let mut invoke = tool("sam");
        invoke.args(["local", "invoke", function, "--event"]).arg(file).args(self.options());
        invoke.to_log(&self.work.join(format!("{function}.log")))?.stdout(fs::File::create(&answer)?);
        invoke.run_within(Duration::from_mins(2))?;
        let answer = fs::read_to_string(answer)?;
        println!("{function}: {}", answer.trim());
        let answer: Value = serde_json::from_str(&answer)?;
        if answer.get("errorType").is_some() { Err(format!("{function} failed").into()) } else { Ok(()) }
    }
}

/// Containers that SAM started twice, or could not stop.
struct Leavings<'a> {
    network: &'a str,
}

impl Drop for Leavings<'_> {
    fn drop(&mut self) {
        let filter = format!("network={}", self.network);
        let Ok(containers) = command("docker").args(["ps", "--all", "--quiet", "--filter", &filter]).read() else {
            return;
        };
        if !containers.trim().is_empty() {
            let mut remove = command("docker");
            remove.args(["rm", "--force"]).args(containers.split_whitespace()).stdout(Stdio::null());
            let _best_effort = remove.run();
        }
    }
}
