//! Columns of a table, named once. A `columns!` declaration beside the type of a row gives the lists that statements
//! have ([`sql!`](crate::sql)), the values that are bound to them, and how a row is read.

use std::cell::{Cell, OnceCell};

use tokio_postgres::{Row, types::FromSql};

use super::{
    errors::DbError,
    statement::{Bind, Parameter},
};

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// The updates that write it, a bit for each.
    pub groups: u8,
}

/// The group of all columns.
pub const ALL: u8 = u8::MAX;

/// True if a column of these groups is in one.
#[must_use]
pub const fn is_in(groups: u8, group: u8) -> bool {
    group == ALL || groups & group != 0
}

/// A value as a parameter.
pub fn parameter<V: Bind>(value: V) -> Parameter {
    (Box::new(value), V::TYPE)
}

/// A value that one column holds.
pub trait Stored: Sized {
    /// How it is bound.
    type Bound: Bind;
    /// How it is read.
    type Read: for<'a> FromSql<'a>;

    /// As it is bound.
    fn bound(&self) -> Self::Bound;

    /// From what was read.
    ///
    /// # Errors
    ///
    /// For what the schema lets through and this refuses: a defect, answered as an internal error.
    fn of(read: Self::Read, row: &Reading<'_>) -> Result<Self, DbError>;
}

impl<T: Stored> Stored for Option<T>
where
    Option<T::Bound>: Bind,
{
    type Bound = Option<T::Bound>;
    type Read = Option<T::Read>;

    fn bound(&self) -> Self::Bound {
        self.as_ref().map(T::bound)
    }

    fn of(read: Self::Read, row: &Reading<'_>) -> Result<Self, DbError> {
        read.map(|read| T::of(read, row)).transpose()
    }
}

/// Implements [`Stored`] for values that the database takes as they are.
macro_rules! plain {
    ($($rust:ty),* $(,)?) => {
        $(impl Stored for $rust {
            type Bound = Self;
            type Read = Self;

            fn bound(&self) -> Self {
                self.clone()
            }

            fn of(read: Self, _: &Reading<'_>) -> Result<Self, DbError> {
                Ok(read)
            }
        })*
    };
}

plain! {
    uuid::Uuid, String, i16, i32, i64, bool, jiff::Timestamp, jiff::civil::Date, serde_json::Value, Vec<u8>,
    Vec<String>, rust_decimal::Decimal,
}

/// A field of a row: a value that one column holds, or `N` columns together.
pub trait Field<const N: usize>: Sized {
    /// The values of the columns, in their order.
    fn parameters(&self) -> [Parameter; N];

    /// Reads the columns of these names.
    ///
    /// # Errors
    ///
    /// When a column is missing or of another type, or as [`Stored::of`].
    fn read(row: &Reading<'_>, columns: [&'static str; N]) -> Result<Self, DbError>;
}

impl<T: Stored> Field<1> for T {
    fn parameters(&self) -> [Parameter; 1] {
        [parameter(self.bound())]
    }

    fn read(row: &Reading<'_>, [column]: [&'static str; 1]) -> Result<Self, DbError> {
        T::of(row.column(column)?, row)
    }
}

/// A row, or a part of one, whose columns `columns!` declares.
pub trait Columns: Sized {
    /// The columns, in the order of [`parameters`](Self::parameters).
    const COLUMNS: &'static [Column];

    /// The values of the columns of a group.
    fn parameters(&self, group: u8) -> Vec<Parameter>;

    /// Reads a row that has these columns, among others or not.
    ///
    /// # Errors
    ///
    /// As [`Field::read`].
    fn read(row: &Reading<'_>) -> Result<Self, DbError>;
}

/// A row while it is read. A column is looked for behind the last one first: if a statement lists the columns in the
/// order of reading, each is found at once.
pub struct Reading<'r> {
    row: &'r Row,
    next: Cell<usize>,
    currency: OnceCell<lending::Currency>,
}

impl<'r> Reading<'r> {
    /// From the first column.
    #[must_use]
    pub fn new(row: &'r Row) -> Self {
        Self { row, next: Cell::new(0), currency: OnceCell::new() }
    }

    /// The value of a column.
    ///
    /// # Errors
    ///
    /// When it is missing or of another type.
    pub fn column<V: FromSql<'r>>(&self, name: &'static str) -> Result<V, DbError> {
        let at = self.next.get();
        let columns = self.row.columns();
        let is_next = columns.get(at).is_some_and(|column| column.name() == name);
        let at = if is_next { Some(at) } else { columns.iter().position(|column| column.name() == name) };
        let at = at.ok_or_else(|| DbError::unexpected(format!("there is no column {name}")))?;
        self.next.set(at + 1);
        self.row.try_get(at).map_err(DbError::from)
    }

    /// The value of a column as what it holds.
    ///
    /// # Errors
    ///
    /// As [`Field::read`].
    pub fn get<T: Field<1>>(&self, name: &'static str) -> Result<T, DbError> {
        T::read(self, [name])
    }

    /// The value of a column that belongs to another one: the next is looked for where it was before.
    ///
    /// # Errors
    ///
    /// As [`column`](Self::column).
    pub fn beside<V: FromSql<'r>>(&self, name: &str) -> Result<V, DbError> {
        self.row.try_get(name).map_err(DbError::from)
    }

    /// The currency of the row's amounts: its column `currency`.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn currency(&self) -> Result<lending::Currency, DbError> {
        if let Some(currency) = self.currency.get() {
            return Ok(*currency);
        }
        let code: &str = self.beside("currency")?;
        let currency = lending::Currency::from_code(code).map_err(|error| DbError::Unexpected(Box::new(error)))?;
        Ok(*self.currency.get_or_init(|| currency))
    }
}

