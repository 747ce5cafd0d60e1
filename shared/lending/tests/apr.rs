//! Annual percentage rates: every published example, and the rules by examples small enough to
//! check with a pencil.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use jiff::ToSpan;
use jiff::civil::Date;
use lending::{
    AprMethod, Currency, Flow, FlowAmount, Money, PeriodUnit, TermsPatch, UnitPeriod, apr, parse_date, schedule,
};
use serde_json::{Value, json};

const APR: &str = include_str!("vectors/apr.json");
const EUROPEAN_COMMISSION: &str = include_str!("vectors/apr-ec.json");
const REG_Z: &str = include_str!("vectors/reg-z.json");

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn flow(on: &str, amount: &str) -> Flow {
    Flow { on: parse_date(on).unwrap(), amount: FlowAmount::parse(amount).unwrap() }
}

fn period(every: u32, unit: PeriodUnit) -> UnitPeriod {
    UnitPeriod::new(every, unit).unwrap()
}

/// The rate as text, or `none`.
fn rate(method: AprMethod, unit_period: UnitPeriod, advances: &[Flow], payments: &[Flow]) -> String {
    apr(method, unit_period, advances, payments).map_or("none".to_owned(), |rate| rate.to_string())
}

/// True if the rate is the published one when it is rounded to as many decimals.
fn agrees(rate: &str, published: &str) -> bool {
    let decimals = published.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let rate: rust_decimal::Decimal = rate.parse().unwrap();
    rate.round_dp(u32::try_from(decimals).unwrap()) == published.parse().unwrap()
}

/// The dates of a group of payments in an example: `count` of them, one unit period apart.
fn dates(first: Date, count: i64, unit_period: UnitPeriod) -> Vec<Date> {
    let every = i64::from(unit_period.every());
    (0..count)
        .map(|k| match unit_period.unit() {
            PeriodUnit::Month => first.checked_add((k * every).months()).unwrap(),
            // The 1st and the 16th, or whatever two days of the month the first one gives.
            PeriodUnit::HalfMonth => first.checked_add((k / 2).months().days(k % 2 * 15)).unwrap(),
            PeriodUnit::Week => first.checked_add((k * every).weeks()).unwrap(),
            PeriodUnit::Day => first.checked_add((k * every).days()).unwrap(),
        })
        .collect()
}

fn unit_period(written: &Value) -> UnitPeriod {
    match written {
        Value::String(text) if text == "1 month(s)" => period(1, PeriodUnit::Month),
        Value::String(text) if text.starts_with("half month") => period(1, PeriodUnit::HalfMonth),
        object => serde_json::from_value(object.clone()).unwrap(),
    }
}

#[test]
fn every_published_regulation_z_example() {
    let mut failures = Vec::new();
    let mut seen = 0;
    let examples: Vec<Value> =
        [APR, REG_Z].iter().flat_map(|it| serde_json::from_str::<Vec<Value>>(it).unwrap()).collect();
    for example in examples.iter().filter(|it| text(&it["id"]).starts_with("REGZ")) {
        seen += 1;
        let inputs = &example["inputs"];
        let unit_period = unit_period(&inputs["unit_period"]);
        let advances = [flow(text(&inputs["advance_date"]), text(&inputs["amount_advanced"]))];
        let mut payments = Vec::new();
        for group in inputs["payments"].as_array().unwrap() {
            let first = parse_date(text(&group["first_date"])).unwrap();
            let amount = FlowAmount::parse(text(&group["amount"])).unwrap();
            let dates = dates(first, group["count"].as_i64().unwrap(), unit_period);
            payments.extend(dates.into_iter().map(|on| Flow { on, amount }));
        }
        let got = rate(AprMethod::RegZ, unit_period, &advances, &payments);
        let wanted = text(&example["expected"]["apr_percent"]);
        if !agrees(&got, wanted) {
            failures.push(format!("{}: expected {wanted}, got {got}", example["id"]));
        }
    }
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
    assert_eq!(seen, 12);
}

