//! Things as lines of a table.

/// A cell of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// A number, a date, an instant, an id or one of our words: never a formula.
    Value(String),
    /// Text that a person wrote.
    Text(String),
}

impl Cell {
    /// A value of ours.
    pub fn value(value: &(impl ToString + ?Sized)) -> Self {
        Self::Value(value.to_string())
    }

    /// A value of ours, if there is one.
    #[must_use]
    pub fn optional(value: Option<&impl ToString>) -> Self {
        value.map_or(Self::Empty, |value| Self::value(value))
    }

    /// Text that a person wrote, if anybody did.
    #[must_use]
    pub fn text(text: Option<&str>) -> Self {
        text.map_or(Self::Empty, |text| Self::Text(text.to_owned()))
    }

    pub(crate) fn into_text(self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Value(value) => value,
            Self::Text(text) if is_formula(&text) => format!("'{text}"),
            Self::Text(text) => text,
        }
    }
}

/// True if a spreadsheet may calculate a text: one that begins with a sign of a formula, also full-width, small, or
/// behind invisible characters; or that contains a character which ends a cell.
fn is_formula(text: &str) -> bool {
    const SIGNS: [char; 13] = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫', '−'];
    let first = text.chars().find(|c| !lending::shows_nothing(*c));
    text.starts_with(['\t', '\r', '\n']) || first.is_some_and(|first| SIGNS.contains(&first))
}

/// A thing that is one line of a table.
pub trait Line {
    /// The names of the columns.
    const COLUMNS: &'static [&'static str];

    /// The cells, one for each column.
    fn cells(&self) -> Vec<Cell>;
}

/// Makes a thing one [`Line`]: each column with its cell.
#[macro_export]
macro_rules! table_line {
    ($(#[$about:meta])* $thing:ident as $it:ident { $($name:literal: $cell:expr,)* }) => {
        $(#[$about])*
        impl $crate::values::table::Line for $thing {
            const COLUMNS: &'static [&'static str] = &[$($name),*];

            fn cells(&self) -> Vec<$crate::values::table::Cell> {
                let $it = self;
                vec![$($cell),*]
            }
        }
    };
}

/// A thing that is one or several lines of a table.
pub trait Lines {
    /// The names of the columns.
    const COLUMNS: &'static [&'static str];

    /// The cells of each line, one for each column.
    fn lines(&self) -> Vec<Vec<Cell>>;
}

impl<L: Line> Lines for L {
    const COLUMNS: &'static [&'static str] = L::COLUMNS;

    fn lines(&self) -> Vec<Vec<Cell>> {
        vec![self.cells()]
    }
}
