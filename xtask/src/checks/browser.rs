//! The pages in Chromium: figures, decisions, accessibility and policy of the dashboard, the operations of the documents.

use crate::kit::command::{Outcome, Run as _, command};

/// Runs both.
pub(crate) fn run(_: &[String]) -> Outcome {
    command("bash").arg(".ci/browser").run()?;
    command("bash").arg(".ci/docs-page").run()?;
    command("bash").arg(".ci/dashboard").run()
}
