//! The Lambda function `rotate`: invoked by Secrets Manager, on the schedule of the signing keys' secret.

use backend::telemetry;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use rotate::Event;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    lambda_runtime::run(service_fn(|event| Box::pin(step(event)))).await
}

async fn step(event: LambdaEvent<Event>) -> Result<(), Error> {
    let (event, context) = event.into_parts();
    let (request_id, step) = (context.request_id, event.step);
    let outcome = rotate::run(&event).await;
    match &outcome {
        Ok(()) => tracing::info!(request_id, ?step, "done"),
        Err(error) => {
            let error = telemetry::chain(error);
            tracing::error!(request_id, ?step, error, "not done");
        }
    }
    Ok(outcome?)
}
