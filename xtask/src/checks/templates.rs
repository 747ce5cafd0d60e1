//! The CloudFormation templates: SAM's own check with cfn-lint, Checkov, and the stack in a simulation of AWS, with the
//! script that deploys it.

use crate::kit::{
    command::{Outcome, Run as _, command, tool},
    tools,
};

/// Runs all of them.
pub(crate) fn run(_: &[String]) -> Outcome {
    let (programs, linters) = (tools::python("venv")?, tools::python("lint")?);
    tool("sam").args(["validate", "--lint"]).run()?;
    tool("cfn-lint").args(["delivery.yaml", "front.yaml"]).run()?;
    let mut checkov = command(linters.join("checkov"));
    checkov
        .args(["--config-file", ".ci/checkov.yaml", "--file", "template.yaml", "delivery.yaml", "front.yaml"])
        .run()?;
    // With the packages of SAM and of moto, which are Python's.
    for file in ["tests/python/stack.py", "tests/python/deployment.py"] {
        command(programs.join("python")).args(["-B", file]).run()?;
    }
    Ok(())
}
