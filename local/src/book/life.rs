//! One loan of a generated book, from its application on: the steps that people take, by the same functions as the
//! interface's. What is left is what the interface would have left.

use super::{
    calendar::Calendar,
    catalogue::Offer,
    dice::{Dice, Stream, pay_ref},
    impossible::Impossible,
    leavings::{Audit, Leavings},
    people::{COUNTRIES, Customer, People},
};
use backend::{
    domain::{
        applications::{self, Pointers, Proposal, Term},
        caller::Caller,
        loan::{Borrower, Loan, LoanStatus},
        loan_history::{Action, HistoryEntry},
        loan_money,
        portfolio::{ApplicationStep, LoanInPortfolio, PortfolioDelta},
        servicing::LockedLoan,
        transaction::{Notes, Transaction},
        users::Role,
    },
    store::audit::Subject,
    values::{address::ClientAddress, moment::Moment},
};
use jiff::{Timestamp, ToSpan as _, civil::Date};
use lending::{Consequences, Contract, Event, EventId, EventKind, Money, Standing, State};
use serde_json::{Value, json};
use uuid::Uuid;

/// Data common to all loans of a book.
pub(super) struct World {
    pub(super) seed: u64,
    pub(super) calendar: Calendar,
    pub(super) people: People,
    pub(super) offers: Vec<Offer>,
}

/// A loan whose life goes on.
pub(super) struct Life<'a> {
    pub(super) world: &'a World,
    pub(super) dice: Dice,
    pub(super) offer: &'a Offer,
    customer: Customer,
    locked: LockedLoan,
    /// The events of its money, as the engine takes them: all of the books' transactions.
    events: Vec<Event>,
    /// The result of the fold.
    follows: Consequences,
    /// The business date of the last event.
    pub(super) day: Date,
    leavings: &'a mut Leavings,
}

impl<'a> Life<'a> {
    /// An application, with its customer if it is that one's first.
    pub(super) fn begin(world: &'a World, number: u64, leavings: &'a mut Leavings) -> Result<Self, Impossible> {
        let calendar = &world.calendar;
        let mut dice = Dice::new(world.seed, Stream::Loan(number));
        let is_first = Calendar::is_first(number);
        let known = Calendar::customers_before(number);
        let customer = if is_first { known } else { dice.below(known) };
        let first_loan_on = calendar.applied_on(Calendar::first_loan(customer));
        let customer = world.people.customer(customer, first_loan_on, calendar);
        if is_first {
            let at = customer.user.created_at.0;
            let (id, subject) = (dice.id(at), Subject::User(customer.user.id));
            let detail = json!({"role": Role::Customer});
            leavings.audit.push(Audit::new(at, id, None, "auth.register", &subject, detail));
            let agent = world.people.agents[customer.agent].id;
            leavings.profiles.push((at, agent, customer.user.id, customer.profile.clone()));
            leavings.customers.push(customer.user.clone());
        }
        Self::apply(world, number, dice, customer, leavings)
    }

    /// The application, by the customer or the agent.
    fn apply(
        world: &'a World,
        number: u64,
        mut dice: Dice,
        customer: Customer,
        leavings: &'a mut Leavings,
    ) -> Result<Self, Impossible> {
        let currency = COUNTRIES[customer.country].currency;
        let offers = &world.offers;
        let offer =
            dice.weigh(offers, |offer| if offer.product.currency.code() == currency { offer.weight } else { 0 });
        let by_agent = dice.percent(70);
        let agent = &world.people.agents[customer.agent];
        let by = if by_agent { agent.id } else { customer.user.id };
        let day = world.calendar.applied_on(number);
        let now = world.calendar.at(day, &mut dice);
        let at = Moment { now, today: day, zone: world.calendar.zone() };

        let amount = amount(offer, &mut dice);
        let term = Some(Term::Instalments(*dice.pick(offer.instalments)));
        // A customer may not choose the rate.
        let rate = (by_agent && dice.percent(60)).then(|| *dice.pick(&offer.rates));
        let proposal = Proposal::new(offer.product.clone(), amount, term, rate, Pointers::PLAIN)?;
        let borrower = Borrower { id: customer.user.id, username: customer.user.username.clone() };
        let pay_ref = pay_ref(world.seed, number);
        let loan =
            applications::create((borrower, pay_ref), proposal, by, by_agent.then_some(by), at, Pointers::PLAIN)?;
        let loan = Loan { id: dice.id(now), ..loan };
        let locked =
            LockedLoan { loan: loan.clone(), transactions: Vec::new(), steps: vec![ApplicationStep::to(&loan)] };
        let (events, follows) = (Vec::new(), Consequences::default());
        let mut life = Self { world, dice, offer, customer, locked, events, follows, day, leavings };
        life.keep(None, Action::Create, by, None);
        Ok(life)
    }

