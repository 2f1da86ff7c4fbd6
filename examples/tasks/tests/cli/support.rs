//! Servers, commands and what they print.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use expect_test::Expect;

/// A server that is running. Dropping it kills its process.
pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
    /// What it has said at the start, up to the line with its address for calls.
    pub(crate) said: String,
    /// Where the clients keep their logins.
    pub(crate) home: tempfile::TempDir,
}

impl Server {
    /// Serves the tasks in `database` on a free port.
    pub(crate) fn start(database: &Path) -> Self {
        Self::start_with(
            &["serve", "--listen", "127.0.0.1:0", "--database"],
            Some(database),
        )
    }

    pub(crate) fn in_memory() -> Self {
        Self::start_with(&["--listen", "127.0.0.1:0", "--memory"], None)
    }

    /// Serves in memory, and logs all that it does to a file.
    pub(crate) fn logging_to(log: &Path) -> Self {
        let mut command = program();
        command
            .args(["--listen", "127.0.0.1:0", "--memory"])
            .env("RUST_LOG", "trace")
            .stderr(std::fs::File::create(log).unwrap());
        Self::of(command)
    }

    pub(crate) fn start_with(args: &[&str], database: Option<&Path>) -> Self {
        let mut command = program();
        command.args(args).args(database).stderr(Stdio::null());
        Self::of(command)
    }

    fn of(mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut welcome = BufReader::new(process.stdout.take().unwrap());
        let mut said = String::new();
        let url = loop {
            let begin = said.len();
            assert_ne!(welcome.read_line(&mut said).unwrap(), 0, "no address in {said:?}");
            if let Some(url) = said[begin..].split(' ').find(|word| word.starts_with("ws")) {
                break url.to_owned();
            }
        };
        Server {
            url,
            said,
            process,
            home: tempfile::tempdir().unwrap(),
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        let address = self.url.trim_start_matches("ws://");
        address.trim_end_matches("/rpc").to_owned()
    }

    /// Runs a client command against this server.
    pub(crate) fn call(&self, args: &[&str]) -> Outcome {
        Outcome::of(&mut self.client(args))
    }

    /// A client command for this server.
    pub(crate) fn client(&self, args: &[&str]) -> Command {
        let mut command = program();
        command
            .args(args)
            .args(["--server", &self.url])
            .env("XDG_CONFIG_HOME", self.home.path());
        command
    }

    /// Runs a client command that is given a password.
    pub(crate) fn call_with(&self, args: &[&str], password: &str) -> Outcome {
        Outcome::with_input(&mut self.client(args), password)
    }

    /// Runs a client command that goes well.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let outcome = self.call(args);
        assert_eq!(outcome.code, 0, "{args:?}: {outcome:?}");
        assert_eq!(outcome.stderr, "", "{args:?}");
        outcome.stdout
    }

    /// The full ids, in the order of the list.
    pub(crate) fn ids(&self) -> Vec<String> {
        let list: serde_json::Value = serde_json::from_str(&self.ok(&["list", "--json"])).unwrap();
        let tasks = list.as_array().unwrap();
        tasks
            .iter()
            .map(|task| task["id"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Sends a signal and gives the exit code.
    pub(crate) fn stop(mut self, signal: &str) -> Option<i32> {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(sent.success());
        self.process.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a process printed, and how it ended.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    pub(crate) fn of(command: &mut Command) -> Self {
        Self::of_output(command.stdin(Stdio::null()).output().unwrap())
    }

    /// Of a command that reads `input`.
    pub(crate) fn with_input(command: &mut Command, input: &str) -> Self {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One that has failed already does not read it.
        let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
        Self::of_output(process.wait_with_output().unwrap())
    }

    fn of_output(output: Output) -> Self {
        let Output {
            status,
            stdout,
            stderr,
        } = output;
        Outcome {
            code: status.code().unwrap(),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }
}

/// The binary, without what the surroundings might set.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tasks"));
    for variable in [
        "RUST_LOG",
        "TASKS_SERVER",
        "TASKS_LISTEN",
        "TASKS_DATABASE",
        "TASKS_JWT_SECRET_FILE",
        "TASKS_CA",
        "TASKS_TOKEN_FILE",
    ] {
        command.env_remove(variable);
    }
    // Nobody is logged in, whoever runs the tests.
    command.env("XDG_CONFIG_HOME", "/nonexistent");
    // It tells how to call it as Cargo would.
    command.env("CARGO", "cargo");
    command
}

/// Compares with `expected`, in which `what` stands for texts that differ from run to run.
pub(crate) fn check(outcome: &Outcome, what: &[(&str, &str)], expected: Expect) {
    let mut text = format!("{}{}exit {}\n", outcome.stdout, outcome.stderr, outcome.code);
    for (found, shown) in what {
        text = text.replace(found, shown);
    }
    // Help has lines of nothing but spaces, which editors and formatters move.
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    expected.assert_eq(&(lines.join("\n") + "\n"));
}
