//! The table that a contract gives, and what the database keeps of it.

mod owned;

use std::sync::Arc;

use expect_test::{Expect, expect};
use rpc_runtime::{Contract, contract};
use sqlx::Executor;

use super::dialect::Dialect;
use super::row::values_of;
use super::table::{ColumnType, Table};
use super::{Database, Location, OpenError, Store, StoreError, Value};
use crate::contracts::TasksContract;

/// How pressing something is.
#[contract(package = "storage.test", detached)]
enum Urgency {
    Whenever,
    Today,
    Now,
}

/// A field of every kind that a column can hold.
#[contract(package = "storage.test", detached)]
struct EveryKind {
    #[field(id)]
    number: i64,
    flag: bool,
    int32: i32,
    uint32: u32,
    uint64: u64,
    #[field(proto = "sint32")]
    sint32: i32,
    #[field(proto = "sint64")]
    sint64: i64,
    #[field(proto = "fixed32")]
    fixed32: u32,
    #[field(proto = "fixed64")]
    fixed64: u64,
    #[field(proto = "sfixed32")]
    sfixed32: i32,
    #[field(proto = "sfixed64")]
    sfixed64: i64,
    #[field(default = 1.5)]
    float: f32,
    #[field(default = -0.25)]
    double: f64,
    #[field(default = "it's \"quoted\"", index)]
    text: String,
    bytes: Vec<u8>,
    urgency: Urgency,
    note: Option<String>,
    #[field(default = true)]
    maybe: Option<bool>,
    counted: Option<u32>,
    order: Option<f64>,
}

/// The tasks, a version later: two fields more.
#[contract(package = "task", message = "Task", detached)]
struct LaterTask {
    label: String,
    checked: bool,
    removed: bool,
    #[field(id)]
    id: String,
    #[field(default = 3)]
    priority: i32,
    owner: String,
    note: Option<String>,
}

fn every_kind() -> EveryKind {
    EveryKind {
        number: 7,
        flag: true,
        int32: i32::MIN,
        uint32: u32::MAX,
        uint64: i64::MAX as u64,
        sint32: i32::MIN,
        sint64: i64::MIN,
        fixed32: u32::MAX,
        fixed64: 1,
        sfixed32: -1,
        sfixed64: i64::MIN,
        float: 0.1,
        double: f64::MIN_POSITIVE,
        text: "'; DROP TABLE every_kind; -- \u{1b}[31m é".into(),
        bytes: vec![0, 255, 39],
        urgency: Urgency::Now,
        note: Some(String::new()),
        maybe: Some(false),
        counted: None,
        order: Some(f64::INFINITY),
    }
}

fn task(id: &str, label: &str) -> TasksContract {
    TasksContract {
        id: id.into(),
        label: label.into(),
        ..Default::default()
    }
}

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

/// The rows of a contract in a database of their own.
async fn open<T: Contract>(location: &Location) -> Result<Store<T>, OpenError> {
    Database::open(location).await?.store().await
}

async fn memory<T: Contract>() -> Store<T> {
    open(&Location::memory()).await.unwrap()
}

/// A file of SQLite with what `sql` makes.
async fn file_with(sql: &'static str) -> (tempfile::TempDir, Location) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a #1 100%?.db");
    let location: Location = path.to_str().unwrap().parse().unwrap();
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(&location.url).await.unwrap();
    pool.execute(sql).await.unwrap();
    pool.close().await;
    assert!(path.exists(), "special characters in a path are part of its name");
    (directory, location)
}

