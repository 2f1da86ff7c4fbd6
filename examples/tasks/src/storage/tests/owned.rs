//! Rows that are somebody's, and tables whose rows become so.

use expect_test::expect;
#[cfg(feature = "postgres")]
use sqlx::Executor;

use super::{EveryKind, file_with, open, task};
use crate::contracts::TasksContract;
use crate::storage::dialect::Dialect;
use crate::storage::table::Table;
use crate::storage::{Database, Location, OpenError, OwnedStore, StoreError};
use rpc_runtime::Contract;

/// The table as a release before owners made it, with its index.
const FORMER: &str = "
    CREATE TABLE task (label TEXT NOT NULL, checked INTEGER NOT NULL DEFAULT 0, removed INTEGER NOT NULL DEFAULT 0,
        id TEXT NOT NULL PRIMARY KEY) STRICT;
    CREATE UNIQUE INDEX task_label_unique ON task (label);
    INSERT INTO task (id, label, checked) VALUES ('1', 'Buy milk', 1), ('2', 'Buy bread', 0)";

async fn owned(location: &Location) -> Result<OwnedStore<TasksContract>, OpenError> {
    Database::open(location).await?.owned_store().await
}

fn labels(tasks: Vec<TasksContract>) -> Vec<String> {
    tasks.into_iter().map(|task| task.label).collect()
}

