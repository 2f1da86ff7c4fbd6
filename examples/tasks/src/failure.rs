//! How the program fails: one line for a person, and an exit code for a script.

use std::fmt;
use std::process::ExitCode;

use rpc_runtime::validate::Violations;
use rpc_runtime::{CallError, Code, Status};

use crate::output::escape;

/// The exit codes, which `--help` lists. Most are those of BSD's `sysexits.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Usage = 64,
    LabelRefused = 65,
    NoSuchTask = 66,
    Unreachable = 69,
    Failed = 70,
    CannotListen = 71,
    LabelTaken = 73,
    Database = 74,
    TimedOut = 75,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// Why a command did not do what it should.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    text: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, text: impl Into<String>) -> Self {
        Failure {
            exit,
            text: text.into(),
        }
    }
}

/// One line: texts of users and servers are escaped.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escape(&self.text))
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match &error {
            CallError::Status(status) => status.into(),
            CallError::Refused(refused) if refused.http_status().is_none() => Failure::new(
                Exit::Unreachable,
                format!("{refused}; `tasks serve` starts a server, --server names another"),
            ),
            CallError::TimedOut(_) => Failure::new(Exit::TimedOut, error.to_string()),
            _ => Failure::new(Exit::Unreachable, error.to_string()),
        }
    }
}

impl From<&Status> for Failure {
    fn from(status: &Status) -> Self {
        let exit = match status.code() {
            Code::InvalidArgument => Exit::LabelRefused,
            Code::AlreadyExists => Exit::LabelTaken,
            Code::NotFound => Exit::NoSuchTask,
            Code::Unavailable => Exit::Unreachable,
            Code::DeadlineExceeded => Exit::TimedOut,
            _ => Exit::Failed,
        };
        let rules: Vec<String> = status.details().flat_map(broken_rules).collect();
        if rules.is_empty() {
            Failure::new(exit, status.message())
        } else {
            Failure::new(exit, rules.join("; "))
        }
    }
}

/// The broken rules of the contract, in words: `label: must be at most 200 characters`.
fn broken_rules(violations: Violations) -> impl Iterator<Item = String> {
    violations
        .violations
        .into_iter()
        .map(|violation| format!("{}: {}", violation.of_field(), violation.message()))
}
