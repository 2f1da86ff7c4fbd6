//! What brokers are told, and what they tell: events and where they are, who is where, and what goes wrong.

use std::{fmt, str::FromStr, sync::Arc, time::SystemTime};

use bytes::Bytes;

use crate::{ClientId, Status};

/// A place in a channel's history.
///
/// As text it is its epoch in 16 hexadecimal digits and its offset, which is the id of an event that was given no other:
///
/// ```
/// # use rpc_runtime::hub::{Position, PositionError};
/// let position: Position = "5f0c2b1a9d3e4870-17".parse()?;
/// assert_eq!(position.offset, 17);
/// assert_eq!(position.to_string(), "5f0c2b1a9d3e4870-17");
/// # Ok::<(), PositionError>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Position {
    /// Which history: random, and another after history was lost.
    pub epoch: u64,
    /// How many events had been published in it, up to this one and with it. 0 is before the first.
    pub offset: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{}", self.epoch, self.offset)
    }
}

impl FromStr for Position {
    type Err = PositionError;

    /// Reads an epoch of one to sixteen hexadecimal digits, small or capital, a hyphen, and an offset in decimal digits. That is more
    /// than what a position is written as: `AB-017` is that of `00000000000000ab-17`, so compare positions, not their texts.
    fn from_str(text: &str) -> Result<Self, PositionError> {
        let read = || {
            let (epoch, offset) = text.split_once('-')?;
            // Numbers may have a sign in front for Rust, and have none here.
            let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
            let epoch = Some(epoch).filter(|text| are_digits(text))?;
            let offset = Some(offset).filter(|text| are_digits(text))?;
            Some(Self {
                epoch: u64::from_str_radix(epoch, 16).ok()?,
                offset: offset.parse().ok()?,
            })
        };
        read().ok_or(PositionError(()))
    }
}

/// A text is no [`Position`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PositionError(());

impl fmt::Display for PositionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a position is an epoch in hexadecimal digits and an offset, such as 5f0c2b1a9d3e4870-17")
    }
}

impl std::error::Error for PositionError {}

/// Who published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publisher {
    /// The client.
    pub client: ClientId,
    /// Who it was known as.
    pub user: Option<Arc<str>>,
}

/// By whose doing something is published: whose its key is, and who answers for what it takes of the broker's memory.
///
/// It is nobody's business but the broker's: whom subscribers are told is [`Publication::publisher`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// The program itself.
    #[default]
    Server,
    /// A user, by any of its clients.
    User(Arc<str>),
    /// A client that is known as nobody.
    Client(ClientId),
}

/// What is published.
#[derive(Debug, Clone)]
pub struct Publication {
    /// The event's full name, such as `chat.Message`.
    pub type_name: Arc<str>,
    /// The event, encoded.
    pub body: Bytes,
    /// The event's id. `None`: it is made of its position.
    pub id: Option<Arc<str>>,
    /// The key under which it is stored once, among those of its origin.
    pub key: Option<Arc<str>>,
    /// By whose doing it is published.
    pub origin: Origin,
    /// When it was published, by the clock of the node.
    pub time: SystemTime,
    /// Who published it, where subscribers are to know.
    pub publisher: Option<Publisher>,
    /// Clients that it is not for, also when they recover.
    pub except: Arc<[ClientId]>,
}

/// What was published.
#[derive(Debug, Clone)]
pub struct Published {
    /// Where; offset 0 in a channel without history, and for what was sent.
    pub position: Position,
    /// What.
    pub publication: Publication,
}

impl Published {
    /// The event's id: the one that it was given, else its position as text.
    pub fn id(&self) -> Arc<str> {
        match &self.publication.id {
            Some(id) => id.clone(),
            None => self.position.to_string().into(),
        }
    }

    /// Whether it is for a client.
    pub(crate) fn is_for(&self, client: ClientId) -> bool {
        !self.publication.except.contains(&client)
    }
}

/// What publishing came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// The event's id.
    pub id: Arc<str>,
    /// Where it is in its channel; `None` where that has no history, and for what was sent.
    pub position: Option<Position>,
    /// How many clients it was given to, as far as the broker knows: exact in one process.
    pub reached: Option<usize>,
    /// An event with this key had been published before; nothing was published now.
    pub duplicate: bool,
}

impl Receipt {
    /// What publishing came to.
    pub fn new(id: Arc<str>, position: Option<Position>, reached: Option<usize>) -> Self {
        Self {
            id,
            position,
            reached,
            duplicate: false,
        }
    }

