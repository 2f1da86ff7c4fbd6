//! Names of channels.
//!
//! A name is checked once, where it comes in; whoever holds a [`ChannelName`] may put it into a log line, a subject of a
//! broker or a key without escaping it.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use crate::ClientId;

/// The longest name of a channel, in bytes.
pub(super) const LONGEST_NAME: usize = 255;

/// First segments that are the framework's own.
pub(super) const RESERVED: [&str; 2] = [OWN, "rpc"];

/// The first segment of the channels that one client alone hears.
const OWN: &str = "client";

/// The name of a channel: segments that are separated by `:`, such as `room:5`.
///
/// A segment is one or more of the letters, digits and `.` `_` `-` `~` `@` `=` `+` of ASCII; all together is at most 255
/// bytes. There are no wildcards. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelName(Arc<str>);

/// Why a text is no name of a channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no name of a channel: {0}. A name is segments of letters, digits and `._-~@=+`, separated by `:`, and at most \
     255 bytes"
)]
#[non_exhaustive]
pub struct NameError(&'static str);

impl ChannelName {
    /// Checks a name.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn new(name: impl AsRef<str>) -> Result<Self, NameError> {
        let name = name.as_ref();
        check(name)?;
        Ok(Self(name.into()))
    }

    /// The channel that one client alone hears.
    pub(crate) fn of_client(client: ClientId) -> Self {
        Self(format!("{OWN}:{client}").into())
    }

    /// The client that alone hears the channel, where it is such a one.
    pub(crate) fn own_client(&self) -> Option<ClientId> {
        self.0.strip_prefix(OWN)?.strip_prefix(':')?.parse().ok()
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ChannelName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for ChannelName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for ChannelName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        Self::new(name)
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChannelName({})", self.0)
    }
}

fn check(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError("it is empty"));
    }
    if name.len() > LONGEST_NAME {
        return Err(NameError("it is longer than 255 bytes"));
    }
    for segment in name.split(':') {
        if segment.is_empty() {
            return Err(NameError("a segment of it is empty"));
        }
        if !segment.bytes().all(is_allowed) {
            return Err(NameError("it has a character that is not allowed"));
        }
    }
    Ok(())
}

pub(super) fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-~@=+".contains(&byte)
}

/// Whether a text is the full name of a message, such as `chat.Said`; at most 255 bytes.
pub(crate) fn is_message_name(name: &str) -> bool {
    let is_identifier = |part: &str| {
        let mut bytes = part.bytes();
        let first = bytes.next();
        first.is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    name.len() <= LONGEST_NAME && name.split('.').all(is_identifier)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_anything_special_in_it_is_refused() {
        for name in ["room", "room:5", "a@b.c", "x:y:z", "~+=-_."] {
            assert!(ChannelName::new(name).is_ok(), "{name}");
        }
        let long = "a".repeat(256);
        for name in [
            "", ":", "room:", ":5", "a::b", "*", "room:*", "a>b", "a b", "a\tb", "a\n", "a\0", "ä", "a/b",
            "a{b}", "#", "$", "%41", &long,
        ] {
            assert!(ChannelName::new(name).is_err(), "{name}");
        }
        assert!(ChannelName::new("a".repeat(255)).is_ok());
    }

    #[test]
    fn a_messages_full_name_is_identifiers_between_dots() {
        for name in ["Said", "chat.Said", "_a.b_1.C"] {
            assert!(is_message_name(name), "{name}");
        }
        let long = "a".repeat(256);
        for name in [
            "",
            ".",
            "chat.",
            ".Said",
            "1a",
            "a b",
            "a\n",
            "chat/Said",
            "ä",
            &long,
        ] {
            assert!(!is_message_name(name), "{name}");
        }
    }

    #[test]
    fn a_clients_own_channel_says_whose_it_is() {
        let client = ClientId::random();
        let own = ChannelName::of_client(client);
        assert!(ChannelName::new(own.as_str()).is_ok());
        assert_eq!(own.own_client(), Some(client));
        assert_eq!(ChannelName::new("client:5").unwrap().own_client(), None);
    }
}
