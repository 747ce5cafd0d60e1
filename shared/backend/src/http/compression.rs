//! Answers as gzip (RFC 9110, 12.5.3), where the client accepts it and the answer is long enough to gain from it. Never
//! answers that may hold a token, a password or a code: next to text chosen by an attacker, the compressed length
//! reveals them.

use std::io::{self, Read, Write};

use axum::{
    body::{Body, HttpBody},
    extract::Request,
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use http_body_util::BodyExt;

use super::weights::weighted;

/// The longest answer, in bytes, that is sent as it is to a client that takes both.
const SHORT: u64 = 1024;

/// The beginnings of the paths whose answers hold secrets.
const SECRETS: [&str; 2] = ["/api/auth/", "/api/payment-sources"];

/// A tenth more than the best level makes of JSON, in a fifth of its time.
const LEVEL: Compression = Compression::new(3);

/// The request headers that an answer depends on.
const VARY: HeaderValue = HeaderValue::from_static("Accept, Accept-Encoding");

/// How a client wants an answer encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Not at all.
    Identity,
    /// As gzip, where that is shorter.
    Gzip,
    /// As gzip alone: it refuses what is not encoded.
    GzipAlone,
}

impl Coding {
    /// The coding that `Accept-Encoding` asks for: gzip if acceptable, and nothing else has the greater weight.
    #[must_use]
    pub fn wanted(headers: &HeaderMap) -> Self {
        let lines = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
        let codings: Vec<_> = lines.flat_map(weighted).collect();
        let weight_of = |names: &[&str]| {
            let named = codings.iter().filter(|(coding, _)| names.iter().any(|name| coding.eq_ignore_ascii_case(name)));
            named.map(|(_, weight)| *weight).max()
        };
        let any = weight_of(&["*"]);
        let gzip = weight_of(&["gzip", "x-gzip"]).or(any).unwrap_or(0);
        // Acceptable, without a weight of its own, if not mentioned.
        let identity = weight_of(&["identity"]).or(any);
        match identity {
            _ if gzip == 0 => Self::Identity,
            Some(0) => Self::GzipAlone,
            Some(identity) if identity > gzip => Self::Identity,
            _ => Self::Gzip,
        }
    }

    /// True if an answer stored as gzip is sent as it is.
    #[must_use]
    pub fn is_gzip(self) -> bool {
        self != Self::Identity
    }
}

/// The bytes as gzip.
///
/// # Errors
///
/// Never: memory takes any write.
pub fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), LEVEL);
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// The uncompressed bytes.
///
/// # Errors
///
/// If the bytes are not gzip.
pub fn gunzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut whole = Vec::with_capacity(bytes.len() * 4);
    GzDecoder::new(bytes).read_to_end(&mut whole)?;
    Ok(whole)
}

/// The layer: compresses the answers that may be, and names in every answer the headers of the request that it depends
/// on. An entity tag stays the same: those of loans and products name a version, whatever its encoding.
pub(super) async fn compress(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_secret = SECRETS.iter().any(|secret| path.starts_with(secret));
    let coding = if is_secret { Coding::Identity } else { Coding::wanted(request.headers()) };
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::VARY, VARY);
    let shortest = match coding {
        Coding::Identity => return response,
        Coding::Gzip => SHORT + 1,
        Coding::GzipAlone => 1,
    };
    // None of our bodies has an unknown length.
    let is_long = response.body().size_hint().exact().is_some_and(|length| length >= shortest);
    if !is_long || !is_compressible(response.headers()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // It is in memory, and reading it cannot fail.
    let whole = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    match gzip(&whole) {
        Ok(compressed) if compressed.len() < whole.len() || coding == Coding::GzipAlone => {
            parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            parts.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(parts, Body::from(compressed))
        }
        _ => Response::from_parts(parts, Body::from(whole)),
    }
}

/// True if an answer is text that is not encoded already.
fn is_compressible(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let is_text = kind.starts_with("text/") || kind.ends_with("json") || kind.ends_with("xml");
    is_text && !headers.contains_key(header::CONTENT_ENCODING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_encoding_is_read_with_its_weights() {
        for (accept, coding) in [
            ("gzip", Coding::Gzip),
            ("gzip, deflate, br, zstd", Coding::Gzip),
            ("br, GZIP;q=0.5", Coding::Gzip),
            ("x-gzip", Coding::Gzip),
            ("*", Coding::Gzip),
            ("identity, gzip", Coding::Gzip),
            ("identity;q=0.5, gzip;q=0.5", Coding::Gzip),
            ("identity;q=0, gzip", Coding::GzipAlone),
            ("identity;q=0, *", Coding::GzipAlone),
            ("*;q=0, gzip;q=0.1", Coding::GzipAlone),
            ("", Coding::Identity),
            ("br", Coding::Identity),
            ("identity", Coding::Identity),
            ("gzip;q=0", Coding::Identity),
            ("gzip;q=0.000, *", Coding::Identity),
            ("gzip;q=2", Coding::Identity),
            ("*;q=0", Coding::Identity),
            ("identity;q=0", Coding::Identity),
            ("identity, gzip;q=0.5", Coding::Identity),
            ("gzip;q=0.5, *", Coding::Identity),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(accept))]);
            assert_eq!(Coding::wanted(&headers), coding, "{accept}");
        }
        assert_eq!(Coding::wanted(&HeaderMap::new()), Coding::Identity);
        let mut lines = HeaderMap::new();
        for line in ["gzip;q=0.5", "identity"] {
            lines.append(header::ACCEPT_ENCODING, HeaderValue::from_static(line));
        }
        assert_eq!(Coding::wanted(&lines), Coding::Identity, "several lines are one list");
    }

    #[test]
    fn what_was_made_gzip_comes_out_of_it() {
        for text in ["", "a", &"text ".repeat(10_000)] {
            let compressed = gzip(text.as_bytes()).unwrap_or_default();
            assert!(compressed.starts_with(&[0x1f, 0x8b]));
            assert_eq!(gunzip(&compressed).unwrap_or_default(), text.as_bytes());
        }
        assert!(gunzip(b"text").is_err());
    }
}
