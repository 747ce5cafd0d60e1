//! What a loan is in the figures of the whole portfolio, and how a change of it changes them. Pure: what a change leaves is
//! given as statements, which its own transaction runs; [`stats`](super::stats) reads the figures.

use std::{
    collections::BTreeMap,
    ops::{AddAssign, SubAssign},
};

use jiff::{Timestamp, civil::Date};
use lending::{Currency, EventKind, Exposure, Money, MoneyError, Standing};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    db::{DbError, FromRow, OfLoan, Sql, Statement, column},
    domain::refusal::Refusal,
    http::csv::{Cell, Line},
    models::{
        columns,
        loans::{Loan, LoanStatus},
        transactions::Transaction,
    },
    values::moment::Moment,
};

/// Rows that one statement leaves.
pub(super) const AT_ONCE: usize = 10_000;

/// Leaves what changed in the book: loans by state, and their money.
pub const CHANGE_BOOK: &str = "\
INSERT INTO book_changes (currency, on_date, status, loans, amount, disbursed, repaid, outstanding, past_due)
SELECT * FROM unnest($1::text[], $2::date[], $3::text[], $4::int8[], $5::numeric[], $6::numeric[], $7::numeric[],
    $8::numeric[], $9::numeric[])";

/// Leaves what changed in what is out, by the date of the oldest unpaid instalment.
pub const CHANGE_EXPOSURES: &str = "\
INSERT INTO exposure_changes (grouped_by, group_name, currency, oldest_unpaid_due_on, loans, outstanding)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::int8[], $6::numeric[])";

/// Leaves what changed for an agent.
pub const CHANGE_AGENTS: &str = "\
INSERT INTO agent_changes (currency, agent_id, on_date, requests, approved, rejected, disbursed, collected)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::date[], $4::int8[], $5::int8[], $6::int8[], $7::numeric[], $8::numeric[])";

/// The states that the applications of loans went through.
pub const STEPS_OF_LOANS: &str = "\
SELECT loan_id, at, status, currency, amount FROM loan_versions WHERE loan_id = ANY ($1) ORDER BY loan_id, version";

/// The book as it is kept, in sums and changes.
pub const KEPT_BOOK: &str = "\
SELECT currency, on_date, status, sum(loans)::int8 AS loans, sum(amount) AS amount, sum(disbursed) AS disbursed,
    sum(repaid) AS repaid, sum(outstanding) AS outstanding, sum(past_due) AS past_due
FROM (SELECT * FROM book_days UNION ALL SELECT * FROM book_changes) kept GROUP BY currency, on_date, status";

/// What is out, as it is kept.
pub const KEPT_EXPOSURES: &str = "\
SELECT grouped_by, group_name, currency, oldest_unpaid_due_on, sum(loans)::int8 AS loans, sum(outstanding) AS outstanding
FROM (SELECT * FROM exposures UNION ALL SELECT * FROM exposure_changes) kept
GROUP BY grouped_by, group_name, currency, oldest_unpaid_due_on";

/// The date under which all loans of a group are summed, whatever their date: before any that a loan can have.
const ALL: Date = Date::constant(1, 1, 1);

/// What is past due on a day by currency, product or agent, or of one group, by the fewest days that a loan is past due of
/// those that are asked about; and under -1 all that is out of the group. What adds up to what is shown: [`Arrears::of`].
pub const ARREARS: &str = "\
SELECT group_name, currency,
    CASE WHEN oldest_unpaid_due_on = $4 THEN -1 WHEN oldest_unpaid_due_on > $2::date - 30 THEN 1
        WHEN oldest_unpaid_due_on > $2::date - 60 THEN 30 WHEN oldest_unpaid_due_on > $2::date - 90 THEN 60 ELSE 90 END AS days,
    sum(loans)::int8 AS loans, sum(outstanding) AS outstanding
FROM (SELECT * FROM exposures UNION ALL SELECT * FROM exposure_changes) kept
WHERE grouped_by = $1 AND oldest_unpaid_due_on < $2::date AND ($3::text IS NULL OR group_name = $3)
GROUP BY 1, 2, 3";

/// What an agent's loans came to in a range of days, by currency.
pub const PERFORMANCE: &str = "\
SELECT currency, sum(requests)::int8 AS requests, sum(approved)::int8 AS approved, sum(rejected)::int8 AS rejected,
    sum(disbursed) AS disbursed, sum(collected) AS collected
