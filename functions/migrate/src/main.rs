//! The Lambda function `migrate`: invoked by the deployment before new code serves, and by hand.

use backend::telemetry;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use migrate::{Event, Migrator, Report};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let migrator = Migrator::from_env()?;
    lambda_runtime::run(service_fn(|event| Box::pin(run(&migrator, event)))).await
}

async fn run(migrator: &Migrator, event: LambdaEvent<Event>) -> Result<Report, Error> {
    let (event, context) = event.into_parts();
    let request_id = context.request_id;
    let outcome = migrator.run(event).await;
    match &outcome {
        Ok(report) => tracing::info!(request_id, migrations = report.migrations.len(), "migrated"),
        Err(error) => {
            let error = telemetry::chain(error);
            tracing::error!(request_id, error, "not migrated");
        }
    }
    Ok(outcome?)
}
