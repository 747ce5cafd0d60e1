//! One invocation of the function: who may invoke it, how long it may take, who gets its result.

use std::time::{Duration, Instant, SystemTime};

use backend::telemetry;
use lambda_runtime::{Context, Error, LambdaEvent};
use serde::Deserialize;
use tokio::time::timeout;

use crate::{
    Event, MigrateError, Migrator, Report,
    deployment::{Change, RequestType},
};

/// The part of the function's time reserved for reporting to CloudFormation that the rest was not enough.
const RESERVE: Duration = Duration::from_secs(40);
/// Time that is left for loans that are begun, beside the margin above.
const MARGIN: Duration = Duration::from_secs(20);

/// Who invokes the function.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Invocation {
    /// CloudFormation, in a deployment.
    Deployment(Change),
    /// A person, or a script.
    ByHand(Event),
}

/// Carries out a request. A manual invocation gets the report; CloudFormation, which waits elsewhere, gets nothing
/// here.
///
/// # Errors
///
/// A manual invocation fails with any error, a deployment only if CloudFormation got no answer: Lambda then invokes the
/// function again.
pub async fn invoke(migrator: &Migrator, event: LambdaEvent<Invocation>) -> Result<Option<Report>, Error> {
    let (invocation, context) = event.into_parts();
    match invocation {
        Invocation::ByHand(event) => Ok(Some(run(migrator, event, &context).await?)),
        Invocation::Deployment(change) => {
            let outcome = match change.request_type {
                RequestType::Create | RequestType::Update => run(migrator, Event::default(), &context).await.map(drop),
                RequestType::Delete => Ok(()),
            };
            let reason = |error| format!("{} (request {} in the log)", telemetry::chain(&error), context.request_id);
            change.tell(outcome.map_err(reason)).await?;
            Ok(None)
        }
    }
}

async fn run(migrator: &Migrator, event: Event, context: &Context) -> Result<Report, MigrateError> {
    let left = time_left(context);
    let until = Instant::now().checked_add(left.saturating_sub(MARGIN));
    let outcome = timeout(left, migrator.run_until(event, until)).await.unwrap_or(Err(MigrateError::Slow));
    let request_id = &context.request_id;
    match &outcome {
        Ok(Report { migrations, restated, .. }) => {
            tracing::info!(request_id, migrations = migrations.len(), ?restated, "migrated");
        }
        Err(error) => {
            let error = telemetry::chain(error);
            tracing::error!(request_id, error, "not migrated");
        }
    }
    outcome
}

/// How long the work may take. A deadline in the past counts as none: Lambda sends no such, while cargo-lambda's
/// emulator always sends ten minutes past midnight of 1 January 1970.
fn time_left(context: &Context) -> Duration {
    let left = context.deadline().duration_since(SystemTime::now());
    left.map_or(Duration::MAX, |left| left.saturating_sub(RESERVE))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn the_work_has_what_is_left_but_the_reserve_and_all_time_where_no_deadline_is_known() {
        let of = |deadline: SystemTime| {
            let mut context = Context::default();
            context.deadline = u64::try_from(deadline.duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
            time_left(&context)
        };
        let minute = Duration::from_mins(1);
        let left = of(SystemTime::now() + RESERVE + minute);
        assert!(left <= minute && left > minute * 9 / 10, "{left:?}");
        assert_eq!(of(SystemTime::now() + RESERVE / 2), Duration::ZERO);
        assert_eq!(of(UNIX_EPOCH + minute * 10), Duration::MAX);
    }
}
