//! Stored secrets that have to be read again, unlike passwords: sealed with AES-256-GCM under keys of their own, which
//! the database never holds.

use std::collections::BTreeMap;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    error::Unspecified,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::{
    http::problem::Problem,
    secrets::{SecretError, SecretSource},
};

/// The bytes of a key.
const KEY_LEN: usize = 32;

/// The keys: `{"current": "<id>", "keys": {"<id>": "<base64url of 32 bytes or more>"}}`, or as CloudFormation can
/// generate them, `{"generated": "<base64url>"}`. The current one seals; each opens what it sealed.
#[derive(Clone)]
pub struct Sealing {
    keys: Option<SecretSource>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Keys { current: String, keys: BTreeMap<String, SecretString> },
    Generated { generated: SecretString },
}

/// Why something can be neither sealed nor opened.
#[derive(Debug, thiserror::Error)]
pub enum SealingError {
    /// No keys are configured.
    #[error("neither SEALING_KEYS_SECRET_ARN nor SEALING_KEYS is set")]
    Missing,
    /// The secret could not be read.
    #[error("the sealing keys could not be read")]
    Secret(#[from] SecretError),
    /// The secret has another form, or a key of another length. Its text is not repeated here.
    #[error("the sealing keys are not {{\"current\": id, \"keys\": {{id: base64url of 32 bytes}}}}")]
    Malformed,
    /// Sealed by a key that is not there any more.
    #[error("sealed by the key {0:?}, which is not there")]
    UnknownKey(String),
    /// Not what was sealed, or not for this.
    #[error("what was sealed was changed, or is of something else")]
    Changed,
    /// The system gave no random bytes.
    #[error("nothing could be sealed")]
    Unspecified,
}

impl From<Unspecified> for SealingError {
    fn from(_: Unspecified) -> Self {
        Self::Unspecified
    }
}

impl From<SealingError> for Problem {
    fn from(error: SealingError) -> Self {
        match error {
            SealingError::Secret(_) => Self::unavailable().caused_by(error),
            error => Self::internal(error),
        }
    }
}

/// The keys as they are used.
struct Keys {
    current: String,
    keys: BTreeMap<String, Vec<u8>>,
}

impl Keys {
    fn read(text: &str) -> Result<Self, SealingError> {
        let (current, keys) = match serde_json::from_str(text).map_err(|_| SealingError::Malformed)? {
            Written::Keys { current, keys } => (current, keys),
            Written::Generated { generated } => {
                ("generated".to_owned(), BTreeMap::from([("generated".to_owned(), generated)]))
            }
        };
        let decode = |(id, key): (String, SecretString)| {
            let key = URL_SAFE_NO_PAD.decode(key.expose_secret()).map_err(|_| SealingError::Malformed)?;
            if key.len() < KEY_LEN || id.len() > usize::from(u8::MAX) {
                return Err(SealingError::Malformed);
            }
            Ok((id, key[..KEY_LEN].to_vec()))
        };
        let keys: BTreeMap<String, Vec<u8>> = keys.into_iter().map(decode).collect::<Result<_, _>>()?;
        if keys.contains_key(&current) { Ok(Self { current, keys }) } else { Err(SealingError::Malformed) }
    }

    fn key(&self, id: &str) -> Result<RandomizedNonceKey, SealingError> {
        let key = self.keys.get(id).ok_or_else(|| SealingError::UnknownKey(id.to_owned()))?;
        Ok(RandomizedNonceKey::new(&AES_256_GCM, key)?)
    }

    /// The id of the key with its length in front, the nonce, the sealed text with its tag.
    fn seal(&self, of: &str, secret: &[u8]) -> Result<Vec<u8>, SealingError> {
        let mut text = secret.to_vec();
        let nonce = self.key(&self.current)?.seal_in_place_append_tag(Aad::from(of.as_bytes()), &mut text)?;
        let id = self.current.as_bytes();
        let length = u8::try_from(id.len()).map_err(|_| SealingError::Malformed)?;
        Ok([&[length], id, nonce.as_ref(), &text].concat())
    }

    /// The id of the key that sealed, and what follows it.
    fn parts(sealed: &[u8]) -> Result<(&str, &[u8]), SealingError> {
        let (length, rest) = sealed.split_first().ok_or(SealingError::Changed)?;
        let (id, rest) = rest.split_at_checked(usize::from(*length)).ok_or(SealingError::Changed)?;
        Ok((str::from_utf8(id).map_err(|_| SealingError::Changed)?, rest))
    }

