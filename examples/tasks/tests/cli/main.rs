//! The program as its users meet it: the real binary, a server on a free port, every command a process of its own.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected comes")]

mod failing;
mod help;
mod ops;
mod secrets;
mod support;
mod tls;
mod users;
mod watching;

use std::collections::BTreeSet;

use expect_test::expect;

use support::{Outcome, Server, check, program};

#[test]
fn tasks_are_added_listed_checked_and_removed() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(&directory.path().join("tasks.db"));
    check(
        &server.call(&["list"]),
        &[],
        expect![[r#"
            no tasks
            exit 0
        "#]],
    );
    #[cfg(unix)]
    {
        // It has users' hashes, and so have its journal and what is beside it.
        use std::os::unix::fs::PermissionsExt;
        for file in std::fs::read_dir(directory.path()).unwrap() {
            let file = file.unwrap();
            let mode = file.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{:?}", file.file_name());
        }
    }
    let added = server.call(&["add", "Buy milk"]);
    server.ok(&["add", "Buy bread"]);
    let ids = server.ids();
    let (milk, bread) = (&ids[0], &ids[1]);
    let names = [(&milk[..8], "<milk>"), (&bread[..8], "<bread>")];
    check(
        &added,
        &names,
        expect![[r#"
        added <milk>  Buy milk
        exit 0
    "#]],
    );
    check(
        &server.call(&["check", &milk[..8]]),
        &names,
        expect![[r#"
        checked <milk>  Buy milk
        exit 0
    "#]],
    );
    check(
        &server.call(&["list"]),
        &names,
        expect![[r#"
        ID        DONE  LABEL
        <milk>  [x]   Buy milk
        <bread>  [ ]   Buy bread
        exit 0
    "#]],
    );
    check(
        &server.call(&["uncheck", milk]),
        &names,
        expect![[r#"
        unchecked <milk>  Buy milk
        exit 0
    "#]],
    );
    check(
        &server.call(&["remove", &bread[..8]]),
        &names,
        expect![[r#"
        removed <bread>  Buy bread
        exit 0
    "#]],
    );
    check(
        &server.call(&["list"]),
        &names,
        expect![[r#"
        ID        DONE  LABEL
        <milk>  [ ]   Buy milk
        exit 0
    "#]],
    );
}

#[test]
fn json_has_the_whole_task() {
    let server = Server::in_memory();
    let added = server.call(&["add", "Buy milk", "--json"]);
    let id = server.ids().remove(0);
    let names = [(id.as_str(), "<id>")];
    check(
        &added,
        &names,
        expect![[r#"
            {
              "id": "<id>",
              "label": "Buy milk",
              "checked": false,
              "removed": false
            }
            exit 0
        "#]],
    );
    let checked = server.call(&["check", &id, "--json"]);
    check(
        &checked,
        &names,
        expect![[r#"
            {
              "id": "<id>",
              "label": "Buy milk",
              "checked": true,
              "removed": false
            }
            exit 0
        "#]],
    );
    check(
        &server.call(&["list", "--json"]),
        &names,
        expect![[r#"
            [
              {
                "id": "<id>",
                "label": "Buy milk",
                "checked": true,
                "removed": false
              }
            ]
            exit 0
        "#]],
    );
    let removed = server.call(&["remove", &id, "--json"]);
    assert_eq!(removed, checked, "it is told as it was last");
    check(
        &server.call(&["list", "--json"]),
        &names,
        expect![[r#"
        []
        exit 0
    "#]],
    );
}

#[test]
fn a_label_that_would_move_the_cursor_is_shown_escaped() {
    let server = Server::in_memory();
    server.ok(&["add", "\u{1b}[2J\u{1b}[31mred\nsecond line"]);
    let id = server.ids().remove(0);
    let names = [(&id[..8], "<id>")];
    check(
        &server.call(&["list"]),
        &names,
        expect![[r#"
        ID        DONE  LABEL
        <id>  [ ]   \u{1b}[2J\u{1b}[31mred\nsecond line
        exit 0
    "#]],
    );
    check(
        &server.call(&["remove", &id]),
        &names,
        expect![[r#"
        removed <id>  \u{1b}[2J\u{1b}[31mred\nsecond line
        exit 0
    "#]],
    );
    check(
        &server.call(&["remove", "\u{1b}[31m"]),
        &names,
        expect![[r#"
        error: no task has an id that begins with "\u{1b}[31m"
        exit 66
    "#]],
    );
}

#[test]
fn settings_of_the_environment_do_not_get_in_each_others_way() {
    let server = Server::in_memory();
    let outcome = Outcome::of(
        program()
            .arg("list")
            .env("TASKS_SERVER", &server.url)
            .env("TASKS_LISTEN", "127.0.0.1:1")
            .env("TASKS_DATABASE", "/missing/tasks.db"),
    );
    check(
        &outcome,
        &[],
        expect![[r#"
            no tasks
            exit 0
        "#]],
    );
}

#[test]
fn the_client_logs_when_it_is_asked_to_and_only_to_the_standard_error() {
    let server = Server::in_memory();
    let outcome = Outcome::of(
        program()
            .args(["list", "--server", &server.url])
            .env("RUST_LOG", "trace"),
    );
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, "no tasks\n"));
    assert!(outcome.stderr.contains("TRACE"), "{}", outcome.stderr);
}

#[test]
fn a_restart_keeps_the_tasks_and_a_signal_ends_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("tasks.db");
    let server = Server::start(&database);
    server.ok(&["add", "Buy milk"]);
    let id = server.ids().remove(0);
    server.ok(&["check", &id]);
    assert_eq!(server.stop("-TERM"), Some(0));

    let server = Server::start(&database);
    check(
        &server.call(&["list"]),
        &[(&id[..8], "<id>")],
        expect![[r#"
        ID        DONE  LABEL
        <id>  [x]   Buy milk
        exit 0
    "#]],
    );
    assert_eq!(server.stop("-INT"), Some(0));

    let left: Vec<_> = std::fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(
        left.into_iter().collect::<BTreeSet<_>>(),
        BTreeSet::from(["tasks.db".into(), "tasks.db.jwt-secret".into()]),
        "the database is closed in order"
    );
}

#[test]
fn tasks_in_memory_are_gone_with_their_server() {
    let server = Server::in_memory();
    server.ok(&["add", "Buy milk"]);
    assert_eq!(server.stop("-TERM"), Some(0));
    assert_eq!(Server::in_memory().ok(&["list"]), "no tasks\n");
}
