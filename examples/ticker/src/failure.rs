//! How the program fails: one line for a person, and an exit code for a script.

use std::fmt;
use std::process::ExitCode;

use rpc_runtime::text::one_line;
use rpc_runtime::{CallError, Code, Status};

use crate::contracts::Listing;

/// The exit codes, which `--help` lists: those of BSD's `sysexits.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Usage = 64,
    Refused = 65,
    NotListed = 66,
    Unreachable = 69,
    Failed = 70,
    CannotListen = 71,
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

/// One line, whatever a server says: control characters are escaped.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&one_line(&self.text))
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match &error {
            CallError::Status(status) => status.into(),
            CallError::TimedOut(_) => out_of_time(),
            CallError::Refused(_) => Failure::new(
                Exit::Unreachable,
                format!("{error}; `ticker serve` starts a server, --server names another"),
            ),
            _ => Failure::new(Exit::Unreachable, error.to_string()),
        }
    }
}

/// Both ends keep the time, and it is chance which of them tells first.
fn out_of_time() -> Failure {
    Failure::new(Exit::TimedOut, "no answer in time; the call may have run")
}

impl From<&Status> for Failure {
    fn from(status: &Status) -> Self {
        let exit = match status.code() {
            Code::InvalidArgument | Code::FailedPrecondition => Exit::Refused,
            Code::NotFound => Exit::NotListed,
            Code::Unavailable | Code::Cancelled => Exit::Unreachable,
            Code::DeadlineExceeded => return out_of_time(),
            _ => Exit::Failed,
        };
        // A contract can be a detail: what there is instead.
        let text = match status.details::<Listing>().next() {
            Some(listing) => format!("{}; listed are {}", status.message(), listing.symbols.join(", ")),
            None => status.message().to_owned(),
        };
        Failure::new(exit, text)
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        (&status).into()
    }
}