    /// The same, of an event that had been published before.
    #[must_use]
    pub fn duplicate(mut self) -> Self {
        self.duplicate = true;
        self.reached = Some(0);
        self
    }
}

/// Whom something is sent to that is published in no channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// One client.
    Client(ClientId),
    /// All clients of a user.
    User(Arc<str>),
    /// All clients.
    All,
    /// All clients that are known as no user.
    Anonymous,
}

/// Which part of a history is asked for. All that is set holds.
#[derive(Debug, Clone, Copy, Default)]
pub struct HistoryQuery {
    /// Events after this position. A position of another epoch, or beyond the last event, is known to nobody.
    pub after: Option<Position>,
    /// Events before this offset, in the present epoch.
    pub before: Option<u64>,
    /// Events published then or later.
    pub since: Option<SystemTime>,
    /// Events published before then.
    pub until: Option<SystemTime>,
    /// So many at most.
    pub limit: usize,
    /// The latest first.
    pub newest_first: bool,
}

/// A part of a history.
#[derive(Debug, Clone)]
pub struct History {
    /// Where the channel is now.
    pub position: Position,
    /// The events, in the direction that was asked for.
    pub events: Vec<Arc<Published>>,
    /// With [`HistoryQuery::after`]: no event is missing between that position and those that are given. False as well where
    /// that position is known to nobody.
    pub complete: bool,
    /// There are more in that direction.
    pub more: bool,
}

/// Who is in a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The client.
    pub client: ClientId,
    /// Who it is known as.
    pub user: Option<Arc<str>>,
    /// Since when.
    pub since: SystemTime,
    /// What it says of itself: a message's full name, and the message.
    pub data: Option<(Arc<str>, Bytes)>,
}

impl Member {
    /// By whose doing it is there: who answers for what it takes of the broker's memory.
    pub fn origin(&self) -> Origin {
        match &self.user {
            Some(user) => Origin::User(user.clone()),
            None => Origin::Client(self.client),
        }
    }
}

/// Which part of those who are in a channel is asked for.
#[derive(Debug, Clone, Copy)]
pub struct MembersQuery {
    /// Those whose clients come after this one, by their ids.
    pub after: Option<ClientId>,
    /// So many at most.
    pub limit: usize,
}

/// A part of those who are in a channel.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Members {
    /// In the order of their clients' ids.
    pub members: Vec<Member>,
    /// There are more behind them.
    pub more: bool,
    /// How many clients there are in all.
    pub clients: usize,
    /// How many users there are in all; each anonymous client counts as one.
    pub users: usize,
}

/// What a change of presence came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemberChange {
    /// Something has changed: the client was not there, or was.
    pub changed: bool,
    /// The client is the first of its user, or was the last. True for each anonymous client.
    pub of_user: bool,
}

/// Why a broker cannot do what it is asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerError {
    /// The broker cannot be reached, or does not answer.
    #[error("the broker is not available: {0}")]
    Unavailable(String),
    /// There is no room: too many channels, events or members.
    #[error("the broker has no room: {0}")]
    Full(&'static str),
    /// What one [`Origin`] may take is taken by this one, by its events or its members. Others are not concerned.
    #[error("this user or client has no room left: {0}")]
    AccountFull(&'static str),
    /// An event with this key has been published, and it is another.
    #[error(
        "another event has been published with this key: publish the same one again, or give this one a key of its own"
    )]
    OtherEvent,
}

impl From<BrokerError> for Status {
    fn from(error: BrokerError) -> Self {
        match error {
            BrokerError::Unavailable(_) => Status::unavailable("the broker is not available"),
            BrokerError::Full(_) | BrokerError::AccountFull(_) => {
                Status::resource_exhausted(error.to_string())
            }
            BrokerError::OtherEvent => Status::already_exists(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_as_ids_of_events_have_them() {
        let position = Position {
            epoch: 0xab,
            offset: 17,
        };
        assert_eq!(position.to_string(), "00000000000000ab-17");
        for text in ["00000000000000ab-17", "ab-17", "AB-017"] {
            assert_eq!(text.parse(), Ok(position), "{text}");
        }
        for wrong in [
            "",
            "17",
            "-17",
            "ab-",
            "ab-x",
            "xyz-1",
            "+ab-1",
            "ab-+1",
            "ab--1",
            "5f0c2b1a9d3e48701-1",
            "ab-18446744073709551616",
        ] {
            assert_eq!(wrong.parse::<Position>(), Err(PositionError(())), "{wrong}");
        }
    }
}
