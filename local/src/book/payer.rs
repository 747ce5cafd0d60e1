//! How borrowers pay, and the lender's reaction: a plan of commands, each carried out on its day, when the amount owed
//! decides the payment.

use std::collections::BTreeMap;

use backend::domain::transaction::Notes;
use jiff::{ToSpan as _, civil::Date};
use lending::{ChargeKind, EventKind, Money, Standing, Waivable};

use super::{impossible::Impossible, life::Life};

/// How a borrower pays.
#[derive(Clone, Copy)]
enum Habit {
    /// On the day.
    Punctual,
    /// Some days late.
    Late,
    /// Parts, early and late.
    Irregular,
    /// Before it is due, perhaps everything at once.
    Ahead,
    /// For some time, and then no more.
    Stops,
}

/// So many of a hundred.
const HABITS: [(Habit, u32); 5] =
    [(Habit::Punctual, 46), (Habit::Late, 22), (Habit::Irregular, 12), (Habit::Ahead, 8), (Habit::Stops, 12)];

/// The actions of a day.
enum Command {
    /// A payment of an amount.
    Pay(Money),
    /// A payment of everything unpaid, and so much more.
    PayOff(Money),
    /// A payment of the amount that closes the loan early.
    Settle,
    /// The past due amount is paid.
    CatchUp,
    /// The last payment is reversed: it bounced.
    Bounce,
    /// An overpayment is paid back.
    Refund,
    /// A fee or a penalty that falls due some days later.
    Charge(i64),
    /// Penalties are waived.
    Waive,
    /// The rest is spread over more instalments.
    Reschedule,
    /// The unpaid rest is given up.
    WriteOff,
    /// A part of it comes in all the same, in percent.
    Recover(i64),
}

/// A command on its way.
struct Planned {
    /// The business date from which it counts; `None` for the day of the command.
    on: Option<Date>,
    command: Command,
}

/// Commands by the day on which they are given, and by the order in which they were planned.
#[derive(Default)]
struct Plan {
    commands: BTreeMap<(Date, u32), Planned>,
    planned: u32,
}

impl Plan {
    fn add(&mut self, day: Date, command: Command) {
        self.insert(day, None, command);
    }

    fn insert(&mut self, day: Date, on: Option<Date>, command: Command) {
        self.commands.insert((day, self.planned), Planned { on, command });
        self.planned += 1;
    }
}

/// An approved loan is paid out, and its borrower pays.
pub(super) fn repay(life: &mut Life<'_>) -> Result<(), Impossible> {
    if !disburse(life)? {
        return Ok(());
    }
    // Rarely the money does not arrive: it is paid out again.
    if life.dice.below(1000) < 4 {
        let day = life.day + life.dice.between(0..=2).days();
        if !reverse_last(life, day, "the transfer was returned")? || !disburse(life)? {
            return Ok(());
        }
    }
    let mut plan = Plan::default();
    let habit = life.dice.weigh(&HABITS, |(_, weight)| *weight).0;
    let rows = life.loan().schedule()?.rows;
    let dues: Vec<(Date, Money)> = rows.iter().map(|row| (row.due_on, row.due)).collect();
    let disbursed_on = life.loan().disbursed_on.unwrap_or(life.day);
    let at_a_time = life.offer.at_a_time;
    payments(life, &mut plan, habit, disbursed_on, &chunks(&dues, at_a_time));
    incidents(life, &mut plan, &dues);
    while let Some(((day, _), planned)) = plan.commands.pop_first() {
        // Days only go forward; a day planned before the last command waits until then.
        let day = day.max(life.day);
        if day > life.world.calendar.last_day() {
            break;
        }
        carry_out(life, &mut plan, day, &planned)?;
    }
    Ok(())
}

