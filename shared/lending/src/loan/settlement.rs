//! The settlement that closes a loan.

use jiff::Timestamp;
use jiff::civil::Date;

use super::conflict::Conflict;
use super::contract::Contract;
use super::events::Event;
use super::fold::LoanFold;
use super::history::History;
use super::in_currency::InCurrency;
use super::state::{Components, Settlement};

/// The smallest payment that closes the loan on a day, beside those recorded for that day; `None` unless
/// it is disbursed by then.
///
/// It is the sum of the charges until that day less the payments not refunded, never below zero. The charges
/// are the principal; the interest of the periods that ended by then, in whichever row it is paid, and the
/// interest that the balances of the running row have earned by days; the fees of instalments due by then and
/// all charges, due or not; late fees. Waivers by then reduce them, each at most to zero. Interest or fees
/// paid in advance, and money held, are credit. Of a loan with nothing outstanding all but the credit is
/// zero; after a write-off all of it is.
///
/// The first day on which a payment or a waiver leaves nothing of that closes the loan: unearned amounts are
/// dropped; payments of them, and held money, pay everything unpaid; the rest is held.
///
/// # Errors
/// As [`fold`].
pub fn settlement(
    contract: &Contract,
    events: &[Event],
    on: Date,
    known_at: Timestamp,
) -> Result<Option<Settlement>, Conflict> {
    let history = History::read(events, contract.amount.currency(), on, known_at)?;
    if history.disbursed_on.is_none_or(|disbursed_on| disbursed_on > on) {
        return Ok(None);
    }
    let mut fold = LoanFold::fold(contract, &history, on)?;
    Ok(Some(at_end_of(contract, &mut fold, on)))
}

/// The settlement on the last day of the fold.
fn at_end_of(contract: &Contract, fold: &mut LoanFold<'_>, on: Date) -> Settlement {
    let units = InCurrency(contract.amount.currency());
    let is_written_off = fold.written_off_on.is_some();
    let (mut unpaid, mut credit) = ([0; 4], if is_written_off { 0 } else { fold.held });
    if let Some(rows) = fold.rows.as_mut().filter(|_| !is_written_off)
        && rows.is_anything_unpaid(on)
    {
        for ((unpaid, charged), paid) in unpaid.iter_mut().zip(rows.charged_until(on)).zip(rows.paid()) {
            *unpaid = (charged - paid).max(0);
            credit += (paid - charged).max(0);
        }
    }
    let Components { principal, interest, fees, penalties } = units.components(unpaid);
    let total = (unpaid.iter().sum::<i128>() - credit).max(0);
    Settlement { principal, interest, fees, penalties, credit: units.money(credit), total: units.money(total) }
}
