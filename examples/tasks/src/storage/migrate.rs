//! Brings a database's table to what the contract says, by adding only: a table, columns, indexes, an owner for each row.
//!
//! What cannot be added to (another type, another key) is an error that names the column; no row is dropped or rewritten.
//! One index goes: where rows get owners, what was unique in the table is unique among each owner's rows from then on.

use sqlx::{Any, AnyPool, AssertSqlSafe, Row, Transaction};

use super::OpenError;
use super::dialect::{Dialect, OWNER};
use super::table::{ColumnType, Table};

/// A column that the database has.
struct Existing {
    name: String,
    column_type: String,
    not_null: bool,
    primary_key: bool,
    /// Whether a row may leave it out although it refuses NULL.
    fills_itself: bool,
}

/// Creates the table, or adds the columns and indexes that it lacks, in one transaction.
pub(crate) async fn migrate(pool: &AnyPool, table: &Table, dialect: Dialect) -> Result<(), OpenError> {
    let mut transaction = pool.begin_with(dialect.begin_migration()).await?;
    if let Some(lock) = dialect.lock_migration() {
        sqlx::query(lock).execute(&mut *transaction).await?;
    }
    let existing = columns(&mut transaction, table, dialect).await?;
    if existing.is_empty() {
        execute(&mut transaction, dialect.create_table(table)).await?;
        tracing::info!(table = table.name, "created the table");
    } else {
        check(table, &existing, dialect)?;
        for column in &table.columns {
            if !existing.iter().any(|there| there.name == column.name) {
                execute(&mut transaction, dialect.add_column(table, column)).await?;
                tracing::info!(table = table.name, column = column.name, "added the column");
            }
        }
        if table.owned && !existing.iter().any(|there| there.name == OWNER) {
            execute(&mut transaction, dialect.add_owner(table)).await?;
            tracing::info!(
                table = table.name,
                "the rows have owners now; those that were there are nobody's"
            );
        }
    }
    for column in &table.columns {
        if let Some(sql) = dialect.drop_former_index(table, column) {
            execute(&mut transaction, sql).await?;
        }
    }
    for column in &table.columns {
        if let Some(sql) = dialect.create_index(table, column) {
            execute(&mut transaction, sql)
                .await
                .map_err(|error| match error {
                    sqlx::Error::Database(error) if error.is_unique_violation() => OpenError::Incompatible {
                        table: table.name.clone(),
                        column: column.name.to_owned(),
                        problem:
                            "is unique in the contract, but rows share a value: make them distinct first"
                                .into(),
                    },
                    error => error.into(),
                })?;
        }
    }
    transaction.commit().await?;
    Ok(())
}

/// Refuses what adding cannot reach.
fn check(table: &Table, existing: &[Existing], dialect: Dialect) -> Result<(), OpenError> {
    let incompatible = |column: &str, problem: String| OpenError::Incompatible {
        table: table.name.clone(),
        column: column.to_owned(),
        problem,
    };
    for (position, column) in table.columns.iter().enumerate() {
        let is_key = position == table.id;
        let Some(there) = existing.iter().find(|there| there.name == column.name) else {
            if is_key {
                return Err(incompatible(
                    column.name,
                    "is the contract's id and is missing".into(),
                ));
            }
            continue;
        };
        let wanted = dialect.column_type(column.column_type);
        if there.column_type != wanted {
            let problem = format!(
                "is {} in the database and {wanted} by the contract",
                there.column_type
            );
            return Err(incompatible(column.name, problem));
        }
        if there.primary_key != is_key {
            let problem = if is_key {
                "is the contract's id and not the table's primary key"
            } else {
                "is the table's primary key and not the contract's id"
            };
            return Err(incompatible(column.name, problem.into()));
        }
        if column.nullable && there.not_null {
            return Err(incompatible(
                column.name,
                "is optional in the contract and NOT NULL in the database".into(),
            ));
        }
    }
    for there in existing {
        if table.owned && there.name == OWNER && there.column_type != dialect.column_type(ColumnType::Text) {
            return Err(incompatible(
                OWNER,
                format!("is {} and not text", there.column_type),
            ));
        }
        let known = table.columns.iter().any(|column| column.name == there.name)
            || (table.owned && there.name == OWNER);
        if !known && there.not_null && !there.fills_itself {
            return Err(incompatible(
                &there.name,
                "is not in the contract, and the database refuses rows without it".into(),
            ));
        }
    }
    Ok(())
}

async fn columns(
    transaction: &mut Transaction<'_, Any>,
    table: &Table,
    dialect: Dialect,
) -> Result<Vec<Existing>, sqlx::Error> {
    let rows = sqlx::query(dialect.columns_of_table())
        .bind(table.name.as_str())
        .fetch_all(&mut **transaction)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Existing {
                name: row.try_get(0)?,
                column_type: row.try_get(1)?,
                not_null: row.try_get::<i64, _>(2)? != 0,
                primary_key: row.try_get::<i64, _>(3)? != 0,
                fills_itself: row.try_get::<i64, _>(4)? != 0,
            })
        })
        .collect()
}

async fn execute(transaction: &mut Transaction<'_, Any>, sql: String) -> Result<(), sqlx::Error> {
    // The names in it are the contract's, quoted, and the literals its declared defaults.
    sqlx::query(AssertSqlSafe(sql))
        .execute(&mut **transaction)
        .await?;
    Ok(())
}
