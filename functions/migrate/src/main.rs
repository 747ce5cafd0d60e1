//! The Lambda function `migrate`: invoked by CloudFormation before new code serves, and by hand.

use backend::telemetry;
use lambda_runtime::{Error, service_fn};
use migrate::{Migrator, invoke};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let migrator = Migrator::from_env()?;
    lambda_runtime::run(service_fn(|event| Box::pin(invoke(&migrator, event)))).await
}
