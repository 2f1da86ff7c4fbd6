//! `tasks watch`: the list, and every change of it, on a standard output that somebody reads.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};

use serde_json::Value;

use crate::support::Server;

/// A client that watches. Dropping it kills its process.
struct Watching {
    process: Child,
    /// `None` once nobody reads any more.
    lines: Option<Lines<BufReader<ChildStdout>>>,
}

impl Watching {
    fn start(server: &Server, args: &[&str]) -> Self {
        let mut command = server.client(&[&["watch"], args].concat());
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        Self {
            process,
            lines: Some(output.lines()),
        }
    }

    fn line(&mut self) -> String {
        self.lines.as_mut().unwrap().next().unwrap().unwrap()
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
    let mut watching = Watching::start(&server, &[]);
    assert_eq!(watching.line(), "no tasks");
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
    let mut watching = Watching::start(&server, &[]);
    assert_eq!(watching.line(), "no tasks");
    watching.lines = None;
    server.ok(&["add", "Buy milk"]);
    assert_eq!(watching.process.wait().unwrap().code(), Some(0));
}