FROM (SELECT * FROM agent_days UNION ALL SELECT * FROM agent_changes) kept
WHERE agent_id = $1 AND on_date >= $2 AND on_date <= $3 GROUP BY currency";

/// What agents' loans come to, as it is kept.
pub const KEPT_AGENTS: &str = "\
SELECT currency, agent_id, on_date, sum(requests)::int8 AS requests, sum(approved)::int8 AS approved,
    sum(rejected)::int8 AS rejected, sum(disbursed) AS disbursed, sum(collected) AS collected
FROM (SELECT * FROM agent_days UNION ALL SELECT * FROM agent_changes) kept
GROUP BY currency, agent_id, on_date";

/// The states that a loan's application went through.
pub const STEPS: &str = "SELECT at, status, currency, amount FROM loan_versions WHERE loan_id = $1 ORDER BY version";

/// A loan's application from one step of it to the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When the step was taken.
    pub at: Timestamp,
    /// The state that it led to.
    pub status: LoanStatus,
    /// What was asked for then.
    pub amount: Money,
}

impl Step {
    /// The step that led to the loan as it is.
    #[must_use]
    pub const fn to(loan: &Loan) -> Self {
        Self { at: loan.updated_at, status: loan.status, amount: loan.amount }
    }
}

impl FromRow for Step {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let currency = columns::currency(row, "currency")?;
        let status: &str = column(row, "status")?;
        Ok(Self {
            at: column(row, "at")?,
            status: status.parse().map_err(|()| DbError::unexpected("a stored status is none"))?,
            amount: columns::money(row, "amount", currency)?,
        })
    }
}

/// The steps of a loan's application, in their order.
#[must_use]
pub fn steps(loan: Uuid) -> Statement<Vec<Step>> {
    Sql::new(STEPS).bind(loan).all()
}

/// The steps of loans' applications, each loan's in their order.
#[must_use]
pub fn steps_of_loans(loans: Vec<Uuid>) -> Statement<Vec<OfLoan<Step>>> {
    Sql::new(STEPS_OF_LOANS).bind(loans).all()
}

/// Sums of loans in one state and currency; money in smallest units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BookSums {
    /// How many.
    pub loans: i64,
    /// What they are for.
    pub amount: i128,
    /// Principal paid out.
    pub disbursed: i128,
    /// Principal paid back.
    pub repaid: i128,
    /// Principal outstanding.
    pub outstanding: i128,
    /// Principal, interest and fees fallen due and not paid.
    pub past_due: i128,
}

/// Sums of disbursed loans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExposureSums {
    /// How many.
    pub loans: i64,
    /// Principal outstanding, in smallest units.
    pub outstanding: i128,
}

/// Sums of an agent's loans; money in smallest units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AgentSums {
    /// Applications.
    pub requests: i64,
    /// Of these, those that are approved, or were and went on or were withdrawn.
    pub approved: i64,
    /// Of these, those that are rejected.
    pub rejected: i64,
    /// Principal paid out.
    pub disbursed: i128,
    /// Payments taken, refunds taken off.
    pub collected: i128,
}

macro_rules! sums {
    ($name:ident { $($field:ident),* }) => {
        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                $(self.$field += other.$field;)*
            }
        }

        impl SubAssign for $name {
            fn sub_assign(&mut self, other: Self) {
                $(self.$field -= other.$field;)*
            }
        }
    };
}

sums!(BookSums { loans, amount, disbursed, repaid, outstanding, past_due });
sums!(ExposureSums { loans, outstanding });
sums!(AgentSums { requests, approved, rejected, disbursed, collected });

/// Names a row of the book: the day from which on it counts, the currency, the state.
pub type BookKey = (Date, Currency, LoanStatus);

/// Names a row of what is out: what it is grouped by, the group, currency, date of the oldest unpaid instalment. All loans of
/// the group are one of these rows too, under the first day there is.
pub type ExposureKey = (Grouping, Option<String>, Currency, Option<Date>);

/// Names a row of an agent: currency, agent, day.
pub type AgentKey = (Currency, Uuid, Date);

/// What loans are in the figures of the portfolio, or what a change of one changes in them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Loans by state, and their money: what each day adds.
    pub book: BTreeMap<BookKey, BookSums>,
    /// What is out.
    pub exposures: BTreeMap<ExposureKey, ExposureSums>,
    /// What agents' loans come to.
    pub agents: BTreeMap<AgentKey, AgentSums>,
}

