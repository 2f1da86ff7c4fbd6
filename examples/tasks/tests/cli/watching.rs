//! `tasks watch`: the list, and every change of it, on a standard output that somebody reads.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStderr, ChildStdout, Stdio};

use serde_json::Value;

use crate::support::Server;

/// A client that watches. Dropping it kills its process.
struct Watching {
    process: Child,
    /// `None` once nobody reads any more.
    lines: Option<Lines<BufReader<ChildStdout>>>,
    said: Lines<BufReader<ChildStderr>>,
}

impl Watching {
    fn start(server: &Server, args: &[&str]) -> Self {
        let mut command = server.client(&[&["watch"], args].concat());
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let errors = BufReader::new(process.stderr.take().unwrap());
        Self {
            process,
            lines: Some(output.lines()),
            said: errors.lines(),
        }
    }

    /// A client that has seen that there is nothing yet.
    fn nothing(server: &Server) -> Self {
        let mut watching = Self::start(server, &[]);
        assert_eq!(watching.line(), "no tasks");
        watching
    }

    /// The server goes, which is told, and another comes where it was.
    fn loses(&mut self, server: Server) -> Server {
        let address = server.address();
        drop(server);
        assert_eq!(self.says(), "the connection is lost; it is made again");
        Server::start_with(&["--listen", &address, "--memory"], None)
    }

    fn line(&mut self) -> String {
        self.lines.as_mut().unwrap().next().unwrap().unwrap()
    }

    /// What it says beside the output.
    fn says(&mut self) -> String {
        self.said.next().unwrap().unwrap()
    }

    fn change(&mut self) -> (String, String) {
        let line: Value = serde_json::from_str(&self.line()).unwrap();
        let text = |field: &str| line[field].as_str().unwrap().to_owned();
        (text("what"), text("label"))
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn who_watches_sees_what_others_do() {
    let server = Server::in_memory();
    let mut watching = Watching::nothing(&server);
    let added = server.ok(&["add", "Buy \u{1b}[31mmilk"]);
    assert_eq!(watching.line() + "\n", added);
    let id = server.ids().remove(0);
    for command in ["check", "uncheck", "remove"] {
        let said = server.ok(&[command, &id]);
        assert_eq!(watching.line() + "\n", said);
    }
}

#[test]
fn with_json_each_change_is_an_object_on_a_line() {
    let server = Server::in_memory();
    server.ok(&["add", "Buy milk"]);
    let mut watching = Watching::start(&server, &["--json"]);
    let said = |what: &str, label: &str| (what.to_owned(), label.to_owned());
    assert_eq!(watching.change(), said("listed", "Buy milk"));
    server.ok(&["add", "Buy bread\nand butter"]);
    assert_eq!(watching.change(), said("added", "Buy bread\nand butter"));
}

#[test]
fn a_watcher_whose_reader_has_read_enough_ends_well() {
    let server = Server::in_memory();
    let mut watching = Watching::nothing(&server);
    watching.lines = None;
    server.ok(&["add", "Buy milk"]);
    assert_eq!(watching.process.wait().unwrap().code(), Some(0));
}

#[test]
fn who_is_logged_in_watches_a_list_of_their_own() {
    let server = Server::in_memory();
    server.ok(&["add", "Buy milk"]);
    server.call_with(&["register", "ann"], "correct horse\n");
    let mut watching = Watching::nothing(&server);
    let added = server.ok(&["add", "Write a letter"]);
    assert_eq!(watching.line() + "\n", added);
}

#[test]
fn a_watcher_says_that_the_connection_is_lost_and_that_it_is_back() {
    let server = Server::in_memory();
    let mut watching = Watching::nothing(&server);
    let server = watching.loses(server);
    assert_eq!(watching.says(), "connected again");
    // Another server has another list: what was missed cannot be known, and it is shown anew.
    assert_eq!(watching.line(), "no tasks");
    let added = server.ok(&["add", "Buy milk"]);
    assert_eq!(watching.line() + "\n", added);
}

#[test]
fn a_watcher_whose_login_the_next_server_does_not_know_ends_and_says_what_helps() {
    let server = Server::in_memory();
    server.call_with(&["register", "ann"], "correct horse\n");
    let mut watching = Watching::nothing(&server);
    let _server = watching.loses(server);
    let said = watching.says();
    assert_eq!(
        said,
        "error: the login is not valid, or is over; `tasks login NAME` logs in"
    );
    assert_eq!(watching.process.wait().unwrap().code(), Some(77));
}
