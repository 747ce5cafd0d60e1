//! Changes of the figures, left by each command.

use lending::Currency;
use rust_decimal::Decimal;

use crate::{
    db::{Sql, Statement},
    domain::{
        loan::Loan,
        portfolio::{AgentSums, ApplicationStep, BookSums, ExposureSums, LoanInPortfolio, PortfolioDelta},
    },
    values::{moment::Moment, units::decimal},
};

/// Rows that one statement leaves.
pub(crate) const AT_ONCE: usize = 10_000;

/// Appends changes of the book: loans by state, and their money.
pub const CHANGE_BOOK: &str = "\
INSERT INTO book_changes (currency, on_date, status, loans, amount, disbursed, repaid, outstanding, past_due)
SELECT * FROM unnest($1::text[], $2::date[], $3::text[], $4::int8[], $5::numeric[], $6::numeric[], $7::numeric[],
    $8::numeric[], $9::numeric[])";

/// Appends changes of the exposures, by the date of the oldest unpaid instalment.
pub const CHANGE_EXPOSURES: &str = "\
INSERT INTO exposure_changes (grouped_by, group_name, currency, oldest_unpaid_due_on, loans, outstanding)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::int8[], $6::numeric[])";

/// Appends changes of an agent's figures.
pub const CHANGE_AGENTS: &str = "\
INSERT INTO agent_changes (currency, agent_id, on_date, requests, approved, rejected, disbursed, collected)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::date[], $4::int8[], $5::int8[], $6::int8[], $7::numeric[],
    $8::numeric[])";

/// One of so many commands of a process adds up what the last ones left, so that a figure, which reads all changes, is
/// fast however long the scheduled function has not run.
pub const ADD_UP_EVERY: u32 = 64;

/// Moves changes into their sums, more than so many commands leave; does nothing while somebody else does.
pub const ADD_UP: &str = "SELECT add_up(2000)";

/// Adds up changes.
#[must_use]
pub fn add_up() -> Statement<()> {
    Sql::new(ADD_UP).execute()
}

impl PortfolioDelta {
    /// Appends them to the database, as changes; nothing for zero.
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

/// The changes by a step of a loan's application: no money has moved.
#[must_use]
pub fn step(before: Option<&Loan>, after: &Loan, at: Moment<'_>) -> Vec<Statement<()>> {
    let of = |loan, step| {
        PortfolioDelta::of(LoanInPortfolio { loan, steps: &[step], exposures: &[], transactions: &[] }, at)
    };
    let mut figures = of(after, ApplicationStep::to(after));
    if let Some(before) = before {
        // Its previous state ends on the day of this step.
        figures -= of(before, ApplicationStep { at: after.updated_at, ..ApplicationStep::to(before) });
    }
    figures.changes()
}

impl AgentSums {
    /// Principal paid out, as money.
    #[must_use]
    pub fn disbursed(&self, currency: Currency) -> Decimal {
        decimal(self.disbursed, currency)
    }

    /// The amount collected, as money; negative if more was paid back than taken.
    #[must_use]
    pub fn collected(&self, currency: Currency) -> Decimal {
        decimal(self.collected, currency)
    }
}
