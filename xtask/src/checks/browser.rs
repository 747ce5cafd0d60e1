//! The pages in Chromium, by the tests of `tests/browser`, with Playwright and axe.

use crate::kit::{
    api,
    command::{Outcome, Run as _, command},
    folders::{debug, root},
    tools,
};

const FOLDER: &str = "tests/browser";

/// Arguments are Playwright's: a part of a file's name, `--headed`, `--debug`. The variable `PICTURES` names a folder
/// for pictures of the pages.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let playwright = tools::npm(FOLDER)?.join("playwright");
    let chromium = tools::chromium()?;
    api::build()?;
    let mut test = command(playwright);
    test.arg("test").args(arguments).current_dir(root().join(FOLDER));
    test.env("CHROMIUM", chromium).env("MICROLOANS_SERVER", debug("dev")).run()
}
