//! The lending rules by examples small enough to check with a pencil.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use lending::{Currency, Money, Refusal, Schedule, TermsPatch, parse_date, schedule};

/// `terms` without the outer braces; amounts in the currency.
fn try_loan(amount: &str, currency: &str, disbursed_on: &str, terms: &str) -> Result<Schedule, Refusal> {
    let currency: Currency = currency.parse().unwrap();
    let terms: TermsPatch = serde_json::from_str(&format!("{{{terms}}}")).unwrap();
    let amount = Money::parse(amount, currency).unwrap();
    schedule(amount, parse_date(disbursed_on).unwrap(), &terms.complete(currency)?)
}

fn loan(amount: &str, currency: &str, disbursed_on: &str, terms: &str) -> Schedule {
    try_loan(amount, currency, disbursed_on, terms).unwrap()
}

/// `principal interest due` of each row.
fn cells(schedule: &Schedule) -> Vec<String> {
    schedule.rows.iter().map(|row| format!("{} {} {}", row.principal, row.interest, row.due)).collect()
}

fn due_dates(schedule: &Schedule) -> Vec<String> {
    schedule.rows.iter().map(|row| row.due_on.to_string()).collect()
}

fn refusal(amount: &str, currency: &str, disbursed_on: &str, terms: &str) -> (String, &'static str) {
    let refusal = try_loan(amount, currency, disbursed_on, terms).unwrap_err();
    (refusal.pointer().to_owned(), refusal.code())
}

