//! The functions, and the emulator of the Lambda runtime.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    api::curl,
    command::{Outcome, Process, Run as _, cargo, command},
    folders::{built, root},
    ports,
};

/// The functions that no gateway calls: by hand or CloudFormation, by the clock, by Secrets Manager.
pub(crate) const OTHERS: [&str; 3] = ["migrate", "stats", "rotate"];

/// The functions behind the gateway: every other folder of `functions`.
pub(crate) fn http_functions() -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join("functions"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !OTHERS.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// The release build of a function.
pub(crate) fn bootstrap(function: &str) -> PathBuf {
    let (first, rest) = function.split_at(1);
    built().join(format!("{}{rest}Function", first.to_uppercase())).join("bootstrap")
}

/// The environment that the Lambda service gives a function, at the runtime interface of this address.
pub(crate) fn environment<'a>(interface: &'a str, name: &'a str) -> [(&'static str, &'a str); 4] {
    [
        ("AWS_LAMBDA_RUNTIME_API", interface),
        ("AWS_LAMBDA_FUNCTION_NAME", name),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
    ]
}

/// The emulator of cargo-lambda, with nothing attached.
#[derive(Debug)]
pub(crate) struct Emulator {
    port: u16,
    _process: Process,
}

impl Emulator {
    /// Starts it. Its log is `emulator.log` in the folder.
    pub(crate) fn start(work: &Path) -> Outcome<Self> {
        let port = ports::free()?;
        let mut watch = cargo("lambda");
        watch.args(["watch", "--only-lambda-apis", "--ignore-changes", "--disable-cors"]);
        watch.args(["--invoke-address", "127.0.0.1", "--invoke-port", &port.to_string()]);
        let process = watch.to_log(&work.join("emulator.log"))?.start()?;
        ports::wait_until_open(port, Duration::from_mins(1))?;
        Ok(Self { port, _process: process })
    }

    /// Where clients find it, and where functions are invoked.
    pub(crate) fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Attaches the release build of a function, in one environment. Its log is below the folder.
    pub(crate) fn attach(&self, name: &str, settings: &[(&str, String)], log: &Path) -> Outcome<Process> {
        self.attach_as(name, name, settings, log)
    }

    /// As [`Emulator::attach`], under another name than the function's.
    pub(crate) fn attach_as(
        &self,
        name: &str,
        function: &str,
        settings: &[(&str, String)],
        log: &Path,
    ) -> Outcome<Process> {
        let interface = format!("{}/.rt/{name}", self.base_url());
        let mut process = command(bootstrap(function));
        process.envs(environment(&interface, name));
        process.envs(settings.iter().map(|(name, value)| (name, value)));
        process.to_log(log)?.start()
    }

    /// Invokes a function and gives its answer.
    pub(crate) fn invoke(&self, name: &str, event: &str) -> Outcome<String> {
        curl().args(["--data", event, &self.invocations(name)]).read()
    }

    /// The address that invokes a function.
    pub(crate) fn invocations(&self, name: &str) -> String {
        format!("{}/2015-03-31/functions/{name}/invocations", self.base_url())
    }
}
