//! The offers of a generated book's lender: products with differing terms, and the usual requests.

use backend::{
    domain::products::Product,
    values::{names::Names, time::Instant, version::Version},
};
use lending::{AnnualRate, Currency, Money, TermsPatch};
use uuid::Uuid;

use super::{
    calendar::Calendar,
    dice::{Dice, Stream},
    impossible::Impossible,
};

/// A product, and how it is lent.
pub(super) struct Offer {
    pub(super) product: Product,
    /// The id of its entry in the audit log.
    pub(super) made: Uuid,
    /// How often it is chosen, against the others of its currency.
    pub(super) weight: u32,
    /// Amounts are multiples of this many smallest units,
    pub(super) step: i64,
    /// so many times, from and to.
    pub(super) steps: (i64, i64),
    /// Numbers of instalments that are asked for.
    pub(super) instalments: &'static [u32],
    /// Rates that agents agree on, besides the product's own.
    pub(super) rates: Vec<AnnualRate>,
    /// Instalments that are paid at a time: few pay every day.
    pub(super) at_a_time: usize,
}

struct Draft {
    code: &'static str,
    name: &'static str,
    currency: &'static str,
    weight: u32,
    amounts: (i64, i64, i64),
    instalments: &'static [u32],
    rates: &'static [&'static str],
    at_a_time: usize,
    /// JSON.
    terms: &'static str,
}

const DRAFTS: [Draft; 8] = [
    Draft {
        code: "book-duka-kes",
        name: "Duka monthly",
        currency: "KES",
        weight: 3,
        amounts: (50_000, 10, 160),
        instalments: &[3, 4, 6, 6, 9],
        rates: &["24", "28", "30"],
        at_a_time: 1,
        terms: r#"{"interest_rate_apr": "28", "instalments": 6,
            "late_fee": {"grace_days": 5, "kind": "flat", "value": "150.00", "max_times": 1}}"#,
    },
    Draft {
        code: "book-chama-kes",
        name: "Chama group, every two weeks",
        currency: "KES",
        weight: 2,
        amounts: (50_000, 10, 80),
        instalments: &[6, 8, 10],
        rates: &["32", "36"],
        at_a_time: 2,
        terms: r#"{"interest_rate_apr": "36", "instalments": 8, "repay_every": 2, "repay_unit": "week",
            "amortization": "equal_principal", "prepayment": "reduce_instalment",
            "fees": [{"code": "insurance", "when": "disbursement", "percent": "1.5"}]}"#,
    },
    Draft {
        code: "book-sakhi-inr",
        name: "Sakhi women's group",
        currency: "INR",
        weight: 1,
        amounts: (100_000, 5, 60),
        instalments: &[4, 6, 9, 12],
        rates: &["22", "24"],
        at_a_time: 1,
        terms: r#"{"interest_rate_apr": "24", "instalments": 12, "interest_period": "daily",
            "day_count": "actual/365", "rounding": "half_up", "instalment_multiple": "1",
            "prepayment": "reduce_term",
            "fees": [{"code": "processing", "when": "disbursement", "percent": "2"},
            {"code": "insurance", "when": "instalment", "amount": "12.00"}]}"#,
    },
    Draft {
        code: "book-trader-ngn",
        name: "Trader weekly",
        currency: "NGN",
        weight: 3,
        amounts: (1_000_000, 3, 40),
        instalments: &[8, 10, 12],
        rates: &["40", "48"],
        at_a_time: 2,
        terms: r#"{"interest_rate_apr": "48", "instalments": 10, "repay_unit": "week", "interest_method": "flat",
            "instalment_multiple": "10",
            "late_fee": {"grace_days": 3, "kind": "percent_of_overdue", "value": "2", "max_times": 2}}"#,
    },
    Draft {
        code: "book-school-ngn",
        name: "School fees",
        currency: "NGN",
        weight: 1,
        amounts: (1_000_000, 5, 60),
        instalments: &[3, 4, 6],
        rates: &["30"],
        at_a_time: 1,
        terms: r#"{"interest_rate_apr": "30", "instalments": 4, "grace": {"interest_free": 1},
            "allocation": "overdue_interest_first",
            "late_fee": {"grace_days": 10, "kind": "flat", "value": "500.00"}}"#,
    },
    Draft {
        code: "book-sari-php",
        name: "Sari-sari daily",
        currency: "PHP",
        weight: 1,
        amounts: (50_000, 4, 60),
        instalments: &[20, 30],
        rates: &["60", "72"],
        at_a_time: 6,
        terms: r#"{"interest_rate_apr": "72", "instalments": 30, "repay_unit": "day", "interest_method": "flat",
            "day_count": "actual/360", "interest_period": "daily"}"#,
    },
    Draft {
        code: "book-harvest-vnd",
        name: "Harvest",
        currency: "VND",
        weight: 1,
        amounts: (500_000, 4, 60),
        instalments: &[5, 6, 8],
        rates: &["18", "20"],
        at_a_time: 1,
        terms: r#"{"interest_rate_apr": "20", "instalments": 6, "smallest_amount": "100",
            "instalment_multiple": "1000", "grace": {"principal": 2},
            "late_fee": {"grace_days": 7, "kind": "percent_of_overdue", "value": "1.5", "max_times": 3}}"#,
    },
    Draft {
        code: "book-flexible-kes",
        name: "Duka flexible",
        currency: "KES",
        weight: 1,
        amounts: (100_000, 5, 60),
        instalments: &[6, 9, 12],
        rates: &["24", "30"],
        at_a_time: 1,
        terms: r#"{"interest_rate_apr": "24", "instalments": 9, "interest_period": "daily", "day_count": "actual/365",
            "interest_accrual": "daily"}"#,
    },
];

/// The lender's offers, made before the first loan.
pub(super) fn offers(seed: u64, calendar: &Calendar) -> Result<Vec<Offer>, Impossible> {
    (0..).zip(DRAFTS).map(|(number, draft)| draft.offer(Dice::new(seed, Stream::Product(number)), calendar)).collect()
}

impl Draft {
    fn offer(self, mut dice: Dice, calendar: &Calendar) -> Result<Offer, Impossible> {
        let currency = Currency::from_code(self.currency)?;
        let patch: TermsPatch = serde_json::from_str(self.terms)?;
        let terms = patch.complete(currency)?;
        let made_at = Instant(calendar.at(calendar.first_day().yesterday()?, &mut dice));
        let (step, least, most) = self.amounts;
        let product = Product {
            code: self.code.into(),
            version: Version(1),
            name: self.name.into(),
            currency,
            min_amount: Money::from_units(step, currency),
            max_amount: Money::from_units(step * most * 2, currency),
            min_instalments: 1,
            max_instalments: 60,
            min_rate_apr: AnnualRate::parse("0")?,
            max_rate_apr: AnnualRate::parse("100")?,
            is_default: false,
            active: true,
            requires_kyc: false,
            names: Names::default(),
            terms,
            created_at: made_at,
            updated_at: made_at,
        };
        let rates = self.rates.iter().map(|rate| AnnualRate::parse(rate)).collect::<Result<_, _>>()?;
        Ok(Offer {
            made: dice.id(product.created_at.0),
            product,
            weight: self.weight,
            step,
            steps: (least, most),
            instalments: self.instalments,
            rates,
            at_a_time: self.at_a_time,
        })
    }
}
