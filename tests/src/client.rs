//! A client for tests: the same calls in-process and over HTTP.

use std::{
    fmt::Write as _,
    net::{IpAddr, SocketAddr},
    panic::Location,
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header},
};
use backend::http::address::Peer;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client as HttpClient, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use tokio::time::timeout;
use tower::ServiceExt;

use crate::{ADDRESS, Reply, document};

/// The answer of cargo-lambda's runtime emulator, as a problem's type, if a function died before its own.
const DIED: &str = "https://httpstatuses.com/500";

/// Where calls go.
#[derive(Clone)]
pub struct Client(Transport);

#[derive(Clone)]
enum Transport {
    InProcess(Router),
    Http { base_url: String, client: Box<HttpClient<HttpConnector, Full<Bytes>>> },
}

impl Client {
    /// Calls the routes of this process.
    #[must_use]
    pub fn in_process(router: Router) -> Self {
        Self(Transport::InProcess(router))
    }

    /// Calls a server over HTTP/1.1 without TLS; `base_url` such as `http://127.0.0.1:3000`.
    #[must_use]
    pub fn http(base_url: &str) -> Self {
        let client = HttpClient::builder(TokioExecutor::new()).build_http();
        Self(Transport::Http { base_url: base_url.trim_end_matches('/').to_owned(), client: Box::new(client) })
    }

    /// Calls without a token.
    #[must_use]
    pub fn anyone(&self) -> Session {
        Session { client: self.clone(), token: None }
    }

    /// Calls with this access token.
    #[must_use]
    pub fn as_(&self, token: &str) -> Session {
        Session { client: self.clone(), token: Some(token.to_owned()) }
    }
}

/// A client with a caller: anyone, or who a token names.
#[derive(Clone)]
pub struct Session {
    client: Client,
    token: Option<String>,
}

impl Session {
    /// The access token, if there is one.
    #[must_use]
    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// `GET path`, with its query.
    #[track_caller]
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    /// `POST path`.
    #[track_caller]
    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    /// `PUT path`.
    #[track_caller]
    pub fn put(&self, path: &str) -> Call {
        self.call(Method::PUT, path)
    }

    /// `PATCH path`.
    #[track_caller]
    pub fn patch(&self, path: &str) -> Call {
        self.call(Method::PATCH, path)
    }

    /// `DELETE path`.
    #[track_caller]
    pub fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    /// Any method.
    #[track_caller]
    pub fn call(&self, method: Method, path: &str) -> Call {
        let mut headers = HeaderMap::new();
        if let Some(token) = &self.token {
            headers.insert(header::AUTHORIZATION, HeaderValue::try_from(format!("Bearer {token}")).unwrap());
        }
        Call {
            client: self.client.clone(),
            method,
            path: path.to_owned(),
            headers,
            body: Vec::new(),
            address: ADDRESS,
            at: Location::caller(),
        }
    }

    /// Every thing of a list, page by page.
    pub async fn walk(&self, path: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut page = path.to_owned();
            if let Some(cursor) = cursor {
                let separator = if path.contains('?') { '&' } else { '?' };
                write!(page, "{separator}cursor={cursor}").unwrap();
            }
            let page = self.get(&page).expect(200).await;
            all.extend(page.list().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return all,
            }
        }
    }
}

/// One request, not sent yet.
#[must_use]
pub struct Call {
    client: Client,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
    address: IpAddr,
    at: &'static Location<'static>,
}