/// What the book has of one loan on a day.
#[derive(Clone, Copy, PartialEq)]
struct Position {
    status: LoanStatus,
    sums: BookSums,
}

/// A loan with what its figures rest on.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// The loan as it is.
    pub loan: &'a Loan,
    /// The steps of its application.
    pub steps: &'a [Step],
    /// What is out, from day to day: see [`lending::follow`]. Where a loan is compared before and after a change, what comes
    /// before the first of these is the same: see [`lending::change`].
    pub exposures: &'a [Exposure],
    /// What happened to its money.
    pub transactions: &'a [Transaction],
}

impl Part<'_> {
    /// What the book has of the loan from each of these days on, in their order.
    fn positions(&self, at: Moment<'_>) -> impl Iterator<Item = (Date, Position)> {
        let Self { loan, steps, exposures, .. } = *self;
        // Money says that a loan is there even before its application was entered, and what it is from then on.
        let disbursed_on = loan.disbursed_on;
        let applied = steps.iter().map(move |step| (at.date_of(step.at), step));
        let applied = applied.filter(move |(on, _)| disbursed_on.is_none_or(|disbursed_on| *on < disbursed_on));
        let applied = applied.map(|(on, step)| (on, Position::applied(step)));
        applied.chain(exposures.iter().map(|exposure| (exposure.on, Position::out(exposure, loan.amount))))
    }
}

/// How much a loan before and after a change begins with that is the same: it cancels out.
#[derive(Clone, Copy, Debug, Default)]
struct Shared {
    positions: usize,
    transactions: usize,
}

impl Shared {
    fn of(before: Part<'_>, after: Part<'_>, at: Moment<'_>) -> Self {
        fn count<T: PartialEq>(before: impl Iterator<Item = T>, after: impl Iterator<Item = T>) -> usize {
            before.zip(after).take_while(|(before, after)| before == after).count()
        }
        // The same transactions, but another agent: nothing cancels out.
        let is_same_agent = before.loan.agent_id == after.loan.agent_id;
        let transactions = count(before.transactions.iter(), after.transactions.iter());
        Self {
            positions: count(before.positions(at), after.positions(at)),
            transactions: if is_same_agent { transactions } else { 0 },
        }
    }
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        other.book.into_iter().for_each(|(key, sums)| *self.book.entry(key).or_default() += sums);
        other.exposures.into_iter().for_each(|(key, sums)| *self.exposures.entry(key).or_default() += sums);
        other.agents.into_iter().for_each(|(key, sums)| *self.agents.entry(key).or_default() += sums);
    }
}

impl SubAssign for Figures {
    fn sub_assign(&mut self, other: Self) {
        other.book.into_iter().for_each(|(key, sums)| *self.book.entry(key).or_default() -= sums);
        other.exposures.into_iter().for_each(|(key, sums)| *self.exposures.entry(key).or_default() -= sums);
        other.agents.into_iter().for_each(|(key, sums)| *self.agents.entry(key).or_default() -= sums);
    }
}

impl Figures {
    /// What one loan is in them.
    #[must_use]
    pub fn of(part: Part<'_>, at: Moment<'_>) -> Self {
        Self::beyond(Shared::default(), part, at)
    }

    /// What a change of one loan changes in them.
    #[must_use]
    pub fn between(before: Part<'_>, after: Part<'_>, at: Moment<'_>) -> Self {
        let shared = Shared::of(before, after, at);
        let mut figures = Self::beyond(shared, after, at);
        figures -= Self::beyond(shared, before, at);
        figures
    }

    fn beyond(shared: Shared, part: Part<'_>, at: Moment<'_>) -> Self {
        let mut figures = Self::default();
        figures.put_into_book(shared, part, at);
        figures.put_exposure(part.loan);
        if let Some(agent) = part.loan.agent_id {
            figures.put_to_agent(shared, part, agent, at);
        }
        figures
    }

    fn put_into_book(&mut self, shared: Shared, part: Part<'_>, at: Moment<'_>) {
        let currency = part.loan.amount.currency();
        let mut before: Option<Position> = None;
        for (place, (on, position)) in part.positions(at).enumerate() {
            let before = before.replace(position);
            if place < shared.positions {
                continue;
            }
            if let Some(Position { status, sums }) = before {
                *self.book.entry((on, currency, status)).or_default() -= sums;
            }
            *self.book.entry((on, currency, position.status)).or_default() += position.sums;
        }
    }

