//! Deployments: CloudFormation invokes the function as a custom resource of the stack, and waits for an answer at an
//! address that it names, an object of S3. It always gets one: a deployment that does not learn of a failure waits
//! until its time is over.

use std::time::Duration;

use backend::telemetry;
use http::Request;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::crypto::aws_lc_rs;
use serde::Deserialize;
use serde_json::json;
use tokio::time::{sleep, timeout};

/// How long one attempt to answer may take.
const ATTEMPT: Duration = Duration::from_secs(10);
/// How long to wait before each further attempt.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];
/// The longest reason, in characters: CloudFormation accepts answers of up to 4,096 bytes.
const REASON_MAX: usize = 900;
/// The name of the custom resource, for every kind of request: another name would count as a new resource.
const NAME: &str = "schema";

/// A request of CloudFormation for the custom resource.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Change {
    /// The kind of request.
    pub request_type: RequestType,
    #[serde(rename = "ResponseURL")]
    response_url: String,
    stack_id: String,
    request_id: String,
    logical_resource_id: String,
    physical_resource_id: Option<String>,
}

/// The kinds of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum RequestType {
    /// The stack is made.
    Create,
    /// The stack has new code; or gets its old code back, after something else failed.
    Update,
    /// The stack is removed. The database is not ours to remove.
    Delete,
}

/// Why CloudFormation could not be answered. Never names the address: whoever has it can answer.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The system has no certificate authorities.
    #[error("there are no certificate authorities to trust")]
    Authorities(#[source] std::io::Error),
    /// The address is malformed.
    #[error("CloudFormation's address is malformed")]
    Address,
    /// The answer could not be sent.
    #[error("CloudFormation could not be told")]
    Send(#[source] legacy::Error),
    /// The answer was refused, with this status.
    #[error("CloudFormation's address refused the answer with status {0}")]
    Refused(u16),
    /// The answer could not be sent in time.
    #[error("CloudFormation's address did not answer in time")]
    Slow,
}

/// The way to answer.
struct Answers(Client<HttpsConnector<HttpConnector>, String>);

impl Change {
    /// Reports to CloudFormation the success of its request, or the reason of its failure.
    ///
    /// # Errors
    ///
    /// When three attempts failed.
    pub async fn tell(&self, outcome: Result<(), String>) -> Result<(), AnswerError> {
        let (status, reason) = match outcome {
            Ok(()) => ("SUCCESS", None),
            Err(reason) => ("FAILED", Some(reason.chars().take(REASON_MAX).collect::<String>())),
        };
        let answer = json!({
            "Status": status,
            "Reason": reason.unwrap_or_default(),
            "PhysicalResourceId": self.physical_resource_id.as_deref().unwrap_or(NAME),
            "StackId": self.stack_id,
            "RequestId": self.request_id,
            "LogicalResourceId": self.logical_resource_id,
        });
        let answer = answer.to_string();
        let answers = Answers::new()?;
        for pause in PAUSES {
            match answers.attempt(&self.response_url, &answer).await {
                Ok(()) => return Ok(()),
                Err(error) => {
                    let error = telemetry::chain(&error);
                    tracing::warn!(error, "CloudFormation was not told yet");
                }
            }
            sleep(pause).await;
        }
        answers.attempt(&self.response_url, &answer).await
    }
}

impl Answers {
    /// Trusts the certificate authorities of the system. They are read only for an answer: reading them takes longer
    /// than the rest of the function's start.
    fn new() -> Result<Self, AnswerError> {
        let https = HttpsConnectorBuilder::new().with_provider_and_native_roots(aws_lc_rs::default_provider());
        // Plain HTTP is for tests: CloudFormation's addresses are https.
        let https = https.map_err(AnswerError::Authorities)?.https_or_http().enable_http1().build();
        Ok(Self(Client::builder(TokioExecutor::new()).build(https)))
    }

    async fn attempt(&self, url: &str, answer: &str) -> Result<(), AnswerError> {
        // No Content-Type: the address is signed for a request without one.
        let request = Request::put(url).body(answer.to_owned());
        let request = request.map_err(|_| AnswerError::Address)?;
        let response = timeout(ATTEMPT, self.0.request(request)).await.map_err(|_| AnswerError::Slow)?;
        let status = response.map_err(AnswerError::Send)?.status();
        if status.is_success() { Ok(()) } else { Err(AnswerError::Refused(status.as_u16())) }
    }
}