fn disburse(life: &mut Life<'_>) -> Result<bool, Impossible> {
    let day = life.day + life.dice.between(0..=4).days();
    let (Some(at), by) = (life.moment(day), life.admin()) else { return Ok(false) };
    let reference = life.dice.percent(80).then(|| format!("transfer {}", life.dice.below(1_000_000)));
    let notes = Notes { reference, ..Notes::default() };
    life.record(EventKind::Disbursement { first_due_on: None, calendar: None }, day, notes, by, at)
}

/// Due amounts are paid several instalments at a time, on the first one's date.
fn chunks(dues: &[(Date, Money)], at_a_time: usize) -> Vec<(Date, Money)> {
    let sum = |chunk: &[(Date, Money)]| {
        let (on, first) = chunk.first().copied()?;
        let rest = chunk.iter().skip(1);
        Some((on, rest.fold(first, |sum, (_, due)| sum.checked_add(*due).unwrap_or(sum))))
    };
    dues.chunks(at_a_time).filter_map(sum).collect()
}

/// Plans what the borrower pays, by its habit.
fn payments(life: &mut Life<'_>, plan: &mut Plan, habit: Habit, since: Date, dues: &[(Date, Money)]) {
    let dice = &mut life.dice;
    let none = Money::zero(life.offer.product.currency);
    let Some(((last_on, _), before)) = dues.split_last() else { return };
    match habit {
        Habit::Punctual => {
            for (on, due) in before {
                pay(life, plan, *on, *due);
            }
            plan.add(*last_on, Command::PayOff(none));
        }
        Habit::Late => {
            for (on, due) in before {
                let on = *on + life.dice.between(0..=14).days();
                pay(life, plan, on, *due);
            }
            plan.add(*last_on + life.dice.between(0..=25).days(), Command::PayOff(none));
        }
        Habit::Irregular => {
            for (on, due) in before {
                let on = (*on + life.dice.between(-4..=12).days()).max(since);
                let part = life.dice.between(30..=100);
                pay(life, plan, on, percent(*due, part));
            }
            if life.dice.percent(50) {
                plan.add(*last_on, Command::CatchUp);
            }
            plan.add(*last_on + life.dice.between(0..=45).days(), Command::PayOff(none));
        }
        Habit::Ahead => {
            let paid = dues.len() * usize::try_from(dice.between(40..=100)).unwrap_or_default() / 100;
            let mut last = since;
            for (on, due) in &dues[..paid.min(before.len())] {
                last = (*on - life.dice.between(0..=6).days()).max(since);
                pay(life, plan, last, *due);
            }
            plan.add(last + life.dice.between(1..=15).days(), Command::Settle);
        }
        Habit::Stops => {
            let paid = usize::try_from(dice.between(0..=100)).unwrap_or_default() * before.len() / 101;
            for (on, due) in &before[..paid] {
                let on = *on + life.dice.between(0..=10).days();
                pay(life, plan, on, *due);
            }
            stopped(life, plan, dues[paid].0);
        }
    }
}

/// The lender's reaction to a borrower who has stopped paying.
fn stopped(life: &mut Life<'_>, plan: &mut Plan, since: Date) {
    let dice = &mut life.dice;
    let none = Money::zero(life.offer.product.currency);
    match dice.between(0..=99) {
        0..=24 => {
            let day = since + dice.between(20..=70).days();
            plan.add(day, Command::CatchUp);
            plan.add(day + dice.between(20..=90).days(), Command::PayOff(none));
        }
        25..=49 => plan.add(since + dice.between(15..=45).days(), Command::Reschedule),
        50..=84 => {
            let mut day = since + dice.between(120..=210).days();
            plan.add(day, Command::WriteOff);
            for _ in 0..dice.between(-2..=3) {
                day += dice.between(10..=80).days();
                plan.add(day, Command::Recover(dice.between(5..=45)));
            }
        }
        _ => {}
    }
}

/// Plans a payment; some are entered late.
fn pay(life: &mut Life<'_>, plan: &mut Plan, on: Date, amount: Money) {
    let delay = if life.dice.percent(6) { life.dice.between(1..=18) } else { 0 };
    plan.insert(on + delay.days(), Some(on), Command::Pay(amount));
}

