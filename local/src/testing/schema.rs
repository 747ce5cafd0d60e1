//! The contents of a test's databases.

use std::error::Error as StdError;

/// The contents of a test's databases.
pub trait Schema {
    /// A short name (lower-case letters and digits) that distinguishes this schema from others of the same workspace.
    fn name(&self) -> &str;

    /// A text that changes whenever [`Schema::migrate`] would make something else: the migrations themselves.
    fn fingerprint(&self) -> String;

    /// Migrates the empty database at this address, which is its owner's. All its connections are to be closed at the
    /// end; those that are not are broken.
    fn migrate(&self, owner_url: &str) -> impl Future<Output = Result<(), Box<dyn StdError + Send + Sync>>> + Send;
}
