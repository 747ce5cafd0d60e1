//! The secrets of a source: in the address of its hooks, and what its notices are signed with.

use std::{convert::Infallible, fmt::Write as _};

use axum::{
    extract::FromRequestParts,
    http::{Uri, header, request::Parts},
};
use backend::{
    app::App,
    domain::sources::{Provider, Source},
    http::problem::Problem,
    store::sources::{Secret, seal_of},
    views::payment::SourceView,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use crate::signed::PREFIX;

/// Where this service is reached, as the request says.
pub(crate) struct BaseUrl(String);

impl<S: Send + Sync> FromRequestParts<S> for BaseUrl {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let uri: &Uri = &parts.uri;
        let named = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = uri.host().or(named).unwrap_or("localhost");
        // A request that comes through the gateway has an address with its scheme.
        Ok(Self(format!("{}://{host}", uri.scheme_str().unwrap_or("http"))))
    }
}

/// The secrets of a source, as they are shown once, and as they are kept.
pub(crate) struct Secrets {
    hook: String,
    signing: Option<String>,
    pub(crate) kept: Secret,
}

impl Secrets {
    pub(crate) async fn new(app: &App, code: &str, provider: Provider) -> Result<Self, Problem> {
        let mut random = [0; 64];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| Problem::internal("no random bytes"))?;
        let (hook, signing) = random.split_at(32);
        // Hexadecimal digits hold no word that a filter refuses.
        let mut text = String::with_capacity(64);
        for byte in hook {
            let _ = write!(text, "{byte:02x}");
        }
        let sealed = match provider {
            Provider::Json => Some(app.sealing.seal(&seal_of(code), signing).await?),
            Provider::Mpesa | Provider::Statement | Provider::Manual => None,
        };
        let shown = sealed.as_ref().map(|_| format!("{PREFIX}{}", STANDARD.encode(signing)));
        let digest = Sha256::digest(text.as_bytes()).to_vec();
        Ok(Self { hook: text, signing: shown, kept: Secret { digest, signing: sealed } })
    }

    /// The source with what is shown once.
    pub(crate) fn shown(&self, source: &Source, base: &BaseUrl) -> SourceView {
        let has_hooks = matches!(source.provider, Provider::Mpesa | Provider::Json);
        let hook_url = has_hooks.then(|| format!("{}/api/hooks/{}/{}", base.0, source.code, self.hook));
        SourceView { hook_url, signing_secret: self.signing.clone(), ..source.view() }
    }
}
