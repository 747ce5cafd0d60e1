//! The OpenAPI document as linters see it: Redocly's recommended rules and Spectral's rules for OpenAPI find nothing,
//! neither errors nor warnings.

use crate::kit::{
    command::{Outcome, Run as _, command},
    tools,
};

const FOLDER: &str = ".ci/openapi-lint";

/// Runs both.
pub(crate) fn run(_: &[String]) -> Outcome {
    let linters = tools::npm(FOLDER)?;
    let mut redocly = command(linters.join("redocly"));
    redocly.env("REDOCLY_TELEMETRY", "off").env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
    redocly.args(["lint", "--config", &format!("{FOLDER}/redocly.yaml"), "openapi.json"]).run()?;
    let mut spectral = command(linters.join("spectral"));
    spectral.args(["lint", "--ruleset", &format!("{FOLDER}/spectral.yaml"), "--fail-severity", "hint"]);
    spectral.arg("openapi.json").run()
}