    /// Sealed by the current key, if another one sealed it.
    fn seal_again(&self, of: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>, SealingError> {
        let (id, _) = Self::parts(sealed)?;
        if id == self.current {
            return Ok(None);
        }
        self.seal(of, &self.open(of, sealed)?).map(Some)
    }

    fn open(&self, of: &str, sealed: &[u8]) -> Result<Vec<u8>, SealingError> {
        let (id, rest) = Self::parts(sealed)?;
        let (nonce, text) = rest.split_at_checked(NONCE_LEN).ok_or(SealingError::Changed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealingError::Changed)?;
        let mut text = text.to_vec();
        let opened = self.key(id)?.open_in_place(nonce, Aad::from(of.as_bytes()), &mut text);
        opened.map(|opened| opened.to_vec()).map_err(|_| SealingError::Changed)
    }
}

impl Sealing {
    /// With the keys of this secret; without, whatever needs them fails.
    #[must_use]
    pub const fn new(keys: Option<SecretSource>) -> Self {
        Self { keys }
    }

    async fn keys(&self) -> Result<Keys, SealingError> {
        let source = self.keys.as_ref().ok_or(SealingError::Missing)?;
        Keys::read(source.get().await?.expose_secret())
    }

    /// Reads the keys, so that nothing waits for them later.
    ///
    /// # Errors
    ///
    /// See [`SealingError`].
    pub async fn warm_up(&self) -> Result<(), SealingError> {
        self.keys().await.map(|_| ())
    }

    /// Seals a secret. `of` says what it is of, such as a table and a key: it can be opened for that alone.
    ///
    /// # Errors
    ///
    /// See [`SealingError`].
    pub async fn seal(&self, of: &str, secret: &[u8]) -> Result<Vec<u8>, SealingError> {
        self.keys().await?.seal(of, secret)
    }

    /// Opens what was sealed of the same thing, by any of the keys.
    ///
    /// # Errors
    ///
    /// See [`SealingError`].
    pub async fn open(&self, of: &str, sealed: &[u8]) -> Result<Vec<u8>, SealingError> {
        self.keys().await?.open(of, sealed)
    }

    /// Seals by the current key what another one sealed of the same thing; `None` where the current one did.
    ///
    /// # Errors
    ///
    /// See [`SealingError`].
    pub async fn seal_again(&self, of: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>, SealingError> {
        self.keys().await?.seal_again(of, sealed)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn keys(current: &str) -> Keys {
        let (one, two) = (URL_SAFE_NO_PAD.encode([1; 32]), URL_SAFE_NO_PAD.encode([2; 32]));
        Keys::read(&format!(r#"{{"current": "{current}", "keys": {{"one": "{one}", "two": "{two}"}}}}"#)).unwrap()
    }

    #[test]
    fn what_one_key_sealed_is_opened_once_another_is_current() {
        let sealed = keys("one").seal("source:a", b"secret").unwrap();
        assert_eq!(keys("two").open("source:a", &sealed).unwrap(), b"secret");
        assert_ne!(keys("one").seal("source:a", b"secret").unwrap(), sealed, "a nonce is used once");
    }

    #[test]
    fn what_another_key_sealed_is_sealed_again() {
        let sealed = keys("one").seal("source:a", b"secret").unwrap();
        assert!(keys("one").seal_again("source:a", &sealed).unwrap().is_none());
        let again = keys("two").seal_again("source:a", &sealed).unwrap().unwrap();
        assert_eq!(keys("two").open("source:a", &again).unwrap(), b"secret");
        assert!(keys("two").seal_again("source:a", &again).unwrap().is_none());
        assert!(matches!(keys("two").seal_again("source:b", &sealed), Err(SealingError::Changed)));
    }

    #[test]
    fn it_is_opened_for_what_it_was_sealed_of_alone() {
        let sealed = keys("one").seal("source:a", b"secret").unwrap();
        assert!(matches!(keys("one").open("source:b", &sealed), Err(SealingError::Changed)));
    }

    #[test]
    fn a_short_key_or_none_is_refused() {
        for text in ["", "{}", r#"{"generated": "c2hvcnQ"}"#, r#"{"current": "a", "keys": {}}"#] {
            assert!(matches!(Keys::read(text), Err(SealingError::Malformed)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_was_changed_is_not_opened(place in 0_usize..38, bit in 0_u8..8) {
            let sealed = keys("one").seal("source:a", b"secret").unwrap();
            prop_assert_eq!(sealed.len(), 38);
            let mut changed = sealed.clone();
            changed[place] ^= 1 << bit;
            prop_assert!(keys("one").open("source:a", &changed).is_err());
            prop_assert!(keys("one").open("source:a", &sealed[..place]).is_err());
        }
    }
}
