//! How long a schedule takes, and what it allocates: `cargo bench -p lending`.

use divan::{AllocProfiler, Bencher};
use lending::{Currency, Money, Terms, TermsPatch, parse_date, schedule};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

/// The usual loan, and the ones whose numbers are longest.
const KINDS: &[(&str, &str)] = &[
    ("monthly", r#""interest_rate_apr": "24""#),
    ("monthly, six decimals", r#""interest_rate_apr": "23.987653""#),
    (
        "daily actual/actual",
        r#""interest_rate_apr": "23.987653", "interest_period": "daily", "day_count": "actual/actual""#,
    ),
    ("flat", r#""interest_rate_apr": "24", "interest_method": "flat""#),
];

fn terms(kind: usize, instalments: u32) -> Option<(Money, jiff::civil::Date, Terms)> {
    let euro = Currency::from_code("EUR").ok()?;
    let json = format!(r#"{{"instalments": {instalments}, {}}}"#, KINDS[kind].1);
    let patch: TermsPatch = serde_json::from_str(&json).ok()?;
    let terms = patch.complete(euro).ok()?;
    Some((Money::parse("1234567.89", euro).ok()?, parse_date("2025-01-31").ok()?, terms))
}

#[divan::bench(args = [12, 60, 360, 600], consts = [0, 1, 2, 3])]
fn rows<const KIND: usize>(bencher: Bencher<'_, '_>, instalments: u32) {
    if let Some((amount, disbursed_on, terms)) = terms(KIND, instalments) {
        bencher.bench(|| schedule(divan::black_box(amount), disbursed_on, &terms));
    }
}

fn main() {
    divan::main();
}
