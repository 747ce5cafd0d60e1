//! The text of a key with which a machine calls: `mlk_` and base64url of its id, its role and 32 random bytes.
//!
//! Id and role are in it so that the first statements can be built before the database has seen the key; they count for
//! nothing until it has.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{domain::keys::KeyRole, http::problem::Problem};

/// How every key begins: scanners of source code find it by this.
pub const PREFIX: &str = "mlk_";

/// The random bytes of a key.
const RANDOM: usize = 32;

/// A key as it was sent.
pub(super) struct SentKey {
    pub(super) id: Uuid,
    pub(super) role: KeyRole,
    /// SHA-256 of the text.
    pub(super) digest: Vec<u8>,
}

/// A new key: its text, which is shown once, and the digest that is kept.
pub struct NewKey {
    /// The text.
    pub text: SecretString,
    /// SHA-256 of it.
    pub digest: Vec<u8>,
}

const fn byte(role: KeyRole) -> u8 {
    match role {
        KeyRole::Agent => 1,
        KeyRole::Admin => 2,
    }
}

fn digest(text: &str) -> Vec<u8> {
    Sha256::digest(text.as_bytes()).to_vec()
}

impl NewKey {
    /// A new key of this id and role.
    ///
    /// # Errors
    ///
    /// 500 if the system gives no random bytes.
    pub fn random(id: Uuid, role: KeyRole) -> Result<Self, Problem> {
        let mut random = [0; RANDOM];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| Problem::internal("the system gave no random bytes"))?;
        let bytes = [id.as_bytes().as_slice(), &[byte(role)], &random].concat();
        let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        Ok(Self { digest: digest(&text), text: text.into() })
    }
}

impl SentKey {
    /// The key in a text that begins as one; `None` for any other that no key can have.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let (role, random) = rest.split_first()?;
        let role = KeyRole::ALL.into_iter().find(|known| byte(*known) == *role)?;
        (random.len() == RANDOM).then(|| Self { id: Uuid::from_bytes(*id), role, digest: digest(text) })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_made_and_never_made_twice() {
        for role in KeyRole::ALL {
            let id = Uuid::now_v7();
            let (one, other) = (NewKey::random(id, role).unwrap(), NewKey::random(id, role).unwrap());
            assert_ne!(one.text.expose_secret(), other.text.expose_secret());
            let sent = SentKey::parse(one.text.expose_secret()).unwrap();
            assert_eq!((sent.id, sent.role, sent.digest), (id, role, one.digest));
        }
    }

    proptest! {
        #[test]
        fn any_other_text_is_no_key(text in "(mlk_)?[A-Za-z0-9_-]{0,80}|mlk_.{0,80}") {
            if let Some(sent) = SentKey::parse(&text) {
                let bytes = URL_SAFE_NO_PAD.decode(&text[PREFIX.len()..]).unwrap();
                prop_assert_eq!(bytes.len(), 16 + 1 + RANDOM);
                prop_assert_eq!(&bytes[..16], sent.id.as_bytes());
            }
        }
    }
}
