//! What can be published and what can be listened for, as types: an event, and a closed set of events.
//!
//! `#[contract(event)]` and `#[derive(Events)]` implement the traits; what the derive's code calls stands at the end.

use bytes::Bytes;
use prost::DecodeError;

use super::allowed::MessageCheck;
use crate::{Contract, constant::is_same};

/// A message that may be published to channels, and sent to users and clients.
///
/// A contract with `event` is one:
///
/// ```
/// use rpc_runtime::contract;
/// use rpc_runtime::hub::Event;
///
/// /// Someone said something in a room.
/// #[contract(package = "chat", event, channels = "room:{id}", detached)]
/// pub struct Said {
///     pub text: String,
/// }
///
/// assert_eq!(Said::CHANNELS, Some("room:{id}"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no event",
    label = "not an event",
    note = "add `event` to its contract: `#[contract(package = \"…\", event)]`"
)]
pub trait Event: Contract + 'static {
    /// The pattern of the channels that the event is for, `channels = "room:{id}"` of its contract; `None` where the contract
    /// names none.
    const CHANNELS: Option<&'static str> = None;

    /// The schemas of the crate that the contract is in: an encoded `google.protobuf.FileDescriptorSet`, for
    /// [reflection](crate::services::reflection). Empty where no build script has read the contract.
    const FILES: &'static [u8] = &[];
}

/// What a subscriber listens for: one event, or a closed set of them.
///
/// Every [`Event`] is such a set by itself. An enum with a variant for each event is one by
/// [`#[derive(Events)]`](macro@crate::Events). One that is implemented by hand and is to be allowed on a server gives the facts of
/// its events as well, by which the server validates what clients publish:
///
/// ```
/// # use rpc_runtime::{bytes::Bytes, contract, hub::{Event, EventFacts, Events, Namespace}, prost::DecodeError};
/// # #[contract(package = "chat", event, detached)]
/// # pub struct Said { pub text: String }
/// struct OnlySaid(Said);
///
/// impl Events for OnlySaid {
///     const NAMES: &'static [&'static str] = &["chat.Said"];
///     const CHANNELS: Option<&'static str> = None;
///     const EVENTS: &'static [EventFacts] = &[EventFacts::of::<Said>()];
///
///     fn decode(type_name: &str, body: Bytes) -> Option<Result<Self, DecodeError>> {
///         Some(<Said as Events>::decode(type_name, body)?.map(Self))
///     }
/// }
///
/// let _ = Namespace::<()>::new("news").events::<OnlySaid>();
/// ```
///
/// Without, that does not compile:
///
/// ```compile_fail,E0080
/// # use rpc_runtime::{bytes::Bytes, contract, hub::{Event, EventFacts, Events, Namespace}, prost::DecodeError};
/// # #[contract(package = "chat", event, detached)]
/// # pub struct Said { pub text: String }
/// struct OnlySaid(Said);
///
/// impl Events for OnlySaid {
///     const NAMES: &'static [&'static str] = &["chat.Said"];
///     const CHANNELS: Option<&'static str> = None;
///
///     fn decode(type_name: &str, body: Bytes) -> Option<Result<Self, DecodeError>> {
///         Some(<Said as Events>::decode(type_name, body)?.map(Self))
///     }
/// }
///
/// let _ = Namespace::<()>::new("news").events::<OnlySaid>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no event, and no set of events",
    label = "neither an event nor a set of them",
    note = "add `event` to its contract, `#[contract(package = \"…\", event)]`, or put `#[derive(rpc_runtime::Events)]` on an \
            enum with a variant for each event"
)]
pub trait Events: Sized + Send + 'static {
    /// The full names of the events' messages, such as `chat.Said`; each once. None where it is of any type
    /// ([`AnyEvent`](super::client::AnyEvent)).
    const NAMES: &'static [&'static str];

    /// The pattern of the channels that the events are for, where the contracts or the set say so.
    const CHANNELS: Option<&'static str>;

    /// What a server knows of each event: its schema, and how one is read and checked that a client publishes. A set that is
    /// implemented by hand gives the facts of all its names, [`EventFacts::of`] each, to be allowed on a server.
    const EVENTS: &'static [EventFacts] = &[];

    /// Reads the body of an event whose message has the full name `type_name`.
    ///
    /// `None` where the set has no such event: readers skip it, and count it.
    ///
    /// # Errors
    ///
    /// When the body is no such message.
    fn decode(type_name: &str, body: Bytes) -> Option<Result<Self, DecodeError>>;
}

impl<E: Event> Events for E {
    const NAMES: &'static [&'static str] = &[E::FULL_NAME];
    const CHANNELS: Option<&'static str> = <E as Event>::CHANNELS;
    const EVENTS: &'static [EventFacts] = &[EventFacts::of::<E>()];

    #[inline]
    fn decode(type_name: &str, body: Bytes) -> Option<Result<Self, DecodeError>> {
        (type_name == E::FULL_NAME).then(|| decode_event(body))
    }
}

/// Whether a set with these names has an event.
pub(crate) fn is_among(type_name: &str, names: &[&str]) -> bool {
    names.is_empty() || names.contains(&type_name)
}