    fn put_exposure(&mut self, loan: &Loan) {
        if loan.status != LoanStatus::Disbursed {
            return;
        }
        let currency = loan.amount.currency();
        let sums = ExposureSums { loans: 1, outstanding: loan.outstanding.units() };
        let groups = [
            (Grouping::Currency, Some(currency.code().to_owned())),
            (Grouping::Product, Some(loan.product.clone())),
            (Grouping::Agent, loan.agent_id.map(|agent| agent.to_string())),
        ];
        for (grouping, group) in groups {
            for due_on in [loan.oldest_unpaid_due_on, Some(ALL)] {
                *self.exposures.entry((grouping, group.clone(), currency, due_on)).or_default() += sums;
            }
        }
    }

    fn put_to_agent(&mut self, shared: Shared, part: Part<'_>, agent: Uuid, at: Moment<'_>) {
        let Part { loan, transactions, .. } = part;
        let currency = loan.amount.currency();
        let mut add = |on: Date, sums: AgentSums| {
            *self.agents.entry((currency, agent, on)).or_default() += sums;
        };
        let request = AgentSums {
            requests: 1,
            approved: i64::from(loan.was_approved()),
            rejected: i64::from(loan.status == LoanStatus::Rejected),
            ..AgentSums::default()
        };
        add(at.date_of(loan.created_at), request);
        if let Some(disbursed_on) = loan.disbursed_on {
            add(disbursed_on, AgentSums { disbursed: loan.amount.units(), ..AgentSums::default() });
        }
        for transaction in transactions.iter().skip(shared.transactions) {
            let reversed = match transaction.event.kind {
                EventKind::Reversal { of } => transactions.iter().find(|other| other.event.id == of),
                _ => None,
            };
            // A reversal has the value date of what it takes back.
            let collected = match (reversed, transaction.collected()) {
                (Some(reversed), _) => -reversed.collected(),
                (None, collected) => collected,
            };
            if collected != 0 {
                add(transaction.event.on, AgentSums { collected, ..AgentSums::default() });
            }
        }
    }

    /// Leaves them in the database, as changes; nothing for what is zero.
    #[must_use]
    pub fn changes(&self) -> Vec<Statement<()>> {
        let mut writes = Vec::new();
        let book: Vec<_> = self.book.iter().filter(|(_, sums)| **sums != BookSums::default()).collect();
        for book in book.chunks(AT_ONCE) {
            let money = |of: fn(&BookSums) -> i128| {
                book.iter().map(|((_, currency, _), sums)| decimal(of(sums), *currency)).collect::<Vec<_>>()
            };
            let sql = Sql::new(CHANGE_BOOK)
                .bind(book.iter().map(|((_, currency, _), _)| currency.code()).collect::<Vec<_>>())
                .bind(book.iter().map(|((on, ..), _)| *on).collect::<Vec<_>>())
                .bind(book.iter().map(|((.., status), _)| status.as_str()).collect::<Vec<_>>())
                .bind(book.iter().map(|(_, sums)| sums.loans).collect::<Vec<_>>())
                .bind(money(|sums| sums.amount))
                .bind(money(|sums| sums.disbursed))
                .bind(money(|sums| sums.repaid))
                .bind(money(|sums| sums.outstanding))
                .bind(money(|sums| sums.past_due));
            writes.push(sql.execute());
        }
        let out: Vec<_> = self.exposures.iter().filter(|(_, sums)| **sums != ExposureSums::default()).collect();
        for out in out.chunks(AT_ONCE) {
            let money = |sums: &ExposureSums, currency: Currency| decimal(sums.outstanding, currency);
            let sql = Sql::new(CHANGE_EXPOSURES)
                .bind(out.iter().map(|((grouping, ..), _)| grouping.as_str()).collect::<Vec<_>>())
                .bind(out.iter().map(|((_, group, ..), _)| group.clone()).collect::<Vec<_>>())
                .bind(out.iter().map(|((.., currency, _), _)| currency.code()).collect::<Vec<_>>())
                .bind(out.iter().map(|((.., due_on), _)| *due_on).collect::<Vec<_>>())
                .bind(out.iter().map(|(_, sums)| sums.loans).collect::<Vec<_>>())
                .bind(out.iter().map(|((.., currency, _), sums)| money(sums, *currency)).collect::<Vec<_>>());
            writes.push(sql.execute());
        }
        let agents: Vec<_> = self.agents.iter().filter(|(_, sums)| **sums != AgentSums::default()).collect();
        for agents in agents.chunks(AT_ONCE) {
            let money = |of: fn(&AgentSums) -> i128| {
                agents.iter().map(|((currency, ..), sums)| decimal(of(sums), *currency)).collect::<Vec<_>>()
            };
            let count = |of: fn(&AgentSums) -> i64| agents.iter().map(|(_, sums)| of(sums)).collect::<Vec<_>>();
            let sql = Sql::new(CHANGE_AGENTS)
                .bind(agents.iter().map(|((currency, ..), _)| currency.code()).collect::<Vec<_>>())
                .bind(agents.iter().map(|((_, agent, _), _)| *agent).collect::<Vec<_>>())
                .bind(agents.iter().map(|((.., on), _)| *on).collect::<Vec<_>>())
                .bind(count(|sums| sums.requests))
                .bind(count(|sums| sums.approved))
                .bind(count(|sums| sums.rejected))
                .bind(money(|sums| sums.disbursed))
                .bind(money(|sums| sums.collected));
            writes.push(sql.execute());
        }
        writes
    }
}

