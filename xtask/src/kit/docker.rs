//! Containers.

use std::{env, process::Command, time::Duration};

use super::command::{Outcome, Run as _, command, wait_for};

/// The base of SAM's containers, and the database.
const IMAGES: [&str; 2] = ["public.ecr.aws/lambda/provided:al2023-x86_64", "postgres:17"];

/// Names a script that makes the images where no registry can be reached.
const MAKER: &str = "DOCKER_IMAGES_SCRIPT";

/// Makes sure of a Docker engine and of the images.
pub(crate) fn images() -> Outcome {
    if command("docker").args(["image", "inspect"]).args(IMAGES).succeeds() || pull().is_ok() {
        return command("docker").arg("images").run();
    }
    let Some(script) = env::var_os(MAKER) else {
        return Err(format!("a Docker engine and the images {} are needed", IMAGES.join(", ")).into());
    };
    command("bash").arg(script).run()
}

fn pull() -> Outcome {
    if !command("docker").arg("info").succeeds() {
        return Err("no Docker engine".into());
    }
    IMAGES
        .iter()
        .try_for_each(|image| command("docker").args(["pull", "--quiet", image]).run_within(Duration::from_mins(5)))
}

/// A project of Docker Compose, which goes with its volumes when this is dropped.
#[derive(Debug)]
pub(crate) struct Project {
    name: String,
    options: Vec<&'static str>,
    environment: Vec<(&'static str, String)>,
}

impl Project {
    /// A project by `docker-compose.yml`, with further options and the variables that the file reads.
    pub(crate) fn new(name: &str, options: &[&'static str], environment: &[(&'static str, String)]) -> Self {
        let name = format!("microloans-{name}-{}", std::process::id());
        Self { name, options: options.to_vec(), environment: environment.to_vec() }
    }

    /// The project's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A command of Docker Compose, as the engine's part or as a program of its own.
    pub(crate) fn compose(&self) -> Command {
        let mut compose = if command("docker").args(["compose", "version"]).succeeds() {
            let mut docker = command("docker");
            docker.arg("compose");
            docker
        } else {
            command("docker-compose")
        };
        compose.args(["--project-name", &self.name]).args(&self.options);
        compose.env("POSTGRES_NETWORK", &self.name).envs(self.environment.iter().map(|(name, value)| (name, value)));
        compose
    }

    /// Waits until a service says that it is healthy.
    pub(crate) fn wait_until_healthy(&self, service: &str, limit: Duration) -> Outcome {
        let health = || -> Outcome<String> {
            let container = self.compose().args(["ps", "--quiet", service]).read()?;
            command("docker").args(["inspect", "--format", "{{.State.Health.Status}}", container.trim()]).read()
        };
        wait_for(&format!("{service} to be healthy"), limit, || health().is_ok_and(|health| health.trim() == "healthy"))
    }

    /// Shows what the services have logged, where something failed.
    pub(crate) fn or_show_logs<T>(&self, done: Outcome<T>) -> Outcome<T> {
        if done.is_err() {
            let _best_effort = self.compose().args(["logs", "--tail", "60"]).run();
        }
        done
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        self.compose().args(["down", "--volumes"]).succeeds();
    }
}