/// Every payment of each has its date and its amount.
#[test]
fn every_example_of_the_european_commission() {
    let examples: Vec<Value> = serde_json::from_str(EUROPEAN_COMMISSION).unwrap();
    let mut failures = Vec::new();
    for example in &examples {
        let request = &example["request"];
        let flows = |name: &str| serde_json::from_value::<Vec<Flow>>(request[name].clone()).unwrap();
        let method: AprMethod = serde_json::from_value(request["method"].clone()).unwrap();
        let got = rate(method, unit_period(&request["unit_period"]), &flows("advances"), &flows("payments"));
        // The Commission computed with payments that are not rounded to cents; the small ones of example 38 show it.
        let off: rust_decimal::Decimal = got.parse::<rust_decimal::Decimal>().unwrap()
            - text(&example["apr"]).parse::<rust_decimal::Decimal>().unwrap();
        if !agrees(&got, text(&example["printed"])) || off.abs() > "0.0002".parse().unwrap() {
            failures.push(format!("{}: expected {}, got {got}", example["id"], example["apr"]));
        }
    }
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
    assert_eq!(examples.len(), 18);
}

fn example(id: &str) -> Value {
    let examples: Vec<Value> = serde_json::from_str(APR).unwrap();
    examples.into_iter().find(|it| it["id"] == id).unwrap()
}

/// 400 of 20,000 are kept back. The published 17.07 is computed with the instalment before it is
/// rounded to 970.
#[test]
fn the_reserve_bank_of_indias_factsheet() {
    let example = example("RBI-KFS-apr");
    let inputs = &example["inputs"];
    let advances = [flow("2024-01-05", text(&inputs["net_disbursed"]))];
    let month = period(1, PeriodUnit::Month);
    let with_instalment = |amount: &str| {
        let dates = dates("2024-02-05".parse().unwrap(), inputs["number_of_repayments"].as_i64().unwrap(), month);
        let payments: Vec<Flow> = dates.iter().map(|on| flow(&on.to_string(), amount)).collect();
        rate(AprMethod::Nominal, month, &advances, &payments)
    };
    let unrounded = with_instalment(text(&inputs["epi_unrounded"]));
    assert!(agrees(&unrounded, text(&example["expected"]["apr_percent"])), "{unrounded}");
    assert_eq!(unrounded, "17.0702");
    assert_eq!(with_instalment(text(&inputs["epi"])), "17.0989");
}

#[test]
fn the_european_example_of_1998_by_days_and_by_months() {
    let example = example("EU-98-7-example-1");
    let inputs = &example["inputs"];
    let advances = [flow(text(&inputs["date"]), text(&inputs["loan"]))];
    let repayments = inputs["repayments"].as_array().unwrap();
    let payments: Vec<Flow> = repayments.iter().map(|it| flow(text(&it[0]), text(&it[1]))).collect();
    let by_days = rate(AprMethod::Eu, period(1, PeriodUnit::Day), &advances, &payments);
    for decimals in ["apr_percent_1dp", "apr_percent_2dp"] {
        assert!(agrees(&by_days, text(&example["expected"][decimals])), "{by_days}");
    }
    // 2008/48/EC has months of equal length: 1.2^(12/18) - 1.
    let by_months = rate(AprMethod::Eu, period(1, PeriodUnit::Month), &advances, &payments);
    assert_eq!(by_months, "12.9243");
}

/// A loan's nominal and effective rates as text.
fn quoted(amount: &str, disbursed_on: &str, terms: Value) -> (String, String) {
    let rupee: Currency = "INR".parse().unwrap();
    let terms = serde_json::from_value::<TermsPatch>(terms).unwrap().complete(rupee).unwrap();
    let amount = Money::parse(amount, rupee).unwrap();
    let schedule = schedule(amount, parse_date(disbursed_on).unwrap(), &terms).unwrap();
    let json = serde_json::to_value(schedule.apr(&terms)).unwrap();
    let rate = |name: &str| json[name].as_str().unwrap_or("none").to_owned();
    (rate("nominal"), rate("effective"))
}

fn both(nominal: &str, effective: &str) -> (String, String) {
    (nominal.to_owned(), effective.to_owned())
}

