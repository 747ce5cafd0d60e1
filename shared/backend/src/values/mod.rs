//! Values shared by rules and interface: each type enforces its own rule, and knows neither SQL nor HTTP.

pub mod address;
pub mod moment;
pub mod names;
pub mod network;
pub mod number;
pub mod opaque;
pub mod page;
pub mod password;
pub mod patch;
pub mod pay_ref;
pub mod phone;
pub mod refusal;
pub mod search;
pub mod table;
pub mod text;
pub mod time;
pub(crate) mod units;
pub mod user_ref;
pub mod version;
pub mod words;

#[cfg(test)]
mod reading {
    /// The value of a field of a request, or its refusal.
    pub(super) fn read<T: serde::de::DeserializeOwned>(value: impl Into<serde_json::Value>) -> Result<T, String> {
        serde_json::from_value(value.into()).map_err(|error| error.to_string())
    }
}
