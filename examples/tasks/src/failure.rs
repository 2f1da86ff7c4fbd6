//! How the program fails: one line for a person, and an exit code for a script.

use std::fmt;
use std::process::ExitCode;

use rpc_runtime::hub::client::SubscriptionError;
use rpc_runtime::text::one_line;
use rpc_runtime::validate::Violations;
use rpc_runtime::{CallError, CloseCode, Code, RefusedKind, Status};

/// The exit codes, which `--help` lists. Most are those of BSD's `sysexits.h`.
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
    Config = 78,
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
        f.write_str(&one_line(&self.text))
    }
}

impl From<SubscriptionError> for Failure {
    fn from(error: SubscriptionError) -> Self {
        match error {
            SubscriptionError::Closed(error) => error.into(),
            SubscriptionError::Refused(status) | SubscriptionError::Ended(status) => (&status).into(),
            error => Failure::new(Exit::Unreachable, error.to_string()),
        }
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match &error {
            CallError::Status(status) => status.into(),
            CallError::Refused(refused) => match refused.kind() {
                RefusedKind::Http(401) => login_first("the login is not valid, or is over"),
                RefusedKind::Http(429 | 503) => {
                    Failure::new(Exit::TimedOut, format!("{refused}; try again later"))
                }
                RefusedKind::Http(_) => Failure::new(Exit::Unreachable, refused.to_string()),
                RefusedKind::Tls => {
                    Failure::new(Exit::Unreachable, format!("{refused}; --ca names whom to trust"))
                }
                _ => Failure::new(
                    Exit::Unreachable,
                    format!(
                        "{refused}; `{} serve` starts a server, --server names another",
                        crate::cli::program()
                    ),
                ),
            },
            CallError::Closed(closed) if is_about_the_login(closed.close_code()) => {
                login_first("the login is not valid, or is over")
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

/// What helps where nobody is known.
fn login_first(why: &str) -> Failure {
    Failure::new(Exit::NotAllowed, format!("{why}; `tasks login NAME` logs in"))
}

impl From<&Status> for Failure {
    fn from(status: &Status) -> Self {
        let exit = match status.code() {
            Code::InvalidArgument => Exit::Refused,
            Code::AlreadyExists => Exit::Taken,
            Code::NotFound => Exit::NotFound,
            Code::Unavailable => Exit::Unreachable,
            Code::DeadlineExceeded | Code::ResourceExhausted => Exit::TimedOut,
            Code::Unauthenticated => return login_first(status.message()),
            Code::PermissionDenied => Exit::NotAllowed,
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
