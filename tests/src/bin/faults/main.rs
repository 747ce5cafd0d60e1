//! Faults, from outside: functions as they are deployed, at the emulator of the Lambda runtime, with clients that pay,
//! apply and read all the time, while their database, their processes and their clocks fail. Every answer is kept.
//! After each fault all that was acknowledged since the beginning is in the database once, and nothing else is; the
//! books balance, and the scheduled function's check finds no difference.
//!
//! `cargo xtask faults` starts this with what it needs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "what goes wrong here is a run that fails; what it finds is printed"
)]

mod endpoint;
mod faults;
mod functions;
mod lender;
mod load;
mod postgres;
mod processes;
mod stage;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use lexopt::prelude::{Long, Short, Value, ValueExt as _};

use crate::{
    faults::Fault,
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
    FAULT         those to do, in this order; all of them if none is named: ";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lexopt::Error> {
    let (setting, chosen) = options()?;
    let started = Instant::now();
    let mut stage = Box::pin(Stage::new(setting)).await;
    for fault in chosen {
        fault(&mut stage).await;
    }
    let (written, seconds) = (stage.written(), started.elapsed().as_secs());
    println!("{written} commands were acknowledged in {seconds} s; each took effect once");
    Ok(())
}

fn options() -> Result<(Setting, Vec<Fault>), lexopt::Error> {
    let mut folders: [Option<PathBuf>; 5] = Default::default();
    let names = ["functions", "postgres", "disk", "work", "faketime"];
    let (mut freeze, mut chosen) = (Duration::from_secs(5), Vec::new());
    let known = |name: &str| faults::ALL.into_iter().find(|fault| fault.0 == name);
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
            Value(name) => match known(&name.string()?) {
                Some((_, fault)) => chosen.push(fault),
                None => return Err(usage()),
            },
            Short(_) => return Err(argument.unexpected()),
        }
    }
    if chosen.is_empty() {
        chosen.extend(faults::ALL.map(|(_, fault)| fault));
    }
    let [Some(functions), Some(binaries), Some(disk), Some(work), Some(faketime)] = folders else {
        return Err(usage());
    };
    Ok((Setting { functions, places: Places { binaries, disk, work }, faketime, freeze }, chosen))
}

fn usage() -> lexopt::Error {
    format!("{USAGE}{}", faults::ALL.map(|(name, _)| name).join(", ")).into()
}
