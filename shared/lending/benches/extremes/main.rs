//! The tables of what costs most: `cargo bench -p lending --bench extremes`.
//!
//! Every figure is of one call: the least time of several, or their mean time on the processor where Linux tells it and
//! that is less, as it is where others use the processor too. It fails where one is over the budget.

mod cases;

use std::hint::black_box;
use std::io::Write;
use std::time::{Duration, Instant};

use cases::{LARGEST, QUESTIONS, STORIES, Size, Story, Wrong};
use jiff::ToSpan;
use jiff::civil::date;
use lending::{
    AprMethod, Currency, Flow, FlowAmount, MAX_FLOWS, Money, PeriodUnit, Schedule, Terms, TermsPatch, UnitPeriod, apr,
    parse_date, schedule,
};

/// The processor time that a quote, and any read or command of a loan, may take.
const BUDGET: Duration = Duration::from_millis(100);

/// The same for ten years of instalments with 700 payments, whose interest follows the balance of each day.
const BUDGET_OF_TEN_YEARS: Duration = Duration::from_millis(10);

/// How often each is called at most, and how long at most.
const CALLS: u32 = 20;
const LONGEST: Duration = Duration::from_millis(150);

struct Table {
    out: std::io::Stdout,
    budget: Duration,
    over: Vec<String>,
}

impl Table {
    fn head(&mut self, first: &str, columns: &[&str]) -> Result<(), Wrong> {
        writeln!(self.out, "\n| {first} | {} |\n| --- |{}", columns.join(" | "), " --- |".repeat(columns.len()))?;
        Ok(())
    }

    fn row(&mut self, name: &str, columns: &[&str], cells: &[Duration]) -> Result<(), Wrong> {
        write!(self.out, "| {name} |")?;
        for (column, cell) in columns.iter().zip(cells) {
            let micros = cell.as_micros();
            write!(self.out, " {}.{:02} |", micros / 1_000, micros % 1_000 / 10)?;
            if *cell > self.budget {
                self.over.push(format!("{name}, {column}: over {:?}", self.budget));
            }
        }
        writeln!(self.out)?;
        Ok(())
    }
}

/// The processor time of a call.
fn least<T>(mut call: impl FnMut() -> T) -> Duration {
    let (begin, on_processor) = (Instant::now(), on_processor());
    let (mut least, mut calls) = (Duration::MAX, 0);
    while calls < CALLS && begin.elapsed() < LONGEST {
        let start = Instant::now();
        black_box(call());
        least = least.min(start.elapsed());
        calls += 1;
    }
    let taken = on_processor.zip(self::on_processor()).and_then(|(before, after)| after.checked_sub(before));
    // Linux counts in ticks of some milliseconds.
    taken.filter(|taken| *taken > LONGEST / 3).map_or(least, |taken| least.min(taken / calls.max(1)))
}

/// The time of this thread on the processor so far.
fn on_processor() -> Option<Duration> {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(times.split_whitespace().next()?.parse().ok()?))
}

fn quote(more: &str) -> Result<(Money, Terms), Wrong> {
    let euro = Currency::from_code("EUR")?;
    let fees = r#"[{"code": "processing", "when": "disbursement", "percent": "2"}]"#;
    let json = format!(
        r#"{{"instalments": 600, "fees": {fees}, "interest_rate_apr": "3.987653", "interest_period": "daily",
            "day_count": "actual/actual", {more}}}"#
    );
    Ok((Money::parse("1234567.89", euro)?, serde_json::from_str::<TermsPatch>(&json)?.complete(euro)?))
}

fn quotes(table: &mut Table) -> Result<(), Wrong> {
    let columns = ["schedule", "both rates"];
    table.head("600 instalments, ms", &columns)?;
    let on = parse_date("2025-01-31")?;
    // A first period unlike all others.
    for (unit, first) in [("month", "2025-02-17"), ("week", "2025-02-11"), ("day", "2025-02-02")] {
        for method in ["declining_balance", "flat"] {
            for amortization in ["equal_instalments", "equal_principal"] {
                let (amount, terms) = quote(&format!(
                    r#""repay_unit": "{unit}", "interest_method": "{method}", "amortization": "{amortization}",
                        "first_due_on": "{first}""#
                ))?;
                let made: Schedule = schedule(amount, on, &terms)?;
                let cells = [least(|| schedule(amount, on, &terms)), least(|| made.apr(&terms))];
                table.row(&format!("{unit}, {method}, {amortization}"), &columns, &cells)?;
            }
        }
    }
    Ok(())
}

fn rates(table: &mut Table) -> Result<(), Wrong> {
    let columns = ["one advance", "directions that change each time"];
    table.head("a rate of 1,000 flows, ms", &columns)?;
    let payments = i64::try_from(MAX_FLOWS)? - 1;
    let period = UnitPeriod::new(1, PeriodUnit::Month)?;
    let flow = |days: i64, amount: &str| -> Result<Flow, Wrong> {
        let on = date(2024, 1, 3).checked_add(days.days())?;
        Ok(Flow { on, amount: FlowAmount::parse(amount).map_err(|error| error.to_string())? })
    };
    for method in AprMethod::ALL {
        let one = [flow(0, "10000")?];
        let all: Vec<Flow> = (1..=payments).map(|n| flow(n * 30, "95")).collect::<Result<_, _>>()?;
        let outward: Vec<Flow> = (0..payments).step_by(2).map(|n| flow(n * 7, "10000")).collect::<Result<_, _>>()?;
        let inward: Vec<Flow> = (1..payments).step_by(2).map(|n| flow(n * 7, "9990")).collect::<Result<_, _>>()?;
        let cells = [least(|| apr(method, period, &one, &all)), least(|| apr(method, period, &outward, &inward))];
        table.row(&format!("{method:?}"), &columns, &cells)?;
    }
    Ok(())
}

fn loans(table: &mut Table, size: Size, stories: impl Fn(Story) -> bool) -> Result<(), Wrong> {
    let columns: Vec<&str> = QUESTIONS.iter().map(|(name, _)| *name).collect();
    table.head(&format!("{} instalments, {} transactions, ms", size.rows, size.transactions), &columns)?;
    let far = parse_date("2200-12-31")?;
    for (name, story) in STORIES.iter().filter(|(_, story)| stories(*story)) {
        let case = story.case(size)?;
        let mut cells = Vec::new();
        for (question, asked) in QUESTIONS {
            case.ask(*asked, far).map_err(|conflict| format!("{name}, {question}: {conflict}"))?;
            cells.push(least(|| case.ask(*asked, far)));
        }
        table.row(name, &columns, &cells)?;
    }
    Ok(())
}

fn main() -> Result<(), Wrong> {
    let mut table = Table { out: std::io::stdout(), budget: BUDGET, over: Vec::new() };
    quotes(&mut table)?;
    rates(&mut table)?;
    loans(&mut table, LARGEST, |_| true)?;
    table.budget = BUDGET_OF_TEN_YEARS;
    let ten_years = Size { rows: 120, transactions: 701 };
    loans(&mut table, ten_years, |story| story.accrues_daily() && !matches!(story, Story::Reschedules(_)))?;
    if table.over.is_empty() { Ok(()) } else { Err(table.over.join("; ").into()) }
}
