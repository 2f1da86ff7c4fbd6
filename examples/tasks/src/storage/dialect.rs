//! The SQL of each database. Names are quoted and values are bound; the only literals are the contract's own defaults.

use rpc_runtime::codegen::DefaultValue;

use super::row::Value;
use super::table::{Column, ColumnType, Table};

/// The column that says whose a row is, of tables whose rows are somebody's. Those that were there before are nobody's: their
/// owner is empty.
pub(crate) const OWNER: &str = "_owner";

const OWNER_COLUMN: &str = "\"_owner\" TEXT NOT NULL DEFAULT ''";

/// The databases that are spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// The type of a column.
    ///
    /// SQLite has no booleans. Strict tables there hold what they say, like PostgreSQL's.
    pub(crate) fn column_type(self, column_type: ColumnType) -> &'static str {
        match (self, column_type) {
            (Self::Sqlite, ColumnType::Bool | ColumnType::Int) => "INTEGER",
            (Self::Sqlite, ColumnType::Double) => "REAL",
            (Self::Sqlite, ColumnType::Bytes) => "BLOB",
            (Self::Postgres, ColumnType::Bool) => "BOOLEAN",
            (Self::Postgres, ColumnType::Int) => "BIGINT",
            (Self::Postgres, ColumnType::Double) => "DOUBLE PRECISION",
            (Self::Postgres, ColumnType::Bytes) => "BYTEA",
            (Self::Sqlite | Self::Postgres, ColumnType::Text) => "TEXT",
        }
    }

    /// What rows are sorted by, so that they come back in the order in which they were made. (In SQLite a whole number
    /// that is the primary key is the `rowid`: such rows come in the order of their ids.)
    fn insertion_order(self) -> &'static str {
        match self {
            Self::Sqlite => "rowid",
            Self::Postgres => "\"_position\"",
        }
    }

    pub(crate) fn create_table(self, table: &Table) -> String {
        let mut lines: Vec<String> = table
            .columns
            .iter()
            .enumerate()
            .map(|(position, column)| {
                let key = if position == table.id { " PRIMARY KEY" } else { "" };
                format!("{}{key}", self.column(column, column.default))
            })
            .collect();
        if table.owned {
            lines.push(OWNER_COLUMN.to_owned());
        }
        if self == Self::Postgres {
            lines.push("\"_position\" BIGINT GENERATED ALWAYS AS IDENTITY".to_owned());
        }
        let end = match self {
            Self::Sqlite => " STRICT",
            Self::Postgres => "",
        };
        format!(
            "CREATE TABLE {} (\n  {}\n){end}",
            quote(&table.name),
            lines.join(",\n  ")
        )
    }

    /// Adds a column to a table that may have rows: they take the declared default, else proto3's zero, as a reader of
    /// an old message would.
    pub(crate) fn add_column(self, table: &Table, column: &Column) -> String {
        let zero = (!column.nullable).then(|| column.column_type.zero());
        format!(
            "ALTER TABLE {} ADD COLUMN {}",
            quote(&table.name),
            self.column(column, column.default.or(zero))
        )
    }

    /// Gives the rows of a table that exists an owner each: nobody.
    pub(crate) fn add_owner(self, table: &Table) -> String {
        format!("ALTER TABLE {} ADD COLUMN {OWNER_COLUMN}", quote(&table.name))
    }

    /// Drops the index that kept a column unique in the whole table, before its rows had owners.
    pub(crate) fn drop_former_index(self, table: &Table, column: &Column) -> Option<String> {
        let name = table.former_unique_index(column)?;
        Some(format!("DROP INDEX IF EXISTS {}", quote(&name)))
    }

    /// The index that `unique` or `index` asks for. An index of its own can be added to a table that exists.
    pub(crate) fn create_index(self, table: &Table, column: &Column) -> Option<String> {
        let (unique, name) = match (column.unique, column.index) {
            (true, _) => ("UNIQUE ", table.unique_index(column)),
            (false, true) => ("", format!("{}_{}_index", table.name, column.name)),
            (false, false) => return None,
        };
        // With the owner first it serves the list of an owner's rows as well.
        let owner = if table.owned && column.unique {
            quote(OWNER) + ", "
        } else {
            String::new()
        };
        Some(format!(
            "CREATE {unique}INDEX IF NOT EXISTS {} ON {} ({owner}{})",
            quote(&name),
            quote(&table.name),
            quote(column.name)
        ))
    }

    /// Of a table whose rows are somebody's, the owner is the last parameter.
    pub(crate) fn insert(self, table: &Table) -> String {
        let count = table.columns.len() + usize::from(table.owned);
        let places: Vec<String> = (1..=count).map(|place| format!("${place}")).collect();
        let owner = if table.owned {
            format!(", {}", quote(OWNER))
        } else {
            String::new()
        };
        let names = names(table);
        format!(
            "INSERT INTO {} ({names}{owner}) VALUES ({}) RETURNING {names}",
            quote(&table.name),
            places.join(", ")
        )
    }

    /// The id is the last parameter; it keeps its column.
    pub(crate) fn update(self, table: &Table) -> String {
        let sets: Vec<String> = table
            .columns
            .iter()
            .enumerate()
            .map(|(position, column)| format!("{} = ${}", quote(column.name), position + 1))
            .collect();
        format!(
            "UPDATE {} SET {} WHERE {} = ${} RETURNING {}",
            quote(&table.name),
            sets.join(", "),
            quote(table.id().name),
            table.columns.len() + 1,
            names(table)
        )
    }

    /// Of a table whose rows are somebody's, the owner is the parameter.
    pub(crate) fn select(self, table: &Table) -> String {
        let of_owner = if table.owned {
            format!(" WHERE {} = $1", quote(OWNER))
        } else {
            String::new()
        };
        format!(
            "SELECT {} FROM {}{of_owner} ORDER BY {}",
            names(table),
            quote(&table.name),
            self.insertion_order()
        )
    }

    /// The rows that have a value in a column.
    pub(crate) fn find(self, table: &Table, column: &Column) -> String {
        format!(
            "SELECT {} FROM {} WHERE {} = $1",
            names(table),
            quote(&table.name),
            quote(column.name)
        )
    }

    /// Whose a row is.
    pub(crate) fn owner(self, table: &Table) -> String {
        format!(
            "SELECT {} FROM {} WHERE {} = $1",
            quote(OWNER),
            quote(&table.name),
            quote(table.id().name)
        )
    }

    /// How many rows each owner has.
    pub(crate) fn count_by_owner(self, table: &Table) -> String {
        let owner = quote(OWNER);
        format!(
            "SELECT {owner}, COUNT(*) FROM {} GROUP BY {owner}",
            quote(&table.name)
        )
    }

    pub(crate) fn delete(self, table: &Table) -> String {
        format!(
            "DELETE FROM {} WHERE {} = $1",
            quote(&table.name),
            quote(table.id().name)
        )
    }

    /// How a migration begins: two servers that start together must not both create the table.
    pub(crate) fn begin_migration(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// What a migration waits for after it began. The number is arbitrary and only has to be the same everywhere.
    pub(crate) fn lock_migration(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("SELECT pg_advisory_xact_lock(7460021)"),
        }
    }

    /// The columns of table `$1`: name, type, whether it refuses NULL, whether it is the key, whether it fills itself.
    pub(crate) fn columns_of_table(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "SELECT name, upper(type), \"notnull\", pk, dflt_value IS NOT NULL FROM pragma_table_info($1)"
            }
            Self::Postgres => {
                "SELECT c.column_name::text, upper(c.data_type::text), (c.is_nullable = 'NO')::int, \
                 (EXISTS (SELECT FROM information_schema.table_constraints t \
                 JOIN information_schema.key_column_usage k USING (constraint_schema, constraint_name, table_name) \
                 WHERE t.constraint_type = 'PRIMARY KEY' AND t.table_schema = c.table_schema \
                 AND t.table_name = c.table_name AND k.column_name = c.column_name))::int, \
                 (c.column_default IS NOT NULL OR c.is_identity = 'YES')::int \
                 FROM information_schema.columns c \
                 WHERE c.table_schema = current_schema() AND c.table_name = $1 ORDER BY c.ordinal_position"
            }
        }
    }

    /// Why the database cannot hold a value that protobuf can, if it cannot.
    pub(crate) fn refuses(self, value: &Value) -> Option<&'static str> {
        match (self, value) {
            (Self::Sqlite, Value::Double(Some(number))) if number.is_nan() => {
                Some("is not a number, which the database cannot hold")
            }
            (Self::Postgres, Value::Text(Some(text))) if text.contains('\0') => {
                Some("contains a zero character, which the database cannot hold")
            }
            _ => None,
        }
    }

    fn column(self, column: &Column, default: Option<DefaultValue>) -> String {
        let mut sql = format!("{} {}", quote(column.name), self.column_type(column.column_type));
        if !column.nullable {
            sql.push_str(" NOT NULL");
        }
        if let Some(default) = default {
            sql.push_str(" DEFAULT ");
            sql.push_str(&self.literal(default));
        }
        sql
    }

    fn literal(self, value: DefaultValue) -> String {
        match (value, self) {
            (DefaultValue::Bool(value), Self::Sqlite) => i32::from(value).to_string(),
            (DefaultValue::Bool(value), Self::Postgres) => value.to_string().to_uppercase(),
            (DefaultValue::Int(value), _) => value.to_string(),
            (DefaultValue::Uint(value), _) => value.to_string(),
            (DefaultValue::Enum(number), _) => number().to_string(),
            (DefaultValue::Double(value), Self::Sqlite) if value.is_infinite() => {
                format!("{}9e999", if value < 0.0 { "-" } else { "" })
            }
            (DefaultValue::Double(value), Self::Postgres) if !value.is_finite() => format!("'{value}'"),
            (DefaultValue::Double(value), _) => format!("{value:?}"),
            (DefaultValue::Text(value), _) => format!("'{}'", value.replace('\'', "''")),
            (DefaultValue::Bytes(value), Self::Sqlite) => format!("X'{}'", hex(value)),
            (DefaultValue::Bytes(value), Self::Postgres) => format!("'\\x{}'", hex(value)),
        }
    }
}

/// All columns' names, in the table's order.
fn names(table: &Table) -> String {
    let names: Vec<String> = table.columns.iter().map(|column| quote(column.name)).collect();
    names.join(", ")
}

/// A name as SQL takes it, whatever characters it has.
fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
