//! The same promises on PostgreSQL.

use expect_test::expect;
use sqlx::Executor;

use super::{EveryKind, LaterTask, every_kind, open, owned, task};
use crate::accounts::{AccountError, Passwords, Users};
use crate::contracts::TasksContract;
use crate::contracts::auth::Role;
use crate::storage::{Database, Location, StoreError};

/// Against a scratch database: its tables `task`, `user` and `every_kind` are dropped.
///
///     TASKS_TEST_POSTGRES=postgres://localhost/scratch cargo test -p tasks --features postgres postgres
///
/// `cargo xtask test` brings a server and does just that.
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
async fn users(location: &Location) {
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
