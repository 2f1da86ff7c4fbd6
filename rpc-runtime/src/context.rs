//! What a handler knows about its call.

use std::{fmt, sync::Arc, time::Duration};

use rpc_protocol::frame::Metadata as Pair;
use tokio::time::Instant;

use crate::{
    Metadata,
    contract::MethodDescriptor,
    session::{ClientId, Session},
};

/// A call, as its handler sees it: who calls what, with which metadata, until when.
///
/// A call is cancelled by dropping its future: when the client cancels it or goes away, when its deadline passes, and
/// when the server stops after its grace. What must happen even then belongs into a task of its own.
#[derive(Debug)]
pub struct Context {
    session: Arc<Session>,
    stream_id: u64,
    method: &'static MethodDescriptor,
    metadata: Metadata,
    deadline: Option<Instant>,
}

impl Context {
    pub(crate) fn new(
        session: Arc<Session>,
        stream_id: u64,
        method: &'static MethodDescriptor,
        metadata: Vec<Pair>,
        deadline: Option<Instant>,
    ) -> Self {
        Self {
            session,
            stream_id,
            method,
            metadata: metadata.into(),
            deadline,
        }
    }

    /// The connected client that calls.
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// The call's id, under which its failures stand in the log.
    pub fn call_id(&self) -> CallId {
        CallId {
            client: self.session.id(),
            stream_id: self.stream_id,
        }
    }

    pub(crate) fn stream_id(&self) -> u64 {
        self.stream_id
    }

    /// The method that is called.
    pub fn method(&self) -> &'static MethodDescriptor {
        self.method
    }

    /// What the client sent with the call.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// When the call's time is over: the smaller of what the client and the method allow. `None` where neither says.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// How much time is left until the deadline; zero when it has passed.
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }
}

/// Names one call in the log and in the text of an internal error: the client's id and the stream's.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallId {
    pub(crate) client: ClientId,
    pub(crate) stream_id: u64,
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.client, self.stream_id)
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallId({self})")
    }
}
