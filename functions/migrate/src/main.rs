//! The Lambda function `migrate`: invoked by CloudFormation before new code serves, and by hand.

use backend::telemetry;
use lambda_runtime::{Error, service_fn};
use migrate::{Migrator, deployment::Answers, invoke};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let migrator = Migrator::from_env()?;
    let answers = Answers::new()?;
    lambda_runtime::run(service_fn(|event| Box::pin(invoke(&migrator, &answers, event)))).await
}
