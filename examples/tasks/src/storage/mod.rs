//! A store for any CRUD contract whose fields are scalars.
//!
//! The table is derived from the contract's descriptor: columns and their types, NOT NULL, defaults, the primary key, and
//! what must be unique. It knows neither the service nor the wire.

mod database;
mod dialect;
mod location;
mod migrate;
mod owned;
mod row;
mod table;

use std::marker::PhantomData;

use rpc_runtime::Contract;
use rpc_runtime::codegen::DecodeError;
use sqlx::{AnyPool, AssertSqlSafe};

pub(crate) use database::Database;
pub(crate) use location::Location;
pub(crate) use owned::OwnedStore;
pub(crate) use row::Value;

use dialect::Dialect;
use table::{Column, Table, TableError};

/// The rows of contract `T`.
#[derive(Debug)]
pub(crate) struct Store<T> {
    pool: AnyPool,
    dialect: Dialect,
    table: Table,
    items: PhantomData<fn() -> T>,
}

/// Why a database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// The contract's fault.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The table is there and says something else than the contract.
    #[error("column {column} of table {table} {problem}")]
    Incompatible {
        table: String,
        column: String,
        problem: String,
    },
    /// The database's fault.
    #[error("{}", reason(.0))]
    Database(#[from] sqlx::Error),
}

/// Why a row cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// Another row has this value of a unique field.
    #[error("{field} is taken")]
    Taken { field: &'static str },
    /// The program's fault.
    #[error("the contract has no field {field}")]
    NoSuchField { field: &'static str },
    /// The value is none that the column's type can hold.
    #[error("{field} {why}")]
    CannotHold { field: &'static str, why: &'static str },
    /// Somebody else wrote a value that the contract's field cannot hold.
    #[error("the database has a value of {field} that the contract cannot hold")]
    Foreign { field: &'static str },
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl StoreError {
    fn too_large(column: &Column) -> Self {
        StoreError::CannotHold {
            field: column.name,
            why: "is beyond the largest number that the database holds, 2^63 - 1",
        }
    }
}

impl<T: Contract> Store<T> {
    fn new(pool: AnyPool, dialect: Dialect, table: Table) -> Self {
        Store {
            pool,
            dialect,
            table,
            items: PhantomData,
        }
    }

    /// All rows, in the order in which they were made.
    pub(crate) async fn all(&self) -> Result<Vec<T>, StoreError> {
        let sql = AssertSqlSafe(self.dialect.select(&self.table));
        let rows = sqlx::query(sql).fetch_all(&self.pool).await?;
        rows.iter()
            .map(|row| row::item_of(row, &self.table, self.dialect))
            .collect()
    }

    /// The row that has a value in a unique field; `None` when there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchField`] when the contract has no such field.
    pub(crate) async fn find(
        &self,
        field: &'static str,
        value: impl Into<Value>,
    ) -> Result<Option<T>, StoreError> {
        let column = self.table.columns.iter().find(|column| column.name == field);
        let column = column.ok_or(StoreError::NoSuchField { field })?;
        let value = value.into();
        if self.dialect.refuses(&value).is_some() {
            // What cannot be held is nowhere.
            return Ok(None);
        }
        let query = sqlx::query(AssertSqlSafe(self.dialect.find(&self.table, column)));
        let query = value.bind(query, self.dialect);
        let row = query.fetch_optional(&self.pool).await?;
        row.map(|row| row::item_of(&row, &self.table, self.dialect))
            .transpose()
    }

    /// Makes a row and gives it back as it was stored.
    pub(crate) async fn insert(&self, item: &T) -> Result<T, StoreError> {
        self.insert_with(item, None).await
    }

    /// The same, for an owner where the table's rows have some.
    async fn insert_with(&self, item: &T, owner: Option<Value>) -> Result<T, StoreError> {
        let mut values = row::values_of(item, &self.table, self.dialect)?;
        row::fill_defaults(&mut values, &self.table)?;
        let mut query = sqlx::query(AssertSqlSafe(self.dialect.insert(&self.table)));
        for value in values.into_iter().chain(owner) {
            query = value.bind(query, self.dialect);
        }
        let row = query
            .fetch_one(&self.pool)
            .await
            .map_err(|error| self.explain(error))?;
        row::item_of(&row, &self.table, self.dialect)
    }

    /// Replaces the row `id`, and gives it back as it was stored; `None` when there is none.
    pub(crate) async fn update(&self, id: impl Into<Value>, item: &T) -> Result<Option<T>, StoreError> {
        let mut values = row::values_of(item, &self.table, self.dialect)?;
        let id = id.into();
        values[self.table.id] = id.clone();
        let mut query = sqlx::query(AssertSqlSafe(self.dialect.update(&self.table)));
        for value in values.into_iter().chain([id]) {
            query = value.bind(query, self.dialect);
        }
        let row = query
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| self.explain(error))?;
        row.map(|row| row::item_of(&row, &self.table, self.dialect))
            .transpose()
    }

    /// Deletes the row `id`; false when there is none.
    pub(crate) async fn delete(&self, id: impl Into<Value>) -> Result<bool, StoreError> {
        let query = sqlx::query(AssertSqlSafe(self.dialect.delete(&self.table)));
        let result = id.into().bind(query, self.dialect).execute(&self.pool).await?;
        Ok(result.rows_affected() > 0)
    }

    /// Finds the field that a broken UNIQUE is about: PostgreSQL names the index, SQLite the columns, the owner's first.
    fn explain(&self, error: sqlx::Error) -> StoreError {
        let sqlx::Error::Database(broken) = &error else {
            return error.into();
        };
        if !broken.is_unique_violation() {
            return error.into();
        }
        let taken = self
            .table
            .columns
            .iter()
            .find(|column| match broken.constraint() {
                Some(index) => column.unique && self.table.unique_index(column) == index,
                None => {
                    let named = broken.message().rsplit([':', ',']).next().unwrap_or_default();
                    named.trim_start() == format!("{}.{}", self.table.name, column.name)
                }
            });
        StoreError::Taken {
            field: taken.unwrap_or(self.table.id()).name,
        }
    }
}

/// What a person needs of a database's error: its own words, without those of the layers around it.
fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::Configuration(error) => error.to_string(),
        sqlx::Error::PoolTimedOut => {
            format!("no answer within {} s", database::CONNECT_TIMEOUT.as_secs())
        }
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
