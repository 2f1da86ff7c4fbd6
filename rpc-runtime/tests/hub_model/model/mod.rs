//! The reference: what was published, what history has of it at a moment, and which deliveries are right by that. It knows nothing
//! of queues, brokers or connections but what it is told.

mod joins;
mod judge;
mod log;
mod made;
mod plain;
mod sent;
#[cfg(test)]
mod tests;

use std::time::SystemTime;

use rpc_runtime::hub::{
    Position,
    client::{self, GapCause},
};
use tokio::time::Instant;

pub use joins::Joins;
pub use judge::{Began, Subscribed};
pub use log::Log;
pub use made::Made;
pub use plain::{Losing, Passing};
pub use sent::Sent;

/// What is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// By programs and by the server: each once, by its number.
    Tick(u64),
    /// By the hub: a user's first client came, or one that is anonymous.
    Joined(String),
    /// By the hub: a user's last client is gone.
    Left(String),
}

/// What was published, as its broker took it.
#[derive(Debug, Clone)]
pub struct Entry {
    pub what: What,
    /// The clients, by their ids, that it is not for.
    pub except: Vec<String>,
    /// Where it has one that is not made of its position.
    pub id: Option<String>,
    /// And whose it is.
    pub key: Option<String>,
    /// By the clock that events are stamped with.
    pub time: SystemTime,
    /// By the virtual one.
    pub came: Instant,
    /// Of its body.
    pub bytes: usize,
}

impl Entry {
    /// Whether it is for a client that had these ids.
    pub fn is_for(&self, ids: &[String]) -> bool {
        !self.except.iter().any(|except| ids.contains(except))
    }
}

/// What a subscription gave to its program.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// An event, and where it was.
    Event(What, Option<Position>),
    /// So many events had been published, with this sum.
    Snapshot(Tally, Option<Position>),
    Gap(Gap),
}

/// What a program is told where events are missing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gap {
    pub last: Option<Position>,
    pub next: Option<Position>,
    pub missed: Option<u64>,
    pub cause: GapCause,
}

impl From<client::Gap> for Gap {
    fn from(gap: client::Gap) -> Self {
        Self {
            last: gap.last,
            next: gap.next,
            missed: gap.missed,
            cause: gap.cause,
        }
    }
}

/// The state that a channel is about: how many events were published, and the sum of their numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub count: u64,
    pub sum: u64,
}

impl Tally {
    /// Of these events.
    pub fn of<'a>(entries: impl Iterator<Item = &'a Entry>) -> Self {
        entries.fold(Self::default(), |tally, entry| Self {
            count: tally.count + 1,
            sum: tally.sum.wrapping_add(match entry.what {
                What::Tick(number) => number,
                What::Joined(_) | What::Left(_) => 0,
            }),
        })
    }
}

/// What was given, and to whom.
#[derive(Debug, Clone)]
pub struct Item {
    pub given: Given,
    /// The event's id, where it is one.
    pub id: Option<String>,
    /// The id that the client had when it was read.
    pub by: Option<String>,
    /// When it was read.
    pub at: Instant,
    /// How many connections its client had had by then.
    pub connections: u64,
}
