//! The table that a contract gives, and what the database keeps of it.

mod locations;
mod owned;
#[cfg(feature = "postgres")]
mod postgres;
mod sql;

use std::sync::Arc;

use expect_test::expect;
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
fn ids_are_values_of_their_column() {
    let table = Table::of(EveryKind::descriptor()).unwrap();
    assert_eq!(table.id().column_type, ColumnType::Int);
    assert_eq!(Value::from(7), Value::Int(Some(7)));
}