    pub(super) fn loan(&self) -> &Loan {
        &self.locked.loan
    }

    /// The events of its money.
    pub(super) fn events(&self) -> &[Event] {
        &self.events
    }

    /// Where its money stands.
    pub(super) fn standing(&self) -> Standing {
        self.follows.exposures.last().map_or(Standing::Approved, |last| last.standing)
    }

    /// The principal that a write-off gave up.
    pub(super) fn written_off(&self) -> Money {
        let zero = Money::zero(self.locked.loan.amount.currency());
        self.follows.exposures.last().map_or(zero, |last| last.written_off)
    }

    /// The state of the money at the end of a day, as far as it is known now.
    pub(super) fn state(&self, on: Date) -> Result<State, Impossible> {
        Ok(lending::fold(&self.contract(), &self.events, on, Timestamp::MAX)?)
    }

    pub(super) fn contract(&self) -> Contract {
        self.locked.loan.contract()
    }

    /// The value date of a charge that is recorded on a day.
    pub(super) fn levied_on(&self, due_on: Date, today: Date) -> Result<Date, Impossible> {
        Ok(self.locked.levied_on(due_on, today)?)
    }

    pub(super) fn admin(&mut self) -> Uuid {
        self.dice.pick(&self.world.people.admins).id
    }

    /// The user who takes payments of the loan: its agent, or an admin for a loan without one.
    pub(super) fn collector(&mut self) -> Uuid {
        self.locked.loan.agent_id.unwrap_or_else(|| self.world.people.admins[0].id)
    }

