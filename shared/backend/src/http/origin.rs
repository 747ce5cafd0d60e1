//! The required way of requests, where one is configured: through a content delivery network in front of the gateway,
//! which adds a secret and the viewer's address. A request without the secret is refused before anything reads it, and
//! its address headers are never trusted.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName},
    middleware::Next,
    response::{IntoResponse, Response},
};
use secrecy::{ExposeSecret, SecretString};

use super::problem::Problem;
use crate::{
    config::{ConfigError, variable},
    secrets::{SecretError, SecretSource},
};

/// The secret that the network in front adds.
pub const ORIGIN_SECRET: HeaderName = HeaderName::from_static("x-origin-secret");

/// The viewer's address and port, from the network in front.
pub const VIEWER_ADDRESS: HeaderName = HeaderName::from_static("cloudfront-viewer-address");

/// The length of a secret, in bytes: shorter ones can be guessed, longer ones make headers too large.
const LENGTH: std::ops::RangeInclusive<usize> = 16..=256;

/// An invalid origin secret. The error does not say what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("one secret, or two with a comma between them, of 16 to 256 visible ASCII characters each")]
pub struct NoOriginSecret;

/// The secret that requests must carry; during its rotation, either of two.
#[derive(Clone)]
pub struct OriginSecret(Arc<Known>);

enum Known {
    /// From the environment.
    Digests(Digests),
    /// Read from Secrets Manager when a request comes.
    Managed(SecretSource),
}

/// Digests of the secrets: of one length, whatever they are compared with.
struct Digests(Vec<digest::Digest>);

impl fmt::Debug for OriginSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OriginSecret").finish_non_exhaustive()
    }
}

impl OriginSecret {
    /// The secret that requests must carry through a network in front of the gateway: from Secrets Manager if
    /// `ORIGIN_SECRET_ARN` is set, else `ORIGIN_SECRET` itself; `None` without both.
    ///
    /// # Errors
    ///
    /// When `ORIGIN_SECRET` is invalid. The error does not repeat it.
    pub fn from_env() -> Result<Option<Self>, ConfigError> {
        const NAME: &str = "ORIGIN_SECRET";
        match (variable("ORIGIN_SECRET_ARN"), variable(NAME)) {
            (Some(arn), _) => Ok(Some(Self::managed(SecretSource::manager(arn)))),
            (None, Some(text)) => {
                Self::fixed(&text).map(Some).map_err(|error| ConfigError::new(NAME, format!("it is not {error}")))
            }
            (None, None) => Ok(None),
        }
    }

    /// Parses one secret, or two with a comma between them.
    ///
    /// # Errors
    ///
    /// When the text is neither.
    pub fn fixed(text: &str) -> Result<Self, NoOriginSecret> {
        Ok(Self(Arc::new(Known::Digests(Digests::of(text)?))))
    }

    /// A secret in Secrets Manager, read again as every secret is.
    #[must_use]
    pub fn managed(source: SecretSource) -> Self {
        Self(Arc::new(Known::Managed(source)))
    }

    /// Reads the secret in advance for the first request.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub async fn warm_up(&self) -> Result<(), SecretError> {
        match &*self.0 {
            Known::Digests(_) => Ok(()),
            Known::Managed(source) => source.get().await.map(drop),
        }
    }

    /// The viewer's address, if the request came the required way.
    async fn viewer(&self, headers: &HeaderMap) -> Result<IpAddr, Problem> {
        let is_known = match &*self.0 {
            Known::Digests(digests) => digests.know(headers),
            Known::Managed(source) => {
                let text: SecretString = source.get().await.map_err(|error| Problem::unavailable().caused_by(error))?;
                let digests = Digests::of(text.expose_secret());
                digests.map_err(|error| Problem::unavailable().caused_by(error))?.know(headers)
            }
        };
        if !is_known {
            let detail =
                "This service accepts requests only through the network in front of it: use its public address.";
            return Err(Problem::forbidden("origin_refused", detail));
        }
        only(headers, &VIEWER_ADDRESS).and_then(viewer_address).ok_or_else(|| {
            let detail = "The network in front of this service did not send the address of the request.";
            Problem::forbidden("viewer_unknown", detail)
        })
    }
}

impl Digests {
    fn of(text: &str) -> Result<Self, NoOriginSecret> {
        let secrets: Vec<&str> = text.split(',').collect();
        let is_secret = |text: &&str| LENGTH.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if secrets.len() > 2 || !secrets.iter().all(is_secret) {
            return Err(NoOriginSecret);
        }
        Ok(Self(secrets.into_iter().map(|secret| digest::digest(&digest::SHA256, secret.as_bytes())).collect()))
    }