/// What holds on every database.
pub(super) async fn rows_are_their_owners(store: &OwnedStore<TasksContract>) {
    store.insert_for("ada", &task("a1", "Buy milk")).await.unwrap();
    store.insert_for("bob", &task("b1", "Buy milk")).await.unwrap();
    store.insert_for("ada", &task("a2", "Buy bread")).await.unwrap();
    assert_eq!(
        labels(store.all_of("ada").await.unwrap()),
        ["Buy milk", "Buy bread"]
    );
    assert_eq!(labels(store.all_of("bob").await.unwrap()), ["Buy milk"]);
    assert_eq!(labels(store.all_of("eve' OR '1'='1").await.unwrap()), [""; 0]);

    let again = store
        .insert_for("ada", &task("a3", "Buy milk"))
        .await
        .unwrap_err();
    assert!(matches!(again, StoreError::Taken { field: "label" }), "{again:?}");
    let renamed = store.update("a2", &task("a2", "Buy milk")).await.unwrap_err();
    assert!(
        matches!(renamed, StoreError::Taken { field: "label" }),
        "{renamed:?}"
    );
    let same_id = store
        .insert_for("bob", &task("a1", "Buy salt"))
        .await
        .unwrap_err();
    assert!(
        matches!(same_id, StoreError::Taken { field: "id" }),
        "{same_id:?}"
    );

    store
        .update("a1", &task("a1", "Buy oat milk"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        store.owner_of("a1").await.unwrap().as_deref(),
        Some("ada"),
        "an update keeps it"
    );
    for none in ["none", "", "a\0"] {
        assert_eq!(store.owner_of(none).await.unwrap(), None, "{none:?}");
    }
    let counts = store.counts().await.unwrap();
    assert_eq!(
        (counts.get("ada"), counts.get("bob"), counts.get("eve")),
        (Some(&2), Some(&1), None)
    );
}

#[test]
fn the_table_of_owned_tasks() {
    let table = Table::of(TasksContract::descriptor()).unwrap().owned();
    let label = &table.columns[0];
    let sql = |dialect: Dialect| {
        [
            dialect.create_table(&table),
            dialect.add_owner(&table),
            dialect.drop_former_index(&table, label).unwrap(),
            dialect.create_index(&table, label).unwrap(),
            dialect.select(&table),
            dialect.insert(&table),
            dialect.owner(&table),
            dialect.count_by_owner(&table),
        ]
        .join(";\n")
    };
    expect![[r#"
        CREATE TABLE "task" (
          "label" TEXT NOT NULL,
          "checked" INTEGER NOT NULL DEFAULT 0,
          "removed" INTEGER NOT NULL DEFAULT 0,
          "id" TEXT NOT NULL PRIMARY KEY,
          "_owner" TEXT NOT NULL DEFAULT ''
        ) STRICT;
        ALTER TABLE "task" ADD COLUMN "_owner" TEXT NOT NULL DEFAULT '';
        DROP INDEX IF EXISTS "task_label_unique";
        CREATE UNIQUE INDEX IF NOT EXISTS "task_label_unique_of_owner" ON "task" ("_owner", "label");
        SELECT "label", "checked", "removed", "id" FROM "task" WHERE "_owner" = $1 ORDER BY rowid;
        INSERT INTO "task" ("label", "checked", "removed", "id", "_owner") VALUES ($1, $2, $3, $4, $5) RETURNING "label", "checked", "removed", "id";
        SELECT "_owner" FROM "task" WHERE "id" = $1;
        SELECT "_owner", COUNT(*) FROM "task" GROUP BY "_owner""#]]
    .assert_eq(&sql(Dialect::Sqlite));
    let created = Dialect::Postgres.create_table(&table);
    assert!(
        created.contains("\"_owner\" TEXT NOT NULL DEFAULT ''"),
        "{created}"
    );
}

#[tokio::test]
async fn rows_are_their_owners_in_sqlite() {
    rows_are_their_owners(&owned(&Location::memory()).await.unwrap()).await;
}

#[tokio::test]
async fn tasks_from_before_there_were_owners_are_nobodys_and_labels_are_free_for_others() {
    let (_directory, location) = file_with(FORMER).await;
    for _ in 0..2 {
        // The second time there is nothing left to do.
        let store = owned(&location).await.unwrap();
        assert_eq!(labels(store.all_of("").await.unwrap()), ["Buy milk", "Buy bread"]);
        assert!(store.all_of("").await.unwrap()[0].checked);
    }
    let store = owned(&location).await.unwrap();
    store.insert_for("ada", &task("3", "Buy milk")).await.unwrap();
    let again = store.insert_for("", &task("4", "Buy milk")).await.unwrap_err();
    assert!(matches!(again, StoreError::Taken { field: "label" }), "{again:?}");
}

#[tokio::test]
async fn the_former_release_goes_on_with_the_table_while_labels_are_taken_once() {
    let (_directory, location) = file_with(FORMER).await;
    owned(&location).await.unwrap();
    let former = open::<TasksContract>(&location).await.unwrap();
    former.insert(&task("3", "Buy salt")).await.unwrap();
    let store = owned(&location).await.unwrap();
    assert_eq!(store.all_of("").await.unwrap().len(), 3);

    store.insert_for("ada", &task("4", "Buy milk")).await.unwrap();
    let error = open::<TasksContract>(&location).await.unwrap_err();
    expect!["column label of table task is unique in the contract, but rows share a value: make them distinct first"]
        .assert_eq(&error.to_string());
}

#[tokio::test]
async fn a_column_of_the_owners_name_that_is_none_is_refused() {
    let (_directory, location) =
        file_with("CREATE TABLE task (id TEXT PRIMARY KEY, label TEXT, _owner INTEGER)").await;
    let error = owned(&location).await.unwrap_err();
    expect!["column _owner of table task is INTEGER and not text"].assert_eq(&error.to_string());
}

#[tokio::test]
async fn rows_are_found_by_a_unique_field_and_never_by_one_that_is_not_there() {
    let store = open::<EveryKind>(&Location::memory()).await.unwrap();
    store.insert(&super::every_kind()).await.unwrap();
    assert_eq!(store.find("number", 7).await.unwrap(), Some(super::every_kind()));
    assert_eq!(store.find("number", 8).await.unwrap(), None);
    let error = store.find("nummer", 7).await.unwrap_err();
    assert!(
        matches!(error, StoreError::NoSuchField { field: "nummer" }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_database_answers_until_it_is_closed() {
    let database = Database::open(&Location::memory()).await.unwrap();
    database.ping().await.unwrap();
    database.close().await;
    database.ping().await.unwrap_err();
}

/// See `postgres_keeps_the_same_promises`, which this is a part of: both have the database for themselves.
#[cfg(feature = "postgres")]
pub(super) async fn postgres(location: &Location) {
    let pool = sqlx::AnyPool::connect(&location.url).await.unwrap();
    for sql in [
        "DROP TABLE IF EXISTS task",
        "CREATE TABLE task (label TEXT NOT NULL, checked BOOLEAN NOT NULL DEFAULT FALSE, \
         removed BOOLEAN NOT NULL DEFAULT FALSE, id TEXT NOT NULL PRIMARY KEY, \
         _position BIGINT GENERATED ALWAYS AS IDENTITY)",
        "CREATE UNIQUE INDEX task_label_unique ON task (label)",
        "INSERT INTO task (id, label) VALUES ('1', 'Buy milk')",
    ] {
        pool.execute(sql).await.unwrap();
    }
    // Two servers of the new release start at the same time.
    let (one, other) = tokio::join!(owned(location), owned(location));
    let (store, other) = (one.unwrap(), other.unwrap());
    assert_eq!(labels(other.all_of("").await.unwrap()), ["Buy milk"]);
    rows_are_their_owners(&store).await;
    let nobodys = store.insert_for("", &task("2", "Buy milk")).await.unwrap_err();
    assert!(
        matches!(nobodys, StoreError::Taken { field: "label" }),
        "{nobodys:?}"
    );
    let error = open::<TasksContract>(location).await.unwrap_err();
    expect!["column label of table task is unique in the contract, but rows share a value: make them distinct first"]
        .assert_eq(&error.to_string());
}