/// The events of a set that a server can allow. A set without would allow nothing, though it hears everything.
pub(crate) const fn facts_of<E: Events>() -> &'static [EventFacts] {
    const {
        assert!(
            !E::NAMES.is_empty(),
            "a set of events without names is for listening: name the events, or allow any by saying nothing of events"
        );
        let mut at = 0;
        while at < E::NAMES.len() {
            assert!(
                at < E::EVENTS.len() && is_same(E::NAMES[at].as_bytes(), E::EVENTS[at].name.as_bytes()),
                "a set of events that a server allows has the facts of all its `NAMES`, in their order: \
                 `const EVENTS: &'static [EventFacts] = &[EventFacts::of::<Said>()];`"
            );
            at += 1;
        }
        assert!(
            E::EVENTS.len() == E::NAMES.len(),
            "a set of events has facts of other events than its `NAMES`"
        );
    }
    E::EVENTS
}

/// What is known of an event of a set.
#[derive(Debug, Clone, Copy)]
pub struct EventFacts {
    pub(crate) name: &'static str,
    pub(crate) channels: Option<&'static str>,
    pub(crate) files: &'static [u8],
    /// Works out how one is read and checked that a client publishes.
    pub(crate) check: fn() -> MessageCheck,
}

impl EventFacts {
    /// The facts of an event, as its contract says.
    #[must_use]
    pub const fn of<E: Event>() -> Self {
        Self {
            name: E::FULL_NAME,
            channels: <E as Event>::CHANNELS,
            files: <E as Event>::FILES,
            check: MessageCheck::of_events::<E>,
        }
    }

    /// The full name of its message.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The pattern of the channels that it is for, where its contract names them.
    #[must_use]
    pub const fn channels(&self) -> Option<&'static str> {
        self.channels
    }
}

/// The facts of an event. All code of a set asks here, so that a type that is no event is told once.
#[doc(hidden)]
#[must_use]
pub const fn event_facts<E: Event>() -> EventFacts {
    EventFacts::of::<E>()
}

/// Reads an event.
#[doc(hidden)]
#[inline]
pub fn decode_event<E: Event>(body: Bytes) -> Result<E, DecodeError> {
    <E as prost::Message>::decode(body)
}

/// The channels that all events of a set are for; `None` where they are for different ones, or one of them names none.
#[doc(hidden)]
#[must_use]
pub const fn common_channels(channels: &[Option<&'static str>]) -> Option<&'static str> {
    let Some((&Some(first), others)) = channels.split_first() else {
        return None;
    };
    let mut at = 0;
    while at < others.len() {
        match others[at] {
            Some(other) if is_same_pattern(first, other) => at += 1,
            _ => return None,
        }
    }
    Some(first)
}

/// Whether an event may be published on channels of `pattern`, by what its contract says.
#[doc(hidden)]
#[must_use]
pub const fn may_be_on(channels: Option<&'static str>, pattern: &'static str) -> bool {
    match channels {
        Some(channels) => is_same_pattern(channels, pattern),
        None => true,
    }
}

/// Whether the name at `index` stands before it too.
#[doc(hidden)]
#[must_use]
pub const fn is_named_before(names: &[&'static str], index: usize) -> bool {
    let mut at = 0;
    while at < index {
        if is_same(names[at].as_bytes(), names[index].as_bytes()) {
            return true;
        }
        at += 1;
    }
    false
}

/// Whether two patterns take in the same channels: what their parameters are called does not matter.
const fn is_same_pattern(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    loop {
        let (first, rest) = split_segment(one);
        let (second, rest_of_other) = split_segment(other);
        let parameters = matches!(first, [b'{', ..]) && matches!(second, [b'{', ..]);
        if !parameters && !is_same(first, second) {
            return false;
        }
        match (rest, rest_of_other) {
            (None, None) => return true,
            (Some(rest), Some(rest_of_other)) => (one, other) = (rest, rest_of_other),
            _ => return false,
        }
    }
}

/// The segment in front of the first colon, and what is behind the colon.
const fn split_segment(pattern: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut at = 0;
    while at < pattern.len() {
        if pattern[at] == b':' {
            let (segment, rest) = pattern.split_at(at);
            return (segment, Some(rest.split_at(1).1));
        }
        at += 1;
    }
    (pattern, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_the_same_whatever_their_parameters_are_called() {
        for (one, other) in [
            ("tasks", "tasks"),
            ("room:{id}", "room:{room}"),
            ("{a}:x:{b}", "{b}:x:{a}"),
        ] {
            assert!(is_same_pattern(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("tasks", "task"),
            ("room:{id}", "room"),
            ("room", "room:{id}"),
            ("room:{id}", "room:id"),
            ("room:{id}", "user:{id}"),
            ("room:{id}", "room:{id}:x"),
        ] {
            assert!(!is_same_pattern(one, other), "{one} {other}");
        }
    }

    #[test]
    fn a_set_is_for_the_channels_that_all_its_events_are_for() {
        let room = Some("room:{id}");
        assert_eq!(common_channels(&[room, Some("room:{room}"), room]), room);
        for different in [
            [].as_slice(),
            &[None],
            &[room, None],
            &[None, room],
            &[room, Some("room")],
        ] {
            assert_eq!(common_channels(different), None, "{different:?}");
        }
    }

    #[test]
    fn a_name_is_found_before_its_own_place_alone() {
        let names = ["a.A", "a.B", "a.A"];
        assert!(is_named_before(&names, 2));
        assert!(!is_named_before(&names, 0) && !is_named_before(&names, 1));
    }
}
