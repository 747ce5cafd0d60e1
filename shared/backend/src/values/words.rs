//! Enums without data, each value with the word that the interface and the database have for it.

/// A value that is written as one of a few words.
pub trait Words: Copy {
    /// Its word.
    fn word(self) -> &'static str;

    /// The value of a word; `None` for any other text, also for other names that the interface takes.
    fn of_word(word: &str) -> Option<Self>;
}

/// Makes an enum, and its words in JSON and in the database. An enum with a default derives it and marks the variant.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$meaning:meta])* $variant:ident = $word:tt,)+ }) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[derive(serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        $(#[$about])*
        pub enum $name {
            $($(#[$meaning])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every value.
            pub const ALL: [Self; [$($word,)+].len()] = [$(Self::$variant,)+];

            /// The word for it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl $crate::values::words::Words for $name {
            fn word(self) -> &'static str {
                self.as_str()
            }

            fn of_word(word: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|value| value.as_str() == word)
            }
        }
    };
}

pub(crate) use words;