#[test]
fn a_fee_at_disbursement_is_paid_from_the_start() {
    // 990 paid out and 1010 due in a month: 2.0202...% a month, 1.0202...^12 - 1.
    let terms = json!({"interest_rate_apr": "12", "instalments": 1,
                       "fees": [{"code": "a", "when": "disbursement", "amount": "10"}]});
    assert_eq!(quoted("1000.00", "2025-01-15", terms), both("24.2424", "27.1259"));
    // The same fee with the instalment: 1000 for 1020.
    let terms = json!({"interest_rate_apr": "12", "instalments": 1,
                       "fees": [{"code": "a", "when": "instalment", "amount": "10"}]});
    assert_eq!(quoted("1000.00", "2025-01-15", terms), both("24.0000", "26.8242"));
}

#[test]
fn nothing_paid_out_has_no_rate() {
    for fee in ["1000", "1000.01"] {
        let terms = json!({"interest_rate_apr": "12", "instalments": 2,
                           "fees": [{"code": "a", "when": "disbursement", "amount": fee}]});
        assert_eq!(quoted("1000.00", "2025-01-15", terms), both("none", "none"));
    }
    let free = json!({"interest_rate_apr": "0", "instalments": 2});
    assert_eq!(quoted("1000.00", "2025-01-15", free), both("0.0000", "0.0000"));
}

#[test]
fn periods_of_a_year_by_the_terms() {
    // 1 % a period, by whatever its length: one payment of 1010 for 1000.
    for (unit, every, nominal, effective) in [
        ("month", 1, "12.0000", "12.6825"),
        ("month", 5, "2.4000", "2.4168"),
        ("week", 1, "52.0000", "67.7689"),
        ("week", 2, "26.0000", "29.5256"),
        ("day", 1, "365.0000", "3678.3434"),
        ("day", 10, "36.5000", "43.7905"),
    ] {
        let terms = json!({"interest_rate_apr": "0", "instalments": 1, "repay_unit": unit, "repay_every": every,
                           "fees": [{"code": "a", "when": "instalment", "percent": "1"}]});
        assert_eq!(quoted("1000.00", "2025-01-15", terms), both(nominal, effective), "{every} {unit}");
    }
}

/// One payment of 10 % more, so that the effective rate is 1.1^(1 / years) - 1 with the years of an
/// irregular first period: its days over a regular period's.
#[test]
fn an_irregular_first_period_counts_as_its_days() {
    for (unit, every, day_count, first_due_on, effective) in [
        // 15 January to 31 March: 76 days of months of 30, 75 by the calendar. The exponents are
        // 360/76, 360/75, 364/75 and 365/75.
        ("month", 1, "30/360", "2025-03-31", "57.0618"),
        ("month", 1, "actual/360", "2025-03-31", "58.0101"),
        ("month", 1, "actual/364", "2025-03-31", "58.8154"),
        ("month", 1, "actual/365", "2025-03-31", "59.0173"),
        ("month", 2, "actual/365", "2025-03-31", "59.0173"),
        ("month", 1, "actual/actual", "2025-03-31", "59.0173"),
        // 52/(75/7) and 365/75.
        ("week", 1, "actual/360", "2025-03-31", "58.8154"),
        ("week", 3, "30/360", "2025-03-31", "58.8154"),
        ("day", 1, "30/360", "2025-03-31", "59.0173"),
        ("day", 9, "actual/360", "2025-03-31", "59.0173"),
        // The regular date: a month, two months, eleven weeks.
        ("month", 1, "actual/365", "2025-02-15", "213.8428"),
        ("month", 2, "actual/365", "2025-03-15", "77.1561"),
        ("week", 11, "actual/360", "2025-04-02", "56.9186"),
    ] {
        let terms = json!({"interest_rate_apr": "0", "instalments": 1, "repay_unit": unit, "repay_every": every,
                           "day_count": day_count, "first_due_on": first_due_on,
                           "fees": [{"code": "a", "when": "instalment", "percent": "10"}]});
        let (_, got) = quoted("1000.00", "2025-01-15", terms);
        assert_eq!(got, effective, "{every} {unit} {day_count} {first_due_on}");
    }
    // Over a year's end: 31 days of 2023 and 31 of 2024, actual/actual: 31/365 + 31/366 years.
    let terms = json!({"interest_rate_apr": "0", "instalments": 1, "day_count": "actual/actual",
                       "first_due_on": "2024-02-01",
                       "fees": [{"code": "a", "when": "instalment", "percent": "10"}]});
    assert_eq!(quoted("1000.00", "2023-12-01", terms).1, "75.3946");
}

