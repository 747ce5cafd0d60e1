//! Codes that a person sets a password with, once: ten digits, made at random and kept as a hash.

use jiff::SignedDuration;
use rustls::crypto::aws_lc_rs;
use secrecy::SecretString;

use crate::http::problem::Problem;

/// How long a code is good.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(72);

/// How many codes there are: all of ten digits.
const CODES: u64 = 10_000_000_000;

/// A new code.
///
/// # Errors
///
/// 500 if the system gives no random bytes.
pub fn random() -> Result<SecretString, Problem> {
    let mut random = [0; 8];
    let filled = aws_lc_rs::default_provider().secure_random.fill(&mut random);
    filled.map_err(|_| Problem::internal("the system gave no random bytes"))?;
    // Of 2^64 numbers each code has as many as any other, but for one in a thousand million.
    Ok(SecretString::from(format!("{:010}", u64::from_be_bytes(random) % CODES)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_code_is_ten_digits_and_never_the_same() {
        let codes: std::collections::HashSet<_> =
            (0..100).map(|_| random().unwrap().expose_secret().to_owned()).collect();
        assert_eq!(codes.len(), 100);
        assert!(codes.iter().all(|code| code.len() == 10 && code.bytes().all(|byte| byte.is_ascii_digit())));
    }
}