async fn open_error<T: Contract + std::fmt::Debug>(sql: &'static str) -> String {
    let (_directory, location) = file_with(sql).await;
    open::<T>(&location).await.unwrap_err().to_string()
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

#[tokio::test]
async fn every_kind_of_value_comes_back_as_it_went() {
    let store = memory::<EveryKind>().await;
    let zero = EveryKind::default();
    let stored = store.insert(&zero).await.unwrap();
    assert_eq!(
        stored,
        EveryKind {
            maybe: Some(true),
            ..zero
        },
        "an absent optional takes the declared default; a zero stays a zero"
    );
    assert_eq!(store.insert(&every_kind()).await.unwrap(), every_kind());
    assert_eq!(store.all().await.unwrap(), [stored, every_kind()]);
}

#[tokio::test]
async fn rows_come_in_the_order_in_which_they_were_made() {
    let store = memory().await;
    for id in ["c", "a", "b"] {
        store.insert(&task(id, id)).await.unwrap();
    }
    let ids: Vec<String> = store
        .all()
        .await
        .unwrap()
        .into_iter()
        .map(|task| task.id)
        .collect();
    assert_eq!(ids, ["c", "a", "b"]);
}

#[tokio::test]
async fn a_unique_field_is_taken_once_and_named() {
    let store = memory().await;
    store.insert(&task("1", "Buy milk")).await.unwrap();
    store.insert(&task("2", "Buy bread")).await.unwrap();

    let again = store.insert(&task("3", "Buy milk")).await.unwrap_err();
    assert!(matches!(again, StoreError::Taken { field: "label" }), "{again:?}");
    let renamed = store.update("2", &task("2", "Buy milk")).await.unwrap_err();
    assert!(
        matches!(renamed, StoreError::Taken { field: "label" }),
        "{renamed:?}"
    );
    let same_id = store.insert(&task("1", "Buy salt")).await.unwrap_err();
    assert!(
        matches!(same_id, StoreError::Taken { field: "id" }),
        "{same_id:?}"
    );
    assert_eq!(store.all().await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_writers_at_once_each_is_served_and_one_gets_a_label() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let location: Location = path.to_str().unwrap().parse().unwrap();
    let store = Arc::new(open::<TasksContract>(&location).await.unwrap());
    let writers: Vec<_> = (0..64)
        .map(|number| {
            let store = store.clone();
            // Every label is asked for twice.
            let task = task(&number.to_string(), &format!("Task {}", number / 2));
            tokio::spawn(async move { store.insert(&task).await })
        })
        .collect();
    let mut taken = 0;
    for writer in writers {
        match writer.await.unwrap() {
            Ok(_) => {}
            Err(StoreError::Taken { field: "label" }) => taken += 1,
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!((taken, store.all().await.unwrap().len()), (32, 32));
}

#[tokio::test]
async fn an_update_replaces_the_row_and_keeps_its_id() {
    let store = memory().await;
    store.insert(&task("1", "Buy milk")).await.unwrap();
    let mut item = task("another id", "Buy oat milk");
    item.checked = true;
    let stored = store.update("1", &item).await.unwrap().unwrap();
    item.id = "1".into();
    assert_eq!(stored, item);
    assert_eq!(store.all().await.unwrap(), [item]);
}

#[tokio::test]
async fn a_missing_id_is_neither_updated_nor_deleted() {
    let store = memory().await;
    store.insert(&task("1", "Buy milk")).await.unwrap();
    assert_eq!(store.update("2", &task("2", "Other")).await.unwrap(), None);
    assert!(!store.delete("2").await.unwrap());
    assert!(store.delete("1").await.unwrap());
    assert!(!store.delete("1").await.unwrap());
}

#[tokio::test]
async fn numbers_beyond_the_database_are_refused_by_name() {
    let store = memory::<EveryKind>().await;
    let item = EveryKind {
        fixed64: u64::MAX,
        ..every_kind()
    };
    expect!["fixed64 is beyond the largest number that the database holds, 2^63 - 1"]
        .assert_eq(&store.insert(&item).await.unwrap_err().to_string());
    let item = EveryKind {
        float: f32::NAN,
        ..every_kind()
    };
    expect!["float is not a number, which the database cannot hold"]
        .assert_eq(&store.insert(&item).await.unwrap_err().to_string());
}

#[test]
fn text_that_postgres_cannot_hold_is_refused_by_name() {
    let table = Table::of(TasksContract::descriptor()).unwrap();
    let error = values_of(&task("1", "a\0b"), &table, Dialect::Postgres).unwrap_err();
    assert!(
        matches!(error, StoreError::CannotHold { field: "label", .. }),
        "{error:?}"
    );
    assert!(values_of(&task("1", "a\0b"), &table, Dialect::Sqlite).is_ok());
}

#[tokio::test]
async fn columns_are_added_to_a_table_that_has_rows() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let location: Location = path.to_str().unwrap().parse().unwrap();
    let store = open::<TasksContract>(&location).await.unwrap();
    store.insert(&task("1", "Buy milk")).await.unwrap();
    store.pool.close().await;

    let store = open::<LaterTask>(&location).await.unwrap();
    let old = LaterTask {
        id: "1".into(),
        label: "Buy milk".into(),
        priority: 3,
        ..Default::default()
    };
    assert_eq!(store.all().await.unwrap(), [old]);
    store.pool.close().await;

    // The former version goes on with the table: it leaves the new columns to their defaults.
    let store = open::<TasksContract>(&location).await.unwrap();
    store.insert(&task("2", "Buy bread")).await.unwrap();
    assert_eq!(store.all().await.unwrap().len(), 2);
}

#[tokio::test]
async fn tables_that_adding_cannot_reach_are_refused_by_column() {
    let errors = [
        open_error::<TasksContract>(
            "CREATE TABLE task (id TEXT PRIMARY KEY, label TEXT, checked TEXT, removed INTEGER)",
        )
        .await,
        open_error::<TasksContract>("CREATE TABLE task (id TEXT, label TEXT, checked INTEGER)").await,
        open_error::<TasksContract>("CREATE TABLE task (label TEXT)").await,
        open_error::<TasksContract>("CREATE TABLE task (id TEXT PRIMARY KEY, owner TEXT NOT NULL)").await,
        open_error::<LaterTask>("CREATE TABLE task (id TEXT PRIMARY KEY, note TEXT NOT NULL)").await,
        open_error::<TasksContract>(
            "CREATE TABLE task (id TEXT PRIMARY KEY, label TEXT); INSERT INTO task VALUES ('1', 'a'), ('2', 'a')",
        )
        .await,
    ];
    expect![[r#"
        column checked of table task is TEXT in the database and INTEGER by the contract
        column id of table task is the contract's id and not the table's primary key
        column id of table task is the contract's id and is missing
        column owner of table task is not in the contract, and the database refuses rows without it
        column note of table task is optional in the contract and NOT NULL in the database
        column label of table task is unique in the contract, but rows share a value: make them distinct first"#]].assert_eq(&errors.join("\n"));
}

#[tokio::test]
async fn a_refused_migration_leaves_nothing_behind() {
    let sql =
        "CREATE TABLE task (id TEXT PRIMARY KEY, label TEXT); INSERT INTO task VALUES ('1', 'a'), ('2', 'a')";
    let (_directory, location) = file_with(sql).await;
    open::<TasksContract>(&location).await.unwrap_err();
    let pool = sqlx::AnyPool::connect(&location.url).await.unwrap();
    let columns = sqlx::query(Dialect::Sqlite.columns_of_table())
        .bind("task")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(columns.len(), 2);
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("no/such/directory/tasks.db");
    let location: Location = missing.to_str().unwrap().parse().unwrap();
    let error = open::<TasksContract>(&location).await.unwrap_err();
    assert!(matches!(error, OpenError::Database(_)));
    expect!["unable to open database file"].assert_eq(&error.to_string());

    let text = directory.path().join("notes.txt");
    std::fs::write(
        &text,
        "milk, bread, and a good deal more than one page of it".repeat(40),
    )
    .unwrap();
    let location: Location = text.to_str().unwrap().parse().unwrap();
    let error = open::<TasksContract>(&location).await.unwrap_err();
    expect!["file is not a database"].assert_eq(&error.to_string());
}

#[tokio::test]
async fn values_of_another_writer_that_do_not_fit_are_named() {
    let (_directory, location) = file_with(
        "CREATE TABLE every_kind (number INTEGER PRIMARY KEY, uint32 INTEGER); INSERT INTO every_kind VALUES (1, -1)",
    )
    .await;
    let store = open::<EveryKind>(&location).await.unwrap();
    let error = store.all().await.unwrap_err();
    assert!(
        matches!(error, StoreError::Foreign { field: "uint32" }),
        "{error:?}"
    );
}

#[test]
fn locations_are_files_memory_or_urls() {
    let shown = |text: &str| match text.parse::<Location>() {
        Ok(location) => format!("{text} -> {} (shown as {location})", location.url),
        Err(error) => format!("{text} -> {error}"),
    };
    let lines: Vec<String> = [
        "tasks.db",
        "/var/lib/tasks.db",
        "//host/tasks.db",
        "a b?c#d%.db",
        ":memory:",
        "sqlite:tasks.db",
        "sqlite://tasks.db?mode=ro",
        "mysql://root@localhost/tasks",
        "",
    ]
    .map(shown)
    .to_vec();
    expect![[r#"
        tasks.db -> sqlite:tasks.db?mode=rwc (shown as tasks.db)
        /var/lib/tasks.db -> sqlite:/var/lib/tasks.db?mode=rwc (shown as /var/lib/tasks.db)
        //host/tasks.db -> sqlite:/host/tasks.db?mode=rwc (shown as /host/tasks.db)
        a b?c#d%.db -> sqlite:a%20b%3Fc%23d%25.db?mode=rwc (shown as a b?c#d%.db)
        :memory: -> sqlite::memory: (shown as memory)
        sqlite:tasks.db -> sqlite:tasks.db?mode=rwc (shown as sqlite:tasks.db)
        sqlite://tasks.db?mode=ro -> sqlite://tasks.db?mode=ro (shown as sqlite://tasks.db?mode=ro)
        mysql://root@localhost/tasks -> `mysql` is no database that this program speaks: use a file, sqlite: or postgres://
         -> expected a file or a URL"#]].assert_eq(&lines.join("\n"));
}

#[cfg(not(feature = "postgres"))]
#[test]
fn postgres_without_its_feature_says_how_to_build_it_in() {
    let error = "postgres://me:secret@db/tasks".parse::<Location>().unwrap_err();
    expect!["this program was built without PostgreSQL: build it with `--features postgres`"]
        .assert_eq(&error);
}

#[cfg(feature = "postgres")]
#[test]
fn a_password_is_never_shown() {
    let location: Location = "postgres://me:secret@db:5432/tasks?password=secret"
        .parse()
        .unwrap();
    assert_eq!(location.to_string(), "postgres://db:5432/tasks");
}

/// Against a scratch database: its tables `task`, `user` and `every_kind` are dropped.
///
///     TASKS_TEST_POSTGRES=postgres://localhost/scratch cargo test -p tasks --features postgres postgres
///
/// `cargo xtask test` brings a server and does just that.
#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgres_keeps_the_same_promises() {
    let url = std::env::var("TASKS_TEST_POSTGRES")
        .expect("the url of a scratch database; `cargo xtask test` brings one");
    let location: Location = url.parse().unwrap();
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(&location.url).await.unwrap();
    pool.execute("DROP TABLE IF EXISTS task, every_kind, \"user\"")
        .await
        .unwrap();

    let kinds = open::<EveryKind>(&location).await.unwrap();
    let zero = kinds.insert(&EveryKind::default()).await.unwrap();
    assert_eq!(kinds.insert(&every_kind()).await.unwrap(), every_kind());
    assert_eq!(kinds.all().await.unwrap(), [zero, every_kind()]);

    // Two servers start at the same time.
    let (one, other) = tokio::join!(open::<TasksContract>(&location), open::<TasksContract>(&location));
    let (store, other) = (one.unwrap(), other.unwrap());
    for id in ["c", "a"] {
        store.insert(&task(id, id)).await.unwrap();
    }
    let again = other.insert(&task("b", "a")).await.unwrap_err();
    assert!(matches!(again, StoreError::Taken { field: "label" }), "{again:?}");
    let same_id = other.insert(&task("a", "b")).await.unwrap_err();
    assert!(
        matches!(same_id, StoreError::Taken { field: "id" }),
        "{same_id:?}"
    );
    assert_eq!(store.update("x", &task("x", "x")).await.unwrap(), None);
    assert!(store.update("c", &task("c", "d")).await.unwrap().is_some());
    assert!(store.delete("c").await.unwrap());
    assert!(!store.delete("c").await.unwrap());

    let later = open::<LaterTask>(&location).await.unwrap();
    assert_eq!(later.all().await.unwrap()[0].priority, 3);

    pool.execute("ALTER TABLE task ALTER COLUMN checked DROP DEFAULT, ALTER COLUMN checked TYPE TEXT")
        .await
        .unwrap();
    let error = open::<TasksContract>(&location).await.unwrap_err();
    expect!["column checked of table task is TEXT in the database and BOOLEAN by the contract"]
        .assert_eq(&error.to_string());

    owned::postgres(&location).await;
    users(&location).await;
}

/// The users of the service are rows like others.
#[cfg(feature = "postgres")]
async fn users(location: &Location) {
    use crate::accounts::{AccountError, Passwords, Users};
    use crate::contracts::auth::Role;

    let database = Database::open(location).await.unwrap();
    let users = Users::open(&database, Passwords::new().unwrap()).await.unwrap();
    let password = || "open sesame".to_owned();
    let ada = users.register("ada".into(), password()).await.unwrap();
    let again = users.register("ada".into(), password()).await.unwrap_err();
    assert!(matches!(again, AccountError::NameTaken), "{again:?}");
    assert_eq!(
        users.known_by("ada", password()).await.unwrap(),
        Some(ada.clone())
    );
    assert_eq!(users.known_by("ada\0", password()).await.unwrap(), None);
    assert_eq!(users.known_by("ada", "other".into()).await.unwrap(), None);
    let promoted = users.set_role("ada", Role::Admin).await.unwrap().unwrap();
    assert_eq!(users.by_id(&ada.id).await.unwrap(), Some(promoted));
}

#[test]
fn ids_are_values_of_their_column() {
    let table = Table::of(EveryKind::descriptor()).unwrap();
    assert_eq!(table.id().column_type, ColumnType::Int);
    assert_eq!(Value::from(7), Value::Int(Some(7)));
}