impl Call {
    /// Sets a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).unwrap();
        self.headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        self
    }

    /// Sets a header again, beside the one that is there.
    pub fn also_header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).unwrap();
        self.headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        self
    }

    /// `If-Match` with a version's entity tag.
    pub fn if_match(self, version: i64) -> Self {
        self.header("if-match", &format!("\"{version}\""))
    }

    /// `Idempotency-Key`.
    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// A JSON body.
    #[allow(clippy::needless_pass_by_value, reason = "calls read better with json!(...) as it stands")]
    pub fn json(self, body: Value) -> Self {
        self.body("application/json", &body.to_string())
    }

    /// A JSON body exactly as written.
    pub fn raw_json(self, body: &str) -> Self {
        self.body("application/json", body)
    }

    /// A body of any content type.
    pub fn body(mut self, content_type: &str, body: &str) -> Self {
        self = self.header("content-type", content_type);
        self.body = body.as_bytes().to_vec();
        self
    }

    /// Comes from this address; in-process only.
    pub fn from_address(mut self, address: &str) -> Self {
        self.address = address.parse().unwrap();
        self
    }

    /// Sends it.
    pub async fn send(self) -> Reply {
        // Boxed: tests of many calls would be futures of many kilobytes, nested deeper than the compiler goes.
        Box::pin(self.exchange()).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Sends it, and waits so long for the answer. An error, in words, is a server that gave none.
    ///
    /// # Errors
    ///
    /// Nobody listens, the connection broke, the function died or the time is over: whether the request took effect is
    /// not known.
    pub async fn attempt(self, patience: Duration) -> Result<Reply, String> {
        let what = self.what();
        let answer = timeout(patience, Box::pin(self.exchange())).await;
        answer.unwrap_or_else(|_| Err(format!("{what}: no answer in {patience:?}")))
    }

    fn what(&self) -> String {
        format!("{} {} ({})", self.method, self.path, self.at)
    }

    async fn exchange(self) -> Result<Reply, String> {
        let what = self.what();
        let Self { client, method, path, headers, body, address, .. } = self;
        let (asked, in_process) = (method.clone(), matches!(client.0, Transport::InProcess(_)));
        let response = match client.0 {
            Transport::InProcess(router) => {
                let mut request = Request::new(Body::from(body));
                (*request.method_mut(), *request.headers_mut()) = (method, headers);
                *request.uri_mut() = path.parse().unwrap_or_else(|error| panic!("{what}: {error}"));
                request.extensions_mut().insert(Peer(SocketAddr::new(address, 50_000)));
                let response = router.oneshot(request).await.unwrap();
                let (parts, body) = response.into_parts();
                (parts, body.collect().await.unwrap().to_bytes())
            }
            Transport::Http { base_url, client } => {
                let mut request = Request::new(Full::from(body));
                (*request.method_mut(), *request.headers_mut()) = (method, headers);
                let uri: Uri = format!("{base_url}{path}").parse().unwrap_or_else(|error| panic!("{what}: {error}"));
                *request.uri_mut() = uri;
                let response = client.request(request).await.map_err(|error| format!("{what}: {error}"))?;
                let (parts, body) = response.into_parts();
                (parts, body.collect().await.map_err(|error| format!("{what}: {error}"))?.to_bytes())
            }
        };
        let (parts, bytes) = response;
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        let reply = Reply { what, status: parts.status.as_u16(), headers: parts.headers, text, body };
        if !in_process && reply["type"] == DIED {
            return Err(format!("{reply}: the function died"));
        }
        // An answer to HEAD has headers alone.
        if asked != Method::HEAD {
            reply.check(&path);
            // A server elsewhere may be of another version than this document.
            if in_process {
                document::check(&asked, &path, &reply);
            }
        }
        Ok(reply)
    }

    /// Sends it, and expects this status.
    pub async fn expect(self, status: u16) -> Reply {
        let reply = self.send().await;
        assert_eq!(reply.status, status, "{reply}");
        reply
    }

    /// Sends it, and expects a refusal with this status and code.
    pub async fn refused(self, status: u16, code: &str) -> Reply {
        let reply = self.send().await;
        assert_eq!((reply.status, reply.code()), (status, code), "{reply}");
        reply
    }

    /// Sends it, and expects 422 for exactly these fields: pointer and code of each.
    pub async fn invalid(self, errors: &[(&str, &str)]) -> Reply {
        let reply = self.refused(422, "validation_failed").await;
        assert_eq!(reply.errors(), errors, "{reply}");
        reply
    }

    /// Sends it, and expects 422 for a rule that has its own code, broken by one field.
    pub async fn breaks(self, pointer: &str, code: &str) -> Reply {
        let reply = self.refused(422, code).await;
        assert_eq!(reply.errors(), [(pointer, code)], "{reply}");
        reply
    }
}
