//! Every check, in the order of continuous integration; ends with the first that fails.

use std::{env, fs, path::PathBuf, time::Duration};

use crate::{
    checks::{
        browser, build, calendars, clients, code, emulator, faults, fuzz, image, measure, openapi, pooler, readme,
        sam_local, templates, workflows,
    },
    kit::{
        command::{Outcome, Process, Run as _, cargo, command},
        folders::cache,
        tools,
    },
    steps::Steps,
};

/// The machine that the images which run the functions here are for.
const HERE: &str = "x86_64";

/// Runs all of them.
pub(crate) fn run(_: &[String]) -> Outcome {
    let mut steps = Steps::new();
    let none: [String; 0] = [];
    steps.take("Postgres and PgBouncer", tools::postgres)?;
    // The tests need neither tools nor images: those are installed while the tests are compiled and run.
    let preparation = Preparation::begin()?;
    steps.take("tests", || cargo("test").run())?;
    steps.take("the tests through PgBouncer", || pooler::run(&none))?;
    steps.take("what is generated is checked in", || code::generated(&none))?;
    steps.take("format", || code::format(&none))?;
    steps.take("clippy", || code::clippy(&none))?;
    steps.take("tools and images", || preparation.finish())?;
    steps.take("requests at random", || fuzz::run(&none))?;
    steps.take("the OpenAPI document", || openapi::run(&none))?;
    steps.take("generated clients", || clients::run(&none))?;
    steps.take("calendars", || calendars::run(&none))?;
    steps.take("the pages in a browser", || browser::run(&none))?;
    steps.take("the commands of the README", || readme::run(&none))?;
    steps.take("licences, bans, sources", || code::licences(&none))?;
    steps.take("templates", || templates::run(&none))?;
    steps.take("workflows and scripts", || workflows::run(&none))?;
    steps.take("release build", || build::run(&[HERE.to_owned()]))?;
    steps.take("sizes, starts, memory", || measure::run(&none))?;
    steps.take("the story on the runtime emulator", || emulator::run(&none))?;
    steps.take("faults on the runtime emulator", || faults::run(&none))?;
    steps.take("the story on SAM local", || sam_local::run(&none))?;
    steps.take("the whole API in one image", || image::run(&["built".to_owned()]))?;
    steps.conclude();
    Ok(())
}

/// `cargo xtask tools` beside other steps.
struct Preparation {
    process: Process,
    log: PathBuf,
}

impl Preparation {
    fn begin() -> Outcome<Self> {
        fs::create_dir_all(cache())?;
        let log = cache().join("prepare.log");
        let process = command(env::current_exe()?).arg("tools").to_log(&log)?.start()?;
        Ok(Self { process, log })
    }

    /// Waits for its end, and shows what it said.
    fn finish(mut self) -> Outcome {
        let status = self.process.wait(Duration::MAX)?;
        println!("{}", fs::read_to_string(&self.log)?);
        if status.success() { Ok(()) } else { Err("the tools could not be installed".into()) }
    }
}
