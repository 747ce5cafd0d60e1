//! Processor time of processes, where the system has it in `/proc`.

use std::{fs, time::Duration};

/// A second has so many ticks on every Linux.
const TICKS: u64 = 100;

/// The processor time of a process so far.
pub(crate) fn of(process: u32) -> Option<Duration> {
    stat(process).map(|stat| stat.taken)
}

/// The processor time of a server's processes so far, with those that its first process has outlived.
pub(crate) fn of_family(parent: u32) -> Option<Duration> {
    let first = stat(parent)?;
    let processes = fs::read_dir("/proc").ok()?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let children = processes.filter_map(stat).filter(|stat| stat.parent == parent);
    Some(children.fold(first.taken + first.ended, |sum, stat| sum + stat.taken))
}

/// The process that a process was started by.
pub(crate) fn parent(process: u32) -> Option<u32> {
    stat(process).map(|stat| stat.parent)
}

struct Stat {
    parent: u32,
    taken: Duration,
    /// By children that have ended.
    ended: Duration,
}

fn stat(process: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The program's name, in parentheses, may have spaces.
    let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
    let ticks = |first: usize| -> Option<Duration> {
        let ticks = fields[first].parse::<u64>().ok()? + fields[first + 1].parse::<u64>().ok()?;
        Some(Duration::from_millis(ticks * 1000 / TICKS))
    };
    Some(Stat { parent: fields[1].parse().ok()?, taken: ticks(11)?, ended: ticks(13)? })
}
