//! One SQL statement as a value: its text, its parameters with their types, and how to read its answer.
//!
//! `store` builds statements; only [`Db`](super::Db) and [`Tx`](super::Tx) run them. Because a statement is a value,
//! several can be sent in one round trip, and a read can be sent again on a fresh connection.

use std::{borrow::Cow, collections::BTreeMap, fmt::Write as _, pin::pin};

use futures_util::{
    TryFutureExt as _, TryStreamExt as _,
    future::{BoxFuture, ready},
};
use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use tokio_postgres::{
    Client, Error, Row, RowStream,
    types::{Json, ToSql, Type},
};
use uuid::Uuid;

use super::errors::DbError;

/// A value that can be bound to a parameter. The Postgres type is stated rather than asked for: the server need not
/// describe the statement first, which saves two round trips.
pub trait Bind: ToSql + Send + Sync + 'static {
    /// The Postgres type this value is sent as.
    const TYPE: Type;
}

macro_rules! bind {
    ($($rust:ty => $postgres:ident),* $(,)?) => {
        $(impl Bind for $rust { const TYPE: Type = Type::$postgres; }
          impl Bind for Option<$rust> { const TYPE: Type = Type::$postgres; })*
    };
}

bind! {
    Uuid => UUID, String => TEXT, &'static str => TEXT, Decimal => NUMERIC, i16 => INT2, i32 => INT4, i64 => INT8,
    bool => BOOL, f64 => FLOAT8, Timestamp => TIMESTAMPTZ, Date => DATE, serde_json::Value => JSONB, Vec<u8> => BYTEA,
    Vec<String> => TEXT_ARRAY, Vec<Option<String>> => TEXT_ARRAY, Vec<&'static str> => TEXT_ARRAY,
    Vec<Uuid> => UUID_ARRAY, Vec<Option<Uuid>> => UUID_ARRAY, Vec<Date> => DATE_ARRAY, Vec<Option<Date>> => DATE_ARRAY,
    Vec<Decimal> => NUMERIC_ARRAY, Vec<i64> => INT8_ARRAY, Vec<Vec<u8>> => BYTEA_ARRAY,
    Vec<Timestamp> => TIMESTAMPTZ_ARRAY,
}

impl<T: serde::Serialize + std::fmt::Debug + Send + Sync + 'static> Bind for Json<T> {
    const TYPE: Type = Type::JSONB;
}

impl<T: serde::Serialize + std::fmt::Debug + Send + Sync + 'static> Bind for Option<Json<T>> {
    const TYPE: Type = Type::JSONB;
}

/// A value that is bound to a parameter, with the type that it is sent as.
pub type Parameter = (Box<dyn ToSql + Send + Sync>, Type);

/// Reads one row by its column names.
pub trait FromRow: Sized + Send {
    /// # Errors
    ///
    /// When a column is missing or of another type: a defect, answered as an internal error.
    fn from_row(row: &Row) -> Result<Self, DbError>;
}

/// A row with the loan that it belongs to, for queries over several loans.
pub struct OfLoan<T> {
    /// The loan: the column `loan_id`.
    pub loan_id: Uuid,
    /// The rest of the row.
    pub row: T,
}

impl<T> OfLoan<T> {
    /// The rows of each loan, in their order.
    #[must_use]
    pub fn by_loan(rows: Vec<Self>) -> BTreeMap<Uuid, Vec<T>> {
        let mut by_loan: BTreeMap<Uuid, Vec<T>> = BTreeMap::new();
        for Self { loan_id, row } in rows {
            by_loan.entry(loan_id).or_default().push(row);
        }
        by_loan
    }
}

impl<T: FromRow> FromRow for OfLoan<T> {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self { loan_id: column(row, "loan_id")?, row: T::from_row(row)? })
    }
}

type Reader<T> = fn(RowStream) -> BoxFuture<'static, Result<T, DbError>>;

/// A statement whose answer is read as `T`.
pub struct Statement<T> {
    sql: Sql,
    read: Reader<T>,
}

