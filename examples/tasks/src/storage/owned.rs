//! A store whose rows are somebody's.

use std::collections::HashMap;

use rpc_runtime::Contract;
use sqlx::{AssertSqlSafe, Row};

use super::row::{self, Value};
use super::{Store, StoreError};

/// The rows of contract `T`, each with an owner; nobody's have an empty one. What the contract declares unique is so among
/// the rows of one owner.
///
/// The owner is no field of the contract: it is neither read from clients nor sent to them, and it never changes.
#[derive(Debug)]
pub(crate) struct OwnedStore<T> {
    rows: Store<T>,
}

impl<T: Contract> OwnedStore<T> {
    pub(super) fn new(rows: Store<T>) -> Self {
        OwnedStore { rows }
    }

    /// The rows of one owner, in the order in which they were made.
    pub(crate) async fn all_of(&self, owner: &str) -> Result<Vec<T>, StoreError> {
        let Store {
            pool, dialect, table, ..
        } = &self.rows;
        let sql = AssertSqlSafe(dialect.select(table));
        let rows = sqlx::query(sql).bind(owner).fetch_all(pool).await?;
        rows.iter()
            .map(|row| row::item_of(row, table, *dialect))
            .collect()
    }

    /// Makes a row for an owner and gives it back as it was stored.
    pub(crate) async fn insert_for(&self, owner: &str, item: &T) -> Result<T, StoreError> {
        self.rows.insert_with(item, Some(Value::from(owner))).await
    }

    /// Whose the row `id` is; `None` when there is none.
    pub(crate) async fn owner_of(&self, id: impl Into<Value>) -> Result<Option<String>, StoreError> {
        let Store {
            pool, dialect, table, ..
        } = &self.rows;
        let id = id.into();
        if dialect.refuses(&id).is_some() {
            // What cannot be held is nowhere.
            return Ok(None);
        }
        let query = sqlx::query(AssertSqlSafe(dialect.owner(table)));
        let row = id.bind(query, *dialect).fetch_optional(pool).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// How many rows each owner has. Owners without any are not among them.
    pub(crate) async fn counts(&self) -> Result<HashMap<String, u64>, StoreError> {
        let Store {
            pool, dialect, table, ..
        } = &self.rows;
        let sql = AssertSqlSafe(dialect.count_by_owner(table));
        let rows = sqlx::query(sql).fetch_all(pool).await?;
        rows.iter()
            .map(|row| {
                let count: i64 = row.try_get(1)?;
                Ok((row.try_get(0)?, count.unsigned_abs()))
            })
            .collect()
    }

    /// Replaces the row `id`, whosever it is: see [`Store::update`].
    pub(crate) async fn update(&self, id: impl Into<Value>, item: &T) -> Result<Option<T>, StoreError> {
        self.rows.update(id, item).await
    }

    /// Deletes the row `id`, whosever it is: see [`Store::delete`].
    pub(crate) async fn delete(&self, id: impl Into<Value>) -> Result<bool, StoreError> {
        self.rows.delete(id).await
    }
}
