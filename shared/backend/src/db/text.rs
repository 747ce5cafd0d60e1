//! Texts of statements, made of columns at compile time: constants that a test prepares against the schema.

use super::columns::{ALL, Column, is_in};

/// The part of a statement in the place of a `{}` of [`sql!`](crate::sql): columns, in one of several forms.
#[derive(Clone, Copy, Debug)]
pub enum List {
    /// `id, amount`
    Names(&'static [Column]),
    /// Of a group: `id, amount`
    Group(&'static [Column], u8),
    /// Of a table by its alias: `l.id, l.amount`
    Of(&'static str, &'static [Column]),
    /// A parameter for each, from this number on: `$2, $3`
    Parameters(&'static [Column], usize),
    /// The assignments of a group, to the parameters from this number on: `agent_id = $2, amount = $3`
    Set(&'static [Column], u8, usize),
}

/// The text of a statement, made at compile time.
#[derive(Clone, Copy, Debug)]
pub struct Text<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Text<N> {
    /// A template with a list in the place of each `{}`. Of a text that has no room, [`length`](Self::length) is known.
    ///
    /// # Panics
    ///
    /// When there are more or fewer lists than places: at compile time.
    #[must_use]
    pub const fn new(template: &str, lists: &[List]) -> Self {
        let template = template.as_bytes();
        let mut text = Self { bytes: [0; N], length: 0 };
        let (mut at, mut list) = (0, 0);
        while at < template.len() {
            if template[at] == b'{' && at + 1 < template.len() && template[at + 1] == b'}' {
                text.list(lists[list]);
                list += 1;
                at += 2;
            } else {
                text.byte(template[at]);
                at += 1;
            }
        }
        assert!(list == lists.len(), "a list has no place in the statement");
        text
    }

    /// How many bytes it has.
    #[must_use]
    pub const fn length(&self) -> usize {
        self.length
    }

    /// The text.
    ///
    /// # Panics
    ///
    /// Never in a constant that compiles.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        match std::str::from_utf8(&self.bytes) {
            Ok(text) => text,
            Err(_) => panic!("lists stand in the place of whole characters"),
        }
    }

    const fn byte(&mut self, byte: u8) {
        if self.length < N {
            self.bytes[self.length] = byte;
        }
        self.length += 1;
    }

    const fn str(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            self.byte(bytes[at]);
            at += 1;
        }
    }

    const fn parameter(&mut self, number: usize) {
        self.byte(b'$');
        let mut divisor = 1;
        while number / divisor >= 10 {
            divisor *= 10;
        }
        while divisor > 0 {
            self.byte(b"0123456789"[number / divisor % 10]);
            divisor /= 10;
        }
    }

    const fn list(&mut self, list: List) {
        let (columns, group) = match list {
            List::Names(columns) | List::Of(_, columns) | List::Parameters(columns, _) => (columns, ALL),
            List::Group(columns, group) | List::Set(columns, group, _) => (columns, group),
        };
        let (mut at, mut listed) = (0, 0);
        while at < columns.len() {
            let Column { name, .. } = columns[at];
            if is_in(columns[at].groups, group) {
                if listed > 0 {
                    self.str(", ");
                }
                match list {
                    List::Names(_) | List::Group(..) => self.str(name),
                    List::Of(table, _) => {
                        self.str(table);
                        self.byte(b'.');
                        self.str(name);
                    }
                    List::Parameters(_, first) => self.parameter(first + listed),
                    List::Set(_, _, first) => {
                        self.str(name);
                        self.str(" = ");
                        self.parameter(first + listed);
                    }
                }
                listed += 1;
            }
            at += 1;
        }
    }
}

/// The text of a statement as a constant: a template with a [`List`] of columns in the place of each `{}`.
///
/// ```
/// use backend::{db::{Columns as _, List}, domain::users::User, sql};
///
/// let by_id: &'static str = sql!("SELECT {} FROM users WHERE id = $1", List::Names(User::COLUMNS));
/// assert!(by_id.starts_with("SELECT id, username, "));
/// ```
#[macro_export]
macro_rules! sql {
    ($template:expr, $($list:expr),+ $(,)?) => {{
        const LISTS: &[$crate::db::List] = &[$($list),+];
        const LENGTH: usize = $crate::db::Text::<0>::new($template, LISTS).length();
        const TEXT: &$crate::db::Text<LENGTH> = &$crate::db::Text::new($template, LISTS);
        TEXT.as_str()
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: u8 = 1;
    const MONEY: u8 = 2;
    const LOAN: &[Column] = &[
        Column { name: "id", groups: 0 },
        Column { name: "amount", groups: STEP },
        Column { name: "status", groups: STEP | MONEY },
    ];

    #[test]
    fn a_statement_lists_columns_in_every_form() {
        for (text, expected) in [
            (sql!("SELECT {} FROM loans", List::Names(LOAN)), "SELECT id, amount, status FROM loans"),
            (sql!("SELECT {}", List::Group(LOAN, MONEY)), "SELECT status"),
            (sql!("SELECT {}", List::Of("l", LOAN)), "SELECT l.id, l.amount, l.status"),
            (
                sql!("({}) VALUES ({})", List::Names(LOAN), List::Parameters(LOAN, 9)),
                "(id, amount, status) VALUES ($9, $10, $11)",
            ),
            (sql!("SET {}", List::Set(LOAN, STEP, 2)), "SET amount = $2, status = $3"),
        ] {
            assert_eq!(text, expected);
        }
    }
}
