//! Servers, commands and what they print.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use expect_test::Expect;

/// A server that is running. Dropping it kills its process.
pub(crate) struct Server {
    pub(crate) process: Child,
    pub(crate) said: BufReader<ChildStdout>,
    pub(crate) url: String,
}

impl Server {
    /// Serves on a free port.
    pub(crate) fn start() -> Self {
        Self::start_on("127.0.0.1:0")
    }

    pub(crate) fn start_on(address: &str) -> Self {
        let mut process = program()
            .args(["serve", "--listen", address])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        let url = url_in(&line(&mut said));
        if cfg!(debug_assertions) {
            let page = format!(
                "{}/explorer/",
                url.replacen("ws://", "http://", 1).trim_end_matches("/rpc")
            );
            assert_eq!(
                line(&mut said),
                format!("To look into it, open {page} in a browser.")
            );
        }
        Server { url, said, process }
    }

    pub(crate) fn address(&self) -> &str {
        self.url
            .strip_prefix("ws://")
            .unwrap()
            .strip_suffix("/rpc")
            .unwrap()
    }

    /// The next line that it prints.
    pub(crate) fn says(&mut self) -> String {
        line(&mut self.said)
    }

    /// Runs a client command against this server, with this standard input.
    pub(crate) fn call(&self, args: &[&str], input: &str) -> Outcome {
        let mut process = program()
            .args(args)
            .args(["--server", &self.url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that does not read it may be over already.
        let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
        Outcome::of(process.wait_with_output().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a process printed, and how it ended.
pub(crate) struct Outcome(pub(crate) String);

impl Outcome {
    pub(crate) fn of(output: Output) -> Self {
        Outcome(format!(
            "{}{}exit {}\n",
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
            output.status.code().unwrap()
        ))
    }

    pub(crate) fn check(&self, expected: Expect) {
        // Help has lines of nothing but spaces, which editors and formatters move.
        let lines: Vec<&str> = self.0.lines().map(str::trim_end).collect();
        expected.assert_eq(&(lines.join("\n") + "\n"));
    }
}

pub(crate) fn line(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

pub(crate) fn url_in(text: &str) -> String {
    let end = text.find("/rpc").unwrap_or_else(|| panic!("no URL in {text:?}")) + "/rpc".len();
    text[text.find("ws://").unwrap()..end].to_owned()
}

/// The binary, without what the surroundings might set.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ticker"));
    for variable in ["RUST_LOG", "TICKER_SERVER", "TICKER_LISTEN"] {
        command.env_remove(variable);
    }
    command
}

pub(crate) fn run(args: &[&str]) -> Outcome {
    Outcome::of(program().args(args).stdin(Stdio::null()).output().unwrap())
}
