//! The keys that sign access tokens, and from which those that seal cursors are derived: how their secret is written,
//! which key signs at an instant, and the next secret of a rotation. Never prints a key.
//!
//! Functions keep a secret for minutes, so a new key is announced before it signs: for a while it is in the secret and
//! every function learns it, then from an instant on all sign with it. The key before stays valid until the next
//! rotation. So no token is refused because of a rotation.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use rustls::crypto::aws_lc_rs;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::{http::seal::CursorKeys, secrets};

/// How far the clocks of two environments may differ.
pub(super) const LEEWAY_S: i64 = 30;

/// How long a token is valid.
pub const LIFETIME: Duration = Duration::from_hours(1);

/// The shortest key, in bytes: the output of the hash (RFC 7518, 3.2).
const KEY_MIN: usize = 32;
/// How long a key is announced before it signs: as long as functions keep a secret, and a minute for their clocks and
/// for Secrets Manager.
const ANNOUNCED: Duration = secrets::TIME_TO_LIVE.saturating_add(Duration::from_mins(1));
/// The name of the key in a secret that has never been rotated.
const GENERATED: &str = "generated";

/// One or two keys, and which of them signs.
pub struct SigningKeys {
    current: String,
    next: Option<Next>,
    keys: BTreeMap<String, SecretString>,
}

/// The key that signs from an instant on, instead of the current one.
#[derive(Deserialize)]
struct Next {
    kid: String,
    from: Timestamp,
}

/// The secret: `{"current": "<kid>", "keys": {"<kid>": "<base64url, 32 bytes or more>"}}`, where a rotation adds
/// `"next": {"kid": "<kid>", "from": "<instant>"}`; or, as CloudFormation can generate it, `{"generated":
/// "<base64url>"}`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Keys { current: String, next: Option<Next>, keys: BTreeMap<String, SecretString> },
    Generated { generated: SecretString },
}

/// Why keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The secret has another form, or names a key that is not in it. Its text is not repeated here.
    #[error("the signing keys are not {{\"current\": kid, \"keys\": {{kid: base64url of 32 bytes or more}}}}")]
    Malformed,
    /// The key before the current one has signed tokens that are still valid.
    #[error("the last rotation is too recent: tokens of the key before it are valid until {until}")]
    TooSoon {
        /// When the last of them expires.
        until: Timestamp,
    },
    /// The system gives no random bytes.
    #[error("the system gave no random bytes")]
    Random,
}

impl SigningKeys {
    /// The keys of a secret's text.
    ///
    /// # Errors
    ///
    /// [`KeysError::Malformed`] when it has another form, or a key that signs now or later is missing or too short.
    pub fn from_secret(text: &str) -> Result<Self, KeysError> {
        let keys = match serde_json::from_str(text).map_err(|_| KeysError::Malformed)? {
            Written::Keys { current, next, keys } => Self { current, next, keys },
            Written::Generated { generated } => {
                Self { current: GENERATED.into(), next: None, keys: BTreeMap::from([(GENERATED.into(), generated)]) }
            }
        };
        let signing = [Some(&keys.current), keys.next.as_ref().map(|next| &next.kid)];
        let usable = signing.into_iter().flatten().all(|kid| keys.key(kid).is_some());
        usable.then_some(keys).ok_or(KeysError::Malformed)
    }

    /// The secret's text.
    #[must_use]
    pub fn to_secret(&self) -> SecretString {
        let keys: BTreeMap<_, _> = self.keys.iter().map(|(kid, key)| (kid, key.expose_secret())).collect();
        let mut text = json!({"current": self.current, "keys": keys});
        if let Some(next) = &self.next {
            text["next"] = json!({"kid": next.kid, "from": next.from.to_string()});
        }
        SecretString::from(text.to_string())
    }

    /// The key of this name, in bytes.
    #[must_use]
    pub fn key(&self, kid: &str) -> Option<Vec<u8>> {
        let key = URL_SAFE_NO_PAD.decode(self.keys.get(kid)?.expose_secret()).ok()?;
        (key.len() >= KEY_MIN).then_some(key)
    }

    /// The name of the key that signs at this instant.
    #[must_use]
    pub fn signing(&self, now: Timestamp) -> &str {
        self.next.as_ref().filter(|next| next.from <= now).map_or(&self.current, |next| &next.kid)
    }

    /// The keys that seal cursors: one derived from each key of the secret, that of the key which signs at this instant
    /// first.
    ///
    /// # Errors
    ///
    /// [`KeysError::Malformed`] without a usable key.
    pub fn cursor_keys(&self, now: Timestamp) -> Result<CursorKeys, KeysError> {
        let signing = self.signing(now);
        let others = self.keys.keys().map(String::as_str).filter(|kid| *kid != signing);
        let keys = std::iter::once(signing).chain(others).filter_map(|kid| self.key(kid));
        CursorKeys::derive(keys).map_err(|_| KeysError::Malformed)
    }

    /// The secret after this one: the key that signs now, and a new one that will in a few minutes.
    ///
    /// # Errors
    ///
    /// [`KeysError::TooSoon`] while tokens of the key that would be dropped are valid; without random bytes.
    pub fn rotated(&self, now: Timestamp) -> Result<Self, KeysError> {
        if let Some(next) = &self.next {
            // A key that is only announced may be dropped, as long as every function that has read it reads the secret
            // again before it signs.
            let until = next.from + LIFETIME + Duration::from_secs(2 * LEEWAY_S.unsigned_abs());
            if !self.is_known_before_it_signs(now) && now < until {
                return Err(KeysError::TooSoon { until });
            }
        }
        let mut random = [0; KEY_MIN];
        aws_lc_rs::default_provider().secure_random.fill(&mut random).map_err(|_| KeysError::Random)?;
        let current = self.signing(now).to_owned();
        let kid = Uuid::now_v7().to_string();
        let kept = self.keys.get(&current).ok_or(KeysError::Malformed)?.clone();
        let new = SecretString::from(URL_SAFE_NO_PAD.encode(random));
        let keys = BTreeMap::from([(current.clone(), kept), (kid.clone(), new)]);
        Ok(Self { current, next: Some(Next { kid, from: now + ANNOUNCED }), keys })
    }

