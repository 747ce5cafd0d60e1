//! Annual percentage rates: of a schedule net of its fees, and of any advances and payments by the
//! rules of the United States and of the European Union.

mod flow;
mod interval;
mod method;
mod of_flows;
mod of_schedule;
mod percentage;

pub use flow::{Flow, FlowAmount, MAX_FLOWS};
pub use method::{AprMethod, PeriodUnit, UnitPeriod, UnitPeriodError};
pub use of_flows::apr;
pub use of_schedule::QuotedApr;
pub use percentage::Apr;
