//! Requests that the OpenAPI document allows, and requests that it forbids, to a server of its own: as anyone, as a
//! customer, as an agent and as an admin, with every check of Schemathesis. No answer may be a 5xx, have a status that
//! the document does not know, or another body than it describes.

use std::{fmt::Write as _, fs, path::Path, time::Duration};

use serde_json::{Value, json};

use crate::kit::{
    api::Api,
    command::{Outcome, Run as _, command},
    folders::root,
    scratch::with_folder,
    tools,
};

const SEED: &str = "20261122";

/// Guesses and registrations are what this is made of: limits as wide as can be.
const LIMITS: [(&str, &str); 8] = [
    ("LIMIT_LOGIN_USER", "4000000000/1"),
    ("LIMIT_LOGIN_ADDRESS", "4000000000/1"),
    ("LIMIT_REGISTER_ADDRESS", "4000000000/1"),
    ("LIMIT_EMAIL_USER", "4000000000/1"),
    ("LIMIT_EMAIL_ADDRESS", "4000000000/1"),
    ("LIMIT_CUSTOMER_WRITES", "4000000000/1"),
    ("LIMIT_HOOK_ADDRESS", "4000000000/1"),
    ("MAX_PENDING", "4000000000"),
];

/// A logout ends what the token is good for: it is asked for with a token of its own.
const NO_LOGOUT: [&str; 2] = ["--exclude-path", "/api/auth/logout"];
const LOGOUT: [&str; 2] = ["--include-path", "/api/auth/logout"];

/// About so many requests in all, or a short run where nothing is said.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let requests: u32 = arguments.first().map_or(Ok(0), |number| number.parse())?;
    let schemathesis = tools::python("fuzz")?.join("st");
    with_folder(|work| {
        let api = Api::start(work, &LIMITS)?;
        let settings = fs::read_to_string(root().join(".ci/fuzz.toml"))? + &dictionaries(&api)?;
        let asking = Asking { api: &api, work, settings, schemathesis: &schemathesis };
        if requests == 0 {
            asking.shortly()?;
        } else {
            asking.for_long(requests / 500 + 1)?;
        }
        // After all that it still serves.
        api.is_ready()
    })
}

/// Ids of existing things, so that not all requests are about things that do not exist.
fn dictionaries(api: &Api) -> Outcome<String> {
    let admin = api.log_in("admin")?;
    let ids = |path: &str| -> Outcome<Vec<String>> {
        let page = api.get(path, &admin)?;
        let things = page["data"].as_array().ok_or_else(|| format!("{path} is no list"))?;
        Ok(things.iter().filter_map(|thing| thing["id"].as_str().map(str::to_owned)).collect())
    };
    let loans = ids("/api/loans?limit=200")?;
    let mut transactions = Vec::new();
    for loan in &loans {
        transactions.extend(ids(&format!("/api/loans/{loan}/transactions"))?);
    }
    let kinds = [
        ("loans", loans),
        ("transactions", transactions),
        ("users", ids("/api/users")?),
        ("agents", ids("/api/agents")?),
    ];
    let tables = kinds.into_iter().map(|(kind, ids)| format!("\n[dictionaries.{kind}]\nvalues = {}\n", json!(ids)));
    Ok(tables.collect())
}

struct Asking<'a> {
    api: &'a Api,
    work: &'a Path,
    settings: String,
    schemathesis: &'a Path,
}

impl Asking<'_> {
    /// Cases that follow from the document alone are about 4,000 for each caller, more by chance. An admin may end what
    /// every other token is good for, and so comes late.
    fn shortly(&self) -> Outcome {
        self.ask("customer", Some("customer"), 1, &[&["--phases", "coverage"], &NO_LOGOUT])?;
        self.ask("logout", Some("customer"), 5, &[&LOGOUT])?;
        self.ask("agent", Some("agent"), 2, &[&["--phases", "fuzzing,stateful"], &NO_LOGOUT])?;
        self.ask("admin", Some("admin"), 2, &[&["--phases", "fuzzing"], &NO_LOGOUT])?;
        self.ask("anyone", None, 1, &[&["--phases", "fuzzing"]])
    }

    fn for_long(&self, examples: u32) -> Outcome {
        self.ask("anyone", None, examples, &[])?;
        for user in ["customer", "agent", "admin"] {
            self.ask(&format!("{user}-logout"), Some(user), examples, &[&LOGOUT])?;
            self.ask(user, Some(user), examples, &[&NO_LOGOUT])?;
        }
        Ok(())
    }

    /// Asks as this user, or as anyone; up to so many examples an operation and phase.
    fn ask(&self, name: &str, user: Option<&str>, examples: u32, options: &[&[&str]]) -> Outcome {
        let mut settings = self.settings.clone();
        if let Some(user) = user {
            let token = Value::from(self.api.log_in(user)?);
            let _infallible = write!(settings, "\n[auth.openapi.access_token]\nbearer = {token}\n");
        }
        let (file, log) = (self.work.join(format!("{name}.toml")), self.work.join(format!("{name}.log")));
        fs::write(&file, settings)?;
        let mut asked = command(self.schemathesis);
        // Its own files between runs stay in the folder that is removed.
        asked.current_dir(self.work).arg("--config-file").arg(&file).arg("run");
        asked.arg(format!("{}/openapi.json", self.api.base_url)).args(["--seed", SEED, "--warnings", "off"]);
        asked.args(["--max-examples", &examples.to_string()]).args(options.concat());
        let done = asked.to_log(&log)?.run_within(Duration::from_hours(4));
        let text = fs::read_to_string(&log)?;
        if done.is_err() {
            println!("{text}");
            return done;
        }
        let summary = text.lines().find(|line| line.contains(" generated"));
        println!("{name}: {}", summary.unwrap_or_default().trim());
        Ok(())
    }
}
