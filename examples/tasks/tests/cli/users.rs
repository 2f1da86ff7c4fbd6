//! Becoming a user, logging in and out, and whose tasks are whose.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use expect_test::expect;

use super::support::{Outcome, Server, check, program};

impl Server {
    /// The one file in which a login is kept.
    pub(crate) fn login_file(&self) -> PathBuf {
        let mut files = std::fs::read_dir(self.home.path().join("tasks/logins")).unwrap();
        let file = files.next().unwrap().unwrap().path();
        assert!(files.next().is_none(), "nothing is left beside the login");
        file
    }
}

#[test]
fn a_user_has_tasks_of_their_own_from_registering_to_logging_out() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(&directory.path().join("tasks.db"));
    server.ok(&["add", "Buy milk"]);
    check(
        &server.call(&["whoami"]),
        &[],
        expect![[r#"
            nobody is logged in; the tasks are those that all share
            exit 0
        "#]],
    );
    check(
        &server.call_with(&["register", "ada"], "open sesame\n"),
        &[],
        expect![[r#"
            registered as ada
            exit 0
        "#]],
    );
    check(
        &server.call(&["whoami"]),
        &[],
        expect![[r#"
            ada
            exit 0
        "#]],
    );
    let file = server.login_file();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let folder = file.parent().unwrap();
    assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);

    assert_eq!(server.ok(&["list"]), "no tasks\n");
    // The same label is free in a list of one's own.
    server.ok(&["add", "Buy milk"]);
    let of_ada = server.ids().remove(0);
    check(
        &server.call(&["logout"]),
        &[],
        expect![[r#"
            logged out
            exit 0
        "#]],
    );
    let of_all = server.ids();
    assert_eq!(of_all.len(), 1);
    assert_ne!(of_all[0], of_ada);
    check(
        &server.call(&["remove", &of_ada]),
        &[(&of_ada, "<ada's>")],
        expect![[r#"
            error: no task has an id that begins with "<ada's>"
            exit 66
        "#]],
    );
    check(
        &server.call(&["logout"]),
        &[],
        expect![[r#"
            nobody was logged in
            exit 0
        "#]],
    );
    check(
        &server.call_with(&["login", "ada"], "open sesame\r\n"),
        &[],
        expect![[r#"
            logged in as ada
            exit 0
        "#]],
    );
    assert_eq!(server.ids(), [of_ada]);
}

#[test]
fn what_is_wrong_with_a_name_or_a_password_is_one_line_and_a_code() {
    let server = Server::in_memory();
    let call = |args: &[&str], password: &str| server.call_with(args, password);
    check(
        &call(&["register", "Ada"], "short\n"),
        &[],
        expect![[r#"
            error: name: does not match regex pattern `^[a-z][a-z0-9._-]*$`; password: must be at least 8 characters
            exit 65
        "#]],
    );
    check(
        &call(&["register", "a"], &"x".repeat(129)),
        &[],
        expect![[r#"
            error: name: must be at least 2 characters; password: must be at most 128 characters
            exit 65
        "#]],
    );
    check(
        &call(&["register", "ada"], ""),
        &[],
        expect![[r#"
            error: there is no password: it is the first line of the standard input
            exit 64
        "#]],
    );
    call(&["register", "ada"], "open sesame\n");
    check(
        &call(&["register", "ada"], "open sesame\n"),
        &[],
        expect![[r#"
            error: name: another user has it already
            exit 73
        "#]],
    );
    let wrong_password = call(&["login", "ada"], "open sesam");
    let unknown_name = call(&["login", "bob"], "open sesame");
    assert_eq!(wrong_password, unknown_name);
    check(
        &unknown_name,
        &[],
        expect![[r#"
            error: the name or the password is wrong
            exit 77
        "#]],
    );
    assert_eq!(server.ok(&["whoami"]), "ada\n", "the login before is kept");
}

#[test]
fn json_says_who_is_logged_in() {
    let server = Server::in_memory();
    check(
        &server.call(&["whoami", "--json"]),
        &[],
        expect![[r#"
            null
            exit 0
        "#]],
    );
    let registered = server.call_with(&["register", "ada", "--json"], "open sesame");
    assert_eq!(registered.stdout, server.ok(&["whoami", "--json"]));
    let user: serde_json::Value = serde_json::from_str(&registered.stdout).unwrap();
    check(
        &registered,
        &[(user["id"].as_str().unwrap(), "<id>")],
        expect![[r#"
            {
              "id": "<id>",
              "name": "ada",
              "role": "member"
            }
            exit 0
        "#]],
    );
}

#[test]
fn an_administrator_is_made_in_the_database_and_sees_the_users() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("tasks.db");
    let server = Server::start(&database);
    let role = |what: &str, name: &str| {
        Outcome::of(program().args(["user", what, name, "--database"]).arg(&database))
    };
    server.ok(&["add", "Buy milk"]);
    check(
        &server.call(&["users"]),
        &[],
        expect![[r#"
            error: this is for administrators; `tasks login NAME` logs in
            exit 77
        "#]],
    );
    server.call_with(&["register", "ada"], "open sesame");
    server.ok(&["add", "Buy milk"]);
    server.ok(&["add", "Buy bread"]);
    check(
        &server.call(&["users"]),
        &[],
        expect![[r#"
            error: this is for administrators
            exit 77
        "#]],
    );
    check(
        &role("promote", "bob"),
        &[],
        expect![[r#"
            error: no user is called "bob"
            exit 66
        "#]],
    );
    check(
        &role("promote", "ada"),
        &[],
        expect![[r#"
            ada (administrator)
            exit 0
        "#]],
    );
    check(
        &server.call(&["users"]),
        &[],
        expect![[r#"
            TASKS  USER
                2  ada (administrator)
                1  -
            exit 0
        "#]],
    );
    let list: serde_json::Value = serde_json::from_str(&server.ok(&["users", "--json"])).unwrap();
    assert_eq!(list["users"][0]["tasks"], 2);
    assert_eq!(list["anonymous_tasks"], 1);
    check(
        &role("demote", "ada"),
        &[],
        expect![[r#"
            ada
            exit 0
        "#]],
    );
    assert_eq!(server.call(&["users"]).code, 77);
    let missing = directory.path().join("other.db");
    let outcome = Outcome::of(
        program()
            .args(["user", "promote", "ada", "--database"])
            .arg(&missing),
    );
    assert_eq!(outcome.code, 74, "{outcome:?}");
    assert!(!missing.exists(), "a name that is mistyped makes no database");
}

#[test]
fn a_login_that_is_none_says_how_to_get_one() {
    let server = Server::in_memory();
    server.call_with(&["register", "ada"], "open sesame");
    let file = server.login_file();
    std::fs::write(&file, "not.a.token\n").unwrap();
    check(
        &server.call(&["list"]),
        &[],
        expect![[r#"
            error: the login is not valid, or is over; `tasks login NAME` logs in
            exit 77
        "#]],
    );
    std::fs::write(&file, "two lines\nof text").unwrap();
    check(
        &server.call(&["list"]),
        &[(file.to_str().unwrap(), "<file>")],
        expect![[r#"
            error: <file> holds no login; `tasks login NAME` makes one
            exit 77
        "#]],
    );
    let home = server.home.path().to_str().unwrap();
    check(
        &server.call(&["list", "--token-file", &format!("{home}/other")]),
        &[(home, "<home>")],
        expect![[r#"
            error: cannot read the login in <home>/other: No such file or directory (os error 2)
            exit 74
        "#]],
    );
}

#[test]
fn a_login_may_lie_where_the_command_line_says() {
    let server = Server::in_memory();
    let file = server.home.path().join("ada");
    let file = ["--token-file", file.to_str().unwrap()];
    let with = |args: &[&'static str]| [args, &file].concat();
    server.call_with(&with(&["register", "ada"]), "open sesame");
    assert_eq!(server.ok(&with(&["whoami"])), "ada\n");
    assert!(server.ok(&["whoami"]).starts_with("nobody"));
    server.ok(&with(&["logout"]));
    assert!(!std::path::Path::new(file[1]).exists());
}