/// How many columns fields have, and a part that is declared elsewhere.
#[must_use]
pub const fn count(fields: &[(&[&str], u8)], part: &[Column]) -> usize {
    let (mut count, mut at) = (part.len(), 0);
    while at < fields.len() {
        count += fields[at].0.len();
        at += 1;
    }
    count
}

/// The columns of fields, with the groups of each, and those of a part that is declared elsewhere.
#[must_use]
pub const fn list<const N: usize>(fields: &[(&[&'static str], u8)], part: &[Column]) -> [Column; N] {
    let mut all = [Column { name: "", groups: 0 }; N];
    let (mut count, mut field) = (0, 0);
    while field < fields.len() {
        let (names, groups) = fields[field];
        let mut at = 0;
        while at < names.len() {
            all[count] = Column { name: names[at], groups };
            count += 1;
            at += 1;
        }
        field += 1;
    }
    let mut at = 0;
    while at < part.len() {
        all[count + at] = part[at];
        at += 1;
    }
    all
}

/// Declares the columns of a type: for each field the column that holds it, or several, and the groups of updates that
/// write them. `..part: Part` is a field whose columns `Part` declares.
///
/// More may follow: `write`, columns that follow from a field; `read`, fields from columns that a statement
/// adds; `derive`, fields that follow from others. `then` names a function through which a row goes once it is read.
///
/// ```ignore
/// columns! {
///     Loan {
///         id: "id",
///         amount: "amount" in STEP,
///         figures: "instalment" "total_interest" "total_due" in STEP | MONEY,
///     }
///     write { "currency": amount.currency(), }
///     read { borrower_username: "borrower_username", }
/// }
/// ```
#[macro_export]
macro_rules! columns {
    ($row:ident {
        $($field:ident : $($column:literal)+ $(in $($group:ident)|+)?,)*
        $(..$part:ident : $Part:ty,)?
    }
    $(write { $($written:literal : $of:ident.$method:ident(),)* })?
    $(read { $($read:ident : $from:literal,)* })?
    $(derive { $($derived:ident : $value:expr,)* })?
    $(then $finish:path)?) => {
        impl $crate::db::Columns for $row {
            const COLUMNS: &'static [$crate::db::Column] = {
                const FIELDS: &[(&[&str], u8)] = &[
                    $((&[$($column),+], $crate::columns!(@groups $($($group)|+)?)),)*
                    $($((&[$written], 0),)*)?
                ];
                const PART: &[$crate::db::Column] = $crate::columns!(@part $($Part)?);
                &$crate::db::list::<{ $crate::db::count(FIELDS, PART) }>(FIELDS, PART)
            };

            fn parameters(&self, group: u8) -> Vec<$crate::db::Parameter> {
                let mut parameters = Vec::with_capacity(Self::COLUMNS.len());
                $(if $crate::db::is_in($crate::columns!(@groups $($($group)|+)?), group) {
                    let values: [_; [$($column),+].len()] = $crate::db::Field::parameters(&self.$field);
                    parameters.extend(values);
                })*
                $($(if group == $crate::db::ALL {
                    parameters.extend($crate::db::Field::<1>::parameters(&self.$of.$method()));
                })*)?
                $(parameters.extend($crate::db::Columns::parameters(&self.$part, group));)?
                parameters
            }

            fn read(row: &$crate::db::Reading<'_>) -> Result<Self, $crate::db::DbError> {
                $(let $field = $crate::db::Field::read(row, [$($column),+])?;)*
                $(let $part = <$Part as $crate::db::Columns>::read(row)?;)?
                $($(let $read = $crate::db::Field::read(row, [$from])?;)*)?
                let read = Self {
                    $($($derived: $value,)*)?
                    $($field,)*
                    $($part,)?
                    $($($read,)*)?
                };
                $(let read = $finish(read);)?
                Ok(read)
            }
        }

        impl $crate::db::FromRow for $row {
            fn from_row(row: &tokio_postgres::Row) -> Result<Self, $crate::db::DbError> {
                <Self as $crate::db::Columns>::read(&$crate::db::Reading::new(row))
            }
        }
    };
    (@groups) => { 0 };
    (@groups $($group:ident)|+) => { 0 $(| $group)+ };
    (@part) => { &[] };
    (@part $Part:ty) => { <$Part as $crate::db::Columns>::COLUMNS };
}