    /// The moment of a command some days after the last one, if that is not today or later.
    fn later(&mut self, days: i64) -> Option<Moment<'a>> {
        let day = self.day + days.days();
        self.moment(day)
    }

    /// The moment of a command on a day, later than those before it, if that is not today or later.
    pub(super) fn moment(&mut self, day: Date) -> Option<Moment<'a>> {
        if day > self.world.calendar.last_day() {
            return None;
        }
        let calendar = &self.world.calendar;
        let now = calendar.at(day, &mut self.dice);
        // Two commands of one day: the second one some seconds later.
        let after = self.locked.loan.updated_at + self.dice.between(1..=90).seconds();
        let now = now.max(after);
        self.day = day;
        Some(Moment { now, today: day, zone: calendar.zone() })
    }

    /// Leaves the rows of a step: a version, a step for the figures, an entry in the audit log.
    fn keep(&mut self, before: Option<&Loan>, action: Action, by: Uuid, reason: Option<String>) {
        let loan = &self.locked.loan;
        let (at, detail) = (loan.updated_at, json!({"version": loan.version, "status": loan.status}));
        let version = HistoryEntry::new(before, loan, action, by, reason);
        self.leavings.versions.push((loan.id, version));
        self.audit(at, by, action.audit(), detail);
    }

    fn audit(&mut self, at: Timestamp, by: Uuid, action: &'static str, detail: Value) {
        let subject = Subject::Loan(self.locked.loan.id);
        let id = self.dice.id(at);
        self.leavings.audit.push(Audit::new(at, id, Some(by), action, &subject, detail));
    }

    fn step(&mut self, next: Loan, action: Action, by: Uuid, reason: Option<&str>) {
        self.locked.steps.push(ApplicationStep::to(&next));
        let before = std::mem::replace(&mut self.locked.loan, next);
        self.keep(Some(&before), action, by, reason.map(str::to_owned));
    }

    /// Leaves its state on the last day.
    pub(super) fn leave(self) -> Result<(), Impossible> {
        let Self { locked, follows, day, leavings, world, .. } = self;
        let LockedLoan { loan, transactions, steps } = locked;
        let loan =
            if transactions.is_empty() { loan } else { loan_money::recompute(&loan, &transactions, &steps, day)? };
        let part =
            LoanInPortfolio { loan: &loan, steps: &steps, exposures: &follows.exposures, transactions: &transactions };
        let at = Moment { now: loan.updated_at, today: day, zone: world.calendar.zone() };
        leavings.figures += PortfolioDelta::of(part, at);
        let (id, currency) = (loan.id, loan.amount.currency());
        leavings.transactions.extend(transactions.into_iter().map(|transaction| (id, currency, transaction)));
        leavings.loans.push(loan);
        Ok(())
    }

    /// The way of the application. Returns whether it ends with an approval that stands.
    pub(super) fn decide(&mut self) -> Result<bool, Impossible> {
        if !self.prepare()? || !self.verdict()? {
            return Ok(false);
        }
        if self.dice.percent(2) {
            let Some(at) = self.later_by(0, 10) else { return Ok(false) };
            let caller = self.borrower(at);
            let next = applications::withdraw(self.loan(), &caller, at)?;
            self.step(next, Action::Withdraw, caller.id, Some("the need has passed"));
            return Ok(false);
        }
        if self.dice.percent(1) {
            let (Some(at), by) = (self.later_by(0, 2), self.admin()) else { return Ok(false) };
            let next = applications::undo_approval(self.loan(), at)?;
            self.step(next, Action::UndoApproval, by, Some("the papers are not complete"));
            return self.verdict();
        }
        Ok(true)
    }

    /// The events before the decision. Returns if there is to be one.
    fn prepare(&mut self) -> Result<bool, Impossible> {
        if self.dice.percent(5) {
            let Some(at) = self.later_by(0, 1) else { return Ok(false) };
            self.edit(at)?;
        }
        if self.loan().agent_id.is_none() && self.dice.percent(40) {
            let Some(at) = self.later_by(0, 2) else { return Ok(false) };
            let agent = self.world.people.agents[self.customer.agent].id;
            let next = applications::forward(self.loan(), agent, at)?;
            self.step(next, Action::Forward, agent, None);
        }
        if self.dice.percent(4) {
            let Some(at) = self.later_by(0, 5) else { return Ok(false) };
            let caller = self.borrower(at);
            let next = applications::withdraw(self.loan(), &caller, at)?;
            self.step(next, Action::Withdraw, caller.id, None);
            return Ok(false);
        }
        Ok(true)
    }

    /// The decision; after a rejection perhaps another attempt. Whether the loan is approved.
    fn verdict(&mut self) -> Result<bool, Impossible> {
        loop {
            let (Some(at), by) = (self.later_by(0, 6), self.admin()) else { return Ok(false) };
            if self.dice.percent(88) {
                let reason = self.dice.percent(30).then_some("income confirmed");
                let next = applications::decide(self.loan(), LoanStatus::Approved, by, reason.map(str::to_owned), at)?;
                self.step(next, Action::Approve, by, reason);
                return Ok(true);
            }
            let reason = *self.dice.pick(&["income too low", "another loan is in arrears", "identity not confirmed"]);
            let next = applications::decide(self.loan(), LoanStatus::Rejected, by, Some(reason.to_owned()), at)?;
            self.step(next, Action::Reject, by, Some(reason));
            if !self.dice.percent(12) {
                return Ok(false);
            }
            let Some(at) = self.later_by(1, 20) else { return Ok(false) };
            self.edit(at)?;
        }
    }

    fn later_by(&mut self, least: i64, most: i64) -> Option<Moment<'a>> {
        let days = self.dice.between(least..=most);
        self.later(days)
    }

    /// The agent asks for another amount.
    fn edit(&mut self, at: Moment<'_>) -> Result<(), Impossible> {
        let amount = amount(self.offer, &mut self.dice);
        let loan = self.loan();
        let by = loan.agent_id.unwrap_or(self.world.people.agents[self.customer.agent].id);
        let product = self.offer.product.clone();
        let proposal = Proposal::changing(loan, product, amount, None, None, Pointers::PLAIN)?;
        // The same amount again is no edit.
        if let Some(next) = applications::edit(loan, proposal, by, at, Pointers::PLAIN)? {
            self.step(next, Action::Edit, by, None);
        }
        Ok(())
    }

    fn borrower(&self, at: Moment<'_>) -> Caller {
        Caller {
            id: self.customer.user.id,
            session: Uuid::nil(),
            is_key: false,
            username: self.customer.user.username.clone(),
            role: Role::Customer,
            address: ClientAddress(None),
            now: at.now,
        }
    }

    /// Records a transaction, with the entries of the journal that it causes. Whether it can stand: the interface
    /// refuses what the engine refuses. What becomes of the loan's row is worked out when all is recorded.
    pub(super) fn record(
        &mut self,
        kind: EventKind,
        on: Date,
        notes: Notes,
        by: Uuid,
        at: Moment<'_>,
    ) -> Result<bool, Impossible> {
        let (id, recorded_at, contract) = (self.dice.id(at.now), at.now, self.contract());
        let action = audited(&kind);
        let event = Event { id: EventId(id.as_u128()), on, recorded_at, kind };
        self.events.push(event.clone());
        let Ok(follows) = lending::follow(&contract, &self.events, Timestamp::MAX) else {
            self.events.pop();
            self.leavings.refused += 1;
            return Ok(false);
        };
        let made = std::mem::replace(&mut self.follows, follows);
        for entry in lending::journal_entries(&self.follows.postings, &made.postings) {
            self.leavings.enter(&self.locked.loan, id, recorded_at, self.dice.id(recorded_at), &entry);
        }
        let (amount, paid_out) = self.amounts(&event)?;
        let detail = json!({"transaction": id, "on": on, "amount": self.about(&event, amount), "reason": notes.reason});
        self.locked.transactions.push(Transaction { event, amount, paid_out, recorded_by: by, notes });
        self.locked.loan.updated_at = recorded_at;
        self.locked.loan.disbursed_on = self.follows.exposures.first().map(|first| first.on);
        self.audit(recorded_at, by, action, detail);
        Ok(true)
    }

    /// The amount of an event in the audit log; of a reversal, the amount of the reversed event, if it had one of its
    /// own.
    fn about(&self, event: &Event, amount: Option<Money>) -> Money {
        let about = match event.kind.reverses() {
            Some(of) => self.locked.transactions.iter().find(|it| it.event.id == of).and_then(|it| {
                let is_own = !matches!(it.event.kind, EventKind::WriteOff | EventKind::Reschedule { .. });
                it.amount.filter(|_| is_own)
            }),
            None => amount,
        };
        about.unwrap_or(Money::zero(self.locked.loan.amount.currency()))
    }

    /// The stored amounts of the newest event: its own, and the amount paid out.
    fn amounts(&self, event: &Event) -> Result<(Option<Money>, Option<Money>), Impossible> {
        if event.kind.amount().is_some() || event.kind.reverses().is_some() {
            return Ok((event.kind.amount(), None));
        }
        // The others are about the loan's state at that time.
        let state = self.state(self.events.iter().map(|event| event.on).max().unwrap_or(self.day))?;
        let folded = state.transaction(event.id);
        Ok((folded.map(|it| it.amount), folded.and_then(|it| it.paid_out)))
    }
}

/// An amount that is usually asked for: in the middle more often than at the ends.
fn amount(offer: &Offer, dice: &mut Dice) -> Money {
    let (least, most) = offer.steps;
    let steps = i64::midpoint(dice.between(least..=most), dice.between(least..=most));
    Money::from_units(steps * offer.step, offer.product.currency)
}

/// The name of a transaction in the audit log.
const fn audited(kind: &EventKind) -> &'static str {
    match kind {
        EventKind::Disbursement { .. } => "loan.disburse",
        EventKind::Repayment { .. } => "loan.repay",
        EventKind::Charge { .. } => "loan.charge",
        EventKind::Waiver { .. } => "loan.waive",
        EventKind::Refund { .. } => "loan.refund",
        EventKind::WriteOff => "loan.write_off",
        EventKind::Reschedule { .. } => "loan.reschedule",
        EventKind::Reversal { .. } => "loan.reverse",
    }
}
