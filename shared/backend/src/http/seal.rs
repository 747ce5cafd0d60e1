//! Seals of cursors: HMAC-SHA-256 over a cursor's binding and its position, under keys that are derived from those that
//! sign tokens. Only functions can make one, and a rotation of the keys invalidates none at once.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    error::Unspecified,
    hkdf::{HKDF_SHA256, Salt},
    hmac,
};

/// The label under which keys of cursors are derived (HKDF, RFC 5869, its `info`): the keys serve nothing else.
const LABEL: &[u8] = b"cursor";

/// The length of a seal, in bytes: the output of HMAC-SHA-256.
const LENGTH: usize = 32;

/// The keys that seal cursors: the one that seals now, and the others whose seals are accepted.
#[derive(Clone)]
pub struct CursorKeys(Arc<[hmac::Key]>);

impl CursorKeys {
    /// Derives one key from each of these. The first one seals.
    ///
    /// # Errors
    ///
    /// If there are none.
    pub fn derive(keys: impl IntoIterator<Item = Vec<u8>>) -> Result<Self, Unspecified> {
        let derive = |key: Vec<u8>| {
            let derived = Salt::new(HKDF_SHA256, &[]).extract(&key);
            derived.expand(&[LABEL], hmac::HMAC_SHA256).map(hmac::Key::from)
        };
        let keys: Arc<[hmac::Key]> = keys.into_iter().map(derive).collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(Unspecified) } else { Ok(Self(keys)) }
    }
}

/// The binding of a cursor, with the keys that seal it.
#[derive(Clone)]
pub struct Binding {
    keys: CursorKeys,
    /// A digest of caller, path and filters.
    scope: [u8; 32],
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binding").finish_non_exhaustive()
    }
}

impl Binding {
    pub(super) const fn new(keys: CursorKeys, scope: [u8; 32]) -> Self {
        Self { keys, scope }
    }

    fn message(&self, position: &[u8]) -> Vec<u8> {
        [self.scope.as_slice(), position].concat()
    }

    /// The position behind its seal.
    pub(super) fn seal(&self, position: &[u8]) -> Vec<u8> {
        // There is a first key: see `derive`.
        let tag = self.keys.0.first().map(|key| hmac::sign(key, &self.message(position)));
        [tag.as_ref().map(AsRef::as_ref).unwrap_or_default(), position].concat()
    }

    /// The position, if one of the keys sealed it for this binding. Compares in constant time.
    pub(super) fn open<'a>(&self, sealed: &'a [u8]) -> Option<&'a [u8]> {
        let (seal, position) = sealed.split_at_checked(LENGTH)?;
        let message = self.message(position);
        self.keys.0.iter().any(|key| hmac::verify(key, &message, seal).is_ok()).then_some(position)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// A binding with keys that are derived from these.
    fn binding(keys: &[&[u8]]) -> Binding {
        Binding::new(CursorKeys::derive(keys.iter().map(|key| key.to_vec())).unwrap(), [7; 32])
    }

    #[test]
    fn seals_of_every_key_of_the_secret_are_accepted_and_the_first_one_seals() {
        let (before, during, after) = (binding(&[b"old"]), binding(&[b"new", b"old"]), binding(&[b"new"]));
        let (old, new) = (before.seal(b"position"), during.seal(b"position"));
        assert_eq!(new, after.seal(b"position"));
        for sealed in [&old, &new] {
            assert_eq!(during.open(sealed), Some(b"position".as_slice()));
        }
        assert_eq!((after.open(&old), before.open(&new)), (None, None));
        assert!(CursorKeys::derive([]).is_err());
    }

    /// By Python's `hmac` and `hashlib`, from RFC 5869 and RFC 2104.
    #[test]
    fn a_seal_is_hmac_under_the_key_that_hkdf_derives_for_cursors() {
        let sealed = binding(&[b"01234567890123456789012345678901"]).seal(b"[1,null]");
        let hex: Vec<String> = sealed[..LENGTH].iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex.concat(), "dd78c3e2e7a2fb6099bb58a0b9bd886d8dc80db4f9ccca121406beefd82dec8b");
        assert_eq!(&sealed[LENGTH..], b"[1,null]");
    }
}
