//! Seals stored secrets again with the current key, after which no other key is needed.

use backend::{
    auth::sealing::{Sealing, SealingError},
    db::{Db, DbError, Statement},
    store::{
        second_factors::{self, Sealed},
        sources,
    },
};
use uuid::Uuid;

/// How many secrets are read at a time.
const AT_ONCE: i64 = 500;

/// Why secrets are not all sealed by the current key. What was sealed again before it stays so.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Without a database.
    #[error("the database could not be used")]
    Database(#[from] DbError),
    /// A secret that no key opens, or no keys.
    #[error("the secret of {0} could not be sealed again")]
    Sealing(String, #[source] SealingError),
}

/// Seals with the current key what other keys sealed, in transactions of their own, while others write. Returns the
/// number of secrets.
///
/// # Errors
///
/// See [`Error`].
pub async fn seal(db: &Db, sealing: &Sealing) -> Result<u64, Error> {
    let sources = of_sources(db, sealing).await?;
    Ok(sources + of_second_factors(db, sealing).await?)
}

async fn of_sources(db: &Db, sealing: &Sealing) -> Result<u64, Error> {
    let mut writes = Vec::new();
    for secret in db.read(&sources::sealed()).await? {
        let again = again(sealing, sources::seal_of(&secret.source), &secret.signing).await?;
        writes.extend(again.map(|again| sources::seal_again(secret, again)));
    }
    write(db, writes).await
}

async fn of_second_factors(db: &Db, sealing: &Sealing) -> Result<u64, Error> {
    let (mut after, mut sealed_again) = (Uuid::nil(), 0);
    loop {
        let page = db.read(&second_factors::sealed(after, AT_ONCE)).await?;
        let Some(last) = page.last().map(|last| last.person) else { return Ok(sealed_again) };
        let mut writes = Vec::new();
        for Sealed { person, secret } in page {
            let again = again(sealing, second_factors::seal_of(person), &secret).await?;
            writes.extend(again.map(|again| second_factors::seal_again(person, secret, again)));
        }
        sealed_again += write(db, writes).await?;
        after = last;
    }
}

async fn again(sealing: &Sealing, of: String, sealed: &[u8]) -> Result<Option<Vec<u8>>, Error> {
    sealing.seal_again(&of, sealed).await.map_err(|error| Error::Sealing(of, error))
}

/// Writes in a transaction. Returns how many.
async fn write(db: &Db, writes: Vec<Statement<()>>) -> Result<u64, Error> {
    let count = u64::try_from(writes.len()).unwrap_or_default();
    if count > 0 {
        let (tx, ()) = db.begin(&()).await?;
        tx.commit(writes).await?;
    }
    Ok(count)
}