/// Plans incidents besides payments on time.
fn incidents(life: &mut Life<'_>, plan: &mut Plan, dues: &[(Date, Money)]) {
    let dice = &mut life.dice;
    if dice.percent(5) {
        let (on, due) = *dice.pick(dues);
        let bounced_on = on + dice.between(1..=4).days();
        plan.add(bounced_on, Command::Bounce);
        plan.add(bounced_on, Command::Charge(dice.between(0..=14)));
        plan.add(bounced_on + dice.between(1..=12).days(), Command::Pay(due));
    }
    if dice.percent(4) {
        let (on, _) = *dice.pick(dues);
        plan.add(on + dice.between(0..=9).days(), Command::Charge(dice.between(-3..=20)));
    }
    if dice.percent(8) {
        let (on, _) = *dice.pick(dues);
        plan.add(on + dice.between(8..=30).days(), Command::Waive);
    }
    if dice.percent(4)
        && let Some((on, due)) = dues.last()
    {
        let (on, extra) = (*on - dice.between(0..=3).days(), percent(*due, dice.between(5..=60)));
        plan.add(on, Command::PayOff(extra));
        if dice.percent(80) {
            plan.add(on + dice.between(1..=20).days(), Command::Refund);
        }
    }
}

/// A part of an amount, no less than one smallest unit.
fn percent(of: Money, part: i64) -> Money {
    let units = i64::try_from(of.units()).unwrap_or_default();
    Money::from_units((units * part / 100).max(1), of.currency())
}

fn carry_out(life: &mut Life<'_>, plan: &mut Plan, day: Date, planned: &Planned) -> Result<(), Impossible> {
    let standing = life.standing();
    let is_due = match planned.command {
        Command::Recover(_) => standing == Standing::Defaulted,
        Command::Bounce | Command::Refund => standing != Standing::Approved,
        _ => standing == Standing::Disbursed,
    };
    if !is_due {
        return Ok(());
    }
    let on = planned.on.unwrap_or(day);
    match planned.command {
        Command::Pay(amount) => take(life, day, on, amount),
        Command::PayOff(extra) => {
            let unpaid = life.state(on)?.unpaid;
            let all = [unpaid.principal, unpaid.interest, unpaid.fees, unpaid.penalties, extra];
            take(life, day, on, all.into_iter().reduce(|sum, it| sum.checked_add(it).unwrap_or(sum)).unwrap_or(extra))
        }
        Command::Settle => match lending::settlement(&life.contract(), life.events(), on, jiff::Timestamp::MAX)? {
            Some(settlement) => take(life, day, on, settlement.total),
            None => Ok(()),
        },
        Command::CatchUp => {
            let due = life.state(on)?.past_due;
            let all = [due.interest, due.fees, due.penalties];
            take(life, day, on, all.into_iter().fold(due.principal, |sum, it| sum.checked_add(it).unwrap_or(sum)))
        }
        Command::Bounce => {
            let last = life.events().last();
            if last.is_some_and(|last| matches!(last.kind, EventKind::Repayment { .. })) {
                reverse_last(life, day, "the cheque bounced")?;
            }
            Ok(())
        }
        Command::Refund => {
            let held = life.state(on)?.overpayment;
            if held.is_zero() {
                Ok(())
            } else {
                command(life, day, on, EventKind::Refund { amount: held }, Notes::default())
            }
        }
        Command::Charge(days) => charge(life, day, days),
        Command::Waive => {
            let unpaid = life.state(on)?.unpaid.penalties;
            if unpaid.is_zero() {
                return Ok(());
            }
            let kind = EventKind::Waiver { component: Waivable::Penalty, amount: unpaid };
            command(life, day, on, kind, because("illness in the family"))
        }
        Command::Reschedule => reschedule(life, plan, day),
        Command::WriteOff => command(life, day, on, EventKind::WriteOff, because("the borrower cannot be found")),
        Command::Recover(part) => take(life, day, on, percent(life.written_off(), part)),
    }
}