    /// True if every function that reads the secret at this instant or before reads it again before the next key signs.
    #[must_use]
    pub fn is_known_before_it_signs(&self, now: Timestamp) -> bool {
        self.next.as_ref().is_some_and(|next| now + secrets::TIME_TO_LIVE <= next.from)
    }

    /// True if these keys accept the tokens that `before` signs at this instant.
    #[must_use]
    pub fn accept(&self, before: &Self, now: Timestamp) -> bool {
        let kid = before.signing(now);
        self.key(kid).is_some_and(|key| before.key(kid) == Some(key))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jiff::{SignedDuration, ToSpan};

    use super::*;

    const KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE";

    fn keys(text: &str) -> Result<SigningKeys, KeysError> {
        SigningKeys::from_secret(text)
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_772_443_800).unwrap()
    }

    #[test]
    fn a_generated_secret_is_one_key() {
        let text = format!(r#"{{"generated": "{}"}}"#, "aZ09".repeat(16));
        let keys = keys(&text).unwrap();
        assert_eq!(keys.signing(now()), "generated");
        assert_eq!(keys.key("generated").unwrap().len(), 48);
    }

    #[test]
    fn a_secret_without_a_usable_key_is_refused() {
        for text in [
            "",
            "{}",
            r#"{"current": "a", "keys": {}}"#,
            r#"{"current": "a", "keys": {"a": "dG9vIHNob3J0"}}"#,
            r#"{"generated": "dG9vIHNob3J0"}"#,
            &format!(r#"{{"current": "b", "keys": {{"a": "{KEY}"}}}}"#),
            &format!(r#"{{"current": "a", "keys": {{"a": "{KEY}+"}}}}"#),
            &format!(
                r#"{{"current": "a", "keys": {{"a": "{KEY}"}},
                    "next": {{"kid": "b", "from": "2026-01-01T00:00:00Z"}}}}"#
            ),
        ] {
            assert!(matches!(keys(text), Err(KeysError::Malformed)), "{text}");
        }
    }

    /// Functions keep the secret for up to five minutes. A function that reads it at any instant accepts whatever
    /// another signs that read it up to five minutes earlier or later; and a token of an hour ago is good.
    #[test]
    fn whatever_is_signed_around_a_rotation_is_accepted_by_everyone() {
        let before = keys(&format!(r#"{{"current": "a", "keys": {{"a": "{KEY}"}}}}"#)).unwrap();
        let after = keys(before.rotated(now()).unwrap().to_secret().expose_secret()).unwrap();
        let again_at = now() + 4.hours();
        let again = keys(after.rotated(again_at).unwrap().to_secret().expose_secret()).unwrap();
        // The keys in force at an instant.
        let read = |at: Timestamp| match at {
            at if at < now() => &before,
            at if at < again_at => &after,
            _ => &again,
        };
        let kept = SignedDuration::try_from(secrets::TIME_TO_LIVE).unwrap();
        for seconds in (-1_000..20_000).step_by(10) {
            let at = now() + SignedDuration::from_secs(seconds);
            for signer in [read(at), read(at - kept)] {
                let kid = signer.signing(at);
                let signed = signer.key(kid);
                for later in [0, 1_800, 3_600] {
                    let at = at + SignedDuration::from_secs(later);
                    for reader in [read(at), read(at - kept)] {
                        assert_eq!(
                            reader.key(kid),
                            signed,
                            "signed {seconds} s after the rotation, read {later} s later"
                        );
                    }
                }
            }
        }
        assert_eq!((after.keys.len(), again.keys.len()), (2, 2));
        assert!(again.key("a").is_none(), "a key goes with the second rotation");
        assert_ne!(after.signing(again_at), "a");
    }

    #[test]
    fn a_rotation_waits_for_the_tokens_of_the_key_it_would_drop() {
        let before = keys(&format!(r#"{{"current": "a", "keys": {{"a": "{KEY}"}}}}"#)).unwrap();
        let after = before.rotated(now()).unwrap();
        // Only announced: nobody keeps the new key until it signs, and another may take its place.
        let instead = after.rotated(now() + 1.minute()).unwrap();
        assert!(instead.accept(&before, now()));
        // A function that reads it now may still have it when it signs.
        assert!(matches!(after.rotated(now() + 61.seconds()), Err(KeysError::TooSoon { .. })));
        assert!(matches!(after.rotated(now() + 10.minutes()), Err(KeysError::TooSoon { .. })));
        assert!(matches!(after.rotated(now() + 66.minutes()), Err(KeysError::TooSoon { .. })));
        assert!(after.rotated(now() + 68.minutes()).is_ok());
    }

    #[test]
    fn another_key_of_the_same_name_is_not_accepted() {
        let one = keys(&format!(r#"{{"current": "a", "keys": {{"a": "{KEY}"}}}}"#)).unwrap();
        let other = keys(&format!(r#"{{"current": "a", "keys": {{"a": "{}"}}}}"#, KEY.replace('M', "N"))).unwrap();
        assert!(one.accept(&one, now()));
        assert!(!one.accept(&other, now()));
    }
}
