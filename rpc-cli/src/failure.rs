//! How the program fails: a line for a person, and an exit code for a script.

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use rpc_runtime::{CallError, Code, RefusedKind, Status};

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
    /// Of `rpc new`.
    CannotCreate,
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
            Exit::CannotCreate => 73,
        })
    }
}

const DEADLINE: &str = "--deadline says how long a call may take, as its method may";
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

    /// Says what it is about, such as a channel.
    pub(crate) fn about(mut self, what: &str) -> Self {
        if !what.is_empty() {
            self.text = format!("{what}: {}", self.text);
        }
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
            CallError::Refused(ref refused) => {
                Failure::new(exit, error.to_string()).hint(way_in(refused.kind()))
            }
            CallError::TimedOut(_) => Failure::new(exit, error.to_string()).hint(DEADLINE),
            _ => Failure::new(exit, error.to_string()),
        }
    }
}

/// What to do where there is no connection.
fn way_in(refused: RefusedKind) -> &'static str {
    match refused {
        RefusedKind::BadUrl => {
            "--server takes a URL such as ws://127.0.0.1:3000/rpc or wss://example.com/rpc"
        }
        RefusedKind::Tls => {
            "--ca names a file with the certificate that is trusted, and the URL has the name that the server's is for; the URL of a \
             server without TLS begins with ws://"
        }
        RefusedKind::Http(404) => {
            "the URL ends with the path of an endpoint: /rpc, where the server has no other"
        }
        RefusedKind::Http(400) | RefusedKind::NotThisProtocol => {
            "where the server speaks TLS, its URL begins with wss://"
        }
        RefusedKind::Http(403) => "the server, or what stands in front of it, does not let this program in",
        RefusedKind::Http(429 | 503) => "try again later",
        RefusedKind::Http(426) => {
            "the upgrade to a WebSocket did not arrive: a proxy has to forward Upgrade and Connection, by HTTP/1.1"
        }
        RefusedKind::Http(_) => {
            "what answered may be a proxy in front of the server, or another program: --server says whom to ask"
        }
        RefusedKind::TimedOut => "--connect-timeout gives it longer",
        _ => "is the server running there? --server names another, RPC_SERVER does for all commands",
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        let failure = Failure::new(Exit::Status(status.code()), status.to_string());
        match status.code() {
            Code::Unauthenticated => failure.hint(TOKEN),
            Code::DeadlineExceeded => failure.hint(DEADLINE),
            _ => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_end_with_the_numbers_of_grpc_and_all_else_with_those_of_sysexits() {
        let codes = [
            Code::Cancelled,
            Code::Unknown,
            Code::InvalidArgument,
            Code::DeadlineExceeded,
            Code::NotFound,
            Code::AlreadyExists,
            Code::PermissionDenied,
            Code::ResourceExhausted,
            Code::FailedPrecondition,
            Code::Aborted,
            Code::OutOfRange,
            Code::Unimplemented,
            Code::Internal,
            Code::Unavailable,
            Code::DataLoss,
            Code::Unauthenticated,
        ];
        for (number, code) in (1..).zip(codes) {
            let exit = Failure::from(Status::new(code, "")).exit;
            assert_eq!(exit, Exit::Status(code));
            assert_eq!(ExitCode::from(exit), ExitCode::from(number), "{code:?}");
        }
        for (exit, number) in [
            (Exit::Done, 0),
            (Exit::Breaks, 1),
            (Exit::Usage, 64),
            (Exit::BadData, 65),
            (Exit::NoInput, 66),
            (Exit::Failed, 70),
            (Exit::CannotCreate, 73),
        ] {
            assert_eq!(ExitCode::from(exit), ExitCode::from(number), "{exit:?}");
        }
    }

    #[test]
    fn each_way_not_to_be_let_in_has_a_way_out_of_its_own() {
        for (kind, part) in [
            (RefusedKind::Unreachable, "is the server running there?"),
            (RefusedKind::BadUrl, "a URL such as"),
            (RefusedKind::Tls, "--ca"),
            (RefusedKind::NotThisProtocol, "wss://"),
            (RefusedKind::Http(400), "wss://"),
            (RefusedKind::Http(403), "does not let this program in"),
            (RefusedKind::Http(404), "the path of an endpoint"),
            (RefusedKind::Http(429), "try again later"),
            (RefusedKind::Http(503), "try again later"),
            (RefusedKind::Http(426), "forward Upgrade"),
            (RefusedKind::Http(200), "another program"),
            (RefusedKind::Http(502), "a proxy in front of the server"),
            (RefusedKind::TimedOut, "--connect-timeout"),
        ] {
            assert!(way_in(kind).contains(part), "{kind:?}: {}", way_in(kind));
        }
    }
}