#[test]
fn one_payment_by_each_method() {
    let advances = [flow("2024-01-15", "1000")];
    let month = period(1, PeriodUnit::Month);
    // A month and 18 days of 30.
    let payments = [flow("2024-03-02", "1100")];
    // (1 + i)(1 + 18/30 i) = 1.1.
    assert_eq!(rate(AprMethod::RegZ, month, &advances, &payments), "73.3201");
    // 12 * (1.1^(30/48) - 1); 1.1^(1 / (1/12 + 18/365)) - 1: the year to 2 February 2024 has 365 days.
    assert_eq!(rate(AprMethod::Nominal, month, &advances, &payments), "73.6546");
    assert_eq!(rate(AprMethod::Eu, month, &advances, &payments), "105.1389");
}

#[test]
fn halfway_goes_to_the_even_one() {
    let year = period(12, PeriodUnit::Month);
    for (due, expected) in [
        ("1000000.5", "0.0000"),
        ("1000000.5001", "0.0001"),
        ("1000001.5", "0.0002"),
        ("1000001.4999", "0.0001"),
        ("999999.5", "0.0000"),
        ("999998.5", "-0.0002"),
        ("999998.5001", "-0.0001"),
        ("1000002", "0.0002"),
    ] {
        for method in [AprMethod::RegZ, AprMethod::Nominal, AprMethod::Eu] {
            // A million for that in a year: 0.0001 % is 1.
            let got = rate(method, year, &[flow("2023-01-01", "1000000")], &[flow("2024-01-01", due)]);
            assert_eq!(got, expected, "{due} {method:?}");
        }
    }
}

#[test]
fn a_payment_on_the_first_day_reduces_the_advance() {
    let year = period(12, PeriodUnit::Month);
    let (start, end) = ("2023-01-01", "2024-01-01");
    let got = rate(AprMethod::Eu, year, &[flow(start, "1000")], &[flow(start, "100"), flow(end, "990")]);
    assert_eq!(got, "10.0000");
    // In any order, and in parts.
    let advances = [flow(end, "10"), flow(start, "600"), flow(start, "400")];
    let got = rate(AprMethod::Eu, year, &advances, &[flow(end, "500"), flow(start, "100"), flow(end, "500")]);
    assert_eq!(got, "10.0000");
}

#[test]
fn several_advances() {
    // 500 for a year and 500 for half of one, at 10 %: 550 and 500 * 1.1^(1/2) or 500 * 1.05.
    let advances = [flow("2023-01-01", "500"), flow("2023-07-01", "500")];
    let month = period(1, PeriodUnit::Month);
    let repaid = |amount: &str| [flow("2024-01-01", amount)];
    assert_eq!(rate(AprMethod::Eu, month, &advances, &repaid("1074.4044")), "10.0000");
    let half_year = period(6, PeriodUnit::Month);
    // 500 * (1.05^2 + 1.05).
    assert_eq!(rate(AprMethod::RegZ, half_year, &advances, &repaid("1076.25")), "10.0000");
}

