//! The whole API on a port of its own, with a database of its own: `cargo dev --ephemeral`, and how to ask it.

use std::{path::Path, process::Command, time::Duration};

use serde_json::Value;

use super::{
    command::{Outcome, Process, Run as _, cargo, command},
    folders, ports,
};

/// The password of the users of the demo data, and of the story's first administrator.
pub(crate) const PASSWORD: &str = "microloans-demo";

/// A server that ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) base_url: String,
    _process: Process,
}

/// Compiles the server, with the features that the tests have, so that what those have compiled serves here too.
pub(crate) fn build() -> Outcome {
    cargo("test").args(["--locked", "--quiet", "--no-run", "--test", "dev"]).run()
}

impl Api {
    /// Starts one with the demo data. Its log is `server.log` in the folder.
    pub(crate) fn start(work: &Path, environment: &[(&str, &str)]) -> Outcome<Self> {
        build()?;
        let port = ports::free()?;
        let mut server = command(folders::debug("dev"));
        server.args(["--ephemeral", "--port", &port.to_string()]).envs(environment.iter().copied());
        let process = server.to_log(&work.join("server.log"))?.start()?;
        ports::wait_until_open(port, Duration::from_mins(2))?;
        Ok(Self { base_url: format!("http://127.0.0.1:{port}"), _process: process })
    }

    /// Logs in and gives the access token.
    pub(crate) fn log_in(&self, username: &str) -> Outcome<String> {
        log_in(&self.base_url, username)
    }

    /// The answer of an operation to the bearer of this token.
    pub(crate) fn get(&self, path: &str, token: &str) -> Outcome<Value> {
        let header = format!("Authorization: Bearer {token}");
        Ok(serde_json::from_str(&curl().args(["--header", &header, &format!("{}{path}", self.base_url)]).read()?)?)
    }

    /// Fails unless the server says that it can work.
    pub(crate) fn is_ready(&self) -> Outcome {
        curl().arg(format!("{}/health/ready", self.base_url)).read().map(drop)
    }
}

/// Logs in at an address, with the password that all share, and gives the access token.
pub(crate) fn log_in(base_url: &str, username: &str) -> Outcome<String> {
    let login = format!("{base_url}/api/auth/login");
    let answer = curl().args(["--user", &format!("{username}:{PASSWORD}"), "--request", "POST", &login]).read()?;
    let answer: Value = serde_json::from_str(&answer)?;
    Ok(answer["access_token"].as_str().ok_or("a login without a token")?.to_owned())
}

/// A request, which fails where it is refused.
pub(crate) fn curl() -> Command {
    let mut curl = command("curl");
    curl.args(["--silent", "--show-error", "--fail-with-body", "--max-time", "60"]);
    curl
}

/// Tells the whole story to a server. Its first administrator is `admin`.
pub(crate) fn tell_story(base_url: &str) -> Outcome {
    let mut story = cargo("test");
    story.args(["--locked", "--test", "story"]).env("STORY_BASE_URL", base_url);
    story.envs([("STORY_ADMIN_USERNAME", "admin"), ("STORY_ADMIN_PASSWORD", PASSWORD)]);
    story.run_within(Duration::from_mins(15))
}