/// What a step of a loan's application leaves: no money has moved.
#[must_use]
pub fn step(before: Option<&Loan>, after: &Loan, at: Moment<'_>) -> Vec<Statement<()>> {
    let of = |loan, step| Figures::of(Part { loan, steps: &[step], exposures: &[], transactions: &[] }, at);
    let mut figures = of(after, Step::to(after));
    if let Some(before) = before {
        // What it was until now ends on the day of this step.
        figures -= of(before, Step { at: after.updated_at, ..Step::to(before) });
    }
    figures.changes()
}

impl Position {
    fn applied(step: &Step) -> Self {
        // What money led to is told by money.
        let status = if step.status.is_disbursed() { LoanStatus::Approved } else { step.status };
        Self { status, sums: BookSums { loans: 1, amount: step.amount.units(), ..BookSums::default() } }
    }

    fn out(exposure: &Exposure, amount: Money) -> Self {
        let status = match exposure.standing {
            Standing::Approved => LoanStatus::Approved,
            Standing::Disbursed => LoanStatus::Disbursed,
            Standing::Repaid => LoanStatus::Repaid,
            Standing::Defaulted => LoanStatus::Defaulted,
        };
        let (amount, outstanding) = (amount.units(), exposure.outstanding.units());
        let sums = BookSums {
            loans: 1,
            amount,
            disbursed: amount,
            repaid: amount - outstanding - exposure.written_off.units(),
            outstanding,
            past_due: exposure.past_due.units(),
        };
        Self { status, sums }
    }
}

impl Transaction {
    /// What it collected from the borrower, in smallest units; less than nothing for a refund.
    fn collected(&self) -> i128 {
        match self.event.kind {
            EventKind::Repayment { amount } => amount.units(),
            EventKind::Refund { amount } => -amount.units(),
            _ => 0,
        }
    }
}

/// Smallest units as the database takes them: far more than a million times the largest loan.
pub(super) fn decimal(units: i128, currency: Currency) -> Decimal {
    Decimal::from_i128_with_scale(units, currency.decimals())
}

/// One row of [`KEPT_BOOK`].
pub struct KeptBook(pub BookKey, pub BookSums);

/// One row of [`KEPT_EXPOSURES`].
pub struct KeptExposure(pub ExposureKey, pub ExposureSums);

/// One row of [`KEPT_AGENTS`].
pub struct KeptAgent(pub AgentKey, pub AgentSums);

impl FromRow for KeptBook {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let currency = columns::currency(row, "currency")?;
        let money = |name: &str| columns::money(row, name, currency).map(Money::units);
        let status: &str = column(row, "status")?;
        let status = status.parse().map_err(|()| DbError::unexpected("a stored status is none"))?;
        let sums = BookSums {
            loans: column(row, "loans")?,
            amount: money("amount")?,
            disbursed: money("disbursed")?,
            repaid: money("repaid")?,
            outstanding: money("outstanding")?,
            past_due: money("past_due")?,
        };
        Ok(Self((column(row, "on_date")?, currency, status), sums))
    }
}

