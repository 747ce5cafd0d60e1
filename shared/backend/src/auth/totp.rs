//! One-time passwords by the clock (TOTP, RFC 6238) and recovery codes: what a second factor is made of. Pure: the
//! clock and what is stored come from outside.

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{SHA256, digest},
    hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign},
};
use data_encoding::{BASE32, BASE32_NOPAD};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretSlice, SecretString};

use crate::http::problem::Problem;

/// The bytes of a secret.
const SECRET_LEN: usize = 20;

/// Seconds for which a code is shown.
const STEP_S: i64 = 30;

/// How many steps a clock may be early or late.
const DRIFT: i64 = 1;

/// The digits of a code.
const DIGITS: usize = 6;

/// How many recovery codes a user gets.
const RECOVERY_CODES: usize = 10;

/// The random bytes of a recovery code: 16 letters and digits.
const RECOVERY_LEN: usize = 10;

/// The application's name in the user's authenticator.
const ISSUER: &str = "Microloans";

/// The secret that a user's authenticator and we share.
pub struct TotpSecret(SecretSlice<u8>);

impl TotpSecret {
    /// A new secret.
    ///
    /// # Errors
    ///
    /// 500 if the system gives no random bytes.
    pub fn random() -> Result<Self, Problem> {
        Ok(Self::from(random_bytes::<SECRET_LEN>()?.to_vec()))
    }

    /// Its bytes, to be sealed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.expose_secret()
    }

    /// In base32, as people type it where they cannot scan it.
    #[must_use]
    pub fn to_base32(&self) -> String {
        BASE32.encode(self.bytes())
    }

    /// The address that authenticators scan, for the user of this name: of letters, digits, `.`, `_` and `-`.
    #[must_use]
    pub fn otpauth_url(&self, username: &str) -> String {
        format!(
            "otpauth://totp/{ISSUER}:{username}?secret={}&issuer={ISSUER}&algorithm=SHA1&digits={DIGITS}\
             &period={STEP_S}",
            self.to_base32()
        )
    }

    /// The step whose code was typed, if it is one of now and later than the last one that was used. All steps of now
    /// are looked at, in constant time; of two that have one code the later one counts.
    #[must_use]
    pub fn step_of(&self, typed: &SecretString, now: Timestamp, last_step: i64) -> Option<i64> {
        let current = now.as_second().div_euclid(STEP_S);
        let mut found = None;
        for step in current - DRIFT..=current + DRIFT {
            let code = self.code(step);
            let is_equal = verify_slices_are_equal(code.as_bytes(), typed.expose_secret().as_bytes()).is_ok();
            found = if is_equal { Some(step) } else { found };
        }
        found.filter(|step| *step > last_step)
    }

    /// The code of a step: RFC 4226, section 5.3.
    #[must_use]
    pub fn code(&self, step: i64) -> String {
        let key = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.bytes());
        let mac = sign(&key, &step.to_be_bytes());
        let mac = mac.as_ref();
        let offset = usize::from(mac.last().copied().unwrap_or_default() & 0x0f);
        let number = mac.iter().skip(offset).take(4).fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
        format!("{:0DIGITS$}", (number & 0x7fff_ffff) % 10_u32.pow(6))
    }
}

impl From<Vec<u8>> for TotpSecret {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

/// The digest of a recovery code, by which it is stored: a code has 80 random bits, which nobody guesses from it.
pub type RecoveryDigest = Vec<u8>;

/// New recovery codes, as the user sees them once, each with its digest.
///
/// # Errors
///
/// 500 if the system gives no random bytes.
pub fn recovery_codes() -> Result<Vec<(String, RecoveryDigest)>, Problem> {
    (0..RECOVERY_CODES)
        .map(|_| {
            let code = BASE32_NOPAD.encode(&random_bytes::<RECOVERY_LEN>()?).to_ascii_lowercase();
            let digest = digest_of(&code);
            let groups: Vec<&str> = (0..code.len()).step_by(4).filter_map(|start| code.get(start..start + 4)).collect();
            Ok((groups.join("-"), digest))
        })
        .collect()
}

fn digest_of(code: &str) -> RecoveryDigest {
    digest(&SHA256, code.as_bytes()).as_ref().to_vec()
}

fn random_bytes<const N: usize>() -> Result<[u8; N], Problem> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Problem::internal("the system gave no random bytes"))?;
    Ok(bytes)
}

