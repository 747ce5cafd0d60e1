//! The time of a request and its effects, collected while it is handled, and written as metrics in its log line:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.

use std::{cell::RefCell, collections::BTreeMap, sync::OnceLock, time::Duration};

use jiff::Timestamp;
use lending::Money;
use rust_decimal::Decimal;
use serde_json::{Map, Number, Value, json};
use tokio::time::Instant;

tokio::task_local! {
    /// The measurements of the request that this task handles.
    static MEASURED: RefCell<Measured>;
}

/// An effect that the lender counts, once it is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// A loan was applied for.
    Application,
    /// A loan was approved.
    Approval,
    /// A loan was paid out.
    Disbursed(Money),
    /// A payment was taken.
    Collected(Money),
}

impl Count {
    /// The name of the metric, its unit, and by how much it grows. Money is in the main unit of its currency, each
    /// currency a metric of its own: sums never mix them.
    fn metric(self) -> (String, &'static str, Decimal) {
        match self {
            Self::Application => ("applications".into(), "Count", Decimal::ONE),
            Self::Approval => ("approvals".into(), "Count", Decimal::ONE),
            Self::Disbursed(money) => (format!("disbursed_{}", money.currency().code()), "None", money.to_decimal()),
            Self::Collected(money) => (format!("collected_{}", money.currency().code()), "None", money.to_decimal()),
        }
    }
}

/// The measurements of a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// How long it waited for the database, connecting included.
    database: Duration,
    counts: Vec<Count>,
}

/// Handles a request, and returns its measurements.
pub async fn measured<T>(request: impl Future<Output = T>) -> (T, Measured) {
    let measure = async {
        let answer = request.await;
        (answer, MEASURED.with(RefCell::take))
    };
    MEASURED.scope(RefCell::default(), measure).await
}

/// Adds its lifetime to the request's time in the database. Outside a request it is not measured.
pub struct InDatabase(Instant);

impl InDatabase {
    /// Starts now.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Drop for InDatabase {
    fn drop(&mut self) {
        let _ = MEASURED.try_with(|measured| measured.borrow_mut().database += self.0.elapsed());
    }
}

/// Counts an effect of the request. Outside a request it is not counted.
pub fn count(count: Count) {
    let _ = MEASURED.try_with(|measured| measured.borrow_mut().counts.push(count));
}

/// Where `CloudWatch` puts the metrics: `METRICS_NAMESPACE`.
fn namespace() -> &'static str {
    static NAMESPACE: OnceLock<String> = OnceLock::new();
    NAMESPACE.get_or_init(|| std::env::var("METRICS_NAMESPACE").unwrap_or_else(|_| "Microloans".into()))
}

/// The dimensions of `milliseconds`, by `OPERATION_METRICS`: each operation has a metric of its own, which `CloudWatch`
/// charges for, unless it is `off`.
fn dimensions(operation_metrics: Option<&str>) -> &'static [&'static str] {
    if operation_metrics == Some("off") { &[] } else { &["method", "operation"] }
}

/// As configured.
fn configured_dimensions() -> &'static [&'static str] {
    static DIMENSIONS: OnceLock<&[&str]> = OnceLock::new();
    DIMENSIONS.get_or_init(|| dimensions(std::env::var("OPERATION_METRICS").ok().as_deref()))
}

impl Measured {
    /// The metrics as members of the request's log line, which has `method` and `operation` too. Counts are left out if
    /// the request failed in the end.
    #[must_use]
    pub fn members(&self, milliseconds: u64, cold_start: bool, succeeded: bool) -> Value {
        let mut counts: BTreeMap<String, (&str, Decimal)> = BTreeMap::new();
        if cold_start {
            counts.insert("cold_starts".into(), ("Count", Decimal::ONE));
        }
        for (name, unit, value) in self.counts.iter().filter(|_| succeeded).map(|count| count.metric()) {
            counts.entry(name).or_insert((unit, Decimal::ZERO)).1 += value;
        }
        let database = u64::try_from(self.database.as_millis()).unwrap_or(u64::MAX);
        let metric = |name: &str, unit: &str| json!({"Name": name, "Unit": unit});
        let mut overall = vec![metric("database_milliseconds", "Milliseconds")];
        overall.extend(counts.iter().map(|(name, (unit, _))| metric(name, unit)));
        let directive = |dimensions: Value, metrics: Vec<Value>| -> Value {
            json!({"Namespace": namespace(), "Dimensions": [dimensions], "Metrics": metrics})
        };
        let by_operation = vec![metric("milliseconds", "Milliseconds")];
        let mut members = Map::new();
        members.insert("milliseconds".into(), milliseconds.into());
        members.insert("database_milliseconds".into(), database.into());
        members.extend(counts.iter().map(|(name, (_, value))| (name.clone(), number(*value))));
        let metrics = [directive(json!(configured_dimensions()), by_operation), directive(json!([]), overall)];
        let metadata = json!({"Timestamp": Timestamp::now().as_millisecond(), "CloudWatchMetrics": metrics});
        members.insert("_aws".into(), metadata);
        members.into()
    }
}

