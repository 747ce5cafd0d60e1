//! Portfolio at risk: loans by how long the oldest unpaid instalment is past due.

use std::collections::{BTreeMap, BTreeSet};

use lending::{Currency, Money, MoneyError};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{portfolio::ExposureSums, refusal::Refusal},
    store::portfolio::ArrearsRow,
    values::{
        page::{Limit, Position},
        table::{Cell, Line},
        units::decimal,
    },
};

/// Loans at risk.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"amount": "10098.11"}))]
pub struct AtRisk {
    /// Their principal outstanding.
    pub amount: Money,
    /// Their share of all outstanding principal, with four decimals.
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

/// The exposure of a group, and the part at risk: the outstanding principal of loans by days past due.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"outstanding": "237602.50"}))]
pub struct Arrears {
    /// The currency, the product's code or the agent's id; null for loans without an agent.
    #[schema(required = true, example = "INR")]
    pub group: Option<String>,
    /// ISO 4217.
    pub currency: Currency,
    /// Principal outstanding.
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
    /// Adds up the exposures by class of days past due. In the order of groups, loans without a group last, and of
    /// currencies; groups without outstanding principal are left out.
    ///
    /// # Errors
    ///
    /// 500 for amounts that are out of range: a defect.
    pub fn of(aged: Vec<ArrearsRow>) -> Result<Vec<Self>, Refusal> {
        /// True without a group, the group, the currency.
        type Group = (bool, Option<String>, &'static str);
        /// Days past due; the first is the total.
        const DAYS: [i32; 5] = [-1, 1, 30, 60, 90];
        let mut groups: BTreeMap<Group, (Currency, [ExposureSums; DAYS.len()])> = BTreeMap::new();
        for ArrearsRow { group, currency, days, sums } in aged {
            let key = (group.is_none(), group, currency.code());
            let (_, by_days) = groups.entry(key).or_insert((currency, Default::default()));
            for (least, sum) in DAYS.into_iter().zip(by_days) {
                // The total has rows of its own.
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

/// A page of arrears.
pub struct ArrearsPage {
    /// The groups of the page, each with all its currencies.
    pub arrears: Vec<Arrears>,
    /// The last group of the page, if there are more.
    pub more_after: Option<Position<String, ()>>,
}

impl ArrearsPage {
    /// Adds up a page of groups, from the rows of one group more, which only show that there is a next page.
    ///
    /// # Errors
    ///
    /// 500 for amounts that are out of range: a defect.
    pub fn of(mut aged: Vec<ArrearsRow>, limit: Limit) -> Result<Self, Refusal> {
        let groups: BTreeSet<_> = aged.iter().map(|row| (row.group.is_none(), row.group.clone())).collect();
        let mut more_after = None;
        if let Some(beyond) = groups.iter().nth(limit.of_page()) {
            let of_page = groups.range(..beyond);
            more_after = of_page.last().and_then(|(_, group)| group.clone()).map(|group| Position(group, ()));
            aged.retain(|row| (row.group.is_none(), &row.group) < (beyond.0, &beyond.1));
        }
        Ok(Self { arrears: Arrears::of(aged)?, more_after })
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