#[test]
fn the_totals_are_those_of_the_rows() {
    let schedule = loan("1000.00", "INR", "2025-01-01", r#""interest_rate_apr": "24", "instalments": 3"#);
    // 1000 / (1/1.02 + 1/1.02^2 + 1/1.02^3) = 346.7546...
    assert_eq!(schedule.instalment.to_string(), "346.75");
    assert_eq!(cells(&schedule), ["326.75 20.00 346.75", "333.29 13.46 346.75", "339.96 6.80 346.76"]);
    assert_eq!(schedule.total_interest.to_string(), "40.26");
    assert_eq!(schedule.total_due.to_string(), "1040.26");
    assert_eq!(schedule.total_fees.to_string(), "0.00");
    assert_eq!(schedule.paid_out.to_string(), "1000.00");
    let days: Vec<u32> = schedule.rows.iter().map(|row| row.days).collect();
    assert_eq!(days, [31, 28, 31]);
}

#[test]
fn the_json_form_is_the_contracts() {
    let schedule = loan("100", "VND", "2025-01-31", r#""interest_rate_apr": 12, "instalments": 1"#);
    assert_eq!(
        serde_json::to_value(&schedule).unwrap(),
        serde_json::json!({
            "instalment": "101", "total_interest": "1", "total_fees": "0", "total_due": "101",
            "paid_out": "100",
            "rows": [{"n": 1, "due_on": "2025-02-28", "days": 28, "principal": "100",
                      "interest": "1", "fees": "0", "due": "101", "balance": "0"}],
        })
    );
}

#[test]
fn equal_principal_leaves_the_rest_to_the_last_row() {
    for (rounding, expected) in [
        ("half_even", ["33 0 33", "33 0 33", "34 0 34"]),
        ("down", ["33 0 33", "33 0 33", "34 0 34"]),
        ("up", ["34 0 34", "34 0 34", "32 0 32"]),
    ] {
        let terms = format!(
            r#""interest_rate_apr": "0", "instalments": 3, "amortization": "equal_principal",
               "rounding": "{rounding}", "instalment_multiple": "10""#
        );
        assert_eq!(cells(&loan("100", "VND", "2025-01-01", &terms)), expected, "{rounding}");
    }
}

#[test]
fn flat_interest_is_on_the_whole_principal() {
    let terms = r#""interest_rate_apr": "12", "instalments": 4, "interest_method": "flat""#;
    let schedule = loan("1000.00", "INR", "2025-01-01", terms);
    assert_eq!(schedule.instalment.to_string(), "260.00");
    assert_eq!(cells(&schedule), ["250.00 10.00 260.00"; 4]);
    // By the days: 36.5 % is a tenth of a percent a day.
    let terms = r#""interest_rate_apr": "36.5", "instalments": 2, "interest_method": "flat",
                   "interest_period": "daily", "day_count": "actual/365""#;
    let schedule = loan("1000.00", "INR", "2025-01-01", terms);
    assert_eq!(cells(&schedule), ["500.00 31.00 531.00", "500.00 28.00 528.00"]);
    assert_eq!(schedule.instalment.to_string(), "531.00");
}

#[test]
fn flat_interest_of_periods_counted_differently_is_one_total() {
    // 30/365 of a year, then two months of 1/12: 144.00 a year times both is 35.8356...
    let terms = r#""interest_rate_apr": "12", "instalments": 3, "interest_method": "flat",
                   "first_due_on": "2025-01-31", "day_count": "actual/365""#;
    let schedule = loan("1200.00", "INR", "2025-01-01", terms);
    assert_eq!(schedule.total_interest.to_string(), "35.84");
    assert_eq!(cells(&schedule), ["400.00 11.84 411.84", "400.00 12.00 412.00", "400.00 12.00 412.00"]);
}

#[test]
fn a_flat_rows_interest_is_at_most_what_is_left_of_the_total() {
    // 100 at 1.5 % a month: 1.5 a row, 9 in all; up, 2 a row would be 12.
    let terms = r#""interest_rate_apr": "18", "instalments": 6, "interest_method": "flat",
                   "rounding": "up""#;
    let schedule = loan("100", "VND", "2025-01-01", terms);
    let interest: Vec<i128> = schedule.rows.iter().map(|row| row.interest.units()).collect();
    assert_eq!(interest, [2, 2, 2, 2, 1, 0]);
    // Down, 1 a row leaves 4 to the last.
    let schedule = loan("100", "VND", "2025-01-01", &terms.replace("up", "down"));
    let interest: Vec<i128> = schedule.rows.iter().map(|row| row.interest.units()).collect();
    assert_eq!(interest, [1, 1, 1, 1, 1, 4]);
}

#[test]
fn grace_on_principal_leaves_rows_of_interest_only() {
    let terms = r#""interest_rate_apr": "12", "instalments": 3, "grace": {"principal": 1}"#;
    let schedule = loan("1000.00", "INR", "2025-01-01", terms);
    // 1000 / (1/1.01 + 1/1.01^2) = 507.5124...
    assert_eq!(schedule.instalment.to_string(), "507.51");
    assert_eq!(cells(&schedule), ["0.00 10.00 10.00", "497.51 10.00 507.51", "502.49 5.02 507.51"]);
}

#[test]
fn deferred_interest_is_paid_with_the_first_row_after() {
    let terms = r#""interest_rate_apr": "12", "instalments": 3, "grace": {"interest_payment": 1}"#;
    let schedule = loan("300.00", "INR", "2025-01-01", terms);
    // The principal is that of the schedule without the grace; 3.00 moves to the second row.
    assert_eq!(cells(&schedule), ["99.01 0.00 99.01", "100.00 5.01 105.01", "100.99 1.01 102.00"]);
}

#[test]
fn interest_free_periods_bear_none() {
    let terms = r#""interest_rate_apr": "12", "instalments": 2, "grace": {"interest_free": 1}"#;
    // 200 / (1 + 1/1.01) = 100.4975...; the interest of 99.50 is 0.995, a tie.
    let schedule = loan("200.00", "INR", "2025-01-01", terms);
    assert_eq!(cells(&schedule), ["100.50 0.00 100.50", "99.50 1.00 100.50"]);
    // All of them: no interest at all.
    let terms = r#""interest_rate_apr": "12", "instalments": 2, "grace": {"interest_free": 2}"#;
    assert_eq!(loan("200.00", "INR", "2025-01-01", terms).total_interest.to_string(), "0.00");
}

#[test]
fn fees_at_disbursement_reduce_what_is_paid_out_and_others_add_to_the_rows() {
    let terms = r#""interest_rate_apr": "0", "instalments": 2, "fees": [
        {"code": "processing", "when": "disbursement", "amount": "400.00"},
        {"code": "insurance", "when": "disbursement", "percent": "2"},
        {"code": "visit", "when": "instalment", "percent": 0.125}]"#;
    let schedule = loan("12000.00", "INR", "2025-01-01", terms);
    assert_eq!(schedule.paid_out.to_string(), "11360.00");
    assert_eq!(cells(&schedule), ["6000.00 0.00 6015.00"; 2]);
    assert_eq!(schedule.instalment.to_string(), "6000.00");
    assert_eq!(schedule.total_fees.to_string(), "670.00");
    assert_eq!(schedule.total_due.to_string(), "12030.00");
    // Percentages are rounded like rows: 0.1 % of 12.50 is 0.0125.
    for (rounding, paid_out) in [("half_even", "12.49"), ("up", "12.48")] {
        let terms = format!(
            r#""interest_rate_apr": "0", "instalments": 1, "rounding": "{rounding}",
               "fees": [{{"code": "stamp", "percent": "0.1"}}]"#
        );
        let schedule = loan("12.50", "INR", "2025-01-01", &terms);
        assert_eq!(schedule.paid_out.to_string(), paid_out, "{rounding}");
    }
}

#[test]
fn amounts_are_multiples_of_the_smallest() {
    let terms = r#""interest_rate_apr": "24", "instalments": 3, "smallest_amount": "1""#;
    let schedule = loan("1000.00", "INR", "2025-01-01", terms);
    assert_eq!(cells(&schedule), ["327.00 20.00 347.00", "334.00 13.00 347.00", "339.00 7.00 346.00"]);
    // A fee of 1.55 % too: 15.50 is a tie.
    let terms = r#""interest_rate_apr": "0", "instalments": 1, "smallest_amount": "1", "rounding": "half_up",
                   "fees": [{"code": "stamp", "percent": "1.55"}]"#;
    assert_eq!(loan("1000.00", "INR", "2025-01-01", terms).paid_out.to_string(), "984.00");
}

#[test]
fn equal_instalments_are_multiples_of_theirs() {
    let terms = r#""interest_rate_apr": "24", "instalments": 3, "instalment_multiple": "10""#;
    let schedule = loan("1000.00", "INR", "2025-01-01", terms);
    assert_eq!(schedule.instalment.to_string(), "350.00");
    assert_eq!(cells(&schedule), ["330.00 20.00 350.00", "336.60 13.40 350.00", "333.40 6.67 340.07"]);
}

#[test]
fn a_last_row_far_off_moves_the_instalment_while_it_helps() {
    let instalment_and_last = |amount, terms: &str| {
        let schedule = loan(amount, "VND", "2025-01-01", terms);
        (schedule.instalment.units(), schedule.rows.last().unwrap().due.units())
    };
    // 115.24, up to 120; the last row is 110, ten too few: half of it each is 115, and then 116.
    let terms = r#""interest_rate_apr": "120", "instalments": 2, "rounding": "up",
                   "instalment_multiple": "5""#;
    assert_eq!(instalment_and_last("200", terms), (115, 116));
    // 34.68 becomes 40, the last row 23; 17 too few make it 30 and 44; 14 too many would make it
    // 40 again.
    let terms = r#""interest_rate_apr": "24", "instalments": 3, "instalment_multiple": "10""#;
    assert_eq!(instalment_and_last("100", terms), (30, 44));
    // 24.93 is 20 and leaves 220; then 30 and 0; then 25 and 2; 26 down to the multiple is 25.
    let terms = r#""interest_rate_apr": "120", "instalments": 17, "rounding": "down",
                   "instalment_multiple": "5""#;
    assert_eq!(instalment_and_last("200", terms), (25, 2));
    // 58 and 57: as close as two rows are asked to be.
    let terms = r#""interest_rate_apr": "120", "instalments": 2"#;
    assert_eq!(instalment_and_last("100", terms), (58, 57));
    // 121.93 down is 121, and 19 too many in the last of 18 rows; 122 would be 22 too few.
    let terms = r#""interest_rate_apr": "120", "instalments": 18, "rounding": "down""#;
    assert_eq!(instalment_and_last("1000", terms), (121, 140));
    // 0.42 up is 1, which the interest takes, so that the last row has all 4 and 1 more: 4 too many,
    // for ten rows close enough, though 2 would be closer, with nothing left for the last.
    let terms = r#""interest_rate_apr": "12", "instalments": 10, "rounding": "up""#;
    assert_eq!(instalment_and_last("4", terms), (1, 5));
}

#[test]
fn an_irregular_first_period_is_counted_by_days() {
    let first_interest = |first_due_on: &str, day_count: &str| {
        let terms = format!(
            r#""interest_rate_apr": "12", "instalments": 2, "first_due_on": "{first_due_on}",
               "day_count": "{day_count}""#
        );
        let schedule = loan("1000.00", "INR", "2025-01-15", &terms);
        // The second period is a month like any other.
        let balance = schedule.rows[0].balance.units();
        assert_eq!(schedule.rows[1].interest.units(), (balance + 50) / 100);
        schedule.rows[0].interest.to_string()
    };
    // 45 days, 46 of months of 30.
    assert_eq!(first_interest("2025-03-01", "actual/365"), "14.79");
    assert_eq!(first_interest("2025-03-01", "actual/360"), "15.00");
    assert_eq!(first_interest("2025-03-01", "30/360"), "15.33");
    // One month after the disbursement: not irregular.
    assert_eq!(first_interest("2025-02-15", "actual/365"), "10.00");
}

#[test]
fn only_the_first_period_can_be_irregular() {
    // 30 days of 365, 12 % of 1200.00; then months, though February's 28th is no month from March's 31st.
    let terms = r#""interest_rate_apr": "12", "instalments": 3, "amortization": "equal_principal",
                   "first_due_on": "2025-01-31", "day_count": "actual/365""#;
    let schedule = loan("1200.00", "INR", "2025-01-01", terms);
    assert_eq!(due_dates(&schedule), ["2025-01-31", "2025-02-28", "2025-03-31"]);
    let interest: Vec<String> = schedule.rows.iter().map(|row| row.interest.to_string()).collect();
    assert_eq!(interest, ["11.84", "8.00", "4.00"]);
}

#[test]
fn the_first_due_date_gives_the_seed_day() {
    let terms = r#""interest_rate_apr": "0", "instalments": 3, "first_due_on": "2024-01-31""#;
    let schedule = loan("300.00", "INR", "2024-01-10", terms);
    assert_eq!(due_dates(&schedule), ["2024-01-31", "2024-02-29", "2024-03-31"]);
    assert_eq!(schedule.rows[0].days, 21);
}

#[test]
fn weeks_and_days() {
    let terms = r#""interest_rate_apr": "10", "instalments": 2, "repay_unit": "week""#;
    let schedule = loan("5200.00", "INR", "2024-02-26", terms);
    assert_eq!(due_dates(&schedule), ["2024-03-04", "2024-03-11"]);
    assert_eq!(schedule.rows[0].interest.to_string(), "10.00");
    let terms = r#""interest_rate_apr": "36.5", "instalments": 2, "repay_unit": "day",
                   "repay_every": 10, "day_count": "actual/365""#;
    let schedule = loan("1000.00", "INR", "2024-02-26", terms);
    assert_eq!(due_dates(&schedule), ["2024-03-07", "2024-03-17"]);
    assert_eq!(schedule.rows[0].interest.to_string(), "10.00");
}

#[test]
fn fewer_units_than_rows() {
    let schedule = loan("1", "VND", "2025-01-01", r#""interest_rate_apr": 24, "instalments": 3"#);
    assert_eq!(cells(&schedule), ["0 0 0", "0 0 0", "1 0 1"]);
    let schedule = loan("2", "VND", "2025-01-01", r#""interest_rate_apr": 0, "instalments": 3"#);
    assert_eq!(cells(&schedule), ["1 0 1", "1 0 1", "0 0 0"]);
}

#[test]
fn the_largest_loan_at_the_highest_rate() {
    let terms = r#""interest_rate_apr": "1000", "instalments": 600, "repay_every": 6,
                   "interest_method": "flat", "grace": {"principal": 599, "interest_payment": 599}"#;
    let schedule = loan("1000000000000000", "VND", "1900-12-31", terms);
    // 300 years at ten times the principal a year, all in the last row.
    assert_eq!(schedule.rows[599].interest.units(), 3_000 * 10i128.pow(15));
    assert_eq!(schedule.rows[599].due_on.to_string(), "2200-12-31");
}

#[test]
fn an_instalment_below_its_interest_is_refused() {
    // 576.19 becomes 0 of the multiple; the interest is 100.
    let terms = r#""interest_rate_apr": "120", "instalments": 2, "rounding": "down",
                   "instalment_multiple": "1000""#;
    let expected = ("/interest_rate_apr".to_owned(), "does_not_amortise");
    assert_eq!(refusal("1000", "VND", "2025-01-01", terms), expected);
    let flat = format!(r#"{terms}, "interest_method": "flat""#);
    assert_eq!(refusal("1000", "VND", "2025-01-01", &flat), expected);
    // The last row has no instalment to fall short of.
    let one = terms.replace("\"instalments\": 2", "\"instalments\": 1");
    assert_eq!(cells(&loan("1000", "VND", "2025-01-01", &one)), ["1000 100 1100"]);
}

#[test]
fn what_is_refused_beside_the_terms() {
    let terms = r#""interest_rate_apr": "12", "instalments": 2"#;
    let refused =
        |amount, currency, disbursed_on, more: &str| refusal(amount, currency, disbursed_on, &format!("{terms}{more}"));
    for (amount, disbursed_on, more, pointer, code) in [
        ("0", "2025-01-01", "", "/amount", "not_positive"),
        ("10.50", "2025-01-01", r#", "smallest_amount": "1""#, "/amount", "not_a_multiple"),
        ("1", "2025-01-01", r#", "first_due_on": "2025-01-01""#, "/first_due_on", "not_after_disbursement"),
        ("1", "2025-01-01", r#", "first_due_on": "2024-12-31""#, "/first_due_on", "not_after_disbursement"),
        ("1", "2200-12-01", "", "/repay_every", "date_out_of_range"),
        ("1", "2200-11-01", "", "/instalments", "date_out_of_range"),
        ("1", "2025-01-01", r#", "repay_every": 4294967295"#, "/repay_every", "date_out_of_range"),
    ] {
        let expected = (pointer.to_owned(), code);
        assert_eq!(refused(amount, "INR", disbursed_on, more), expected, "{amount} {more}");
    }
    // Amounts and dates that no request can have, but a caller could.
    let euro: Currency = "EUR".parse().unwrap();
    let patch: TermsPatch = serde_json::from_str(&format!("{{{terms}}}")).unwrap();
    let terms = patch.complete(euro).unwrap();
    let today = parse_date("2025-01-01").unwrap();
    for (units, code) in [(-1, "not_positive"), (10i64.pow(15) + 1, "too_large")] {
        let refusal = schedule(Money::from_units(units, euro), today, &terms).unwrap_err();
        assert_eq!((refusal.pointer(), refusal.code()), ("/amount", code));
    }
    let early = jiff::civil::date(1899, 12, 31);
    let refusal = schedule(Money::from_units(1, euro), early, &terms).unwrap_err();
    assert_eq!((refusal.pointer(), refusal.code()), ("/disbursed_on", "date_out_of_range"));
}

#[test]
fn terms_for_another_currency_are_refused_and_not_misread() {
    let euro: Currency = "EUR".parse().unwrap();
    let patch: TermsPatch =
        serde_json::from_str(r#"{"interest_rate_apr": "12", "instalments": 2, "smallest_amount": "0.05"}"#).unwrap();
    let terms = patch.complete(euro).unwrap();
    let dong = Money::from_units(100, "VND".parse().unwrap());
    let refusal = schedule(dong, parse_date("2025-01-01").unwrap(), &terms).unwrap_err();
    assert_eq!((refusal.pointer(), refusal.code()), ("/smallest_amount", "too_many_decimals"));
}
