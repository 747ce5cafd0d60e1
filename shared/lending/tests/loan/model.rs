//! The rules of servicing once more, as plainly as they stand and without regard to speed: one flat
//! list of claims, day after day from the disbursement on, every payment by sorting all claims
//! again, interest in rational numbers of unlimited size. It shares nothing with the fold but the
//! types of the events and of the terms.

mod daily;

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use lending::{
    Account, Allocation, Amortization, Calendar, CalendarRule, ChargeKind, Component, Contract, DayCount, Event,
    EventId, EventKind, FeeValue, FeeWhen, InterestMethod, InterestPeriod, LateFeeKind, Money, Prepayment, RepayUnit,
    Terms, Waivable,
};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{ToPrimitive, Zero};

use crate::reference::{ParseNumber, by_days, days, due_date, fraction, level_instalment, rational, round};

/// Something that is owed: principal, interest or fee of an instalment, or a charge.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) row: usize,
    pub(crate) component: Component,
    pub(crate) due_on: Date,
    /// The instalment's own, not a charge.
    is_own: bool,
    is_late_fee: bool,
    by: Option<EventId>,
    pub(crate) charged: i128,
    pub(crate) waived: i128,
    pub(crate) paid: i128,
    pub(crate) lapsed: i128,
    pub(crate) touched_on: Option<Date>,
}

impl Claim {
    fn own(row: usize, component: Component, due_on: Date, charged: i128) -> Self {
        let touched_on = None;
        Self {
            row,
            component,
            due_on,
            is_own: true,
            is_late_fee: false,
            by: None,
            charged,
            waived: 0,
            paid: 0,
            lapsed: 0,
            touched_on,
        }
    }

    pub(crate) fn unpaid(&self) -> i128 {
        self.charged - self.waived - self.paid - self.lapsed
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) start: Date,
    pub(crate) due_on: Date,
    /// The same by the rhythm, and whether a first due date made it longer or shorter.
    nominal: (Date, Date),
    is_irregular: bool,
    /// The part of a year, and the rate for it.
    years: BigRational,
    rate: BigRational,
    /// Interest of the period.
    arising: i128,
    /// On what interest is counted, from which day on.
    bases: Vec<(Date, i128)>,
    /// Interest and base when the period began, or a reschedule made the row.
    whole: (i128, i128),
    fee: i128,
    /// The loan was closed before it was due.
    is_stopped: bool,
    /// The seed of its due date, and the number of the row that is due on the seed; counted from 1.
    seed: (Date, i64),
    late_from: Date,
    late_times: u32,
    is_late_over: bool,
}

/// The outcome of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) allocation: Option<[i128; 5]>,
    pub(crate) balance: i128,
}

#[derive(Clone)]
pub(crate) struct Model<'a> {
    contract: &'a Contract,
    terms: &'a Terms,
    smallest: i128,
    multiple: i128,
    pub(crate) rows: Vec<Row>,
    pub(crate) claims: Vec<Claim>,
    annual: BigRational,
    level: i128,
    interest_only: usize,
    deferred_to: usize,
    fee_each_row: i128,
    pub(crate) disbursed_on: Option<Date>,
    pub(crate) written_off_on: Option<Date>,
    pub(crate) given_up: [i128; 4],
    pub(crate) held: i128,
    pub(crate) refunded: i128,
    pub(crate) recovered: i128,
    paid_in: i128,
    pub(crate) instalment: i128,
    /// Waived of each component, and what no row has taken of it.
    waived: [i128; 4],
    waiting: [i128; 4],
    /// Day, event and what was moved.
    pub(crate) applied: Vec<(Date, EventId, [i128; 4])>,
    pub(crate) postings: BTreeMap<(Date, Account), i128>,
    pub(crate) done: BTreeMap<EventId, Done>,
    daily: daily::Daily,
}

