//! The scheduled Lambda function `stats`.

use backend::{
    auth::sealing::Sealing,
    config::{self, DatabaseConfig},
    db::Db,
    telemetry,
};
use jiff::tz::TimeZone;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Serialize;
use stats::{Difference, Event, Report, Task, arrivals::Arrivals};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let db = Db::from_config(DatabaseConfig::from_env()?)?;
    let zone = config::business_time_zone()?;
    let sealing = Sealing::new(config::optional_secret("SEALING_KEYS_SECRET_ARN", "SEALING_KEYS"));
    let settings = Settings { zone, hours: config::unapplied_hours()?, sealing };
    lambda_runtime::run(service_fn(|event| Box::pin(take(&db, &settings, event)))).await
}

/// The environment's settings for the tasks.
struct Settings {
    zone: TimeZone,
    /// Hours that a payment may wait before it counts as old.
    hours: u16,
    sealing: Sealing,
}

async fn take(db: &Db, settings: &Settings, event: LambdaEvent<Event>) -> Result<Answer, Error> {
    let (Event { task, scheduled_time, execution_id }, context) = event.into_parts();
    let request_id = context.request_id;
    let outcome = perform(db, settings, task, &request_id).await;
    match &outcome {
        Ok(answer) => {
            let done = format!("{answer:?}");
            tracing::info!(request_id, ?task, scheduled_time, execution_id, done, "done");
        }
        Err(error) => {
            let error = telemetry::chain(error.as_ref());
            tracing::error!(request_id, ?task, scheduled_time, execution_id, error, "failed");
        }
    }
    outcome
}

/// The answer of an invocation.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Answer {
    AddedUp {
        #[serde(flatten)]
        report: Report,
        arrivals: Arrivals,
    },
    Checked {
        differences: usize,
    },
    Rebuilt {
        loans: u64,
    },
    Sealed {
        secrets: u64,
    },
}

/// An invocation whose check finds differences has failed, so that alarms ring.
async fn perform(db: &Db, settings: &Settings, task: Task, request_id: &str) -> Result<Answer, Error> {
    let Settings { zone, hours, sealing } = settings;
    match task {
        Task::AddUp => {
            let report = stats::run(db, zone).await?;
            let arrivals = stats::arrivals(db, *hours).await?;
            if !arrivals.silent.is_empty() {
                tracing::warn!(request_id, sources = arrivals.silent.join(" "), "silent sources");
            }
            Ok(Answer::AddedUp { report, arrivals })
        }
        Task::Rebuild => Ok(Answer::Rebuilt { loans: stats::rebuild(db, zone).await? }),
        Task::Seal => Ok(Answer::Sealed { secrets: stats::seal(db, sealing).await? }),
        Task::Check => {
            let differences = stats::check(db, zone).await?;
            for Difference { of, kept, follows } in &differences {
                tracing::error!(request_id, of, kept, follows, "a difference");
            }
            match differences.len() {
                0 => Ok(Answer::Checked { differences: 0 }),
                count => Err(format!("{count} differences from what follows from the transactions").into()),
            }
        }
    }
}
