//! Calendars against those of the Python library `holidays`: the ones that come with the system name no holiday that it
//! does not have, and due dates moved by all of its holidays are those of a few lines of Python, which walk day by day.

use std::path::Path;

use crate::kit::{
    api::{Api, PASSWORD},
    command::{Outcome, Run as _, command},
    scratch::with_folder,
    tools,
};

/// Compares them on a server of its own.
pub(crate) fn run(_: &[String]) -> Outcome {
    let python = tools::python("calendars")?.join("python");
    with_folder(|work: &Path| {
        let api = Api::start(work, &[])?;
        command(&python).args([".ci/calendars.py", &api.base_url, PASSWORD]).run()
    })
}
