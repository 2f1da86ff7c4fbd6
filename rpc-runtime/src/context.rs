//! What a handler knows about its call.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use rpc_protocol::frame::Metadata as Pair;
use tokio::time::Instant;

use crate::{
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
            metadata: Metadata(metadata),
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

/// Keys and values that travel with a call. Keys are lower case; those that end in `-bin` have bytes as values. A key
/// may occur several times.
#[derive(Debug, Clone, Default)]
pub struct Metadata(Vec<Pair>);

impl Metadata {
    /// The first text value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.pairs(key).map(|pair| pair.value.as_str()).next()
    }

    /// The first binary value of a key, which ends in `-bin`.
    pub fn get_bin(&self, key: &str) -> Option<&[u8]> {
        self.pairs(key).map(|pair| &*pair.binary).next()
    }

    /// All text values of a key, in the order they were sent.
    pub fn get_all(&self, key: &str) -> impl Iterator<Item = &str> {
        self.pairs(key).map(|pair| pair.value.as_str())
    }

    /// The keys, in the order they were sent, as often as they occur.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|pair| pair.key.as_str())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a text value. Keys are made lower case; under one that ends in `-bin` the text is sent as bytes.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<String>) {
        let (key, value) = (lower(key.into()), value.into());
        self.0.push(if key.ends_with(BINARY) {
            Pair {
                key,
                binary: value.into(),
                ..Pair::default()
            }
        } else {
            Pair {
                key,
                value,
                ..Pair::default()
            }
        });
    }

    /// Adds a binary value. Keys are made lower case; one that does not end in `-bin` is made to.
    pub fn insert_bin(&mut self, key: impl Into<String>, value: impl Into<Bytes>) {
        let mut key = lower(key.into());
        if !key.ends_with(BINARY) {
            key.push_str(BINARY);
        }
        self.0.push(Pair {
            key,
            binary: value.into(),
            ..Pair::default()
        });
    }

    /// Adds all of `other`, behind what is here.
    pub fn extend(&mut self, other: Metadata) {
        self.0.extend(other.0);
    }

    pub(crate) fn into_pairs(self) -> Vec<Pair> {
        self.0
    }

    fn pairs<'a>(&'a self, key: &str) -> impl Iterator<Item = &'a Pair> {
        self.0
            .iter()
            .filter(move |pair| pair.key.eq_ignore_ascii_case(key))
    }
}

/// What keys of binary values end in.
const BINARY: &str = "-bin";

fn lower(mut key: String) -> String {
    key.make_ascii_lowercase();
    key
}

impl From<Vec<Pair>> for Metadata {
    fn from(pairs: Vec<Pair>) -> Self {
        Self(pairs)
    }
}
