//! The loans that cost most, of any size: what the benchmark times and the tests count.

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use lending::{
    Change, ChargeKind, Conflict, Contract, Currency, Event, EventId, EventKind, Money, TermsPatch, Waivable, change,
    fold_on, follow, journal_entries, parse_date, schedule, settlement,
};

/// Whatever can be wrong with a case that is written down wrongly.
pub(crate) type Wrong = Box<dyn std::error::Error>;

/// How large a loan is.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) rows: u32,
    pub(crate) transactions: u32,
}

/// The largest that commands are promised to be quick for.
pub(crate) const LARGEST: Size = Size { rows: 600, transactions: 1_000 };

/// The events of a loan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Story {
    /// A payment every few days over the whole term, of so many percent of what falls due, with these terms.
    Paid(u32, &'static str),
    /// A payment every day from the disbursement on, together half of the loan, with these terms.
    Prepaid(&'static str),
    /// As many late fees as a loan has, and payments of next to nothing.
    LateFees,
    /// Charges and payments by turns, over the whole term.
    Charges,
    /// Charges that fall due on one day, then payments of next to nothing.
    ChargesOfOneDay,
    /// A loan that was paid far too much at once, then charges of which each falls due years later.
    ChargesPaidByHeld,
    /// Charges, then waivers of next to nothing.
    Waivers,
    /// A reschedule of all rows and a payment by turns.
    Reschedules(&'static str),
    /// Payments, of which each is reversed.
    Reversals,
    /// A loan that is closed at once, then payments that are held and refunds.
    Closed,
    /// A loan that is written off, then recoveries.
    WrittenOff,
}

/// The terms whose numbers are longest.
const LONG: &str = r#""interest_period": "daily", "day_count": "actual/actual""#;

/// Interest that follows the balance of each day.
const DAILY: &str = r#""interest_accrual": "daily""#;

/// Every story, by the name in the benchmark's table.
pub(crate) const STORIES: &[(&str, Story)] = &[
    ("paid in time", Story::Paid(100, r#""prepayment": "next_instalments""#)),
    ("paid too little", Story::Paid(10, r#""allocation": "overdue_interest_first""#)),
    ("daily instalments, paid too little", Story::Paid(10, r#""repay_unit": "day""#)),
    ("paid in advance", Story::Prepaid(r#""prepayment": "next_instalments""#)),
    ("paid in advance, the last instalments", Story::Prepaid(r#""prepayment": "last_instalments""#)),
    ("prepaid, instalment reduced", Story::Prepaid(r#""prepayment": "reduce_instalment""#)),
    ("prepaid, term reduced", Story::Prepaid(r#""prepayment": "reduce_term""#)),
    (
        "prepaid, equal principal",
        Story::Prepaid(r#""prepayment": "reduce_instalment", "amortization": "equal_principal""#),
    ),
    ("prepaid, flat interest", Story::Prepaid(r#""prepayment": "reduce_instalment", "interest_method": "flat""#)),
    ("daily interest, paid in time", Story::Paid(100, DAILY)),
    ("daily interest, paid too little", Story::Paid(10, DAILY)),
    ("daily interest, paid in advance", Story::Prepaid(DAILY)),
    (
        "daily interest, in advance, the last instalments",
        Story::Prepaid(r#""interest_accrual": "daily", "prepayment": "last_instalments""#),
    ),
    ("daily interest, reschedules", Story::Reschedules(DAILY)),
    ("3,600 late fees", Story::LateFees),
    ("charges", Story::Charges),
    ("charges of one day", Story::ChargesOfOneDay),
    ("charges paid by what is held", Story::ChargesPaidByHeld),
    ("waivers", Story::Waivers),
    ("reschedules", Story::Reschedules("")),
    ("reschedules, flat interest", Story::Reschedules(r#""interest_method": "flat""#)),
    ("reversals", Story::Reversals),
    ("closed, payments held and refunds", Story::Closed),
    ("written off, recoveries", Story::WrittenOff),
];

/// A loan with its events, and what may come next.
pub(crate) struct Case {
    pub(crate) contract: Contract,
    pub(crate) events: Vec<Event>,
    pub(crate) last_day: Date,
    /// A payment on the last day.
    pub(crate) at_the_end: Event,
    /// A payment on the day of the event in the middle.
    pub(crate) in_the_middle: Event,
    /// The reversal of a payment near the middle.
    pub(crate) reversal: Event,
}

struct Recording {
    currency: Currency,
    start: Date,
    events: Vec<Event>,
}

impl Recording {
    fn event(&self, on: Date, kind: EventKind) -> Result<Event, Wrong> {
        let number = self.events.len();
        let recorded_at = Timestamp::from_second(i64::try_from(number)?)?;
        Ok(Event { id: EventId(number as u128 + 1), on, recorded_at, kind })
    }

    fn record(&mut self, after_days: u32, kind: EventKind) -> Result<EventId, Wrong> {
        let event = self.event(self.day(after_days)?, kind)?;
        self.events.push(event);
        Ok(EventId(self.events.len() as u128))
    }

    fn day(&self, after_days: u32) -> Result<Date, Wrong> {
        Ok(self.start.checked_add(Span::new().try_days(after_days)?)?)
    }

    fn pay(&mut self, after_days: u32, units: i128) -> Result<EventId, Wrong> {
        let amount = Money::from_units(i64::try_from(units.max(1))?, self.currency);
        self.record(after_days, EventKind::Repayment { amount })
    }

    fn charge(&mut self, after_days: u32, kind: ChargeKind, due_after_days: u32) -> Result<EventId, Wrong> {
        let amount = Money::from_units(1_500, self.currency);
        let due_on = self.day(due_after_days)?;
        self.record(after_days, EventKind::Charge { kind, amount, due_on })
    }
}

impl Story {
    fn terms(self) -> &'static str {
        match self {
            Self::Paid(_, terms) | Self::Prepaid(terms) | Self::Reschedules(terms) => terms,
            Self::LateFees => {
                r#""late_fee": {"grace_days": 0, "kind": "percent_of_overdue", "value": "0.5", "max_times": 6}"#
            }
            Self::Charges
            | Self::ChargesOfOneDay
            | Self::ChargesPaidByHeld
            | Self::Waivers
            | Self::Reversals
            | Self::Closed
            | Self::WrittenOff => "",
        }
    }

    /// True if interest follows the balance of each day.
    pub(crate) fn accrues_daily(self) -> bool {
        self.terms().contains("accrual")
    }

    /// Percent a year.
    fn rate(self) -> &'static str {
        // The first period of reschedules is of years, and its instalment repays something.
        if matches!(self, Self::Reschedules(_)) { "0.012347" } else { "3.987653" }
    }

    /// The loan of that size.
    pub(crate) fn case(self, size: Size) -> Result<Case, Wrong> {
        let currency = Currency::from_code("EUR")?;
        let more = self.terms();
        let comma = if more.is_empty() { "" } else { ", " };
        let json =
            format!(r#"{{"instalments": {}, "interest_rate_apr": "{}", {LONG}{comma}{more}}}"#, size.rows, self.rate());
        let terms = serde_json::from_str::<TermsPatch>(&json)?.complete(currency)?;
        let amount = Money::parse("1234567.89", currency)?;
        let start = parse_date("2000-01-31")?;
        let instalment = schedule(amount, start, &terms)?.instalment.units();
        let term = if more.contains(r#""day""#) { size.rows } else { size.rows * 30 };
        let count = size.transactions;
        let due = instalment * i128::from(size.rows) / i128::from(count);
        let mut recording = Recording { currency, start, events: Vec::new() };
        self.record(&mut recording, &Scale { amount: amount.units(), due, count, term })?;

        let contract = Contract { amount, terms };
        let last_day = recording.events.iter().map(|event| event.on).max().ok_or("nothing was recorded")?;
        let reversed = |id: EventId| recording.events.iter().any(|event| event.kind.reverses() == Some(id));
        let mut later = recording.events.iter().skip(recording.events.len() / 2);
        let payment = later.find(|it| matches!(it.kind, EventKind::Repayment { .. }) && !reversed(it.id));
        // A story without one has it at its beginning.
        let payment = payment.or(recording.events.iter().rev().find(|it| matches!(it.kind, EventKind::Waiver { .. })));
        let payment = payment.or(recording.events.get(1)).ok_or("nothing was recorded")?;
        let cent = EventKind::Repayment { amount: Money::from_units(1, currency) };
        Ok(Case {
            at_the_end: recording.event(last_day, cent.clone())?,
            in_the_middle: recording.event(payment.on, cent)?,
            reversal: recording.event(payment.on, EventKind::Reversal { of: payment.id })?,
            contract,
            last_day,
            events: recording.events,
        })
    }

    fn record(self, to: &mut Recording, scale: &Scale) -> Result<(), Wrong> {
        // All rows are still to come while they are replaced again and again.
        let first_due_on = if matches!(self, Self::Reschedules(_)) { Some(to.day(scale.count + 1)?) } else { None };
        to.record(0, EventKind::Disbursement { first_due_on, calendar: None })?;
        for n in 1..scale.count {
            self.transaction(to, n, scale)?;
        }
        Ok(())
    }

    /// The n-th transaction after the disbursement.
    fn transaction(self, to: &mut Recording, n: u32, scale: &Scale) -> Result<EventId, Wrong> {
        let Scale { amount, due, count, term } = *scale;
        let over_the_term = |n: u32| n * term / count;
        let cent = Money::from_units(1, to.currency);
        match self {
            Self::Paid(percent, _) => to.pay(over_the_term(n), due * i128::from(percent) / 100),
            Self::Prepaid(_) => to.pay(n, amount / 2 / i128::from(count)),
            Self::LateFees => to.pay(over_the_term(n), 1),
            Self::Charges => match n % 4 {
                0 => to.charge(over_the_term(n), ChargeKind::Fee, over_the_term(n)),
                2 => to.charge(over_the_term(n), ChargeKind::Penalty, over_the_term(n) + 40),
                _ => to.pay(over_the_term(n), due),
            },
            Self::ChargesOfOneDay if n < count / 2 => to.charge(1, ChargeKind::Fee, count),
            Self::ChargesOfOneDay => to.pay(count + n, 100),
            Self::ChargesPaidByHeld if n == 1 => to.pay(1, amount * 3),
            Self::ChargesPaidByHeld => to.charge(n, ChargeKind::Penalty, count + n),
            Self::Waivers if n < count / 2 => to.charge(n, ChargeKind::Penalty, n),
            Self::Waivers => to.record(n, EventKind::Waiver { component: Waivable::Penalty, amount: cent }),
            Self::Reschedules(_) if n % 2 == 1 => {
                let rate = if n % 4 == 1 { r#""0.013457""# } else { r#""0.012347""# };
                let (from, interest_rate_apr) = (to.day(count + 1)?, Some(serde_json::from_str(rate)?));
                to.record(
                    n,
                    EventKind::Reschedule {
                        from,
                        instalments: None,
                        interest_rate_apr,
                        first_due_on: None,
                        calendar: None,
                    },
                )
            }
            // All but one in the middle, which may be reversed still.
            Self::Reversals if n.is_multiple_of(2) && n != count / 2 => {
                let of = EventId(to.events.len() as u128);
                to.record(over_the_term(n - 1), EventKind::Reversal { of })
            }
            Self::Reversals => to.pay(over_the_term(n), due),
            Self::Closed if n == 1 => to.pay(1, amount * 2),
            Self::Closed if n % 2 == 1 => to.record(n, EventKind::Refund { amount: cent }),
            Self::WrittenOff if n == 1 => to.record(1, EventKind::WriteOff),
            Self::Reschedules(_) | Self::Closed | Self::WrittenOff => to.pay(n, 100),
        }
    }
}

/// The size of a story.
struct Scale {
    /// The loan's, in smallest units.
    amount: i128,
    /// The amounts due between one transaction and the next.
    due: i128,
    /// How many transactions there are.
    count: u32,
    /// The days of the term.
    term: u32,
}

/// The questions about a loan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Question {
    /// As of a day in the middle: its schedule, its statement, its transactions, and where it leads.
    AsOfTheMiddle,
    /// As of its last day.
    AsOfTheEnd,
    /// As of the last day of the calendar.
    AsOfTheFarFuture,
    /// The amount that closes it.
    Settlement,
    /// Postings and figures of every day.
    Consequences,
    /// The changes and postings of one more payment at the end.
    Payment,
    /// The same in the middle.
    BackdatedPayment,
    /// The changes and postings of the reversal of one in the middle.
    Reversal,
}

/// Every question, by the name in the benchmark's table.
pub(crate) const QUESTIONS: &[(&str, Question)] = &[
    ("as of the middle", Question::AsOfTheMiddle),
    ("as of the end", Question::AsOfTheEnd),
    ("as of 2200", Question::AsOfTheFarFuture),
    ("settlement", Question::Settlement),
    ("figures", Question::Consequences),
    ("a payment", Question::Payment),
    ("one in the middle", Question::BackdatedPayment),
    ("a reversal", Question::Reversal),
];

impl Case {
    /// Asks, and gives the number of things in the answer.
    ///
    /// # Errors
    /// Of a case that is written down wrongly.
    pub(crate) fn ask(&self, question: Question, far: Date) -> Result<usize, Conflict> {
        let read = |on| {
            let (state, outlook) = fold_on(&self.contract, &self.events, on, Timestamp::MAX)?;
            Ok(state.rows.len() + outlook.owed.len())
        };
        let record = |event: &Event| {
            let Change { before, after, state, outlook } = change(&self.contract, &self.events, event, self.last_day)?;
            let entries = journal_entries(&after.postings, &before.postings).len();
            Ok(entries + state.rows.len() + outlook.owed.len())
        };
        match question {
            Question::AsOfTheMiddle => read(self.in_the_middle.on),
            Question::AsOfTheEnd => read(self.last_day),
            Question::AsOfTheFarFuture => read(far),
            Question::Settlement => {
                settlement(&self.contract, &self.events, self.last_day, Timestamp::MAX).map(|it| it.iter().count())
            }
            Question::Consequences => {
                follow(&self.contract, &self.events, Timestamp::MAX).map(|it| it.exposures.len() + it.postings.len())
            }
            Question::Payment => record(&self.at_the_end),
            Question::BackdatedPayment => record(&self.in_the_middle),
            Question::Reversal => record(&self.reversal),
        }
    }
}
