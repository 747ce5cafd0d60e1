//! Faults, from outside: functions as they are deployed, at the emulator of the Lambda runtime, with clients that pay,
//! apply and read all the time, while their database, their processes and their clocks fail. Every answer is kept. After
//! each fault all that was acknowledged since the beginning is in the database once, and nothing else is; the books
//! balance, and the scheduled function's check finds no difference.
//!
//! `.ci/faults` starts this with what it needs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "what goes wrong here is a run that fails; what it finds is printed"
)]

mod endpoint;
mod functions;
mod lender;
mod load;
mod postgres;
mod processes;
mod stage;

mod faults;

use std::{path::PathBuf, time::Duration};

use lexopt::prelude::{Long, Value, ValueExt as _};

use crate::{
    postgres::Places,
    stage::{Setting, Stage},
};

const USAGE: &str = "\
faults --functions FOLDER --postgres FOLDER --disk FOLDER --work FOLDER --faketime FILE [--long] [FAULT...]
    --functions   bootstraps as `sam build` leaves them, or a folder of programs with the functions' names
    --postgres    the server's programs
    --disk        an empty folder that is a small file system, which is filled
    --work        where the logs go
    --faketime    libfaketime
    --long        freezes for a minute rather than for five seconds
    FAULT         one or more of: ";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lexopt::Error> {
    let (setting, chosen) = options()?;
    let mut stage = Box::pin(Stage::new(setting)).await;
    for (name, fault) in faults::ALL {
        if chosen.is_empty() || chosen.iter().any(|chosen| chosen == name) {
            Box::pin(fault(&mut stage)).await;
        }
    }
    println!("{} commands were acknowledged; each took effect once", stage.written());
    Ok(())
}

fn options() -> Result<(Setting, Vec<String>), lexopt::Error> {
    let mut folders: [Option<PathBuf>; 5] = Default::default();
    let names = ["functions", "postgres", "disk", "work", "faketime"];
    let (mut freeze, mut chosen) = (Duration::from_secs(5), Vec::new());
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("long") => freeze = Duration::from_mins(1),
            Long(name) => {
                let Some(place) = names.iter().position(|known| *known == name) else {
                    return Err(argument.unexpected());
                };
                folders[place] = Some(PathBuf::from(parser.value()?));
            }
            Value(fault) => chosen.push(fault.string()?),
            _ => return Err(argument.unexpected()),
        }
    }
    let known: Vec<&str> = faults::ALL.iter().map(|(name, _)| *name).collect();
    if let [Some(functions), Some(binaries), Some(disk), Some(work), Some(faketime)] = folders
        && chosen.iter().all(|fault| known.contains(&fault.as_str()))
    {
        let setting = Setting { functions, places: Places { binaries, disk, work }, faketime, freeze };
        return Ok((setting, chosen));
    }
    Err(format!("{USAGE}{}", known.join(", ")).into())
}