impl FromRow for KeptExposure {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let currency = columns::currency(row, "currency")?;
        let outstanding = columns::money(row, "outstanding", currency)?.units();
        let (grouping, group) = (columns::word(row, "grouped_by")?, column(row, "group_name")?);
        let sums = ExposureSums { loans: column(row, "loans")?, outstanding };
        Ok(Self((grouping, group, currency, column(row, "oldest_unpaid_due_on")?), sums))
    }
}

impl FromRow for KeptAgent {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let currency = columns::currency(row, "currency")?;
        let sums = AgentSums {
            requests: column(row, "requests")?,
            approved: column(row, "approved")?,
            rejected: column(row, "rejected")?,
            disbursed: columns::money(row, "disbursed", currency)?.units(),
            collected: columns::money(row, "collected", currency)?.units(),
        };
        Ok(Self((currency, column(row, "agent_id")?, column(row, "on_date")?), sums))
    }
}

/// Reads all that is kept: see [`kept`].
pub type Kept = (Statement<Vec<KeptBook>>, Statement<Vec<KeptExposure>>, Statement<Vec<KeptAgent>>);

/// What is kept, all of it: for the consistency check.
#[must_use]
pub fn kept() -> Kept {
    (Sql::new(KEPT_BOOK).all(), Sql::new(KEPT_EXPOSURES).all(), Sql::new(KEPT_AGENTS).all())
}

/// What arrears are grouped by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// One for each currency.
    #[default]
    Currency,
    /// One for each product.
    Product,
    /// One for each agent and currency.
    Agent,
}

impl Grouping {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Currency => "currency",
            Self::Product => "product",
            Self::Agent => "agent",
        }
    }
}

/// Loans at risk.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AtRisk {
    /// Their principal outstanding.
    #[schema(value_type = String, example = "10098.11")]
    pub amount: Money,
    /// The same as a share of all that is outstanding, with four decimals.
    #[schema(example = "0.0425")]
    pub share: String,
    /// How many.
    #[schema(example = 3)]
    pub loans: i64,
}

impl AtRisk {
    /// Nothing.
    #[must_use]
    pub fn none(currency: Currency) -> Self {
        Self { amount: Money::zero(currency), share: share(0, 1), loans: 0 }
    }
}

impl AgentSums {
    /// Principal paid out, as money.
    #[must_use]
    pub fn disbursed(&self, currency: Currency) -> Decimal {
        decimal(self.disbursed, currency)
    }

    /// What was collected, as money; less than nothing where more was paid back than taken.
    #[must_use]
    pub fn collected(&self, currency: Currency) -> Decimal {
        decimal(self.collected, currency)
    }
}

/// What is out of a group, and how much of it is at risk: the principal outstanding of loans that are so many days past due.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Arrears {
    /// The currency, the product's code or the agent's id; null for loans without an agent.
    #[schema(required = true, example = "INR")]
    pub group: Option<String>,
    /// ISO 4217.
    #[schema(value_type = String, example = "INR")]
    pub currency: Currency,
    /// Principal outstanding.
    #[schema(value_type = String, example = "237602.50")]
    pub outstanding: Money,
    /// Disbursed loans.
    #[schema(example = 57)]
    pub loans: i64,
    /// At least one day past due.
    pub par1: AtRisk,
    /// At least 30 days past due.
    pub par30: AtRisk,
    /// At least 60 days past due.
    pub par60: AtRisk,
    /// At least 90 days past due.
    pub par90: AtRisk,
}

/// One row of [`ARREARS`].
pub struct Aged {
    group: Option<String>,
    currency: Currency,
    days: i32,
    sums: ExposureSums,
}

impl FromRow for Aged {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let currency = columns::currency(row, "currency")?;
        let outstanding = columns::money(row, "outstanding", currency)?.units();
        let sums = ExposureSums { loans: column(row, "loans")?, outstanding };
        Ok(Self { group: column(row, "group_name")?, currency, days: column(row, "days")?, sums })
    }
}

