//! An open database, which stores share.

use std::time::Duration;

use rpc_runtime::Contract;
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyPool, Executor};

use super::dialect::Dialect;
use super::table::Table;
use super::{Location, OpenError, OwnedStore, Store, migrate};

/// How long a call waits for a connection to the database.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections to a file or a server. SQLite has one writer at a time; readers do not wait for it.
const CONNECTIONS: u32 = 4;

/// An open database. Cloning is cheap, and what its clones share is one set of connections.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    pool: AnyPool,
    dialect: Dialect,
}

impl Database {
    /// Opens the database; a file that is missing is made.
    ///
    /// # Errors
    ///
    /// When it cannot be reached or written.
    pub(crate) async fn open(location: &Location) -> Result<Self, OpenError> {
        sqlx::any::install_default_drivers();
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
        location.make_private();
        let pool = options.connect(&location.url).await?;
        if dialect == Dialect::Sqlite && !location.in_memory {
            // Readers go on while a row is written.
            pool.execute("PRAGMA journal_mode = WAL").await?;
        }
        Ok(Database { pool, dialect })
    }

    /// The rows of contract `T`. Its table is created, or gets what it lacks.
    ///
    /// # Errors
    ///
    /// When the contract is no table, or the database's cannot be brought to it by adding.
    pub(crate) async fn store<T: Contract>(&self) -> Result<Store<T>, OpenError> {
        self.rows(Table::of(T::descriptor())?).await
    }

    /// The same, where each row is somebody's. Rows of a table that had no owners are nobody's.
    ///
    /// # Errors
    ///
    /// As [`store`](Self::store).
    pub(crate) async fn owned_store<T: Contract>(&self) -> Result<OwnedStore<T>, OpenError> {
        let rows = self.rows(Table::of(T::descriptor())?.owned()).await?;
        Ok(OwnedStore::new(rows))
    }

    async fn rows<T: Contract>(&self, table: Table) -> Result<Store<T>, OpenError> {
        migrate::migrate(&self.pool, &table, self.dialect).await?;
        Ok(Store::new(self.pool.clone(), self.dialect, table))
    }

    /// Whether the database answers.
    ///
    /// # Errors
    ///
    /// Why it does not, after at most five seconds of waiting for a connection.
    pub(crate) async fn ping(&self) -> Result<(), sqlx::Error> {
        self.pool.execute("SELECT 1").await.map(drop)
    }

    /// Waits until the running calls are done and closes the database.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}
