//! Calendars: published lists of due dates, each rule by hand, and what holds for every calendar.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::sync::Arc;

use jiff::civil::{Date, date};
use jiff::{Span, ToSpan};
use lending::{Calendar, CalendarRule, Currency, Money, Schedule, Terms, TermsPatch, WeekDay, parse_date, schedule};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::Value;

const WORKING_DAYS: &str = include_str!("vectors/working-days.json");
const WEEKEND: [WeekDay; 2] = [WeekDay::Saturday, WeekDay::Sunday];

fn shilling() -> Currency {
    Currency::from_code("KES").unwrap()
}

/// Terms, the inside of a JSON object, with a calendar.
fn terms(more: &str, rule: &str, calendar: &Calendar) -> Terms {
    let json = format!(r#"{{"calendar": {{"code": "ke", "rule": "{rule}"}}, {more}}}"#);
    let patch: TermsPatch = serde_json::from_str(&json).unwrap();
    patch.complete(shilling()).unwrap().with_calendar(Some(Arc::new(calendar.clone())))
}

fn schedule_of(disbursed_on: &str, terms: &Terms) -> Schedule {
    schedule(Money::parse("10000.00", shilling()).unwrap(), parse_date(disbursed_on).unwrap(), terms).unwrap()
}

fn dates(schedule: &Schedule) -> Vec<String> {
    schedule.rows.iter().map(|row| row.due_on.to_string()).collect()
}

fn due_dates(disbursed_on: &str, more: &str, rule: &str, calendar: &Calendar) -> Vec<String> {
    let more = format!(r#""interest_rate_apr": "12", {more}"#);
    dates(&schedule_of(disbursed_on, &terms(&more, rule, calendar)))
}

/// The days of the holidays of an example, each a range.
fn holidays(ranges: &Value) -> Vec<Date> {
    let day = |value: &Value| parse_date(value.as_str().unwrap()).unwrap();
    let range = |range: &Value| {
        assert_eq!(range["rule"], "next_working_day");
        let (from, to) = (day(&range["from"]), day(&range["to"]));
        from.series(1.day()).take_while(move |date| *date <= to)
    };
    ranges.as_array().unwrap().iter().flat_map(range).collect()
}

/// The first date is given: an example begins on any date of its rhythm.
#[test]
fn every_published_list_of_working_days() {
    let examples: Vec<Value> = serde_json::from_str(WORKING_DAYS).unwrap();
    for example in &examples {
        let inputs = &example["inputs"];
        assert_eq!(inputs["non_working_day_rule"], "next_working_day");
        assert_eq!(inputs["working_days"], serde_json::json!([1, 2, 3, 4, 5]));
        let unit = match inputs["repay_unit"].as_str().unwrap() {
            "WEEKS" => "week",
            "MONTHS" => "month",
            other => panic!("{other}"),
        };
        let wanted: Vec<&str> =
            example["due_dates"].as_array().unwrap().iter().map(|date| date.as_str().unwrap()).collect();
        let first = parse_date(wanted[0]).unwrap();
        let more = format!(
            r#""instalments": {}, "repay_every": {}, "repay_unit": "{unit}", "first_due_on": "{first}""#,
            inputs["number_of_dates"], inputs["repay_every"],
        );
        let calendar = Calendar::new(1, WEEKEND, holidays(&inputs["holidays"]));
        let got = due_dates(&first.yesterday().unwrap().to_string(), &more, "following", &calendar);
        assert_eq!(got, wanted, "{}", example["id"]);
    }
    assert_eq!(examples.len(), 5);
}

/// 31 January 2026 is a Saturday, 28 February too; 31 March is a Tuesday.
#[test]
fn each_rule_has_its_own_day() {
    let calendar = Calendar::new(1, WEEKEND, []);
    let monthly = r#""instalments": 3, "first_due_on": "2026-01-31""#;
    for (rule, wanted) in [
        ("following", ["2026-02-02", "2026-03-02", "2026-03-31"]),
        ("preceding", ["2026-01-30", "2026-02-27", "2026-03-31"]),
        ("modified_following", ["2026-01-30", "2026-02-27", "2026-03-31"]),
    ] {
        assert_eq!(due_dates("2026-01-01", monthly, rule, &calendar), wanted, "{rule}");
    }
    // In the middle of a month the next day is in the same one.
    let middle = r#""instalments": 1, "first_due_on": "2026-02-14""#;
    assert_eq!(due_dates("2026-01-01", middle, "modified_following", &calendar), ["2026-02-16"]);
    assert_eq!(due_dates("2026-01-01", middle, "preceding", &calendar), ["2026-02-13"]);
}

#[test]
fn the_working_day_before_has_to_be_after_the_due_date_before() {
    // Paid out on Friday; the next day is a Saturday, and the Friday before is no later.
    let calendar = Calendar::new(1, WEEKEND, []);
    let daily = r#""instalments": 3, "repay_unit": "day""#;
    assert_eq!(due_dates("2026-02-06", daily, "preceding", &calendar), ["2026-02-09", "2026-02-10", "2026-02-11"]);
}

/// Saturday, Sunday and Monday would all be Monday.
#[test]
fn dates_that_meet_go_on_to_the_next_working_day() {
    let calendar = Calendar::new(1, WEEKEND, []);
    let daily = r#""instalments": 4, "repay_unit": "day""#;
    let wanted = ["2026-02-09", "2026-02-10", "2026-02-11", "2026-02-12"];
    assert_eq!(due_dates("2026-02-06", daily, "following", &calendar), wanted);
    // All of February is a holiday: the second date follows the first, and the third the second.
    let february = date(2026, 2, 1).series(1.day()).take(28);
    let weekly = r#""instalments": 3, "repay_unit": "week""#;
    let calendar = Calendar::new(1, WEEKEND, february);
    assert_eq!(due_dates("2026-02-05", weekly, "following", &calendar), ["2026-03-02", "2026-03-03", "2026-03-04"]);
}

#[test]
fn extend_counts_working_days_and_skips_weeks() {
    let calendar = Calendar::new(1, WEEKEND, [date(2026, 2, 12)]);
    let days = r#""instalments": 3, "repay_every": 2, "repay_unit": "day""#;
    // From Friday, two working days each: Tuesday, Friday (Thursday is a holiday), Tuesday.
    assert_eq!(due_dates("2026-02-06", days, "extend", &calendar), ["2026-02-10", "2026-02-13", "2026-02-17"]);
    let first = r#""instalments": 2, "repay_unit": "day", "first_due_on": "2026-02-14""#;
    assert_eq!(due_dates("2026-02-06", first, "extend", &calendar), ["2026-02-16", "2026-02-17"]);
    let weeks = r#""instalments": 3, "repay_unit": "week""#;
    assert_eq!(due_dates("2026-01-29", weeks, "extend", &calendar), ["2026-02-05", "2026-02-19", "2026-02-26"]);
}

/// The row after the skipped date bears the interest of two weeks: 10,000 at 52 % is 100 a week.
#[test]
fn a_skipped_period_is_charged_to_the_row_after_it_and_counts_in_the_rate() {
    let skipping = Calendar::new(1, WEEKEND, [date(2026, 2, 12)]);
    let more = r#""interest_rate_apr": "52", "instalments": 2, "repay_unit": "week",
        "amortization": "equal_principal""#;
    let terms = terms(more, "extend", &skipping);
    let schedule = schedule_of("2026-01-29", &terms);
    let interest: Vec<String> = schedule.rows.iter().map(|row| row.interest.to_string()).collect();
    // 5,000 are left for the two weeks of the second row.
    assert_eq!(
        (dates(&schedule), interest),
        (vec!["2026-02-05".into(), "2026-02-19".into()], vec!["100.00".into(); 2])
    );
    // 5,100 after a week and 5,100 after three are worth 10,000 at 0.99753693 % a week.
    assert_eq!(schedule.apr(&terms).nominal.map(|it| it.to_string()).as_deref(), Some("51.8719"));
}

#[test]
fn days_follow_the_moved_dates_and_repayment_periods_the_rhythm() {
    let calendar = Calendar::new(1, WEEKEND, []);
    let interest = |more: &str| {
        let more = format!(r#""interest_rate_apr": "36", "instalments": 1, "first_due_on": "2026-02-28", {more}"#);
        let schedule = schedule_of("2026-01-28", &terms(&more, "following", &calendar));
        assert_eq!((dates(&schedule), schedule.rows[0].days), (vec!["2026-03-02".to_owned()], 33));
        schedule.rows[0].interest.to_string()
    };
    // One month is 3 %; 33 days of 360 are 3.3 %; a month of 30 days stays one.
    assert_eq!(interest(r#""interest_period": "repayment_period""#), "300.00");
    assert_eq!(interest(r#""interest_period": "daily", "day_count": "actual/360""#), "330.00");
    assert_eq!(interest(r#""interest_period": "daily", "day_count": "30/360""#), "300.00");
}

#[test]
fn calendars_that_cannot_be_used_are_refused_by_name() {
    let refused = |more: &str, calendar: &Calendar| {
        let json = format!(r#"{{"interest_rate_apr": "12", "instalments": 3, {more}}}"#);
        let terms = serde_json::from_str::<TermsPatch>(&json).unwrap().complete(shilling())?;
        let terms = terms.with_calendar(Some(Arc::new(calendar.clone())));
        schedule(Money::parse("100", shilling()).unwrap(), date(2026, 2, 7), &terms)
    };
    let calendar = Calendar::new(1, WEEKEND, []);
    let code = |more: &str| {
        let refusal = refused(more, &calendar).unwrap_err();
        (refusal.pointer().to_owned(), refusal.code())
    };
    let rule = "/calendar/rule".to_owned();
    let extend = r#""calendar": {"code": "ke", "rule": "extend"}"#;
    assert_eq!(code(extend), (rule.clone(), "extend_needs_days_or_weeks"));
    // Paid out on a Saturday, each of its weeks ends on one.
    assert_eq!(code(&format!(r#"{extend}, "repay_unit": "week""#)), (rule, "never_a_working_day"));
    assert_eq!(code(r#""calendar": {"rule": "following"}"#), ("/calendar/code".to_owned(), "required"));
    assert!(refused(&format!(r#"{extend}, "repay_unit": "week", "first_due_on": "2026-02-09""#), &calendar).is_ok());
    for wrong in [r#"{"code": "KE"}"#, r#"{"code": "ke", "rule": "never"}"#, r#"{"code": "ke", "on": 1}"#, r#""ke""#] {
        assert!(serde_json::from_str::<TermsPatch>(&format!(r#"{{"calendar": {wrong}}}"#)).is_err(), "{wrong}");
    }
}

/// By `extend` a first period of whole repayment periods counts as so many; any other is counted by days.
#[test]
fn a_first_period_of_whole_rhythms_is_regular_where_dates_are_skipped() {
    let calendar = Calendar::new(1, [], []);
    let first_interest = |disbursed_on: &str, first: &str, more: &str| {
        let more = format!(r#""first_due_on": "{first}", "instalments": 2, "day_count": "30/360", {more}"#);
        schedule_of(disbursed_on, &terms(&more, "extend", &calendar)).rows[0].interest.to_string()
    };
    // Two weeks are 2/52 of a year, and ten days 10/360.
    let weeks = r#""interest_rate_apr": "26", "repay_unit": "week""#;
    assert_eq!(first_interest("2026-05-15", "2026-05-29", weeks), "100.00");
    assert_eq!(first_interest("2026-05-15", "2026-05-25", weeks), "72.22");
    // Ten days are 10/360, across the end of January too; where they are nine, the US rule counts eight.
    let days = r#""interest_rate_apr": "36", "repay_unit": "day", "repay_every": 10"#;
    assert_eq!(first_interest("2026-01-26", "2026-02-05", days), "100.00");
    assert_eq!(first_interest("2026-01-26", "2026-02-04", days), "80.00");
}

proptest! {
    /// Whatever the calendar, dates increase, each is a working day, and there are as many as instalments.
    #[test]
    fn due_dates_are_working_days_that_increase(
        weekend in subsequence(WeekDay::ALL.to_vec(), 0..=6),
        gaps in prop::collection::vec(1i64..30, 0..60),
        unit in select(vec!["day", "week", "month"]),
        rule in select(&CalendarRule::ALL),
        instalments in 1usize..40,
        every in 1u32..4,
        start in 0i64..400,
        first in prop::option::of(1i64..60),
    ) {
        let start = date(2024, 1, 1).checked_add(Span::new().days(start)).unwrap();
        let mut day = start;
        let holidays: Vec<Date> = gaps.iter().map(|gap| {
            day = day.checked_add(Span::new().days(*gap)).unwrap();
            day
        }).collect();
        let calendar = Calendar::new(1, weekend, holidays);
        let rule = if unit == "month" && rule == CalendarRule::Extend { CalendarRule::Following } else { rule };
        let first = first.map_or("null".to_owned(), |days| {
            format!("\"{}\"", start.checked_add(Span::new().days(days)).unwrap())
        });
        let more = format!(
            r#""interest_rate_apr": "12", "instalments": {instalments}, "repay_every": {every}, "repay_unit": "{unit}",
                "first_due_on": {first}"#
        );
        let moved = terms(&more, rule.as_str(), &calendar);
        let amount = Money::parse("10000.00", shilling()).unwrap();
        let Ok(moved_schedule) = schedule(amount, start, &moved) else {
            // Each week ends on a day of the weekend.
            prop_assert_eq!((rule, unit), (CalendarRule::Extend, "week"));
            return Ok(());
        };
        let dates: Vec<Date> = moved_schedule.rows.iter().map(|row| row.due_on).collect();
        prop_assert_eq!(dates.len(), instalments);
        prop_assert!(dates[0] > start && dates.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert!(dates.iter().all(|date| calendar.is_working(*date)));
        // Interest by repayment periods, and the rate, do not know of dates that move.
        if rule != CalendarRule::Extend && unit != "day" {
            let plain = schedule(amount, start, &moved.clone().with_calendar(None)).unwrap();
            prop_assert_eq!(plain.total_interest, moved_schedule.total_interest);
            prop_assert_eq!(plain.apr(&moved), moved_schedule.apr(&moved));
        }
    }
}