#[test]
fn less_paid_than_advanced_is_a_negative_rate() {
    let year = period(12, PeriodUnit::Month);
    let advances = [flow("2023-01-01", "1000")];
    for (paid, expected) in [
        ("900", "-10.0000"),
        ("1", "-99.9000"),
        ("0.0005", "-100.0000"),
        ("0.0006", "-99.9999"),
        ("0.0001", "-100.0000"),
    ] {
        assert_eq!(rate(AprMethod::Eu, year, &advances, &[flow("2024-01-01", paid)]), expected, "{paid}");
        assert_eq!(rate(AprMethod::RegZ, year, &advances, &[flow("2024-01-01", paid)]), expected, "{paid}");
    }
    // Of each of twelve months.
    let month = period(1, PeriodUnit::Month);
    let got = rate(AprMethod::Nominal, month, &advances, &[flow("2023-02-01", "0.0001")]);
    assert_eq!(got, "-1199.9999");
    // All but 10^-7 of a period of 128 days, 365/128 of them a year. The middle between this rate and
    // the next lower one is -100 % a period to the last digit.
    let days = period(128, PeriodUnit::Day);
    let got = rate(AprMethod::RegZ, days, &[flow("2025-01-01", "10000000")], &[flow("2025-05-09", "1")]);
    assert_eq!(got, "-285.1562");
}

#[test]
fn no_flows_no_rate() {
    let month = period(1, PeriodUnit::Month);
    let (advance, payment) = (flow("2024-01-01", "100"), flow("2024-02-01", "110"));
    let nothing = flow("2023-12-01", "0");
    for method in AprMethod::ALL {
        let rate = |advances: &[Flow], payments: &[Flow]| rate(method, month, advances, payments);
        assert_eq!(rate(&[], &[]), "none");
        assert_eq!(rate(&[advance], &[]), "none");
        assert_eq!(rate(&[], &[payment]), "none");
        assert_eq!(rate(&[nothing], &[nothing]), "none");
        assert_eq!(rate(&[advance], &[nothing]), "none");
        assert_eq!(rate(&[nothing], &[payment]), "none");
        // All on one day: no rate, or every one.
        assert_eq!(rate(&[advance], &[flow("2024-01-01", "100")]), "none");
        assert_eq!(rate(&[advance], &[flow("2024-01-01", "110")]), "none");
        // Paid before anything was advanced.
        assert_eq!(rate(&[advance], &[flow("2023-12-31", "110"), payment]), "none");
        // Nothing counts for nothing, whenever it is.
        assert_eq!(rate(&[nothing, advance], &[payment, nothing]), rate(&[advance], &[payment]));
    }
}

#[test]
fn odd_days_may_become_fewer_from_flow_to_flow() {
    // At 10 %: 500 * 1.1^(152/366) in the year to 12 June 2012, and 500 * 1.1^(1 + 31/365) from the
    // advance to 12 February 2013, a year after 31 days.
    let year = period(12, PeriodUnit::Month);
    let payments = [flow("2012-06-12", "520.1881"), flow("2013-02-12", "554.4702")];
    assert_eq!(rate(AprMethod::Eu, year, &[flow("2012-01-12", "1000")], &payments), "10.0000");
}

/// Nothing that is advanced before does not start the time.
#[test]
fn time_begins_with_the_first_amount_that_is_more_than_nothing() {
    // A month and 18 days of 30, as above; not three months and a day less a month and 14 days.
    let advances = [flow("2023-12-01", "0"), flow("2024-01-15", "1000")];
    let month = period(1, PeriodUnit::Month);
    assert_eq!(rate(AprMethod::RegZ, month, &advances, &[flow("2024-03-02", "1100")]), "73.3201");
}

