//! Who asks, and what they may do: passwords, tokens, sessions, limits, and one extractor type for each kind of caller.

pub mod api_keys;
pub mod attempts;
pub mod callers;
pub mod codes;
pub mod keys;
pub mod limits;
pub mod passwords;
pub mod profile;
pub mod sealing;
pub mod second_factor;
pub mod tokens;
pub mod totp;