fn because(reason: &str) -> Notes {
    Notes { reason: Some(reason.to_owned()), ..Notes::default() }
}

/// A command of an admin's.
fn command(life: &mut Life<'_>, day: Date, on: Date, kind: EventKind, notes: Notes) -> Result<(), Impossible> {
    let (Some(at), by) = (life.moment(day), life.admin()) else { return Ok(()) };
    life.record(kind, on, notes, by, at)?;
    Ok(())
}

/// Takes a payment, if it is one of anything.
fn take(life: &mut Life<'_>, day: Date, on: Date, amount: Money) -> Result<(), Impossible> {
    if amount.is_zero() {
        return Ok(());
    }
    let (Some(at), by) = (life.moment(day), life.collector()) else { return Ok(()) };
    let channel = *life.dice.pick(&["cash", "cash", "mobile_money", "mobile_money", "bank_transfer", "cheque"]);
    let reference = life.dice.percent(60).then(|| format!("receipt {}", life.dice.below(10_000_000)));
    let notes = Notes { channel: Some(channel.to_owned()), reference, ..Notes::default() };
    life.record(EventKind::Repayment { amount }, on, notes, by, at)?;
    Ok(())
}

/// Takes the last transaction back. Whether that could be.
fn reverse_last(life: &mut Life<'_>, day: Date, why: &str) -> Result<bool, Impossible> {
    let Some(last) = life.events().last() else { return Ok(false) };
    let (of, on) = (last.id, last.on);
    let (Some(at), by) = (life.moment(day), life.admin()) else { return Ok(false) };
    life.record(EventKind::Reversal { of }, on, because(why), by, at)
}

/// Charges the cost of the trouble; it falls due so many days later, or was due before.
fn charge(life: &mut Life<'_>, day: Date, days: i64) -> Result<(), Impossible> {
    let disbursed_on = life.loan().disbursed_on.unwrap_or(day);
    let due_on = (day + days.days()).max(disbursed_on);
    let amount = percent(life.loan().amount, 1);
    let on = life.levied_on(due_on, day)?;
    let (kind, code) = *life.dice.pick(&[
        (ChargeKind::Fee, "visit"),
        (ChargeKind::Fee, "bounced-cheque"),
        (ChargeKind::Penalty, "reminder"),
    ]);
    let notes = Notes { code: Some(code.to_owned()), ..Notes::default() };
    command(life, day, on, EventKind::Charge { kind, amount, due_on }, notes)
}

/// Spreads the amounts due from the next due date on over more instalments. From then on most pay.
fn reschedule(life: &mut Life<'_>, plan: &mut Plan, day: Date) -> Result<(), Impossible> {
    let state = life.state(day)?;
    let left = state.rows.iter().filter(|row| row.due_on > day && !row.principal.is_zero());
    let Some(from) = left.clone().map(|row| row.due_on).next() else { return Ok(()) };
    let instalments = u32::try_from(left.count()).unwrap_or_default() + 2;
    let kind = EventKind::Reschedule {
        from,
        instalments: Some(instalments),
        interest_rate_apr: None,
        first_due_on: None,
        calendar: None,
    };
    command(life, day, day, kind, because("a bad harvest"))?;
    let habit = *life.dice.pick(&[Habit::Punctual, Habit::Late, Habit::Late, Habit::Stops]);
    plan.add(day, Command::CatchUp);
    let rows = life.state(day)?.rows;
    let dues: Vec<(Date, Money)> =
        rows.iter().filter(|row| row.due_on > day).map(|row| (row.due_on, row.outstanding)).collect();
    let at_a_time = life.offer.at_a_time;
    payments(life, plan, habit, day, &chunks(&dues, at_a_time));
    Ok(())
}
