//! Why a call did not succeed.

use std::{fmt, sync::Arc, time::Duration};

use rpc_protocol::{CloseCode, Code};

use crate::Status;

/// Why a call, or connecting, did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// There is no connection: nobody listens, or the server does not let this client in. The call has not run.
    #[error(transparent)]
    Refused(Refused),
    /// The connection ended before the outcome was there. The call may have run.
    #[error(transparent)]
    Closed(Closed),
    /// The call's timeout is over. It was cancelled, and may have run.
    #[error("the call took longer than {0:?}")]
    TimedOut(Duration),
    /// The server, or a check on this side, answered with a status.
    #[error(transparent)]
    Status(#[from] Status),
}

impl CallError {
    /// The status' code, where there is a status.
    pub fn code(&self) -> Option<Code> {
        self.status().map(Status::code)
    }

    /// The status, where there is one.
    pub fn status(&self) -> Option<&Status> {
        match self {
            Self::Status(status) => Some(status),
            _ => None,
        }
    }
}

/// A connection that did not come about.
#[derive(Debug)]
pub struct Refused(pub(super) Box<RefusedBecause>);

#[derive(Debug)]
pub(super) struct RefusedBecause {
    pub(super) url: String,
    pub(super) status: Option<u16>,
    pub(super) text: String,
    pub(super) source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Refused {
    /// The status with which the server answered the upgrade, such as 503, where it did.
    pub fn http_status(&self) -> Option<u16> {
        self.0.status
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot connect to {}: {}", self.0.url, self.0.text)
    }
}

impl std::error::Error for Refused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// How a connection ended.
#[derive(Debug, Clone)]
pub struct Closed(pub(super) Arc<(CloseCode, String)>);

impl Closed {
    pub(super) fn new(code: CloseCode, reason: impl Into<String>) -> Self {
        Self(Arc::new((code, reason.into())))
    }

    /// The close code: the server's, ours, or [`CloseCode::Abnormal`] when the connection just broke.
    pub fn close_code(&self) -> CloseCode {
        self.0.0
    }

    /// What was said with the code; for people.
    pub fn reason(&self) -> &str {
        &self.0.1
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the connection was closed with {}", self.close_code())?;
        if self.reason().is_empty() {
            Ok(())
        } else {
            write!(f, ": {}", self.reason())
        }
    }
}

impl std::error::Error for Closed {}