/// Writes figures of now as metrics, in a line of the log of their own.
pub fn figures(figures: &[(&'static str, u64)]) {
    let members = members_of(figures);
    tracing::info!(%members, "figures");
}

fn members_of(figures: &[(&'static str, u64)]) -> Value {
    let metrics: Vec<Value> = figures.iter().map(|(name, _)| json!({"Name": name, "Unit": "Count"})).collect();
    let mut members: Map<String, Value> =
        figures.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    let directive = json!({"Namespace": namespace(), "Dimensions": [[]], "Metrics": metrics});
    let metadata = json!({"Timestamp": Timestamp::now().as_millisecond(), "CloudWatchMetrics": [directive]});
    members.insert("_aws".into(), metadata);
    members.into()
}

/// A JSON number with the digits of a decimal.
fn number(value: Decimal) -> Value {
    serde_json::from_str::<Number>(&value.normalize().to_string()).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use lending::Currency;

    use super::*;

    #[test]
    fn figures_are_metrics_without_dimensions() {
        let members = members_of(&[("payments_waiting", 3), ("sources_silent", 0)]);
        assert_eq!((&members["payments_waiting"], &members["sources_silent"]), (&json!(3), &json!(0)));
        let metrics = &members["_aws"]["CloudWatchMetrics"][0];
        assert_eq!((&metrics["Namespace"], &metrics["Dimensions"]), (&json!("Microloans"), &json!([[]])));
        assert_eq!(metrics["Metrics"][0], json!({"Name": "payments_waiting", "Unit": "Count"}));
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_request_took_and_brought_about_are_its_metrics() {
        let money = |text: &str, code: &str| Money::parse(text, Currency::from_code(code).unwrap()).unwrap();
        let request = async {
            for milliseconds in [3, 4] {
                let _measured = InDatabase::start();
                tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            }
            count(Count::Collected(money("10.25", "INR")));
            count(Count::Collected(money("2.50", "INR")));
            count(Count::Collected(money("7", "JPY")));
            "answer"
        };
        let (answer, measured) = measured(request).await;
        assert_eq!(answer, "answer");
        let members = measured.members(9, true, true);
        let expected = json!({"milliseconds": 9, "database_milliseconds": 7, "cold_starts": 1, "collected_INR": 12.75,
            "collected_JPY": 7, "_aws": members["_aws"]});
        assert_eq!(members, expected);
        // Every metric that is declared is there as a number, with a unit that CloudWatch knows.
        let directives = members["_aws"]["CloudWatchMetrics"].as_array().unwrap();
        let metrics: Vec<&Value> =
            directives.iter().flat_map(|directive| directive["Metrics"].as_array().unwrap()).collect();
        assert_eq!(metrics.len(), 5);
        for metric in metrics {
            assert!(members[metric["Name"].as_str().unwrap()].is_number(), "{metric}");
            assert!(["Count", "Milliseconds", "None"].contains(&metric["Unit"].as_str().unwrap()), "{metric}");
        }
        assert_eq!(directives[0]["Dimensions"], json!([["method", "operation"]]));
        assert!(members["_aws"]["Timestamp"].is_i64());

        let failed = measured.members(9, false, false);
        assert_eq!(
            failed.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["_aws", "database_milliseconds", "milliseconds"]
        );
    }

    #[test]
    fn a_lender_who_pays_for_each_metric_can_have_one_for_all_operations() {
        assert_eq!(dimensions(None), ["method", "operation"]);
        assert_eq!(dimensions(Some("on")), ["method", "operation"]);
        assert!(dimensions(Some("off")).is_empty());
    }

    #[test]
    fn outside_a_request_nothing_is_measured_and_nothing_fails() {
        count(Count::Approval);
        drop(InDatabase::start());
    }
}
