//! Values that rules and the interface share: each keeps its own rule, and knows neither SQL nor HTTP.

pub mod fields;
pub mod moment;
pub mod opaque;
pub mod page;
pub mod refusal;
pub mod time;
pub mod version;