/// Yearly flows: -1000 at first, 2300 after a year and so on; roots as in the names.
#[test]
fn of_several_rates_the_lowest_that_is_not_negative() {
    let year = period(12, PeriodUnit::Month);
    let dates = ["2020-01-01", "2021-01-01", "2022-01-01", "2023-01-01"];
    for (flows, expected) in [
        // 10 % and 20 %; -10 % and 20 %; -20 % and -10 %; 0 %, 10 % and 20 %.
        (&[1000, -2300, 1320][..], "10.0000"),
        (&[1000, -2100, 1080], "20.0000"),
        (&[1000, -1700, 720], "-10.0000"),
        (&[1000, -3300, 3620, -1320], "0.0000"),
        // Nearer to one of two results: 10.00002 % and 10.00007 %, each beside 50 %.
        (&[10_000_000, -26_000_002, 16_500_003], "10.0000"),
        (&[20_000_000, -52_000_014, 33_000_021], "10.0001"),
        // Exactly between two, to the even one: 0.00005 % and 0.00015 %, each beside 50 %.
        (&[4_000_000, -10_000_002, 6_000_003], "0.0000"),
        (&[4_000_000, -10_000_006, 6_000_009], "0.0002"),
        // The same below nothing: -10.00002 %, -10.00007 %, -10.00005 % and -10.00015 %, each beside -50 %.
        (&[10_000_000, -13_999_998, 4_499_999], "-10.0000"),
        (&[20_000_000, -27_999_986, 8_999_993], "-10.0001"),
        (&[4_000_000, -5_599_998, 1_799_999], "-10.0000"),
        (&[4_000_000, -5_599_994, 1_799_997], "-10.0002"),
        // None.
        (&[1000, -1000, 1000], "none"),
        (&[1000, -1, 1000], "none"),
    ] {
        let side = |sign: i64| {
            flows
                .iter()
                .zip(dates)
                .filter(|(amount, _)| **amount * sign > 0)
                .map(|(amount, on)| flow(on, &(amount * sign).to_string()))
                .collect::<Vec<Flow>>()
        };
        for method in AprMethod::ALL {
            assert_eq!(rate(method, year, &side(1), &side(-1)), expected, "{flows:?} {method:?}");
        }
    }
}

#[test]
fn the_largest_flows_over_300_years() {
    let most = |on: Date| Flow { on, amount: FlowAmount::parse("1000000000000000").unwrap() };
    let least = |on: Date| Flow { on, amount: FlowAmount::parse("0.0001").unwrap() };
    let (first, end) = (parse_date("1900-01-01").unwrap(), parse_date("2200-12-31").unwrap());
    let spread: Vec<Date> = (1..=998).map(|k| first.checked_add((k * 110).days()).unwrap()).collect();
    for method in AprMethod::ALL {
        for unit in PeriodUnit::ALL {
            for every in [1, UnitPeriod::MAX_EVERY] {
                let unit_period = period(every, unit);
                let finds = |advances: &[Flow], payments: &[Flow]| apr(method, unit_period, advances, payments);
                let many: Vec<Flow> = spread.iter().map(|on| most(*on)).collect();
                let few: Vec<Flow> = spread.iter().map(|on| least(*on)).collect();
                // Compound interest makes more than 10^24 % of such a gain, or of a long period.
                let is_told = method == AprMethod::RegZ;
                assert!(finds(&[most(first)], &many).is_some() || (!is_told && every > 1), "{method:?} {unit:?}");
                assert!(finds(&[least(first)], &many).is_some() || !is_told, "{method:?} {unit:?}");
                assert!(finds(&[most(first)], &few).is_some(), "{method:?} {unit:?}");
                assert!(finds(&[least(first)], &[most(end)]).is_some(), "{method:?} {unit:?}");
                assert!(finds(&[most(first)], &[least(end)]).is_some(), "{method:?} {unit:?}");
            }
        }
    }
    // Money that changes its direction a thousand times.
    let (even, odd): (Vec<_>, Vec<_>) = spread.iter().enumerate().partition(|(index, _)| index % 2 == 0);
    let flows = |dates: Vec<(usize, &Date)>| dates.into_iter().map(|(_, on)| most(*on)).collect::<Vec<Flow>>();
    let (even, odd) = (flows(even), flows(odd));
    assert_eq!(rate(AprMethod::Nominal, period(1, PeriodUnit::Day), &even, &odd), "0.0000");
}

/// Weekly, a thousand times to and fro, always a little less back: the sum is never nothing.
#[test]
fn a_long_search_ends() {
    let on = |k: i64| parse_date("2024-01-03").unwrap().checked_add((7 * k).days()).unwrap();
    let side = |first: i64, amount: &str| -> Vec<Flow> {
        let amount = FlowAmount::parse(amount).unwrap();
        (first..999).step_by(2).map(|k| Flow { on: on(k), amount }).collect()
    };
    let (advances, payments) = (side(0, "10000"), side(1, "9990"));
    assert_eq!(rate(AprMethod::Eu, period(1, PeriodUnit::Month), &advances, &payments), "none");
}

