//! The commands of the README's first loan, as they stand there, against a server of their own.

use std::{fmt::Write as _, fs};

use crate::kit::{
    api::Api,
    command::{Outcome, Run as _, command},
    folders::root,
    scratch::with_folder,
    tools,
};

/// The heading above the commands, and the one below.
const HEADINGS: [&str; 2] = ["## A first loan", "## As Lambda"];

/// The last command: the loan is paid out, and partly repaid.
const IN_THE_END: &str =
    r#"command curl -s $loan -H "$admin" | jq -e '.status == "disbursed" and .outstanding != .amount'"#;

/// Runs them; curl fails where a request is refused.
pub(crate) fn run(_: &[String]) -> Outcome {
    tools::debian("jq", "jq")?;
    with_folder(|work| {
        let api = Api::start(work, &[])?;
        let commands = commands(&fs::read_to_string(root().join("README.md"))?, &api.base_url);
        let script = work.join("commands");
        fs::write(&script, format!("{commands}{IN_THE_END}\n"))?;
        command("bash").args(["-euo", "pipefail"]).arg(script).run()
    })
}

/// The shell's blocks between the headings, with this server's address.
fn commands(text: &str, base_url: &str) -> String {
    let mut commands = String::new();
    let (mut below, mut fenced) = (false, false);
    for line in text.lines() {
        if line.starts_with("## ") {
            below = line.starts_with(HEADINGS[0]) || (below && !line.starts_with(HEADINGS[1]));
        }
        if line.starts_with("```") {
            fenced = below && line == "```sh";
        } else if fenced && line.starts_with("api=") {
            let _infallible = writeln!(commands, "api={base_url}; curl() {{ command curl --fail-with-body \"$@\"; }}");
        } else if fenced {
            commands += line;
            commands.push('\n');
        }
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_those_of_the_shells_blocks_below_the_heading() {
        let text = "```sh\nrm\n```\n## A first loan\n```sh\napi=there\nask $api\n```\n```json\n{}\n```\n\
            ## As Lambda\n```sh\nrm\n```\n";
        let expected = "api=http://here; curl() { command curl --fail-with-body \"$@\"; }\nask $api\n";
        assert_eq!(commands(text, "http://here"), expected);
    }
}
