//! A store for any CRUD contract whose fields are scalars.
//!
//! The table is derived from the contract's descriptor: columns and their types, NOT NULL, defaults, the primary key, and
//! what must be unique. It knows neither the service nor the wire.

mod dialect;
mod location;
mod migrate;
mod row;
mod table;

use std::marker::PhantomData;
use std::time::Duration;

use rpc_runtime::Contract;
use rpc_runtime::codegen::DecodeError;
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyPool, AssertSqlSafe, Executor};

pub(crate) use location::Location;
pub(crate) use row::Value;

use dialect::Dialect;
use table::{Column, Table, TableError};

/// How long a call waits for a connection to the database.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections to a file or a server. SQLite has one writer at a time; readers do not wait for it.
const CONNECTIONS: u32 = 4;

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
    /// Opens the database, creates the table or adds what it lacks.
    ///
    /// # Errors
    ///
    /// When the contract is no table, the database cannot be reached or written, or its table cannot be brought to the
    /// contract by adding to it.
    pub(crate) async fn open(location: &Location) -> Result<Self, OpenError> {
        sqlx::any::install_default_drivers();
        let table = Table::of(T::descriptor())?;
        let dialect = location.dialect;
        let mut options = AnyPoolOptions::new()
            .acquire_timeout(CONNECT_TIMEOUT)
            .max_connections(CONNECTIONS);
        if location.in_memory {
            // The rows live as long as their connection.
            options = options
                .max_connections(1)
                .min_connections(1)
                .idle_timeout(None)
                .max_lifetime(None);
        }
        let pool = options.connect(&location.url).await?;
        if dialect == Dialect::Sqlite && !location.in_memory {
            // Readers go on while a row is written.
            pool.execute("PRAGMA journal_mode = WAL").await?;
        }
        migrate::migrate(&pool, &table, dialect).await?;
        Ok(Store {
            pool,
            dialect,
            table,
            items: PhantomData,
        })
    }

    /// All rows, in the order in which they were made.
    pub(crate) async fn all(&self) -> Result<Vec<T>, StoreError> {
        let sql = AssertSqlSafe(self.dialect.select(&self.table));
        let rows = sqlx::query(sql).fetch_all(&self.pool).await?;
        rows.iter()
            .map(|row| row::item_of(row, &self.table, self.dialect))
            .collect()
    }

    /// Makes a row and gives it back as it was stored.
    pub(crate) async fn insert(&self, item: &T) -> Result<T, StoreError> {
        let mut values = row::values_of(item, &self.table, self.dialect)?;
        row::fill_defaults(&mut values, &self.table)?;
        let mut query = sqlx::query(AssertSqlSafe(self.dialect.insert(&self.table)));
        for value in values {
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

    /// Waits until the running calls are done and closes the database.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }

    /// Finds the field that a broken UNIQUE is about: PostgreSQL names the index, SQLite the column.
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
                None => broken
                    .message()
                    .ends_with(&format!(": {}.{}", self.table.name, column.name)),
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
        sqlx::Error::PoolTimedOut => format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