#[test]
fn beyond_10_to_the_24_percent_there_is_none() {
    let (advance, payment) = (flow("2024-01-01", "0.0001"), flow("2024-01-02", "1000000000000000"));
    // 10^19 a day, 365 times a year; a year of that has 6935 digits.
    let got = rate(AprMethod::Nominal, period(1, PeriodUnit::Day), &[advance], &[payment]);
    assert_eq!(got, "364999999999999999963500.0000");
    assert_eq!(rate(AprMethod::Eu, period(1, PeriodUnit::Day), &[advance], &[payment]), "none");
}

#[test]
fn the_json_of_flows_and_periods() {
    let flow: Flow = serde_json::from_value(json!({"on": "2024-02-29", "amount": 12.5})).unwrap();
    assert_eq!((flow.on.to_string(), flow.amount.to_string()), ("2024-02-29".to_owned(), "12.5".to_owned()));
    assert_eq!(flow.amount.to_decimal().to_string(), "12.5");
    assert_eq!(serde_json::to_value(flow.amount).unwrap(), json!("12.5"));
    let refused = |value: Value| serde_json::from_value::<Flow>(value).unwrap_err().to_string();
    for (flow, code) in [
        (json!({"on": "2024-02-30", "amount": "1"}), "[not_a_date]"),
        (json!({"on": "2024-02-28", "amount": "1.00001"}), "[too_many_decimals] must have at most 4 decimals"),
        (json!({"on": "2024-02-28", "amount": "-1"}), "[not_a_number]"),
        (json!({"on": "2024-02-28", "amount": "1000000000000000.0001"}), "[too_large]"),
        (json!({"on": "2024-02-28", "amount": null}), "[wrong_type]"),
        (json!({"on": "2024-02-28"}), "missing field `amount`"),
        (json!({"amount": "1"}), "missing field `on`"),
        (json!({"on": "2024-02-28", "amount": "1", "currency": "EUR"}), "unknown field `currency`"),
        (json!(["2024-02-28", "1"]), "an object with a flow of money"),
    ] {
        let got = refused(flow.clone());
        assert!(got.contains(code), "{flow}: {got}");
    }
    let refused = |value: Value| serde_json::from_value::<UnitPeriod>(value).unwrap_err().to_string();
    for (unit_period, code) in [
        (json!({"every": 0, "unit": "month"}), "[out_of_range] must be from 1 to 366"),
        (json!({"every": 367, "unit": "day"}), "[out_of_range]"),
        (json!({"every": 1, "unit": "year"}), "unknown variant `year`"),
        (json!({"unit": "month"}), "missing field `every`"),
        (json!({"every": 1}), "missing field `unit`"),
        (json!({"every": 1, "unit": "day", "of": 2}), "unknown field `of`"),
        (json!([1, "month"]), "an object with a unit period"),
    ] {
        let got = refused(unit_period.clone());
        assert!(got.contains(code), "{unit_period}: {got}");
    }
    let written = json!({"every": 366, "unit": "half_month"});
    assert_eq!(serde_json::to_value(unit_period(&written)).unwrap(), written);
    assert_eq!(AprMethod::ALL.iter().map(|it| it.as_str()).collect::<Vec<_>>(), ["reg_z", "eu", "nominal"]);
    // The service tells the field by its path.
    let mut json = serde_json::Deserializer::from_str(r#"[{"on": "2024-02-28", "amount": "1e3"}]"#);
    let error = serde_path_to_error::deserialize::<_, Vec<Flow>>(&mut json).unwrap_err();
    assert_eq!(error.path().to_string(), "[0].amount");
}

#[test]
fn rates_are_written_with_four_decimals() {
    let year = period(12, PeriodUnit::Month);
    let got = apr(AprMethod::Eu, year, &[flow("2023-01-01", "2")], &[flow("2024-01-01", "1")]).unwrap();
    assert_eq!((got.to_string(), got.to_decimal().to_string()), ("-50.0000".to_owned(), "-50.0000".to_owned()));
    assert_eq!(serde_json::to_value(got).unwrap(), json!("-50.0000"));
}
