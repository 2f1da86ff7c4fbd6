//! Where a database is, as the command line says it.

use expect_test::expect;

use crate::storage::Location;

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
