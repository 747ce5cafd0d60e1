//! Steps, one after the other, each with its time.

use std::time::{Duration, Instant};

use crate::kit::command::Outcome;

/// The steps of a run and how long each took.
#[derive(Debug)]
pub(crate) struct Steps {
    began: Instant,
    took: Vec<(String, Duration)>,
}

impl Steps {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), took: Vec::new() }
    }

    /// Takes a step.
    pub(crate) fn take(&mut self, name: &str, work: impl FnOnce() -> Outcome) -> Outcome {
        println!("\n==> {name}");
        let began = Instant::now();
        let done = work();
        self.took.push((name.to_owned(), began.elapsed()));
        match done {
            Ok(()) => println!("==> {name}: {} s", began.elapsed().as_secs()),
            Err(ref error) => {
                self.summarise();
                println!("\nFAILED: {name} (after {} s): {error}", self.began.elapsed().as_secs());
            }
        }
        done
    }

    /// Says that all went well.
    pub(crate) fn conclude(&self) {
        self.summarise();
        println!("\nall checks passed in {} s", self.began.elapsed().as_secs());
    }

    fn summarise(&self) {
        println!();
        for (name, took) in &self.took {
            println!("{:>6} s  {name}", took.as_secs());
        }
    }
}
