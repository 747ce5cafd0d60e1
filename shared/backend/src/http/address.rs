//! The caller's network address: the gateway's `sourceIp`, locally the peer's. A header, which anyone can set, only
//! where a network in front of the gateway has proved with its secret that it set it ([`origin`](super::origin)).

use crate::http::origin::Viewer;
use crate::values::address::ClientAddress;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use lambda_http::request::RequestContext;
use std::convert::Infallible;
use std::net::SocketAddr;

/// The other end of the connection: an extension that the local server adds to each request.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        if let Some(Viewer(address)) = parts.extensions.get::<Viewer>() {
            return Ok(Self(Some(*address)));
        }
        if let Some(RequestContext::ApiGatewayV2(context)) = parts.extensions.get::<RequestContext>() {
            let source = context.http.source_ip.as_deref();
            return Ok(Self(source.and_then(|source| source.parse().ok())));
        }
        Ok(Self(parts.extensions.get::<Peer>().map(|Peer(peer)| peer.ip())))
    }
}
