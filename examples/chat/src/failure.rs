//! How the program fails: one line for a person, and an exit code for a script.

use std::fmt;
use std::process::ExitCode;

use rpc_runtime::text::one_line;
use rpc_runtime::validate::Violations;
use rpc_runtime::{CallError, CloseCode, Code, RefusedKind, Status};

/// The exit codes, which `--help` lists: those of BSD's `sysexits.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Usage = 64,
    Refused = 65,
    NotFound = 66,
    Unreachable = 69,
    Failed = 70,
    CannotListen = 71,
    Taken = 73,
    Database = 74,
    TimedOut = 75,
    NotAllowed = 77,
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

    /// Whoever reads the output has read enough.
    pub(crate) fn nobody_reads() -> Self {
        Failure::new(Exit::Done, "")
    }
}

/// One line, whatever a server says.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&one_line(&self.text))
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match &error {
            CallError::Status(status) => status.into(),
            CallError::Refused(refused) => match refused.kind() {
                RefusedKind::Http(401) => Failure::new(Exit::NotAllowed, "the login is not valid any more"),
                RefusedKind::Http(429 | 503) => Failure::new(
                    Exit::TimedOut,
                    format!("{refused}: the server takes no more connections now; try again later"),
                ),
                RefusedKind::Http(404) => Failure::new(
                    Exit::Unreachable,
                    format!("{refused}; a server of chat answers at /rpc, as in ws://127.0.0.1:3002/rpc"),
                ),
                _ => Failure::new(
                    Exit::Unreachable,
                    format!("{refused}; `chat serve` starts a server, --server names another"),
                ),
            },
            CallError::Closed(closed) if is_about_the_login(closed.close_code()) => {
                Failure::new(Exit::NotAllowed, "the login is not valid any more")
            }
            CallError::TimedOut(_) => Failure::new(Exit::TimedOut, error.to_string()),
            _ => Failure::new(Exit::Unreachable, error.to_string()),
        }
    }
}

fn is_about_the_login(code: CloseCode) -> bool {
    matches!(
        code,
        CloseCode::TokenExpired | CloseCode::TokenInvalid | CloseCode::AuthenticationMissing
    )
}

impl From<&Status> for Failure {
    fn from(status: &Status) -> Self {
        let exit = match status.code() {
            Code::InvalidArgument | Code::FailedPrecondition => Exit::Refused,
            Code::AlreadyExists => Exit::Taken,
            Code::NotFound => Exit::NotFound,
            Code::Unavailable => Exit::Unreachable,
            Code::DeadlineExceeded | Code::ResourceExhausted => Exit::TimedOut,
            Code::Unauthenticated | Code::PermissionDenied => Exit::NotAllowed,
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

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        (&status).into()
    }
}

/// The broken rules of the contract, in words: `text: must be at most 2000 characters`.
fn broken_rules(violations: Violations) -> impl Iterator<Item = String> {
    violations.violations.into_iter().map(|violation| {
        let field = violation.of_field();
        match (field, violation.rule_id.as_deref()) {
            ("name" | "to" | "user", Some("string.pattern")) => format!(
                "{field}: a name is 2 to 32 small letters, digits, dots, hyphens and underscores, with a letter in front"
            ),
            _ => format!("{field}: {}", violation.message()),
        }
    })
}
