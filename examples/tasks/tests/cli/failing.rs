//! What is told where something is wrong, with the server or with the command.

use std::net::TcpListener;

use expect_test::expect;

use super::support::{Outcome, Server, check, program};

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
