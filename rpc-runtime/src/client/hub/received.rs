//! An event as it came, and as a program reads it.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use rpc_protocol::frame::{Compression, Event as EventFrame};

use crate::{
    Contract, compression,
    hub::{Events, LONGEST_EVENT, Position, is_among},
    services::hub::{Dropped, EventRecord},
};

/// An event that a client was given.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Received<E> {
    /// The event.
    pub event: E,
    /// The name of its channel; empty for what was sent to this client, to its user, or to all.
    pub channel: String,
    /// Where it is in its channel's history; `None` where that has none, and for what was sent.
    pub position: Option<Position>,
    /// Its id: one that the hub made, or the key that the server's program has published it with.
    pub id: String,
    /// When it was published, by the server's clock.
    pub time: SystemTime,
    /// The id of the client that published it, where subscribers are told.
    pub client: Option<String>,
    /// Who that was known as, where subscribers are told.
    pub user: Option<String>,
    /// How it came.
    pub kind: ReceivedKind,
}

/// How an event came to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReceivedKind {
    /// As it was published.
    Live,
    /// Later: it was published while the client was away or did not read, or it was read from history.
    Recovered,
    /// The state of what the channel is about, as the server took it when the client subscribed.
    Snapshot,
}

/// An event that is not decoded yet. Several subscriptions share it.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) offset: u64,
    /// Of which history it is, where it tells; else 0.
    pub(super) epoch: u64,
    type_name: String,
    id: String,
    time_us: u64,
    client: String,
    user: String,
    compression: Compression,
    body: Bytes,
}

/// Why an event could not be given to a program.
#[derive(Debug, PartialEq)]
pub(super) enum Unread {
    /// It is none of those that the program listens for.
    Unknown,
    /// Its body is no such message.
    Undecodable,
}

/// What an event takes beside its texts and its body, about.
const FIXED_COST: usize = 256;

impl Raw {
    pub(super) fn of_frame(frame: EventFrame) -> Self {
        Self {
            offset: frame.offset,
            epoch: frame.epoch,
            type_name: frame.type_name,
            id: frame.id,
            time_us: frame.time_us,
            client: frame.client_id,
            user: frame.user_id,
            compression: frame.compression,
            body: frame.body,
        }
    }

    pub(super) fn of_record(record: EventRecord) -> Self {
        Self {
            offset: record.offset,
            epoch: 0,
            type_name: record.type_name,
            id: record.id,
            time_us: record.time_us,
            client: record.client_id,
            user: record.user_id,
            compression: Compression::NONE,
            body: record.body,
        }
    }

    /// How many events were dropped in its place, where it says that and is none itself.
    pub(super) fn dropped(&self) -> Option<u64> {
        if self.type_name != Dropped::FULL_NAME {
            return None;
        }
        let told = <Dropped as prost::Message>::decode(self.body.clone());
        Some(told.unwrap_or_default().count)
    }

    /// What holding it takes, in bytes.
    pub(super) fn cost(&self) -> usize {
        let texts = self.type_name.len() + self.id.len() + self.client.len() + self.user.len();
        FIXED_COST + texts + self.body.len()
    }

    /// Reads it as one of the events that a program listens for. `epoch`: of its channel's history, where that has one.
    pub(super) fn read<E: Events>(
        &self,
        channel: &str,
        epoch: Option<u64>,
        kind: ReceivedKind,
    ) -> Result<Received<E>, Unread> {
        let event = self.decode::<E>()?;
        let position = epoch.filter(|_| self.offset > 0).map(|epoch| Position {
            epoch,
            offset: self.offset,
        });
        let id = match (&*self.id, position) {
            ("", Some(position)) => position.to_string(),
            (id, _) => id.to_owned(),
        };
        Ok(Received {
            event,
            channel: channel.to_owned(),
            position,
            id,
            time: time_of(self.time_us),
            client: told(&self.client),
            user: told(&self.user),
            kind,
        })
    }

    fn decode<E: Events>(&self) -> Result<E, Unread> {
        let body = match self.compression {
            Compression::NONE => self.body.clone(),
            // Nobody inflates what is not read.
            _ if !is_among(&self.type_name, E::NAMES) => return Err(Unread::Unknown),
            _ => compression::inflate(&self.body, LONGEST_EVENT).map_err(|_| Unread::Undecodable)?,
        };
        let event = E::decode(&self.type_name, body).ok_or(Unread::Unknown)?;
        event.map_err(|_| Unread::Undecodable)
    }
}

fn told(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// From microseconds since the Unix epoch; what no clock can show is that epoch.
fn time_of(time_us: u64) -> SystemTime {
    let since = Duration::from_micros(time_us);
    SystemTime::UNIX_EPOCH
        .checked_add(since)
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

impl fmt::Display for ReceivedKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Live => "live",
            Self::Recovered => "recovered",
            Self::Snapshot => "snapshot",
        })
    }
}
