//! The SQL that a contract gives, in each dialect.

use expect_test::{Expect, expect};
use rpc_runtime::{Contract, contract};

use super::{EveryKind, LaterTask};
use crate::contracts::TasksContract;
use crate::storage::dialect::Dialect;
use crate::storage::table::Table;

fn check_sql<T: Contract>(dialect: Dialect, expected: Expect) {
    let table = Table::of(T::descriptor()).unwrap();
    let mut sql = vec![dialect.create_table(&table)];
    sql.extend(
        table
            .columns
            .iter()
            .filter_map(|column| dialect.create_index(&table, column)),
    );
    sql.extend([
        dialect.select(&table),
        dialect.insert(&table),
        dialect.update(&table),
        dialect.delete(&table),
    ]);
    expected.assert_eq(&(sql.join(";\n") + ";\n"));
}

#[test]
fn the_tasks_table_in_sqlite() {
    check_sql::<TasksContract>(
        Dialect::Sqlite,
        expect![[r#"
        CREATE TABLE "task" (
          "label" TEXT NOT NULL,
          "checked" INTEGER NOT NULL DEFAULT 0,
          "removed" INTEGER NOT NULL DEFAULT 0,
          "id" TEXT NOT NULL PRIMARY KEY
        ) STRICT;
        CREATE UNIQUE INDEX IF NOT EXISTS "task_label_unique" ON "task" ("label");
        SELECT "label", "checked", "removed", "id" FROM "task" ORDER BY rowid;
        INSERT INTO "task" ("label", "checked", "removed", "id") VALUES ($1, $2, $3, $4) RETURNING "label", "checked", "removed", "id";
        UPDATE "task" SET "label" = $1, "checked" = $2, "removed" = $3, "id" = $4 WHERE "id" = $5 RETURNING "label", "checked", "removed", "id";
        DELETE FROM "task" WHERE "id" = $1;
    "#]],
    );
}

#[test]
fn the_tasks_table_in_postgres() {
    check_sql::<TasksContract>(
        Dialect::Postgres,
        expect![[r#"
        CREATE TABLE "task" (
          "label" TEXT NOT NULL,
          "checked" BOOLEAN NOT NULL DEFAULT FALSE,
          "removed" BOOLEAN NOT NULL DEFAULT FALSE,
          "id" TEXT NOT NULL PRIMARY KEY,
          "_position" BIGINT GENERATED ALWAYS AS IDENTITY
        );
        CREATE UNIQUE INDEX IF NOT EXISTS "task_label_unique" ON "task" ("label");
        SELECT "label", "checked", "removed", "id" FROM "task" ORDER BY "_position";
        INSERT INTO "task" ("label", "checked", "removed", "id") VALUES ($1, $2, $3, $4) RETURNING "label", "checked", "removed", "id";
        UPDATE "task" SET "label" = $1, "checked" = $2, "removed" = $3, "id" = $4 WHERE "id" = $5 RETURNING "label", "checked", "removed", "id";
        DELETE FROM "task" WHERE "id" = $1;
    "#]],
    );
}

#[test]
fn every_kind_of_field_in_sqlite() {
    check_sql::<EveryKind>(
        Dialect::Sqlite,
        expect![[r#"
        CREATE TABLE "every_kind" (
          "number" INTEGER NOT NULL PRIMARY KEY,
          "flag" INTEGER NOT NULL,
          "int32" INTEGER NOT NULL,
          "uint32" INTEGER NOT NULL,
          "uint64" INTEGER NOT NULL,
          "sint32" INTEGER NOT NULL,
          "sint64" INTEGER NOT NULL,
          "fixed32" INTEGER NOT NULL,
          "fixed64" INTEGER NOT NULL,
          "sfixed32" INTEGER NOT NULL,
          "sfixed64" INTEGER NOT NULL,
          "float" REAL NOT NULL DEFAULT 1.5,
          "double" REAL NOT NULL DEFAULT -0.25,
          "text" TEXT NOT NULL DEFAULT 'it''s "quoted"',
          "bytes" BLOB NOT NULL,
          "urgency" INTEGER NOT NULL,
          "note" TEXT,
          "maybe" INTEGER DEFAULT 1,
          "counted" INTEGER,
          "order" REAL
        ) STRICT;
        CREATE INDEX IF NOT EXISTS "every_kind_text_index" ON "every_kind" ("text");
        SELECT "number", "flag", "int32", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32", "sfixed64", "float", "double", "text", "bytes", "urgency", "note", "maybe", "counted", "order" FROM "every_kind" ORDER BY rowid;
        INSERT INTO "every_kind" ("number", "flag", "int32", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32", "sfixed64", "float", "double", "text", "bytes", "urgency", "note", "maybe", "counted", "order") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) RETURNING "number", "flag", "int32", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32", "sfixed64", "float", "double", "text", "bytes", "urgency", "note", "maybe", "counted", "order";
        UPDATE "every_kind" SET "number" = $1, "flag" = $2, "int32" = $3, "uint32" = $4, "uint64" = $5, "sint32" = $6, "sint64" = $7, "fixed32" = $8, "fixed64" = $9, "sfixed32" = $10, "sfixed64" = $11, "float" = $12, "double" = $13, "text" = $14, "bytes" = $15, "urgency" = $16, "note" = $17, "maybe" = $18, "counted" = $19, "order" = $20 WHERE "number" = $21 RETURNING "number", "flag", "int32", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32", "sfixed64", "float", "double", "text", "bytes", "urgency", "note", "maybe", "counted", "order";
        DELETE FROM "every_kind" WHERE "number" = $1;
    "#]],
    );
}

#[test]
fn every_kind_of_field_in_postgres() {
    check_sql::<EveryKind>(
        Dialect::Postgres,
        expect![[r#"
        CREATE TABLE "every_kind" (
          "number" BIGINT NOT NULL PRIMARY KEY,
          "flag" BOOLEAN NOT NULL,
          "int32" BIGINT NOT NULL,
          "uint32" BIGINT NOT NULL,
          "uint64" BIGINT NOT NULL,
          "sint32" BIGINT NOT NULL,
          "sint64" BIGINT NOT NULL,
          "fixed32" BIGINT NOT NULL,
          "fixed64" BIGINT NOT NULL,
          "sfixed32" BIGINT NOT NULL,
          "sfixed64" BIGINT NOT NULL,
          "float" DOUBLE PRECISION NOT NULL DEFAULT 1.5,
          "double" DOUBLE PRECISION NOT NULL DEFAULT -0.25,
          "text" TEXT NOT NULL DEFAULT 'it''s "quoted"',
          "bytes" BYTEA NOT NULL,
          "urgency" BIGINT NOT NULL,
          "note" TEXT,
          "maybe" BOOLEAN DEFAULT TRUE,
          "counted" BIGINT,
          "order" DOUBLE PRECISION,
          "_position" BIGINT GENERATED ALWAYS AS IDENTITY
        );
        CREATE INDEX IF NOT EXISTS "every_kind_text_index" ON "every_kind" ("text");
        SELECT "number", "flag", "int32", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32", "sfixed64", "float", "double", "text", "bytes", "urgency", "note", "maybe", "counted", "order" FROM "every_kind" ORDER BY "_position";
        INSERT INTO "every_kind" ("number", "flag", "int32", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32", "sfixed64", "float", "double", "text", "bytes", "urgency", "note", "maybe", "counted", "order") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) RETURNING "number", "flag", "int32", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32", "sfixed64", "float", "double", "text", "bytes", "urgency", "note", "maybe", "counted", "order";
        UPDATE "every_kind" SET "number" = $1, "flag" = $2, "int32" = $3, "uint32" = $4, "uint64" = $5, "sint32" = $6, "sint64" = $7, "fixed32" = $8, "fixed64" = $9, "sfixed32" = $10, "sfixed64" = $11, "float" = $12, "double" = $13, "text" = $14, "bytes" = $15, "urgency" = $16, "note" = $17, "maybe" = $18, "counted" = $19, "order" = $20 WHERE "number" = $21 RETURNING "number", "flag", "int32", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32", "sfixed64", "float", "double", "text", "bytes", "urgency", "note", "maybe", "counted", "order";
        DELETE FROM "every_kind" WHERE "number" = $1;
    "#]],
    );
}

#[test]
fn added_columns_have_a_value_for_the_rows_that_are_there() {
    let table = Table::of(LaterTask::descriptor()).unwrap();
    let sql: Vec<String> = table
        .columns
        .iter()
        .skip(4)
        .map(|column| Dialect::Sqlite.add_column(&table, column))
        .collect();
    expect![[r#"
        ALTER TABLE "task" ADD COLUMN "priority" INTEGER NOT NULL DEFAULT 3
        ALTER TABLE "task" ADD COLUMN "owner" TEXT NOT NULL DEFAULT ''
        ALTER TABLE "task" ADD COLUMN "note" TEXT"#]]
    .assert_eq(&sql.join("\n"));
}

#[test]
fn a_contract_that_is_no_table_says_which_field() {
    /// Has a list.
    #[contract(package = "storage.test", detached)]
    struct WithList {
        #[field(id)]
        id: String,
        tags: Vec<String>,
    }
    /// Has no id.
    #[contract(package = "storage.test", detached)]
    struct WithoutId {
        label: String,
    }
    let list = Table::of(WithList::descriptor()).unwrap_err();
    let no_id = Table::of(WithoutId::descriptor()).unwrap_err();
    expect![[r#"
        storage.test.WithList.tags is a list, and a column holds one scalar: keep it in a contract of its own, or store it as bytes
        storage.test.WithoutId has no field with #[field(id)], which the table's primary key is made of"#]].assert_eq(&format!("{list}\n{no_id}"));
}
