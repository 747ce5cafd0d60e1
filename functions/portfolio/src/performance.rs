//! The results of an agent's loans.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use backend::{
    app::App,
    auth::callers::Staff,
    domain::{portfolio::AgentSums, users::Role},
    http::{path::PathParameter, problem::Problem, query::QueryString},
    store::{
        portfolio::{self, AgentPerformanceRow},
        users,
    },
    values::time::BusinessDate,
    views::arrears::{Arrears, AtRisk, share},
};
use jiff::civil::{Date, date};
use lending::{Currency, Money};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// The query of a performance.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PerformanceQuery {
    /// From this business date on; default: from the first.
    from: Option<BusinessDate>,
    /// Up to this business date; default: today.
    to: Option<BusinessDate>,
}

/// The results of an agent's loans: those that the agent created or forwarded.
#[derive(Serialize, ToSchema)]
pub(crate) struct AgentPerformance {
    /// The agent.
    agent_id: Uuid,
    /// From this business date on; null: from the first.
    #[schema(required = true)]
    from: Option<BusinessDate>,
    /// Up to this business date.
    to: BusinessDate,
    /// Loans applied for in these days.
    #[schema(example = 40)]
    requests: i64,
    /// Those of them that were approved, including ones withdrawn later, as a share of the decided ones, with four
    /// decimals; null if there is none.
    #[schema(required = true, example = "0.8500")]
    approval_rate: Option<String>,
    /// The same and money, by currency.
    by_currency: BTreeMap<String, AgentCurrencyPerformance>,
}

/// The results of an agent's loans of one currency.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"disbursed": "480000.00", "collected": "61042.75"}))]
pub(crate) struct AgentCurrencyPerformance {
    /// Loans applied for in these days.
    #[schema(example = 40)]
    requests: i64,
    /// Those of them that were approved, including ones withdrawn later, as a share of the decided ones, with four
    /// decimals; null if there is none.
    #[schema(required = true, example = "0.8500")]
    approval_rate: Option<String>,
    /// Principal paid out in these days.
    #[schema(value_type = Money)]
    disbursed: String,
    /// Payments taken in these days, less refunds.
    #[schema(value_type = Money)]
    collected: String,
    /// Principal outstanding of loans that are at least 30 days past due today.
    par30: AtRisk,
}

/// Get the performance of an agent.
///
/// The results of an agent's loans in a range of days, by currency.
#[utoipa::path(
    get, path = "/api/agents/{id}/performance", tag = "portfolio", params(PerformanceQuery),
    responses(
        (status = 200, description = "What they came to", body = AgentPerformance),
        (status = 403, description = "An agent named another one (`forbidden`)"))
)]
pub(crate) async fn get_agent_performance(
    staff: Staff,
    State(app): State<App>,
    path: PathParameter,
    query: QueryString,
) -> Result<Json<AgentPerformance>, Problem> {
    let id = if path.text() == "me" { staff.id() } else { staff.check(path.uuid()).await? };
    if staff.role() == Role::Agent && id != staff.id() {
        return staff.check(Err(Problem::forbidden("forbidden", "An agent sees its own performance alone."))).await;
    }
    let today = app.today();
    let read = || -> Result<(Option<Date>, Date), Problem> {
        let asked: PerformanceQuery = query.read()?;
        let (from, to) = (asked.from.map(|from| from.0), asked.to.map_or(today, |to| to.0));
        if from.is_some_and(|from| from > to) {
            return Err(Problem::field("/from", "after_end", format!("must not be after {to}")));
        }
        Ok((from, to))
    };
    // Errors of the query are only for callers who name an existing agent.
    let asked = read();
    let sums = asked
        .as_ref()
        .ok()
        .map(|(from, to)| portfolio::performance(id, from.unwrap_or(date(lending::FIRST_YEAR, 1, 1)), *to));
    let arrears = portfolio::agents_arrears(id, today);
    let (_, (agent, sums, arrears)) = staff.read((users::by_id(id), sums, arrears)).await?;
    agent.filter(|user| user.role == Role::Agent).ok_or_else(Problem::not_found)?;
    let (from, to) = asked?;
    let arrears = Arrears::of(arrears)?;
    Ok(Json(AgentPerformance::new(id, from, to, sums.unwrap_or_default(), arrears)))
}

impl AgentPerformance {
    fn new(
        agent_id: Uuid,
        from: Option<Date>,
        to: Date,
        came: Vec<AgentPerformanceRow>,
        arrears: Vec<Arrears>,
    ) -> Self {
        let mut all = AgentSums::default();
        let mut by_currency: BTreeMap<Currency, (AgentSums, Option<AtRisk>)> = BTreeMap::new();
        for AgentPerformanceRow(currency, sums) in
            came.into_iter().filter(|AgentPerformanceRow(_, sums)| *sums != AgentSums::default())
        {
            all += sums;
            by_currency.entry(currency).or_default().0 = sums;
        }
        for group in arrears {
            by_currency.entry(group.currency).or_default().1 = Some(group.par30);
        }
        let shown = by_currency.into_iter().map(|(currency, (sums, par30))| {
            let performance = AgentCurrencyPerformance {
                requests: sums.requests,
                approval_rate: approval_rate(&sums),
                disbursed: sums.disbursed(currency).to_string(),
                collected: sums.collected(currency).to_string(),
                par30: par30.unwrap_or_else(|| AtRisk::none(currency)),
            };
            (currency.code().to_owned(), performance)
        });
        Self {
            agent_id,
            from: from.map(BusinessDate),
            to: BusinessDate(to),
            requests: all.requests,
            approval_rate: approval_rate(&all),
            by_currency: shown.collect(),
        }
    }
}

fn approval_rate(sums: &AgentSums) -> Option<String> {
    let decided = sums.approved + sums.rejected;
    (decided != 0).then(|| share(sums.approved.into(), decided.into()))
}
