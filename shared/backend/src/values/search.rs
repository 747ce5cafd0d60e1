//! The texts that lists are searched for.

use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use crate::values::refusal::refusal;

/// A text to compare with stored values: at most 254 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchText(String);

impl SearchText {
    /// The text itself.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl<'de> Deserialize<'de> for SearchText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() > 254 {
            return Err(refusal("too_long", "must have at most 254 characters"));
        }
        // Postgres text holds no NUL.
        if text.contains('\0') {
            return Err(refusal("control_character", "must not contain control characters"));
        }
        Ok(Self(text))
    }
}

/// The words of a search. A user matches a word if one of the words stored for the user starts with it.
#[derive(Clone, Debug, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, min_length = 2, max_length = 254, example = "asha")]
pub struct SearchWords(Vec<String>);

/// The largest number of words; few names have more.
const MAX_WORDS: usize = 10;

impl SearchWords {
    /// The words as typed, at least one.
    #[must_use]
    pub fn into_strings(self) -> Vec<String> {
        self.0
    }
}

impl<'de> Deserialize<'de> for SearchWords {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let SearchText(text) = SearchText::deserialize(deserializer)?;
        // In a query string an unescaped plus means a blank, and telephone numbers start with a plus.
        let number = text.strip_prefix(' ').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let text = number.map_or_else(|| text.clone(), |digits| format!("+{digits}"));
        let mut words: Vec<String> = Vec::new();
        for word in text.split_whitespace() {
            if !lending::is_blank(word) && !words.iter().any(|known| known == word) {
                words.push(word.to_owned());
            }
        }
        if !words.iter().any(|word| word.chars().count() >= 2) {
            return Err(refusal("too_short", "must have a word of at least 2 characters"));
        }
        if words.len() > MAX_WORDS {
            return Err(refusal("too_many_words", "must have at most 10 words"));
        }
        Ok(Self(words))
    }
}