impl<T> Statement<T> {
    /// The bound values, in the order of the parameters: for sending many such rows at once, by `COPY`.
    #[must_use]
    pub fn values(&self) -> impl ExactSizeIterator<Item = &(dyn ToSql + Sync)> {
        self.sql.params.iter().map(|(value, _)| value.as_ref() as &(dyn ToSql + Sync))
    }

    /// The types of the bound values.
    #[must_use]
    pub fn types(&self) -> Vec<Type> {
        self.sql.params.iter().map(|(_, type_)| type_.clone()).collect()
    }
}

/// A statement under construction: text and parameters, no reader yet.
pub struct Sql {
    pub(super) text: Cow<'static, str>,
    pub(super) params: Vec<Parameter>,
    pub(super) plan: Plan,
}

/// How often a statement is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Once a connection, for any values.
    Kept,
    /// Each time, for its values.
    ForItsValues,
}

impl Sql {
    /// Starts from constant text.
    #[must_use]
    pub fn new(sql: &'static str) -> Self {
        Self { text: Cow::Borrowed(sql), params: Vec::new(), plan: Plan::Kept }
    }

    /// Has Postgres plan the statement each time for its values, where these say which of several indexes has the
    /// fewest rows, and no one plan is right for all.
    #[must_use]
    pub fn planned_for_its_values(self) -> Self {
        Self { plan: Plan::ForItsValues, ..self }
    }

    /// Binds the next parameter (`$1`, `$2`, ... in order).
    #[must_use]
    pub fn bind<V: Bind>(mut self, value: V) -> Self {
        self.params.push((Box::new(value), V::TYPE));
        self
    }

    /// Binds the next parameters, in their order: those of a row's columns.
    #[must_use]
    pub fn bind_all(mut self, parameters: impl IntoIterator<Item = Parameter>) -> Self {
        self.params.extend(parameters);
        self
    }

    /// Appends constant text.
    #[must_use]
    pub fn push(mut self, text: &'static str) -> Self {
        self.text.to_mut().push_str(text);
        self
    }

    /// Appends constant text in which each `{}` is replaced by the placeholder of this one value.
    #[must_use]
    pub fn push_bind<V: Bind>(mut self, text: &'static str, value: V) -> Self {
        let mut placeholder = String::with_capacity(4);
        // Writing to a String cannot fail.
        let _ = write!(placeholder, "${}", self.params.len() + 1);
        self.text.to_mut().push_str(&text.replace("{}", &placeholder));
        self.bind(value)
    }

    /// As [`push_bind`](Self::push_bind) where there is a value; nothing otherwise.
    #[must_use]
    pub fn push_if<V: Bind>(self, text: &'static str, value: Option<V>) -> Self {
        match value {
            Some(value) => self.push_bind(text, value),
            None => self,
        }
    }

    /// The answer is exactly one row.
    #[must_use]
    pub fn one<T: FromRow>(self) -> Statement<T> {
        self.read(|rows| {
            Box::pin(async {
                let rows: Vec<Row> = rows.try_collect().await?;
                match rows.as_slice() {
                    [row] => T::from_row(row),
                    rows => Err(DbError::unexpected(format!("expected one row, got {}", rows.len()))),
                }
            })
        })
    }

    /// The answer is one row or none.
    #[must_use]
    pub fn optional<T: FromRow>(self) -> Statement<Option<T>> {
        self.read(|rows| {
            Box::pin(async {
                let rows: Vec<Row> = rows.try_collect().await?;
                match rows.as_slice() {
                    [] => Ok(None),
                    [row] => T::from_row(row).map(Some),
                    rows => Err(DbError::unexpected(format!("expected at most one row, got {}", rows.len()))),
                }
            })
        })
    }

    /// The answer is a list of rows, each read as it arrives, while the server makes the next ones.
    #[must_use]
    pub fn all<T: FromRow>(self) -> Statement<Vec<T>> {
        self.read(|rows| {
            Box::pin(async {
                let mut rows = pin!(rows);
                let mut all = Vec::new();
                while let Some(row) = rows.try_next().await? {
                    all.push(T::from_row(&row)?);
                }
                Ok(all)
            })
        })
    }

