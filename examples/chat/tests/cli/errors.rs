//! What goes wrong, and the line that says what to do.

use expect_test::expect;

use crate::support::{Outcome, Server, join, program, run};

#[test]
fn what_cannot_be_done_in_a_room_is_told_and_nobody_is_put_out_for_it() {
    let server = Server::start(&[]);
    let mut ann = server.comes("ann", "kitchen");
    ann.sees_lines(&[
        "You are in kitchen, as ann. /help lists what you can type.",
        "Here: ann",
    ]);
    let long = "x".repeat(2001);
    let mut told = String::new();
    for line in [
        "/foo",
        "/msg bob",
        "/msg bob hi",
        "/msg BOB hi",
        "/join",
        "/join moon",
        "/join The Moon",
        "/history all",
        "/kick",
        "/kick bob",
        &long,
    ] {
        ann.types(line);
        told.push_str(&format!("{}\n  {}\n", &line[..line.len().min(20)], ann.sees()));
    }
    expect![[r#"
        /foo
          ! there is no command /foo; /help lists them
        /msg bob
          ! whom, and what? As in /msg bob see you at six
        /msg bob hi
          ! nobody is called bob
        /msg BOB hi
          ! to: a name is 2 to 32 small letters, digits, dots, hyphens and underscores, with a letter in front
        /join
          ! where? As in /join garden
        /join moon
          ! there is no room moon; there are garden, kitchen, library
        /join The Moon
          ! a room's name is a small letter, and up to 31 more small letters, digits and hyphens, as in /join garden
        /history all
          ! how much is a number up to 1000, as in /history 50
        /kick
          ! whom? As in /kick eve for shouting
        /kick bob
          ! this is for administrators
        xxxxxxxxxxxxxxxxxxxx
          ! text: must be at most 2000 characters
    "#]].assert_eq(&told);
    ann.types("/help");
    assert_eq!(ann.sees(), "/msg NAME TEXT     write to one user alone");
}

#[test]
fn who_may_not_come_in_is_told_why() {
    let server = Server::start(&[]);
    let ann = server.comes("ann", "kitchen");
    ann.sees_lines(&[
        "You are in kitchen, as ann. /help lists what you can type.",
        "Here: ann",
    ]);
    let mut told = String::new();
    for (user, args) in [
        ("bob", &[][..]),
        ("ann", &["--register"]),
        ("Ann", &["--register"]),
        ("ann", &["--room", "moon"]),
        ("ann", &["--room", "The Moon"]),
    ] {
        let outcome = Outcome::of(server.join(user, args).output().unwrap());
        told.push_str(&format!("{user} {}\n{}\n", args.join(" "), outcome.0));
    }
    expect![[r#"
        bob 
        error: the name or the password is wrong; --register makes a new user
        exit 77

        ann --register
        error: another user has this name
        exit 73

        Ann --register
        error: name: a name is 2 to 32 small letters, digits, dots, hyphens and underscores, with a letter in front
        exit 65

        ann --room moon
        error: there is no room moon; there are garden, kitchen, library
        exit 66

        ann --room The Moon
        error: invalid value 'The Moon' for '--room <NAME>': a room's name is a small letter, and up to 31 more small letters, digits and hyphens

        For more information, try '--help'.
        exit 64

    "#]].assert_eq(&told);
}

#[test]
fn a_password_that_is_none_or_wrong_is_told() {
    let server = Server::start(&[]);
    let ann = server.comes("ann", "kitchen");
    ann.sees_lines(&[
        "You are in kitchen, as ann. /help lists what you can type.",
        "Here: ann",
    ]);
    let with = |args: &[&str], input: &str| {
        let mut command = program();
        command.args(["join", "--server", &server.url]).args(args);
        Outcome::with_input(command, input)
    };
    with(&["--user", "ann"], "open sesam\n").check(expect![[r#"
        error: the name or the password is wrong; --register makes a new user
        exit 77
    "#]]);
    with(&["--user", "ann"], "").check(expect![[r#"
        error: there is no password: it is the first line of --password-file, or of the standard input
        exit 64
    "#]]);
    with(&["--user", "bob", "--register"], "short\n").check(expect![[r#"
        error: password: must be at least 8 characters
        exit 65
    "#]]);
    with(&["--user", "ann", "--password-file", "/nonexistent"], "").check(expect![[r#"
        error: cannot read the password: /nonexistent: No such file or directory (os error 2)
        exit 64
    "#]]);
}

#[test]
fn a_server_that_is_not_there_or_not_to_be_had_is_told() {
    let server = Server::start(&[]);
    let address = server.address();
    let home = server.home.clone();
    let url = server.url.clone();
    let taken = run(&["serve", "--memory", "--listen", &address]);
    Outcome(taken.0.replace(&address, "<address>")).check(expect![[r#"
        error: cannot listen on <address>: the port is in use; --listen names another, as in --listen 127.0.0.1:3003
        exit 71
    "#]]);
    let no_chat = format!("ws://{address}/elsewhere");
    let Outcome(text) = Outcome::of(join(&no_chat, home.path(), "ann", &[]).output().unwrap());
    // There is a place to log in beside it, which is what is asked first.
    assert!(text.ends_with("exit 77\n"), "{text}");
    drop(server);
    let Outcome(text) = Outcome::of(join(&url, home.path(), "ann", &[]).output().unwrap());
    assert!(text.ends_with("exit 69\n"), "{text}");
    assert!(text.contains("`chat serve` starts a server"), "{text}");
    Outcome::of(join("http://localhost", home.path(), "ann", &[]).output().unwrap()).check(expect![[r#"
        error: "http://localhost" is no server's URL: it begins with ws:// or wss:// and a host, as in ws://127.0.0.1:3002/rpc
        exit 64
    "#]]);
    run(&["serve", "--memory", "--listen", "here"]).check(expect![[r#"
        error: cannot listen on here: invalid socket address; an address and a port are expected, as in 127.0.0.1:3002
        exit 71
    "#]]);
}

#[test]
fn a_database_that_is_none_is_told() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("chat.db");
    let shown = |outcome: Outcome| Outcome(outcome.0.replace(home.path().to_str().unwrap(), "<home>"));
    let promote = || {
        let mut promote = program();
        promote.args(["promote", "ann", "--database"]).arg(&file);
        shown(Outcome::of(promote.output().unwrap()))
    };
    promote().check(expect![[r#"
        error: there is no database <home>/chat.db: --database names the server's, and a server with --memory has none
        exit 74
    "#]]);
    std::fs::write(
        &file,
        "This is a text, and no database, however often it is read as one.".repeat(20),
    )
    .unwrap();
    promote().check(expect![[r#"
        error: cannot open the database <home>/chat.db: error returned from database: (code: 26) file is not a database
        exit 74
    "#]]);
    let mut serve = program();
    serve
        .args(["serve", "--listen", "127.0.0.1:0", "--database"])
        .arg(&file);
    shown(Outcome::of(serve.output().unwrap())).check(expect![[r#"
        error: cannot open the database <home>/chat.db: error returned from database: (code: 26) file is not a database
        exit 74
    "#]]);
    std::fs::remove_file(&file).unwrap();
    drop(Server::start_in(home.into(), "127.0.0.1:0", &[]));
}

#[test]
fn a_role_is_given_to_users_that_there_are() {
    let server = Server::start(&[]);
    let ann = server.comes("ann", "kitchen");
    ann.sees_lines(&[
        "You are in kitchen, as ann. /help lists what you can type.",
        "Here: ann",
    ]);
    let role = |what: &str, name: &str| {
        let mut role = program();
        role.args([what, name, "--database"]).arg(server.database());
        Outcome::of(role.output().unwrap()).0
    };
    assert_eq!(role("promote", "ann"), "ann is an administrator\nexit 0\n");
    assert_eq!(role("demote", "ann"), "ann is no administrator\nexit 0\n");
    assert_eq!(
        role("promote", "bob"),
        "error: nobody is called \"bob\"; `chat join --register` makes a user\nexit 66\n"
    );
}

#[test]
fn a_command_line_that_says_nothing_is_told() {
    run(&["join"]).check(expect![[r#"
        error: the following required arguments were not provided:
          --user <NAME>

        Usage: chat join --user <NAME>

        For more information, try '--help'.
        exit 64
    "#]]);
    run(&["serve", "--memory", "--room", "The Moon"]).check(expect![[r#"
        error: invalid value 'The Moon' for '--room <NAME>': a room's name is a small letter, and up to 31 more small letters, digits and hyphens

        For more information, try '--help'.
        exit 64
    "#]]);
    run(&["serve", "--memory", "--history", "0"]).check(expect![[r#"
        error: invalid value '0' for '--history <EVENTS>': 0 is not in 1..=1000

        For more information, try '--help'.
        exit 64
    "#]]);
}
