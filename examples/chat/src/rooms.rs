//! The rooms: which there are, and who is kept out of which.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rpc_runtime::Status;
use tokio::time::Instant;

/// How long somebody is kept out who was put out.
const KEPT_OUT: Duration = Duration::from_secs(10 * 60);

/// What a room is called: a letter, and up to 31 more letters, digits and hyphens, all of them small.
///
/// It is a parameter of the channels `room:{room}` and `typing:{room}`: a channel whose name has no such part is none of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RoomName(String);

/// Why a text is no room's name.
#[derive(Debug, thiserror::Error)]
#[error("a room's name is a small letter, and up to 31 more small letters, digits and hyphens")]
pub(crate) struct NotARoomName;

impl RoomName {
    /// The name as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The channel of what happens in the room.
    pub(crate) fn channel(&self) -> String {
        format!("room:{self}")
    }

    /// The channel of who is writing there.
    pub(crate) fn typing_channel(&self) -> String {
        format!("typing:{self}")
    }
}

impl FromStr for RoomName {
    type Err = NotARoomName;

    fn from_str(name: &str) -> Result<Self, NotARoomName> {
        let is_first = |byte: &u8| byte.is_ascii_lowercase();
        let is_next = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
        match name.as_bytes() {
            [first, rest @ ..] if is_first(first) && rest.len() < 32 && rest.iter().all(is_next) => {
                Ok(RoomName(name.to_owned()))
            }
            _ => Err(NotARoomName),
        }
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The rooms of a server.
#[derive(Debug)]
pub(crate) struct Rooms {
    names: BTreeSet<RoomName>,
    /// Until when somebody may not come back.
    kept_out: Mutex<HashMap<(RoomName, String), Instant>>,
}

impl Rooms {
    /// These rooms, and no others.
    pub(crate) fn new(names: impl IntoIterator<Item = RoomName>) -> Self {
        Rooms {
            names: names.into_iter().collect(),
            kept_out: Mutex::default(),
        }
    }

    /// What they are called, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &RoomName> {
        self.names.iter()
    }

    /// The room that is called so.
    ///
    /// # Errors
    ///
    /// NOT_FOUND, where there is none.
    pub(crate) fn find(&self, name: &str) -> Result<&RoomName, Status> {
        let room = self.names.iter().find(|room| room.as_str() == name);
        room.ok_or_else(|| Status::not_found(format!("there is no room {name}")))
    }

    /// Whether a user may be in a room, and talk there.
    ///
    /// # Errors
    ///
    /// There is no such room, or the user was put out of it.
    pub(crate) fn may_be_in(&self, user: &str, room: &str) -> Result<&RoomName, Status> {
        let room = self.find(room)?;
        let kept_out = self.kept_out();
        let until = kept_out.get(&(room.clone(), user.to_owned()));
        match until.map(|until| until.saturating_duration_since(Instant::now())) {
            Some(left) if !left.is_zero() => Err(Status::permission_denied(format!(
                "you were put out of {room}; you may come back in {} min",
                left.as_secs().div_ceil(60)
            ))),
            _ => Ok(room),
        }
    }

    /// Keeps a user out of a room for a while.
    pub(crate) fn keep_out(&self, user: &str, room: &RoomName) {
        let now = Instant::now();
        let mut kept_out = self.kept_out();
        kept_out.retain(|_, until| *until > now);
        kept_out.insert((room.clone(), user.to_owned()), now + KEPT_OUT);
    }

    fn kept_out(&self) -> MutexGuard<'_, HashMap<(RoomName, String), Instant>> {
        // Nothing panics while the lock is held.
        self.kept_out.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The channel of what is for a user alone.
pub(crate) fn inbox(user: &str) -> String {
    format!("inbox:{user}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rooms() -> Rooms {
        Rooms::new(["kitchen".parse().unwrap(), "garden".parse().unwrap()])
    }

    #[test]
    fn names_that_could_be_mistaken_for_others_are_none() {
        for name in ["kitchen", "k", "room-101", &"x".repeat(32)] {
            assert_eq!(name.parse::<RoomName>().unwrap().as_str(), name);
        }
        for name in ["", "Kitchen", "2nd", "-x", "a b", "a:b", "küche", &"x".repeat(33)] {
            assert!(name.parse::<RoomName>().is_err(), "{name}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_put_out_may_come_back_after_ten_minutes_and_go_elsewhere_at_once() {
        let rooms = rooms();
        rooms.keep_out("eve", &"kitchen".parse().unwrap());
        let refused = rooms.may_be_in("eve", "kitchen").unwrap_err();
        assert_eq!(
            refused.message(),
            "you were put out of kitchen; you may come back in 10 min"
        );
        rooms.may_be_in("eve", "garden").unwrap();
        rooms.may_be_in("ann", "kitchen").unwrap();
        tokio::time::advance(KEPT_OUT).await;
        rooms.may_be_in("eve", "kitchen").unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn who_was_kept_out_long_ago_is_forgotten() {
        let rooms = rooms();
        rooms.keep_out("eve", &"kitchen".parse().unwrap());
        tokio::time::advance(KEPT_OUT).await;
        rooms.keep_out("mal", &"kitchen".parse().unwrap());
        assert_eq!(rooms.kept_out().len(), 1);
    }
}