    /// True if the one secret of a request is among these. The time does not depend on how similar they are.
    fn know(&self, headers: &HeaderMap) -> bool {
        let brought = only(headers, &ORIGIN_SECRET).unwrap_or_default();
        let brought = digest::digest(&digest::SHA256, brought.as_bytes());
        let is = |digest: &digest::Digest| verify_slices_are_equal(digest.as_ref(), brought.as_ref()).is_ok();
        self.0.iter().fold(false, |known, digest| known | is(digest))
    }
}

/// The value of a header that occurs once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    if values.next().is_some() { None } else { first.to_str().ok() }
}

/// The address in `198.51.100.10:46532` or `2001:db8::1:46532`: the part before the last colon. The port is always
/// present, and IPv6 has no brackets.
fn viewer_address(text: &str) -> Option<IpAddr> {
    let (address, port) = text.rsplit_once(':')?;
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    let address: IpAddr = address.parse().ok().filter(|_| is_port)?;
    // An address of either kind has one form, so that a limit counts it once.
    Some(match address {
        IpAddr::V6(long) => Ipv6Addr::to_canonical(&long),
        IpAddr::V4(_) => address,
    })
}

/// The viewer's address, according to the network in front: an extension of the request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Viewer(pub(super) IpAddr);

/// Passes on requests with the secret, notes the viewer's address, and removes both headers.
pub(super) async fn require(State(secret): State<OriginSecret>, mut request: Request, next: Next) -> Response {
    match secret.viewer(request.headers()).await {
        Ok(address) => {
            request.headers_mut().remove(ORIGIN_SECRET);
            request.headers_mut().remove(VIEWER_ADDRESS);
            request.extensions_mut().insert(Viewer(address));
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_of_either_kind_is_what_stands_before_the_port() {
        for (text, address) in [
            ("198.51.100.10:46532", "198.51.100.10"),
            ("0.0.0.0:0", "0.0.0.0"),
            ("2001:db8::1:46532", "2001:db8::1"),
            ("2001:0DB8:0:0:0:0:0:1:65535", "2001:db8::1"),
            ("::1:443", "::1"),
            ("1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8"),
            ("::ffff:198.51.100.10:46532", "198.51.100.10"),
        ] {
            assert_eq!(viewer_address(text), Some(address.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_with_a_port_is_none() {
        for text in [
            "",
            ":",
            ":1",
            "198.51.100.10",
            "198.51.100.10:",
            "198.51.100.10:65536",
            "198.51.100.10:+1",
            "198.51.100.10:-1",
            "198.51.100.10: 1",
            " 198.51.100.10:1",
            "198.51.100.10:1 ",
            "198.51.100.10:1,198.51.100.11:1",
            "198.51.100.256:1",
            "198.51.100.010:1",
            "198.51.100:1",
            "2001:db8::1",
            "2001:db8::g:1",
            "[2001:db8::1]:46532",
            "2001:db8::1%eth0:1",
            "viewer.example.com:1",
            "1:2:3:4:5:6:7:8",
        ] {
            let read = viewer_address(text);
            // Without a port, the last group of an IPv6 address would count as the port if the rest is an address.
            assert!(read.is_none(), "{text}: {read:?}");
        }
    }

    #[test]
    fn a_secret_is_one_text_or_two() {
        let (one, other) = ("a".repeat(16), "~".repeat(256));
        for text in [one.clone(), other.clone(), format!("{one},{other}")] {
            assert!(OriginSecret::fixed(&text).is_ok(), "{text}");
        }
        let short = "a".repeat(15);
        let long = "a".repeat(257);
        for text in [
            String::new(),
            short.clone(),
            long,
            format!("{one},"),
            format!(",{one}"),
            format!("{one},{short}"),
            format!("{one}, {one}"),
            format!("{one},{one},{one}"),
            format!("{one}\u{e9}"),
            format!("{one} "),
        ] {
            let refusal = OriginSecret::fixed(&text).unwrap_err().to_string();
            assert!(!refusal.contains("aaaa"), "{refusal}");
        }
    }

    proptest! {
        #[test]
        fn any_address_is_read_back(address in any::<IpAddr>(), port in any::<u16>()) {
            prop_assert_eq!(viewer_address(&format!("{address}:{port}")), Some(address.to_canonical()));
        }

        #[test]
        fn any_text_is_an_address_or_none(text in any::<String>()) {
            viewer_address(&text);
        }
    }
}
