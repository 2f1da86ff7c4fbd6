//! The program as its users meet it: the real binary, a server on a free port, every command a process of its own.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected comes")]

mod help;
mod ops;
mod support;
mod tls;
mod users;
mod watching;

use std::collections::BTreeSet;
use std::net::TcpListener;

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
    check(
        &server.call(&["check", &id, "--json"]),
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
    check(
        &server.call(&["remove", &id, "--json"]),
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
fn what_the_server_refuses_is_one_line_and_a_code() {
    let server = Server::in_memory();
    server.ok(&["add", "Buy milk"]);
    check(
        &server.call(&["add", "Buy milk"]),
        &[],
        expect![[r#"
        error: label: another task has it already
        exit 73
    "#]],
    );
    check(
        &server.call(&["add", ""]),
        &[],
        expect![[r#"
        error: label: must be at least 1 characters
        exit 65
    "#]],
    );
    check(
        &server.call(&["add", &"é".repeat(201)]),
        &[],
        expect![[r#"
        error: label: must be at most 200 characters
        exit 65
    "#]],
    );
    server.ok(&["add", &"é".repeat(200)]);
    for command in ["check", "uncheck", "remove"] {
        let outcome = server.call(&[command, "zzz"]);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (66, ""));
        assert_eq!(
            outcome.stderr,
            "error: no task has an id that begins with \"zzz\"\n"
        );
    }
}

#[test]
fn an_id_that_several_tasks_have_is_asked_for_again() {
    let server = Server::in_memory();
    // There are 16 digits, so two of 17 ids begin alike.
    for number in 0..17 {
        server.ok(&["add", &format!("Task {number}")]);
    }
    let mut firsts: Vec<String> = server.ids().iter().map(|id| id[..1].to_owned()).collect();
    firsts.sort();
    let twice = firsts.windows(2).find(|pair| pair[0] == pair[1]).unwrap()[0].clone();
    let count = firsts.iter().filter(|first| **first == twice).count().to_string();
    let outcome = server.call(&["check", &twice]);
    check(
        &outcome,
        &[
            (&format!("{count} tasks"), "<count> tasks"),
            (&format!("{twice:?}"), "<digit>"),
        ],
        expect![[r#"
            error: <count> tasks have ids that begin with <digit>; give more of it
            exit 66
        "#]],
    );
}

#[test]
fn a_server_that_cannot_be_reached_is_one_line_and_a_code() {
    let client = |url: &str| Outcome::of(program().args(["list", "--timeout", "1", "--server", url]));
    // A port that was free a moment ago.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let names = [(&*free.to_string(), "<address>")];
    check(
        &client(&format!("ws://{free}/rpc")),
        &names,
        expect![[r#"
        error: cannot connect to ws://<address>/rpc: Connection refused (os error 111); `cargo run -p tasks -- serve` starts a server, --server names another
        exit 69
    "#]],
    );

    let server = Server::in_memory();
    let names = [(server.url.trim_end_matches("/rpc"), "<server>")];
    check(
        &client(&server.url.replace("/rpc", "/other")),
        &names,
        expect![[r#"
        error: cannot connect to <server>/other: the server answered with HTTP status 404 Not Found: there is no such page
        exit 69
    "#]],
    );

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let names = [(address.as_str(), "<silent>")];
    check(
        &client(&format!("ws://{address}/rpc")),
        &names,
        expect![[r#"
        error: ws://<silent>/rpc did not answer within 1s
        exit 75
    "#]],
    );

    check(
        &client("http://localhost/rpc"),
        &[],
        expect![[r#"
        error: "http://localhost/rpc" is no server's URL: it begins with ws:// or wss://, as in ws://127.0.0.1:3000/rpc
        exit 64
    "#]],
    );
    check(
        &client("nonsense"),
        &[],
        expect![[r#"
        error: "nonsense" is no server's URL: it begins with ws:// or wss://, as in ws://127.0.0.1:3000/rpc
        exit 64
    "#]],
    );
}

#[test]
fn a_server_that_cannot_start_is_one_line_and_a_code() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let serve = |args: &[&str]| Outcome::of(program().arg("serve").args(args));
    let names = [(path, "<directory>")];

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    check(
        &serve(&["--listen", &address, "--memory"]),
        &[(&address, "<taken>")],
        expect![[r#"
            error: cannot listen on <taken>: the port is in use; --listen names another, as in --listen 127.0.0.1:3001
            exit 71
        "#]],
    );
    check(
        &serve(&["--listen", "3000", "--memory"]),
        &[],
        expect![[r#"
        error: cannot listen on 3000: invalid socket address; an address and a port are expected, as in 127.0.0.1:3000
        exit 71
    "#]],
    );

    let missing = format!("{path}/missing/tasks.db");
    let free = ["--listen", "127.0.0.1:0"];
    let with = |database: &str| serve(&[&free[..], &["--database", database]].concat());
    check(
        &with(&missing),
        &names,
        expect![[r#"
        error: cannot open the database <directory>/missing/tasks.db: <directory>/missing: No such file or directory (os error 2)
        exit 74
    "#]],
    );
    check(
        &with(path),
        &names,
        expect![[r#"
        error: cannot open the database <directory>: Is a directory (os error 21)
        exit 74
    "#]],
    );
    std::fs::write(directory.path().join("notes.txt"), "no database ".repeat(100)).unwrap();
    check(
        &with(&format!("{path}/notes.txt")),
        &names,
        expect![[r#"
        error: cannot open the database <directory>/notes.txt: file is not a database
        exit 74
    "#]],
    );
    let read_only = format!("sqlite:{path}/tasks.db?mode=ro");
    check(
        &with(&read_only),
        &names,
        expect![[r#"
        error: cannot open the database sqlite:<directory>/tasks.db?mode=ro: unable to open database file
        exit 74
    "#]],
    );
    std::fs::write(directory.path().join("tasks.db"), "").unwrap();
    check(
        &with(&read_only),
        &names,
        expect![[r#"
        error: cannot open the database sqlite:<directory>/tasks.db?mode=ro: attempt to write a readonly database
        exit 74
    "#]],
    );
    check(
        &with("mysql://localhost/tasks"),
        &names,
        expect![[r#"
        error: --database: `mysql` is no database that this program speaks: use a file, sqlite: or postgres://
        exit 64
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
