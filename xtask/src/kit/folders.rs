//! Where things are.

use std::path::{Path, PathBuf};

/// The workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The tools' own files: they stay in the checkout, and may be removed at any time.
pub(crate) fn cache() -> PathBuf {
    root().join(".ci/cache")
}

/// The release builds, a folder for each function.
pub(crate) fn built() -> PathBuf {
    root().join(".aws-sam/build")
}

/// A program that Cargo builds for the tests and for `cargo dev`.
pub(crate) fn debug(program: &str) -> PathBuf {
    root().join("target/debug").join(program)
}