    /// The answer, if any, does not matter.
    #[must_use]
    pub fn execute(self) -> Statement<()> {
        self.read(|rows| Box::pin(rows.try_for_each(|_| ready(Ok(()))).err_into()))
    }

    /// The answer says if there was any row.
    #[must_use]
    pub fn exists(self) -> Statement<bool> {
        self.read(|rows| {
            Box::pin(async {
                let rows: Vec<Row> = rows.try_collect().await?;
                Ok(!rows.is_empty())
            })
        })
    }

    fn read<T>(self, read: Reader<T>) -> Statement<T> {
        Statement { sql: self, read }
    }
}

/// Where statements are sent.
pub trait Connection: Sync {
    /// Sends a statement before it waits for anything. Its rows come as they arrive.
    fn query(&self, sql: &Sql) -> impl Future<Output = Result<RowStream, DbError>> + Send;
}

/// A connection that nothing is prepared on.
impl Connection for Client {
    async fn query(&self, sql: &Sql) -> Result<RowStream, DbError> {
        Ok(unnamed(self, sql).await?)
    }
}

/// Sends a statement that Postgres reads and plans for this once.
pub(super) async fn unnamed(client: &Client, Sql { text, params, .. }: &Sql) -> Result<RowStream, Error> {
    client.query_typed_raw(text, params.iter().map(|(value, type_)| (as_sql(value.as_ref()), type_.clone()))).await
}

/// As the driver takes it.
pub(super) fn as_sql(value: &(dyn ToSql + Send + Sync)) -> &(dyn ToSql + Sync) {
    value
}

/// A batch for one round trip: a statement, an optional one, or a tuple of them. They are executed in order.
pub trait Batch {
    /// The rows of each statement.
    type Answer;

    /// Sends everything before it waits for anything.
    fn run<On: Connection>(&self, connection: &On) -> impl Future<Output = Result<Self::Answer, DbError>> + Send;
}

impl<T: Send> Batch for Statement<T> {
    type Answer = T;

    async fn run<On: Connection>(&self, connection: &On) -> Result<T, DbError> {
        // Boxed: the futures of all statements of a batch are part of their handler's.
        let rows = Box::pin(connection.query(&self.sql)).await?;
        (self.read)(rows).await
    }
}

impl<B: Batch + Sync> Batch for &B {
    type Answer = B::Answer;

    async fn run<On: Connection>(&self, connection: &On) -> Result<B::Answer, DbError> {
        (*self).run(connection).await
    }
}

impl<B: Batch + Sync> Batch for Option<B>
where
    B::Answer: Send,
{
    type Answer = Option<B::Answer>;

    async fn run<On: Connection>(&self, connection: &On) -> Result<Self::Answer, DbError> {
        match self {
            Some(batch) => batch.run(connection).await.map(Some),
            None => Ok(None),
        }
    }
}

impl Batch for () {
    type Answer = ();

    async fn run<On: Connection>(&self, _: &On) -> Result<(), DbError> {
        Ok(())
    }
}

macro_rules! batch {
    ($($name:ident . $index:tt),*) => {
        impl<$($name: Batch + Sync),*> Batch for ($($name,)*)
        where
            $($name::Answer: Send),*
        {
            type Answer = ($($name::Answer,)*);

            async fn run<On: Connection>(&self, connection: &On) -> Result<Self::Answer, DbError> {
                // `biased` polls in order, so the statements are sent in order and the first error is the one returned.
                tokio::try_join!(biased; $(self.$index.run(connection)),*)
            }
        }
    };
}

batch!(A.0, B.1);
batch!(A.0, B.1, C.2);
batch!(A.0, B.1, C.2, D.3);

/// A column by name.
///
/// # Errors
///
/// As [`FromRow::from_row`].
pub fn column<'r, V: tokio_postgres::types::FromSql<'r>>(row: &'r Row, name: &str) -> Result<V, DbError> {
    row.try_get(name).map_err(DbError::from)
}
