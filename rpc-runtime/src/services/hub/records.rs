//! From what the hub holds to what its contract says, and back.

use super::{
    contract::{ChannelMember, ChannelPosition, EventRecord, Refused, TypedMessage},
    events::{Dropped, Joined, Left, Subscribed, Unsubscribed},
};
use crate::{
    Contract, Status,
    bytes::Bytes,
    hub::{Member, Position, PresenceData, Taken, broker::Published, is_message_name, micros_of},
};

/// The longest presence data, in bytes.
const LONGEST_PRESENCE: usize = 4 << 10;

impl From<Position> for ChannelPosition {
    fn from(position: Position) -> Self {
        Self {
            epoch: position.epoch,
            offset: position.offset,
        }
    }
}

impl From<ChannelPosition> for Position {
    fn from(position: ChannelPosition) -> Self {
        Self {
            epoch: position.epoch,
            offset: position.offset,
        }
    }
}

impl From<&Taken> for EventRecord {
    fn from(snapshot: &Taken) -> Self {
        Self {
            offset: snapshot.position.map_or(0, |position| position.offset),
            type_name: snapshot.type_name.to_owned(),
            body: snapshot.body.clone(),
            ..Self::default()
        }
    }
}

impl From<&Status> for Refused {
    fn from(status: &Status) -> Self {
        Self {
            code: status.code() as i32,
            message: status.message().to_owned(),
        }
    }
}

impl From<Member> for ChannelMember {
    fn from(member: Member) -> Self {
        Self {
            client_id: member.client.to_string(),
            user_id: member.user.as_deref().map(str::to_owned),
            since: member.since,
            presence: presence(&member.data),
        }
    }
}

/// An event as its subscribers are told it.
pub(super) fn record(event: &Published, tells_publisher: bool) -> EventRecord {
    let publication = &event.publication;
    let publisher = publication.publisher.as_ref().filter(|_| tells_publisher);
    EventRecord {
        offset: event.position.offset,
        type_name: publication.type_name.as_ref().to_owned(),
        id: publication.id.as_deref().unwrap_or_default().to_owned(),
        time_us: micros_of(publication.time),
        client_id: publisher.map_or_else(String::new, |publisher| publisher.client.to_string()),
        user_id: publisher
            .and_then(|publisher| publisher.user.as_deref())
            .unwrap_or_default()
            .to_owned(),
        body: publication.body.clone(),
    }
}

/// What presence says of a client.
pub(crate) fn presence(data: &PresenceData) -> Option<TypedMessage> {
    data.as_ref().map(|(type_name, body)| TypedMessage {
        type_name: type_name.as_ref().to_owned(),
        body: body.clone(),
    })
}

/// What a client wants presence to say of it. It is kept for long, and so is no part of what was received.
pub(super) fn presence_data(presence: Option<TypedMessage>) -> Result<PresenceData, Status> {
    let Some(presence) = presence else { return Ok(None) };
    check_type(&presence.type_name)?;
    if presence.body.len() > LONGEST_PRESENCE {
        return Err(Status::invalid_argument(format!(
            "what presence says of a client has at most 4,096 bytes, and this has {}",
            presence.body.len()
        )));
    }
    Ok(Some((
        presence.type_name.into(),
        Bytes::copy_from_slice(&presence.body),
    )))
}

/// Whether a text is the full name of a message, such as `chat.Said`.
pub(super) fn check_type(name: &str) -> Result<(), Status> {
    match is_message_name(name) {
        true => Ok(()),
        false => Err(Status::invalid_argument(
            "the type is no full name of a message, such as `chat.Said`",
        )),
    }
}

/// What the hub itself tells clients, and acts on in them. No client may say it.
const OF_THE_HUB: [&str; 5] = [
    Dropped::FULL_NAME,
    Subscribed::FULL_NAME,
    Unsubscribed::FULL_NAME,
    Joined::FULL_NAME,
    Left::FULL_NAME,
];

/// Whether events of this type are what the hub itself tells clients.
pub(crate) fn is_of_the_hub(name: &str) -> bool {
    OF_THE_HUB.contains(&name)
}

/// Whether a client may publish or send events of this type at all, where it has the right.
pub(super) fn check_event_type(name: &str) -> Result<(), Status> {
    check_type(name)?;
    match is_of_the_hub(name) {
        true => Err(Status::invalid_argument(
            "events of this type are the hub's own: no client publishes or sends them",
        )),
        false => Ok(()),
    }
}