/// A second factor as it was typed.
pub enum Typed {
    /// Six digits.
    Code(SecretString),
    /// A recovery code, by its digest.
    Recovery(RecoveryDigest),
}

impl Typed {
    /// Reads it: six digits are a code, everything else is taken for a recovery code. Blanks, hyphens and the case of
    /// letters do not count.
    #[must_use]
    pub fn read(text: &SecretString) -> Self {
        let counts = |c: &char| !c.is_whitespace() && *c != '-';
        let text: String = text.expose_secret().chars().filter(counts).map(|c| c.to_ascii_lowercase()).collect();
        if text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Self::Code(SecretString::from(text))
        } else {
            Self::Recovery(digest_of(&text))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::HashSet;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn typed(code: &str) -> SecretString {
        SecretString::from(code)
    }

    /// RFC 6238, appendix B: of its eight digits the last six.
    #[test]
    fn codes_are_those_of_rfc_6238() {
        let secret = TotpSecret::from(b"12345678901234567890".to_vec());
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(secret.code(second / STEP_S), code, "{second}");
            assert_eq!(secret.step_of(&typed(code), at(second), 0), Some(second / STEP_S));
        }
    }

    #[test]
    fn a_code_is_good_one_step_early_or_late_and_once() {
        let secret = TotpSecret::from(b"12345678901234567890".to_vec());
        let step = 1_234_567_890 / STEP_S;
        let step_at = |second, last| secret.step_of(&typed("005924"), at(second), last);
        assert_eq!(step_at((step - 1) * STEP_S, 0), Some(step));
        assert_eq!(step_at((step + 2) * STEP_S - 1, 0), Some(step));
        assert_eq!(step_at((step - 1) * STEP_S - 1, 0), None);
        assert_eq!(step_at((step + 2) * STEP_S, 0), None);
        assert_eq!(step_at(step * STEP_S, step - 1), Some(step));
        assert_eq!(step_at(step * STEP_S, step), None);
        for wrong in ["005925", "05924", "0059240", "", "００５９２４"] {
            assert_eq!(secret.step_of(&typed(wrong), at(step * STEP_S), 0), None, "{wrong}");
        }
    }

    #[test]
    fn a_secret_is_scanned_or_typed() {
        let secret = TotpSecret::from(b"12345678901234567890".to_vec());
        assert_eq!(secret.to_base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(
            secret.otpauth_url("asha.patel"),
            "otpauth://totp/Microloans:asha.patel?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Microloans\
             &algorithm=SHA1&digits=6&period=30"
        );
        assert_ne!(TotpSecret::random().unwrap().bytes(), TotpSecret::random().unwrap().bytes());
    }

    #[test]
    fn a_recovery_code_is_read_as_it_is_written_by_hand() {
        let codes = recovery_codes().unwrap();
        let distinct: HashSet<_> = codes.iter().map(|(code, _)| code).collect();
        assert_eq!(distinct.len(), 10);
        for (code, digest) in &codes {
            assert!(code.len() == 19 && code.split('-').all(|group| group.len() == 4), "{code}");
            for written in [code.clone(), code.replace('-', ""), code.to_uppercase(), code.replace('-', " ")] {
                assert!(matches!(Typed::read(&typed(&written)), Typed::Recovery(read) if read == *digest), "{written}");
            }
        }
        assert!(matches!(Typed::read(&typed(" 005 924 ")), Typed::Code(code) if code.expose_secret() == "005924"));
        assert!(matches!(Typed::read(&typed("٠٠٥٩٢٤")), Typed::Recovery(_)));
    }
}
