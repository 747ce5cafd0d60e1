//! The scheduled Lambda function `stats`.

use backend::{
    config::{self, DatabaseConfig},
    db::Db,
    telemetry,
};
use jiff::tz::TimeZone;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use stats::{Event, Report};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let db = Db::from_config(DatabaseConfig::from_env()?)?;
    let zone = config::business_time_zone()?;
    lambda_runtime::run(service_fn(|event| Box::pin(take(&db, &zone, event)))).await
}

async fn take(db: &Db, zone: &TimeZone, event: LambdaEvent<Event>) -> Result<Report, Error> {
    let (Event { scheduled_time, execution_id }, context) = event.into_parts();
    let outcome = stats::run(db, zone).await;
    let request_id = context.request_id;
    match &outcome {
        Ok(report) => {
            let loans = report.statistics.total_loans;
            tracing::info!(request_id, scheduled_time, execution_id, loans, "snapshot kept");
        }
        Err(error) => {
            let error = telemetry::chain(error);
            tracing::error!(request_id, scheduled_time, execution_id, error, "no snapshot");
        }
    }
    Ok(outcome?)
}
