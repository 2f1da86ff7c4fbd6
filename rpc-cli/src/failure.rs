//! How the program fails: a line for a person, and an exit code for a script.

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use rpc_runtime::{CallError, Code, Status};

use crate::output;

/// The exit codes, which `--help` lists: gRPC's numbers for a call's status, those of BSD's `sysexits.h` for everything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    /// A call ended with it.
    Status(Code),
    /// Of `rpc check`: a change breaks peers.
    Breaks,
    Usage,
    BadData,
    NoInput,
    Failed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Done => 0,
            // Codes are below 17.
            Exit::Status(code) => code as u8,
            Exit::Breaks => 1,
            Exit::Usage => 64,
            Exit::BadData => 65,
            Exit::NoInput => 66,
            Exit::Failed => 70,
        })
    }
}

const TOKEN: &str = "--token shows a token, RPC_TOKEN does for all commands";

/// Why a command did not do what it should.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    text: String,
    /// What to do about it.
    hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, text: impl Into<String>) -> Self {
        Self {
            exit,
            text: text.into(),
            hint: None,
        }
    }

    /// Says what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint.get_or_insert(hint.into());
        self
    }

    pub(crate) fn is(&self, code: Code) -> bool {
        self.exit == Exit::Status(code)
    }

    /// A file that cannot be read.
    pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self::new(
            Exit::NoInput,
            format!("{} cannot be read: {error}", path.display()),
        )
    }

    pub(crate) fn hinted(&self) -> Option<String> {
        self.hint.as_deref().map(output::one_line)
    }
}

/// One line, whatever a server says.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&output::one_line(&self.text))
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        let exit = error.code().map_or(Exit::Failed, Exit::Status);
        match error {
            CallError::Status(status) => status.into(),
            _ if exit == Exit::Status(Code::Unauthenticated) => {
                Failure::new(exit, error.to_string()).hint(TOKEN)
            }
            CallError::Refused(_) => Failure::new(exit, error.to_string()).hint(
                "is the server running there? --server names another, RPC_SERVER does for all commands",
            ),
            _ => Failure::new(exit, error.to_string()),
        }
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        let failure = Failure::new(Exit::Status(status.code()), status.to_string());
        match status.code() {
            Code::Unauthenticated => failure.hint(TOKEN),
            _ => failure,
        }
    }
}