type Refused = (EventId, &'static str);

/// The amount to spread over rows, in smallest units; `principal` is a multiple of the smallest
/// amount.
struct Spread {
    principal: i128,
    flat_base: i128,
    /// Part of a year and rate, for each row.
    periods: Vec<(BigRational, BigRational)>,
    first_interest: Option<i128>,
    interest_only: usize,
    /// The instalment or the principal of a row, where it is given.
    given: Option<i128>,
    /// Refuses an instalment below its interest.
    is_strict: bool,
}

fn whole(value: i128) -> BigRational {
    BigRational::from(BigInt::from(value))
}

const PAST: u8 = 1;
const DUE: u8 = 2;
const ADVANCE: u8 = 4;

/// The groups: buckets, and components by their initials (capital P is principal).
fn groups(allocation: &Allocation) -> Vec<(u8, String)> {
    let named: &[(u8, &str)] = match allocation {
        Allocation::Preset(preset) => match preset.as_str() {
            "penalty_fee_interest_principal" => &[(PAST, "pfiP"), (DUE, "pfiP"), (ADVANCE, "pfiP")],
            "due_penalty_fee_interest_principal_in_advance_principal_penalty_fee_interest" => {
                &[(PAST | DUE, "pfiP"), (ADVANCE, "Ppfi")]
            }
            "due_penalty_interest_principal_fee_in_advance_penalty_interest_principal_fee" => {
                &[(PAST | DUE, "piPf"), (ADVANCE, "piPf")]
            }
            "overdue_interest_first" => {
                &[(PAST, "i"), (DUE, "i"), (PAST, "P"), (DUE, "P"), (PAST | DUE, "pf"), (ADVANCE, "iPfp")]
            }
            other => panic!("{other}"),
        },
        Allocation::Groups(_) => &[],
    };
    if !named.is_empty() {
        return named.iter().map(|(buckets, components)| (*buckets, (*components).to_owned())).collect();
    }
    // As the terms have them.
    let given = serde_json::to_value(allocation).unwrap();
    let words = |list: &serde_json::Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let group = |group: &serde_json::Value| {
        let buckets = words(&group["buckets"]).into_iter().map(|word| match word.as_str() {
            "past_due" => PAST,
            "due" => DUE,
            "in_advance" => ADVANCE,
            other => panic!("{other}"),
        });
        let components = words(&group["components"]).into_iter().map(|word| match word.as_str() {
            "penalty" => 'p',
            "fee" => 'f',
            "interest" => 'i',
            "principal" => 'P',
            other => panic!("{other}"),
        });
        (buckets.sum(), components.collect())
    };
    given.as_array().unwrap().iter().map(group).collect()
}

fn initial(component: Component) -> char {
    match component {
        Component::Penalty => 'p',
        Component::Fee => 'f',
        Component::Interest => 'i',
        Component::Principal => 'P',
    }
}

fn income(component: Component) -> Account {
    match component {
        Component::Penalty => Account::PenaltyIncome,
        Component::Fee => Account::FeeIncome,
        Component::Interest => Account::InterestIncome,
        Component::Principal => Account::PrincipalReceivable,
    }
}

impl<'a> Model<'a> {
    pub(crate) fn run(
        contract: &'a Contract,
        events: &[Event],
        as_of: Date,
        known_at: Timestamp,
    ) -> Result<Self, Refused> {
        let terms = &contract.terms;
        let units = |number: Option<lending::Number>| {
            number.map(|number| Money::from_decimal(number.get(), contract.amount.currency()).unwrap().units())
        };
        let smallest = units(terms.smallest_amount()).unwrap_or(1);
        let mut model = Self {
            contract,
            terms,
            smallest,
            multiple: units(terms.instalment_multiple()).unwrap_or(smallest),
            rows: Vec::new(),
            claims: Vec::new(),
            annual: terms.interest_rate_apr().to_decimal().to_string().parse_exactly() / rational(100, 1),
            level: 0,
            interest_only: terms.grace().principal as usize,
            deferred_to: terms.grace().interest_payment as usize,
            fee_each_row: 0,
            disbursed_on: None,
            written_off_on: None,
            given_up: [0; 4],
            held: 0,
            refunded: 0,
            recovered: 0,
            paid_in: 0,
            instalment: 0,
            waived: [0; 4],
            waiting: [0; 4],
            applied: Vec::new(),
            postings: BTreeMap::new(),
            done: BTreeMap::new(),
            daily: daily::Daily::default(),
        };
        let mut known: Vec<&Event> = events.iter().filter(|event| event.recorded_at <= known_at).collect();
        known.sort_by_key(|event| (event.recorded_at, event.id));
        // Reversals, one after the other.
        let mut reversed: Vec<EventId> = Vec::new();
        for (index, event) in known.iter().enumerate() {
            if let EventKind::Reversal { of } = event.kind {
                let Some(target) = known[..index].iter().find(|event| event.id == of) else {
                    return Err((event.id, "unknown_transaction"));
                };
                if matches!(target.kind, EventKind::Reversal { .. }) {
                    return Err((event.id, "reversal_of_reversal"));
                }
                if reversed.contains(&of) {
                    return Err((event.id, "already_reversed"));
                }
                reversed.push(of);
            }
        }
        let standing: Vec<&Event> = known
            .iter()
            .copied()
            .filter(|event| !reversed.contains(&event.id) && !matches!(event.kind, EventKind::Reversal { .. }))
            .collect();
        let of_step = |wanted: u8| standing.iter().copied().filter(|event| step(event) == wanted).collect::<Vec<_>>();
        if let Some(second) = of_step(1).get(1) {
            return Err((second.id, "already_disbursed"));
        }
        if let Some(second) = of_step(7).get(1) {
            return Err((second.id, "already_written_off"));
        }
        let disbursement = of_step(1).first().copied();
        let mut in_order = standing.clone();
        in_order.retain(|event| event.on <= as_of);
        in_order.sort_by_key(|event| (event.on, step(event)));
        if let Some(first) = in_order.first() {
            match disbursement {
                None => return Err((first.id, "not_disbursed")),
                Some(it) if first.on < it.on => return Err((first.id, "before_disbursement")),
                Some(_) => (),
            }
        }
        let Some(disbursement) = disbursement.filter(|event| event.on <= as_of) else {
            return Ok(model);
        };
        let mut today = disbursement.on;
        while today <= as_of {
            let events: Vec<&Event> = in_order.iter().copied().filter(|event| event.on == today).collect();
            model.day(today, &events, known.last().map(|event| event.id))?;
            for event in &known {
                if event.on == today && !model.done.contains_key(&event.id) {
                    let done = Done { allocation: None, balance: model.balance() };
                    model.done.insert(event.id, done);
                }
            }
            today = today.tomorrow().unwrap();
        }
        model.ask_all(as_of);
        Ok(model)
    }

    /// Principal that is neither paid nor given up.
    pub(crate) fn balance(&self) -> i128 {
        if self.disbursed_on.is_none() {
            return 0;
        }
        let principal = self.claims.iter().filter(|claim| claim.component == Component::Principal);
        self.contract.amount.units() - principal.map(|claim| claim.paid + claim.lapsed).sum::<i128>()
    }

    pub(crate) fn unpaid(&self, component: Component) -> i128 {
        self.claims.iter().filter(|claim| claim.component == component).map(Claim::unpaid).sum()
    }

    fn day(&mut self, today: Date, events: &[&Event], latest: Option<EventId>) -> Result<(), Refused> {
        let is_due = self.rows.iter().any(|row| row.due_on == today);
        if is_due || !events.is_empty() {
            self.ask_due(today);
        }
        if self.written_off_on.is_none() {
            self.late_fees(today);
        }
        let mut waiver = None;
        for event in events.iter().filter(|event| step(event) < 5) {
            let allocation = self.apply(event, latest).map_err(|code| (event.id, code))?;
            waiver = if step(event) == 4 { Some(event.id) } else { waiver };
            self.done.insert(event.id, Done { allocation, balance: self.balance() });
        }
        let payments: Vec<(EventId, i128)> = events
            .iter()
            .filter_map(|event| match event.kind {
                EventKind::Repayment { amount } => Some((event.id, amount.units())),
                _ => None,
            })
            .collect();
        if self.written_off_on.is_some() {
            self.recover(today, &payments);
        } else {
            self.pay(today, &payments, waiver);
        }
        for event in events.iter().filter(|event| step(event) > 5) {
            let allocation = self.apply(event, latest).map_err(|code| (event.id, code))?;
            self.done.insert(event.id, Done { allocation, balance: self.balance() });
        }
        if !events.is_empty() {
            self.ask_due(today);
        }
        Ok(())
    }

    fn post(&mut self, on: Date, account: Account, amount: i128) {
        *self.postings.entry((on, account)).or_default() += amount;
    }

    fn apply(&mut self, event: &Event, latest: Option<EventId>) -> Result<Option<[i128; 5]>, &'static str> {
        if self.written_off_on.is_some() && !matches!(event.kind, EventKind::Refund { .. }) {
            return Err("already_written_off");
        }
        let today = event.on;
        match &event.kind {
            EventKind::Disbursement { first_due_on, calendar } => {
                self.disburse(today, *first_due_on, calendar.as_deref())?;
            }
            EventKind::Reschedule { from, instalments, interest_rate_apr, first_due_on, calendar } => {
                let annual = interest_rate_apr.map_or(self.annual.clone(), |rate| {
                    rate.to_decimal().to_string().parse_exactly() / rational(100, 1)
                });
                let dates = (*first_due_on, calendar.as_deref());
                self.reschedule(event.id, today, *from, *instalments, annual, dates)?;
            }
            EventKind::Charge { kind, amount, due_on } => {
                if *due_on < self.disbursed_on.unwrap() {
                    return Err("before_disbursement");
                }
                let component = match kind {
                    ChargeKind::Fee => Component::Fee,
                    ChargeKind::Penalty => Component::Penalty,
                };
                let claim = Claim::own(self.row_for(*due_on), component, *due_on, amount.units());
                self.claims.push(Claim { is_own: false, by: Some(event.id), ..claim });
            }
            EventKind::Waiver { component, amount } => {
                let component = match component {
                    Waivable::Penalty => Component::Penalty,
                    Waivable::Fee => Component::Fee,
                    Waivable::Interest => Component::Interest,
                };
                let mut left = amount.units();
                self.ask_in_advance(today);
                // Something recorded later may have left less interest than there was.
                let may_wait = self.is_daily() && component == Component::Interest && latest != Some(event.id);
                if left > self.unpaid(component) && !may_wait {
                    return Err("above_unpaid");
                }
                self.waived[component as usize] += left;
                for index in self.sorted(|claim| claim.component == component) {
                    let claim = &mut self.claims[index];
                    let part = claim.unpaid().min(left);
                    claim.waived += part;
                    left -= part;
                    if part > 0 {
                        claim.touched_on = Some(today);
                    }
                }
                if left > 0 {
                    self.waive_ahead(today, left);
                }
                let mut allocation = [0; 5];
                allocation[component as usize] = amount.units();
                return Ok(Some(allocation));
            }
            EventKind::Refund { amount } => {
                let amount = amount.units();
                if amount > self.held - self.claims.iter().map(Claim::unpaid).sum::<i128>() {
                    return Err("above_held");
                }
                self.held -= amount;
                self.refunded += amount;
                self.post(today, Account::OverpaymentsPayable, amount);
                self.post(today, Account::Cash, -amount);
            }
            EventKind::WriteOff => {
                let mut allocation = [0; 5];
                self.give_up_daily(today);
                for claim in &mut self.claims {
                    allocation[claim.component as usize] += claim.unpaid();
                    claim.lapsed += claim.unpaid();
                }
                if allocation == [0; 5] {
                    return Err("nothing_to_write_off");
                }
                self.given_up.copy_from_slice(&allocation[..4]);
                self.written_off_on = Some(today);
                let principal = self.given_up[Component::Principal as usize];
                self.post(today, Account::WriteOffs, principal);
                self.post(today, Account::PrincipalReceivable, -principal);
                return Ok(Some(allocation));
            }
            EventKind::Repayment { .. } | EventKind::Reversal { .. } => unreachable!(),
        }
        Ok(None)
    }

    /// Claims in the order of their rows and due dates, the instalment's own before charges of the
    /// same day.
    fn sorted(&self, is_wanted: impl Fn(&Claim) -> bool) -> Vec<usize> {
        let mut found: Vec<usize> = (0..self.claims.len()).filter(|index| is_wanted(&self.claims[*index])).collect();
        found.sort_by_key(|index| {
            let claim = &self.claims[*index];
            (claim.row, claim.due_on, !claim.is_own, *index)
        });
        found
    }

    fn row_for(&self, due_on: Date) -> usize {
        self.rows.iter().position(|row| row.due_on >= due_on).unwrap_or(self.rows.len() - 1)
    }

    fn running(&self, today: Date) -> usize {
        self.rows.iter().position(|row| row.due_on > today).unwrap_or(self.rows.len())
    }

    // Making rows.

    fn fees(&self, when: FeeWhen) -> i128 {
        let amount = self.contract.amount;
        let fees = self.terms.fees().iter().filter(|fee| fee.when == when);
        fees.map(|fee| match fee.value {
            FeeValue::Amount(number) => Money::from_decimal(number.get(), amount.currency()).unwrap().units(),
            FeeValue::Percent(percent) => {
                let share = percent.to_decimal().to_string().parse_exactly() / rational(100, 1);
                self.to_smallest(&(share * whole(amount.units())))
            }
        })
        .sum()
    }

    fn to_smallest(&self, value: &BigRational) -> i128 {
        round(value, &BigInt::from(self.smallest), self.terms.rounding()).to_i128().unwrap()
    }

    fn to_multiple(&self, value: i128) -> i128 {
        round(&whole(value), &BigInt::from(self.multiple), self.terms.rounding()).to_i128().unwrap()
    }

    /// Refuses weeks that always skip their due date.
    fn check_series(&self, seed: Date, calendar: Option<&Calendar>) -> Result<(), &'static str> {
        let Some(calendar) = calendar.filter(|_| self.extends()) else {
            return Ok(());
        };
        // Holidays end; a weekend does not.
        let far = |week: i64| seed.checked_add(Span::new().weeks(500 + week)).is_ok_and(|day| calendar.is_working(day));
        if self.terms.repay_unit() == RepayUnit::Week && !(0..3).any(far) {
            return Err("never_a_working_day");
        }
        Ok(())
    }

    fn extends(&self) -> bool {
        self.terms.calendar().is_some_and(|used| used.rule == CalendarRule::Extend)
    }

    /// A row with the next due date after one, by the rhythm and by the calendar.
    fn next_row(
        &self,
        n: i64,
        (start, nominal_start): (Date, Date),
        seed: (Date, i64),
        calendar: Option<&Calendar>,
    ) -> Option<Row> {
        let terms = self.terms;
        let every = i64::from(terms.repay_every());
        let is_taken = |day: Date| (1900..=2200).contains(&day.year());
        let later = |day: Date, days: i64| day.checked_add(Span::new().days(days)).ok().filter(|day| is_taken(*day));
        let calendar = calendar.filter(|_| terms.calendar().is_some());
        let works = |day: Date| calendar.is_none_or(|calendar| calendar.is_working(day));
        let next_working = |mut day: Date| {
            while !works(day) {
                day = later(day, 1)?;
            }
            Some(day)
        };
        let extends = self.extends() && calendar.is_some();
        let nominal = match terms.repay_unit() {
            _ if !extends => due_date(terms, seed.0, u32::try_from(n - seed.1).unwrap())?,
            RepayUnit::Day if n == seed.1 => next_working(seed.0)?,
            RepayUnit::Day => {
                let mut day = nominal_start;
                for _ in 0..every {
                    day = next_working(later(day, 1)?)?;
                }
                day
            }
            RepayUnit::Week | RepayUnit::Month => {
                let mut day = if n == seed.1 { seed.0 } else { later(nominal_start, 7 * every)? };
                while !works(day) {
                    day = later(day, 7 * every)?;
                }
                day
            }
        };
        let before = |mut day: Date| {
            while !works(day) {
                day = day.yesterday().unwrap();
            }
            day
        };
        let mut due_on = nominal;
        if !works(nominal) {
            let next = next_working(nominal);
            due_on = match terms.calendar().unwrap().rule {
                CalendarRule::Preceding if before(nominal) > start => before(nominal),
                CalendarRule::ModifiedFollowing if next.is_none_or(|next| next.month() != nominal.month()) => {
                    before(nominal)
                }
                _ => next?,
            };
        }
        if due_on <= start {
            due_on = next_working(later(start, 1)?)?;
        }
        let length = days(nominal_start, nominal);
        let is_regular = match terms.repay_unit() {
            _ if n != seed.1 => true,
            _ if !extends => due_date(terms, nominal_start, 1) == Some(nominal),
            RepayUnit::Day => {
                let days = (1..=length).filter(|day| works(later(nominal_start, *day).unwrap())).count();
                i64::try_from(days) == Ok(every)
            }
            RepayUnit::Week | RepayUnit::Month => length % (7 * every) == 0,
        };
        let years = self.years((start, due_on), (nominal_start, nominal), !is_regular);
        Some(Row {
            start,
            due_on,
            nominal: (nominal_start, nominal),
            is_irregular: !is_regular,
            years,
            rate: BigRational::zero(),
            arising: 0,
            bases: Vec::new(),
            whole: (0, 0),
            fee: self.fee_each_row,
            is_stopped: false,
            seed,
            late_from: due_on,
            late_times: 0,
            is_late_over: false,
        })
    }

    /// A period as a part of a year.
    fn years(&self, moved: (Date, Date), nominal: (Date, Date), is_irregular: bool) -> BigRational {
        let terms = self.terms;
        let is_daily = terms.interest_period() == InterestPeriod::Daily;
        let (start, end) = if is_daily && terms.day_count() != DayCount::Thirty360 { moved } else { nominal };
        // A new first due date may be before the rhythm's date of a start that was moved back: no time passes.
        let end = if is_irregular { end.max(start) } else { end };
        if is_irregular || !self.extends() {
            return fraction(terms, start, end, !is_irregular);
        }
        match terms.repay_unit() {
            RepayUnit::Week if !is_daily => rational(days(start, end) / 7, 52),
            _ if terms.day_count() == DayCount::Thirty360 => rational(days(start, end), 360),
            _ => by_days(terms, start, end),
        }
    }

    fn disburse(
        &mut self,
        today: Date,
        first_due_on: Option<Date>,
        calendar: Option<&Calendar>,
    ) -> Result<(), &'static str> {
        let terms = self.terms;
        let first_due_on = first_due_on.or(terms.first_due_on());
        if first_due_on.is_some_and(|first| first <= today) {
            return Err("not_after_disbursement");
        }
        self.fee_each_row = self.fees(FeeWhen::Instalment);
        let seed = match first_due_on {
            Some(first) => (first, 1),
            None => (today, 0),
        };
        self.check_series(seed.0, calendar)?;
        let mut before = (today, today);
        for n in 1..=i64::from(terms.instalments()) {
            let mut row = self.next_row(n, before, seed, calendar).ok_or("date_out_of_range")?;
            if n > i64::from(terms.grace().interest_free) {
                row.rate = &row.years * &self.annual;
            }
            before = (row.due_on, row.nominal.1);
            self.rows.push(row);
        }
        self.disbursed_on = Some(today);
        let amount = self.contract.amount.units();
        let spread = Spread {
            principal: amount,
            flat_base: amount,
            periods: self.rows.iter().map(|row| (row.years.clone(), row.rate.clone())).collect(),
            first_interest: None,
            interest_only: self.interest_only,
            given: None,
            is_strict: true,
        };
        let (level, cells) = self.spread(&spread).ok_or("does_not_amortise")?;
        self.level = level;
        self.instalment = self.regular(level, &cells, self.interest_only);
        self.fill(0, &cells, amount);
        self.fix_instalment(0, &self.annual.clone(), level);
        let fees = self.fees(FeeWhen::Disbursement);
        self.post(today, Account::PrincipalReceivable, amount);
        self.post(today, Account::FeeIncome, -fees);
        self.post(today, Account::Cash, fees - amount);
        Ok(())
    }

    /// Puts principal and interest into the rows from `first` on, which are empty.
    fn fill(&mut self, first: usize, cells: &[(i128, i128)], flat_base: i128) {
        let mut balance: i128 = cells.iter().map(|(principal, _)| principal).sum();
        balance -= balance % self.smallest;
        for (index, (principal, interest)) in cells.iter().enumerate() {
            let row = &mut self.rows[first + index];
            let is_flat = self.terms.interest_method() == InterestMethod::Flat;
            row.arising = *interest;
            let base = if is_flat { flat_base } else { balance };
            row.bases = vec![(row.start, base)];
            row.whole = (*interest, base);
            balance -= principal;
        }
        self.deferred_to = self.deferred_to.min(self.rows.len() - 1);
        for index in first..self.rows.len() {
            let due_on = self.rows[index].due_on;
            let interest = match index.cmp(&self.deferred_to) {
                std::cmp::Ordering::Less => 0,
                std::cmp::Ordering::Equal => self.rows[..=index].iter().map(|row| row.arising).sum(),
                std::cmp::Ordering::Greater => self.rows[index].arising,
            };
            self.claims.push(Claim::own(index, Component::Principal, due_on, cells[index - first].0));
            self.claims.push(Claim::own(index, Component::Interest, due_on, interest));
            self.claims.push(Claim::own(index, Component::Fee, due_on, self.fee_each_row));
        }
    }

    /// The instalment (or the principal of a row), and principal and interest of each row; `None`
    /// if it does not amortise.
    fn spread(&self, spread: &Spread) -> Option<(i128, Vec<(i128, i128)>)> {
        let n = spread.periods.len();
        let repaying = i128::try_from(n - spread.interest_only).unwrap();
        if spread.principal == 0 {
            let mut cells = vec![(0, 0); n];
            cells[0].1 = spread.first_interest.unwrap_or(0);
            return Some((0, cells));
        }
        let mut rates: Vec<BigRational> = spread.periods.iter().map(|(_, rate)| rate.clone()).collect();
        if let Some(interest) = spread.first_interest {
            rates[0] = BigRational::new(interest.into(), spread.principal.into());
        }
        match (self.terms.interest_method(), self.terms.amortization()) {
            (InterestMethod::Flat, _) => self.spread_flat(spread, repaying),
            (_, Amortization::EqualPrincipal) => {
                let share = spread
                    .given
                    .unwrap_or_else(|| self.to_smallest(&BigRational::new(spread.principal.into(), repaying.into())));
                let mut balance = spread.principal;
                let mut cells = Vec::new();
                for (index, rate) in rates.iter().enumerate() {
                    let interest = self.to_smallest(&(rate * whole(balance)));
                    let principal = match index {
                        _ if index < spread.interest_only => 0,
                        _ if index + 1 == n => balance,
                        _ => share.min(balance),
                    };
                    cells.push((principal, interest));
                    balance -= principal;
                }
                Some((share, cells))
            }
            (_, Amortization::EqualInstalments) => {
                let rows = |instalment: i128| -> Option<Vec<(i128, i128)>> {
                    let mut balance = spread.principal;
                    let mut cells = Vec::new();
                    for (index, rate) in rates.iter().enumerate() {
                        let interest = self.to_smallest(&(rate * whole(balance)));
                        let principal = match index {
                            _ if index < spread.interest_only => 0,
                            _ if index + 1 == n => balance,
                            _ if instalment < interest && spread.is_strict => return None,
                            _ => (instalment - interest).max(0).min(balance),
                        };
                        cells.push((principal, interest));
                        balance -= principal;
                    }
                    Some(cells)
                };
                if let Some(instalment) = spread.given {
                    return rows(instalment).map(|cells| (instalment, cells));
                }
                let exact = level_instalment(&BigInt::from(spread.principal), &rates[spread.interest_only..]);
                let mut instalment = self.to_multiple(self.to_smallest(&exact));
                let mut cells = rows(instalment)?;
                let gap_of = |cells: &[(i128, i128)], instalment: i128| {
                    let (principal, interest) = cells[n - 1];
                    principal + interest - instalment
                };
                for _ in 0..3 {
                    let gap = gap_of(&cells, instalment);
                    if gap.abs() / self.smallest <= repaying / 2 {
                        break;
                    }
                    let change = self.to_smallest(&BigRational::new(gap.into(), repaying.into()));
                    let moved = self.to_multiple(instalment + change);
                    match rows(moved) {
                        Some(better) if gap_of(&better, moved).abs() < gap.abs() => {
                            (instalment, cells) = (moved, better);
                        }
                        _ => break,
                    }
                }
                Some((instalment, cells))
            }
        }
    }

    fn spread_flat(&self, spread: &Spread, repaying: i128) -> Option<(i128, Vec<(i128, i128)>)> {
        let n = spread.periods.len();
        let base = whole(spread.flat_base);
        let mut interest = Vec::new();
        let mut sum_of_rates = BigRational::zero();
        for (index, (_, rate)) in spread.periods.iter().enumerate() {
            match spread.first_interest {
                Some(first) if index == 0 => interest.push(first),
                _ => {
                    interest.push(self.to_smallest(&(rate * &base)));
                    sum_of_rates += rate;
                }
            }
        }
        let mut left = spread.first_interest.unwrap_or(0) + self.to_smallest(&(sum_of_rates * &base));
        for (index, interest) in interest.iter_mut().enumerate() {
            *interest = if index + 1 == n { left } else { left.min(*interest) };
            left -= *interest;
        }
        let mut balance = spread.principal;
        let mut cells = Vec::new();
        let mut first_instalment = None;
        for (index, interest) in interest.into_iter().enumerate() {
            let mut principal = 0;
            if index >= spread.interest_only {
                let share = BigRational::new(spread.principal.into(), repaying.into());
                let is_by_share = self.terms.amortization() == Amortization::EqualPrincipal;
                let level = spread.given.unwrap_or_else(|| {
                    if is_by_share {
                        self.to_smallest(&share)
                    } else {
                        self.to_multiple(self.to_smallest(&(share + whole(interest))))
                    }
                });
                first_instalment = first_instalment.or(Some(level));
                if !is_by_share && index + 1 < n && level < interest && spread.is_strict {
                    return None;
                }
                let part = if is_by_share { level } else { (level - interest).max(0) };
                principal = if index + 1 == n { balance } else { part.min(balance) };
            }
            cells.push((principal, interest));
            balance -= principal;
        }
        first_instalment.map(|instalment| (instalment, cells))
    }

    /// Principal and interest of a regular row: the level, or under equal principal the first that repays.
    fn regular(&self, level: i128, cells: &[(i128, i128)], interest_only: usize) -> i128 {
        match self.terms.amortization() {
            Amortization::EqualInstalments => level,
            Amortization::EqualPrincipal => cells[interest_only].0 + cells[interest_only].1,
        }
    }

    /// Takes the rows from `first` on away, with their own claims: what was paid and waived of
    /// these, and when, by component.
    fn take_away(&mut self, first: usize) -> Vec<(Component, i128, i128, Option<Date>)> {
        let mut taken = Vec::new();
        for component in [Component::Principal, Component::Interest, Component::Fee] {
            let own = |claim: &&Claim| claim.is_own && claim.row >= first && claim.component == component;
            let paid = self.claims.iter().filter(own).map(|claim| claim.paid).sum();
            let waived = self.claims.iter().filter(own).map(|claim| claim.waived).sum();
            let touched_on = self.claims.iter().filter(own).filter_map(|claim| claim.touched_on).max();
            taken.push((component, paid, waived, touched_on));
        }
        self.claims.retain(|claim| !(claim.is_own && claim.row >= first));
        self.rows.truncate(first);
        taken
    }

    /// Moves amounts paid and waived of old rows into the new ones from `first` on; then the
    /// charges.
    fn give_back(&mut self, today: Date, first: usize, taken: Vec<(Component, i128, i128, Option<Date>)>) {
        for (component, mut paid, mut waived, touched_on) in taken {
            let touched_on = touched_on.or(Some(today));
            waived += std::mem::take(&mut self.waiting[component as usize]);
            for index in self.sorted(|claim| claim.is_own && claim.row >= first && claim.component == component) {
                let claim = &mut self.claims[index];
                if component == Component::Principal {
                    claim.charged += paid;
                }
                let part = claim.unpaid().min(paid);
                claim.paid += part;
                paid -= part;
                let part_waived = claim.unpaid().min(waived);
                claim.waived += part_waived;
                waived -= part_waived;
                if part + part_waived > 0 {
                    claim.touched_on = touched_on;
                }
            }
            self.waiting[component as usize] = waived;
            if component == Component::Interest {
                for index in self.sorted(|claim| claim.row < first && claim.component == component) {
                    let claim = &mut self.claims[index];
                    let part = claim.unpaid().min(paid);
                    claim.paid += part;
                    paid -= part;
                    if part > 0 {
                        claim.touched_on = claim.touched_on.max(Some(today));
                    }
                }
            }
            let index = self.sorted(|claim| claim.is_own && claim.row == first && claim.component == component)[0];
            self.claims[index].charged += paid;
            self.claims[index].paid += paid;
            if paid > 0 {
                self.claims[index].touched_on = touched_on;
            }
        }
        for index in 0..self.claims.len() {
            if !self.claims[index].is_own && self.claims[index].row >= first {
                self.claims[index].row = self.row_for(self.claims[index].due_on);
            }
        }
    }

    fn reschedule(
        &mut self,
        id: EventId,
        today: Date,
        from: Date,
        instalments: Option<u32>,
        annual: BigRational,
        (first_due_on, calendar): (Option<Date>, Option<&Calendar>),
    ) -> Result<(), &'static str> {
        let first = self.rows.iter().position(|row| row.due_on == from).ok_or("not_a_due_date")?;
        self.ask_all(today);
        let is_ours = |claim: &&Claim| claim.component == Component::Principal && claim.row >= first;
        let left: i128 = self.claims.iter().filter(is_ours).map(Claim::unpaid).sum();
        if left == 0 {
            return Err("nothing_to_reschedule");
        }
        let count = instalments.map_or(self.rows.len() - first, |count| count as usize);
        if !(1..=600).contains(&count) {
            return Err("out_of_range");
        }
        let old = self.rows[first].clone();
        let number = i64::try_from(first + 1).unwrap();
        let is_moved = first_due_on.is_some_and(|date| date != from);
        let seed = match first_due_on {
            Some(date) if is_moved => (date, number),
            _ if self.extends() => (old.nominal.1, number),
            _ => old.seed,
        };
        if is_moved && seed.0 <= old.start {
            return Err("not_after_due_date_before");
        }
        self.check_series(seed.0, calendar)?;
        let mut fresh: Vec<Row> = Vec::new();
        let mut before = (old.start, old.nominal.0);
        for n in (number..).take(count) {
            let mut row = self.next_row(n, before, seed, calendar).ok_or("date_out_of_range")?;
            if n == number && !is_moved {
                row.is_irregular = old.is_irregular;
                row.years = self.years((row.start, row.due_on), row.nominal, row.is_irregular);
            }
            row.rate = &row.years * &annual;
            row.late_from = row.due_on.max(today);
            before = (row.due_on, row.nominal.1);
            fresh.push(row);
        }
        if self.is_daily() {
            return self.reschedule_daily(id, today, first, fresh, &annual);
        }
        // The least that interest has to pay of principal for no interest to be paid that no row asks for.
        let own = |component| move |claim: &&Claim| claim.is_own && claim.component == component;
        let interest = |claims: &mut dyn Iterator<Item = &Claim>, of: fn(&Claim) -> i128| claims.map(of).sum::<i128>();
        let mut replaced = self.claims.iter().filter(own(Component::Interest)).filter(|claim| claim.row >= first);
        let paid = interest(&mut replaced, |claim| claim.paid);
        let mut replaced = self.claims.iter().filter(own(Component::Interest)).filter(|claim| claim.row >= first);
        let waived = interest(&mut replaced, |claim| claim.waived) + self.waiting[Component::Interest as usize];
        let mut kept = self.claims.iter().filter(own(Component::Interest)).filter(|claim| claim.row < first);
        let unpaid = interest(&mut kept, Claim::unpaid);
        let kept_rows = if first <= self.deferred_to { &self.rows[..first] } else { &[] };
        let deferred: i128 = kept_rows.iter().map(|row| row.arising).sum();
        let mut excess = 0;
        let (level, cells) = loop {
            let rest = (left - excess) % self.smallest;
            let spread = Spread {
                principal: left - excess - rest,
                flat_base: left - excess - rest,
                periods: fresh.iter().map(|row| (row.years.clone(), row.rate.clone())).collect(),
                first_interest: None,
                interest_only: 0,
                given: None,
                is_strict: true,
            };
            let (level, mut cells) = self.spread(&spread).ok_or("does_not_amortise")?;
            cells.last_mut().unwrap().0 += rest;
            let asked: i128 = cells.iter().map(|(_, interest)| interest).sum();
            let beyond = paid - excess - unpaid - (deferred + asked - waived).max(0);
            let beyond = beyond.min(left - excess);
            if beyond <= 0 {
                break (level, cells);
            }
            excess += beyond;
        };
        let mut taken = self.take_away(first);
        if excess > 0 {
            taken[0].1 += excess;
            taken[0].3 = Some(today);
            taken[1].1 -= excess;
            self.move_paid(today, id, [0, 0, -excess, excess]);
        }
        self.rows.extend(fresh);
        self.annual = annual;
        self.level = level;
        self.instalment = self.regular(level, &cells, 0);
        self.interest_only = 0;
        self.deferred_to = self.deferred_to.min(first);
        self.fill(first, &cells, (left - excess) / self.smallest * self.smallest);
        self.give_back(today, first, taken);
        Ok(())
    }

    /// Interest of a row for days on what they are counted on.
    fn interest_for(&self, row: &Row, base_days: i128) -> i128 {
        let of_period = BigRational::new(base_days.into(), days(row.start, row.due_on).into());
        if self.terms.interest_method() != InterestMethod::Flat {
            return self.to_smallest(&(&row.rate * of_period));
        }
        match row.whole {
            (_, 0) => 0,
            (interest, base) => self.to_smallest(&(BigRational::new(interest.into(), base.into()) * of_period)),
        }
    }

    /// Days of a period up to `today`, times what interest is counted on.
    fn base_days(row: &Row, today: Date) -> i128 {
        let mut sum = 0;
        for (index, (since, base)) in row.bases.iter().enumerate() {
            let until = row.bases.get(index + 1).map_or(today, |(next, _)| *next);
            sum += base * i128::from(days(*since, until));
        }
        sum
    }

    fn reduce(&mut self, today: Date, reduction: i128) {
        let running = self.running(today);
        let is_ours = |claim: &&Claim| claim.component == Component::Principal && claim.row >= running;
        let balance: i128 = self.claims.iter().filter(is_ours).map(Claim::unpaid).sum();
        let left = balance - reduction;
        let is_flat = self.terms.interest_method() == InterestMethod::Flat;
        let mut row = self.rows[running].clone();
        let old_base = row.bases.last().unwrap().1;
        let base = if is_flat {
            let exact = BigRational::new((old_base * left).into(), balance.into());
            round(&exact, &BigInt::from(1), self.terms.rounding()).to_i128().unwrap()
        } else {
            left - left % self.smallest
        };
        row.bases.push((today, base));
        let base_days = Self::base_days(&row, row.due_on);
        let first_interest = self.interest_for(&row, base_days);

        let rest = left % self.smallest;
        let rows: Vec<Row> = self.rows[running..].to_vec();
        let spread = |count: usize, given: Option<i128>| Spread {
            principal: left - rest,
            flat_base: base - base % self.smallest,
            periods: rows[..count].iter().map(|row| (row.years.clone(), row.rate.clone())).collect(),
            first_interest: Some(first_interest),
            interest_only: self.interest_only.saturating_sub(running).min(count - 1),
            given,
            is_strict: false,
        };
        let interest_only = self.interest_only.saturating_sub(running).min(rows.len() - 1);
        let (level, mut cells) = if self.terms.prepayment() == Prepayment::ReduceTerm {
            let (_, cells) = self.spread(&spread(rows.len(), Some(self.level))).unwrap();
            let count = cells.iter().rposition(|(principal, _)| *principal > 0).map_or(1, |last| last + 1);
            self.spread(&spread(count, Some(self.level))).unwrap()
        } else {
            self.spread(&spread(rows.len(), None)).unwrap()
        };
        cells.last_mut().unwrap().0 += rest;
        let mut taken = self.take_away(running);
        taken[0].1 += reduction;
        taken[0].3 = Some(today);
        self.rows.extend(rows.into_iter().take(cells.len()));
        match (self.terms.prepayment(), cells.len()) {
            (Prepayment::ReduceTerm, 1) => self.instalment = cells[0].0 + cells[0].1,
            (Prepayment::ReduceTerm, _) => (),
            _ if left - rest == 0 => self.instalment = 0,
            _ => self.instalment = self.regular(level, &cells, interest_only),
        }
        self.fill(running, &cells, base);
        self.rows[running].bases = row.bases;
        self.rows[running].whole = row.whole;
        self.give_back(today, running, taken);
    }

    // Days.

    fn late_fees(&mut self, today: Date) {
        let Some(late_fee) = self.terms.late_fee() else {
            return;
        };
        for index in 0..self.rows.len() {
            let row = &self.rows[index];
            if row.is_late_over || row.late_times == late_fee.max_times {
                continue;
            }
            let span = Span::new().try_days(i64::from(late_fee.grace_days) + 1);
            let Some(seed) = span.ok().and_then(|span| row.late_from.checked_add(span).ok()) else {
                continue;
            };
            // The first one in any year, the others in those that are taken.
            let next = if row.late_times == 0 { Some(seed) } else { due_date(self.terms, seed, row.late_times) };
            if next != Some(today) {
                continue;
            }
            let overdue: i128 = self
                .claims
                .iter()
                .filter(|claim| claim.row == index && claim.due_on < today && claim.component != Component::Penalty)
                .map(Claim::unpaid)
                .sum();
            if overdue == 0 {
                self.rows[index].is_late_over = true;
                continue;
            }
            self.rows[index].late_times += 1;
            let fee = match late_fee.kind {
                LateFeeKind::Flat => {
                    let currency = self.contract.amount.currency();
                    Money::from_decimal(late_fee.value.get(), currency).unwrap().units()
                }
                LateFeeKind::PercentOfOverdue => {
                    let share = late_fee.value.get().to_string().parse_exactly() / rational(100, 1);
                    self.to_smallest(&(share * whole(overdue)))
                }
            };
            if fee > 0 {
                let claim = Claim::own(index, Component::Penalty, today, fee);
                self.claims.push(Claim { is_own: false, is_late_fee: true, ..claim });
            }
        }
    }

    /// The interest earned by the running row.
    fn earned(&self, today: Date) -> i128 {
        match self.rows.get(self.running(today)) {
            None => 0,
            Some(row) if row.is_stopped => row.arising,
            Some(row) => self.interest_for(row, Self::base_days(row, today)).min(row.arising),
        }
    }

    /// The charges by a day, by component, less waivers.
    fn charged(&self, today: Date) -> [i128; 4] {
        let ended = &self.rows[..self.running(today)];
        let charges = |component: Component| -> i128 {
            let ours = self.claims.iter().filter(|claim| !claim.is_own && claim.component == component);
            ours.map(|claim| claim.charged).sum()
        };
        Component::ALL.map(|component| {
            let gross: i128 = match component {
                Component::Principal => return self.contract.amount.units(),
                Component::Interest if self.is_daily() => self.accrued(today),
                Component::Interest => ended.iter().map(|row| row.arising).sum::<i128>() + self.earned(today),
                Component::Fee => ended.iter().map(|row| row.fee).sum::<i128>() + charges(component),
                Component::Penalty => charges(component),
            };
            (gross - self.waived[component as usize]).max(0)
        })
    }

    pub(crate) fn late_fees_asked(&self) -> i128 {
        self.claims.iter().filter(|claim| claim.is_late_fee).map(|claim| claim.charged - claim.waived).sum()
    }

    /// Penalty, fee, interest, principal, credit and total.
    pub(crate) fn settlement(&self, today: Date) -> [i128; 6] {
        if self.written_off_on.is_some() {
            return [0; 6];
        }
        if self.claims.iter().all(|claim| claim.unpaid() == 0) {
            return [0, 0, 0, 0, self.held, 0];
        }
        let charged = self.charged(today);
        let mut parts = [0; 6];
        parts[4] = self.held;
        for component in Component::ALL {
            let ours = self.claims.iter().filter(|claim| claim.component == component);
            let open = charged[component as usize] - ours.map(|claim| claim.paid).sum::<i128>();
            parts[component as usize] = open.max(0);
            parts[4] += (-open).max(0);
        }
        parts[5] = (parts[..4].iter().sum::<i128>() - parts[4]).max(0);
        parts
    }

    /// Drops what is unearned; what was paid of it, by component.
    fn drop_unearned(&mut self, today: Date) -> [i128; 4] {
        let running = self.running(today);
        let earned = self.earned(today);
        for (index, row) in self.rows.iter_mut().enumerate().skip(running) {
            row.arising = if index == running { earned } else { 0 };
            row.fee = 0;
            row.is_stopped = true;
        }
        let mut back = [0; 4];
        back[Component::Interest as usize] = self.ask_to_close(today);
        for component in [Component::Interest, Component::Fee] {
            if component == Component::Interest && self.is_daily() {
                continue;
            }
            let mut over = std::mem::take(&mut self.waiting[component as usize]);
            for index in self.sorted(|claim| claim.is_own && claim.component == component) {
                let row = self.claims[index].row;
                let charged = match component {
                    Component::Fee => self.rows[row].fee,
                    _ if row < self.deferred_to => 0,
                    _ if row == self.deferred_to => self.rows[..=row].iter().map(|row| row.arising).sum(),
                    _ => self.rows[row].arising,
                };
                let claim = &mut self.claims[index];
                let waived = claim.waived.min(charged);
                over += claim.waived - waived;
                let paid = claim.paid.min(charged - waived);
                back[component as usize] += claim.paid - paid;
                (claim.charged, claim.waived, claim.paid) = (charged, waived, paid);
            }
            let ours = self.sorted(|claim| claim.component == component);
            for index in ours.iter().copied() {
                let claim = &mut self.claims[index];
                let part = claim.unpaid().min(over);
                claim.waived += part;
                over -= part;
                if part > 0 {
                    claim.touched_on = claim.touched_on.max(Some(today));
                }
            }
            for index in ours {
                let claim = &mut self.claims[index];
                let part = claim.paid.min(over);
                claim.waived += part;
                claim.paid -= part;
                back[component as usize] += part;
                over -= part;
            }
            self.waiting[component as usize] = over;
        }
        back
    }

    fn move_paid(&mut self, today: Date, by: EventId, moved: [i128; 4]) {
        if moved == [0; 4] {
            return;
        }
        let sum: i128 = moved.iter().sum();
        self.held -= sum;
        self.post(today, Account::OverpaymentsPayable, sum);
        for component in Component::ALL {
            self.post(today, income(component), -moved[component as usize]);
        }
        self.applied.push((today, by, moved));
    }

    /// Amounts given back, and held money, pay everything that is unpaid.
    fn close(&mut self, today: Date, by: EventId, back: [i128; 4]) {
        self.ask_for_the_rest();
        let mut left = self.held + back.iter().sum::<i128>();
        let mut moved = back.map(|amount| -amount);
        for (component, part) in self.pay_sorted(today, PAST | DUE | ADVANCE, false, &mut left) {
            moved[component as usize] += part;
        }
        self.end_daily();
        self.move_paid(today, by, moved);
        let balance = self.balance();
        if let Some(done) = self.done.get_mut(&by) {
            done.balance = balance;
        }
    }

    /// Pays claims of some buckets, sorted by the groups; what was paid, in order. Backwards, what is in advance in a
    /// group comes after the rest of it, the last row first.
    fn pay_sorted(&mut self, today: Date, buckets: u8, is_backwards: bool, left: &mut i128) -> Vec<(Component, i128)> {
        let bucket_of = |due_on: Date| match () {
            () if due_on < today => PAST,
            () if due_on == today => DUE,
            () => ADVANCE,
        };
        let groups = groups(self.terms.allocation());
        let mut places = Vec::new();
        for (index, claim) in self.claims.iter().enumerate() {
            let bucket = bucket_of(claim.due_on);
            if bucket & buckets == 0 {
                continue;
            }
            for (group, (group_buckets, components)) in groups.iter().enumerate() {
                if let Some(component) = components.find(initial(claim.component))
                    && group_buckets & bucket != 0
                {
                    let row = i64::try_from(claim.row).unwrap();
                    let is_turned = is_backwards && bucket == ADVANCE;
                    let row = if is_turned { -row } else { row };
                    places.push(((group, is_turned, row, component, claim.due_on, !claim.is_own, index), index));
                }
            }
        }
        places.sort();
        let mut stream = Vec::new();
        for (_, index) in places {
            let outstanding = self.balance();
            let claim = &mut self.claims[index];
            let mut part = claim.unpaid().min(*left);
            if claim.component == Component::Principal {
                part = part.min(outstanding);
            }
            if part > 0 {
                claim.paid += part;
                claim.touched_on = Some(today);
                *left -= part;
                stream.push((claim.component, part));
                if claim.component == Component::Principal {
                    self.note_principal(today, part);
                }
            }
        }
        stream
    }

    fn post_stream(&mut self, today: Date, stream: &[(Component, i128)]) {
        for (component, part) in stream {
            self.post(today, income(*component), -part);
        }
    }

    fn to_settle(&self, today: Date) -> i128 {
        self.charged(today).iter().sum::<i128>() - self.paid_in + self.refunded
    }

    fn pay(&mut self, today: Date, payments: &[(EventId, i128)], waiver: Option<EventId>) {
        if self.held > 0 {
            let before: Vec<i128> = self.claims.iter().map(|claim| claim.paid).collect();
            let mut left = self.held;
            self.pay_sorted(today, PAST | DUE, false, &mut left);
            for (index, before) in before.into_iter().enumerate() {
                let claim = &self.claims[index];
                let mut moved = [0; 4];
                moved[claim.component as usize] = claim.paid - before;
                if claim.paid > before {
                    let by = claim.by.unwrap();
                    self.move_paid(today, by, moved);
                }
            }
        }
        if let Some(waiver) = waiver
            && self.to_settle(today) <= 0
        {
            let back = self.drop_unearned(today);
            self.close(today, waiver, back);
        }
        if payments.is_empty() {
            return;
        }
        let mut balance = self.balance();
        let sum: i128 = payments.iter().map(|(_, amount)| amount).sum();
        let needed = self.to_settle(today);
        let is_closing = sum >= needed;
        self.paid_in += sum;
        let back = if is_closing { self.drop_unearned(today) } else { [0; 4] };
        if !is_closing {
            self.ask_in_advance(today);
        }
        let mut left = sum;
        let prepayment = self.terms.prepayment();
        let mut stream = Vec::new();
        let mut buckets = PAST | DUE | ADVANCE;
        if !is_closing && matches!(prepayment, Prepayment::ReduceInstalment | Prepayment::ReduceTerm) {
            stream = self.pay_sorted(today, PAST | DUE, false, &mut left);
            buckets = ADVANCE;
            let reduction = left.min(self.balance());
            if reduction > 0 {
                self.reduce(today, reduction);
                stream.push((Component::Principal, reduction));
                left -= reduction;
            }
        }
        let is_backwards = prepayment == Prepayment::LastInstalments && (!is_closing || self.is_daily());
        stream.extend(self.pay_sorted(today, buckets, is_backwards, &mut left));
        self.held += left;
        self.post(today, Account::Cash, sum);
        self.post(today, Account::OverpaymentsPayable, -left);
        self.post_stream(today, &stream);

        // Shared in the order of recording, from the front of what was paid.
        for (id, amount) in payments {
            let mut allocation = [0; 5];
            let mut open = *amount;
            for (component, part) in &mut stream {
                let share = open.min(*part);
                allocation[*component as usize] += share;
                *part -= share;
                open -= share;
            }
            allocation[4] = open;
            balance -= allocation[Component::Principal as usize];
            self.done.insert(*id, Done { allocation: Some(allocation), balance });
        }
        if is_closing {
            let mut so_far = 0;
            let closing = payments.iter().find(|(_, amount)| {
                so_far += amount;
                so_far >= needed
            });
            self.close(today, closing.unwrap().0, back);
        }
    }

    fn recover(&mut self, today: Date, payments: &[(EventId, i128)]) {
        for (id, amount) in payments {
            let open = self.given_up.iter().sum::<i128>() - self.recovered;
            let recovered = open.min(*amount);
            self.recovered += recovered;
            self.held += amount - recovered;
            self.post(today, Account::Cash, *amount);
            self.post(today, Account::Recoveries, -recovered);
            self.post(today, Account::OverpaymentsPayable, recovered - amount);
            let allocation = Some([0, 0, 0, 0, amount - recovered]);
            self.done.insert(*id, Done { allocation, balance: 0 });
        }
    }
}

fn step(event: &Event) -> u8 {
    match event.kind {
        EventKind::Disbursement { .. } => 1,
        EventKind::Reschedule { .. } => 2,
        EventKind::Charge { .. } => 3,
        EventKind::Waiver { .. } => 4,
        EventKind::Repayment { .. } => 5,
        EventKind::Refund { .. } => 6,
        EventKind::WriteOff => 7,
        EventKind::Reversal { .. } => 8,
    }
}