impl Line for Arrears {
    const COLUMNS: &'static [&'static str] = &[
        "group",
        "currency",
        "outstanding",
        "loans",
        "par1_amount",
        "par1_share",
        "par1_loans",
        "par30_amount",
        "par30_share",
        "par30_loans",
        "par60_amount",
        "par60_share",
        "par60_loans",
        "par90_amount",
        "par90_share",
        "par90_loans",
    ];

    fn cells(&self) -> Vec<Cell> {
        let mut cells = vec![
            Cell::text(self.group.as_deref()),
            Cell::value(&self.currency),
            Cell::value(&self.outstanding),
            Cell::value(&self.loans),
        ];
        for risk in [&self.par1, &self.par30, &self.par60, &self.par90] {
            cells.extend([Cell::value(&risk.amount), Cell::value(&risk.share), Cell::value(&risk.loans)]);
        }
        cells
    }
}

impl Arrears {
    /// Adds up what is out, and what of it is at least so many days past due. In the order of groups, loans without one last,
    /// and of currencies; groups of which nothing is out are left out.
    ///
    /// # Errors
    ///
    /// 500 for amounts that are out of range: a defect.
    pub fn of(aged: Vec<Aged>) -> Result<Vec<Self>, Refusal> {
        /// Whether there is none, the group, the currency.
        type Group = (bool, Option<String>, &'static str);
        /// Days past due; the first is all that is out.
        const DAYS: [i32; 5] = [-1, 1, 30, 60, 90];
        let mut groups: BTreeMap<Group, (Currency, [ExposureSums; DAYS.len()])> = BTreeMap::new();
        for Aged { group, currency, days, sums } in aged {
            let key = (group.is_none(), group, currency.code());
            let (_, by_days) = groups.entry(key).or_insert((currency, Default::default()));
            for (least, sum) in DAYS.into_iter().zip(by_days) {
                // All that is out has rows of its own.
                if least == days || (least > 0 && least < days) {
                    *sum += sums;
                }
            }
        }
        let out = groups.into_iter().filter(|(_, (_, [all, ..]))| all.loans != 0);
        let shown = out.map(|((_, group, _), (currency, [all, par1, par30, par60, par90]))| {
            let money = |sums: ExposureSums| Money::from_decimal(decimal(sums.outstanding, currency), currency);
            let at_risk = |sums: ExposureSums| {
                let share = share(sums.outstanding, all.outstanding);
                money(sums).map(|amount| AtRisk { amount, share, loans: sums.loans })
            };
            Ok(Self {
                group,
                currency,
                outstanding: money(all)?,
                loans: all.loans,
                par1: at_risk(par1)?,
                par30: at_risk(par30)?,
                par60: at_risk(par60)?,
                par90: at_risk(par90)?,
            })
        });
        shown.collect::<Result<_, MoneyError>>().map_err(Refusal::defect)
    }
}

/// A part of a whole as a fraction with four decimals, rounded half to even; 0 of nothing.
#[must_use]
pub fn share(part: i128, whole: i128) -> String {
    let (part, whole) = (Decimal::from_i128_with_scale(part, 0), Decimal::from_i128_with_scale(whole, 0));
    let mut share = part.checked_div(whole).unwrap_or_default().round_dp(4);
    share.rescale(4);
    share.to_string()
}

/// What is out and at risk on a day.
#[must_use]
pub fn arrears(grouping: Grouping, today: Date) -> Statement<Vec<Aged>> {
    arrears_of(grouping, today, None)
}

/// What is out and at risk on a day of one agent, by currency.
#[must_use]
pub fn agents_arrears(agent: Uuid, today: Date) -> Statement<Vec<Aged>> {
    arrears_of(Grouping::Agent, today, Some(agent.to_string()))
}

fn arrears_of(grouping: Grouping, today: Date, group: Option<String>) -> Statement<Vec<Aged>> {
    Sql::new(ARREARS).bind(grouping.as_str()).bind(today).bind(group).bind(ALL).all()
}

/// One row of [`PERFORMANCE`].
pub struct Came(pub Currency, pub AgentSums);

impl FromRow for Came {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let currency = columns::currency(row, "currency")?;
        let sums = AgentSums {
            requests: column(row, "requests")?,
            approved: column(row, "approved")?,
            rejected: column(row, "rejected")?,
            disbursed: columns::money(row, "disbursed", currency)?.units(),
            collected: columns::money(row, "collected", currency)?.units(),
        };
        Ok(Self(currency, sums))
    }
}

/// What an agent's loans came to from one day to another, by currency.
#[must_use]
pub fn performance(agent: Uuid, from: Date, to: Date) -> Statement<Vec<Came>> {
    Sql::new(PERFORMANCE).bind(agent).bind(from).bind(to).all()
}
