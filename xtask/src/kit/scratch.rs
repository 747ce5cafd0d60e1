//! A folder for the time of a check. What it logs there is shown where the check fails.

use std::{
    env, fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use super::command::Outcome;

/// How many lines of each log are shown.
const LINES: usize = 20;

/// Does something with an empty folder, which is removed in the end.
pub(crate) fn with_folder<T>(work: impl FnOnce(&Path) -> Outcome<T>) -> Outcome<T> {
    let folder = Folder::new()?;
    let done = work(&folder.0);
    if done.is_err() {
        show_logs(&folder.0);
    }
    done
}

struct Folder(PathBuf);

impl Folder {
    fn new() -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("microloans-check-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = env::temp_dir().join(name);
        fs::create_dir(&folder)?;
        // A database server that is not run as root gets as far as its own folder below.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o711))?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _best_effort = fs::remove_dir_all(&self.0);
    }
}

fn show_logs(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "log")) {
        let text = String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
        let lines: Vec<_> = text.lines().collect();
        eprintln!("--- {}", path.file_name().unwrap_or_default().display());
        for line in &lines[lines.len().saturating_sub(LINES)..] {
            eprintln!("{line}");
        }
    }
}
