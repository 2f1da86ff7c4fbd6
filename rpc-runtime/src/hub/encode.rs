//! From what was published to the bytes that subscribers are sent: one whole WebSocket message, the same for all.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use rpc_protocol::frame::Event as EventFrame;

use super::{
    ChannelName,
    broker::{Published, Publisher},
};
use crate::{Contract, services::hub::Dropped, transport::output::OutputBuffer};

/// The message for the subscribers of a channel. Without what they know or can make out: the epoch, unless it is given, and an id
/// that is made of the position.
pub(crate) fn of_channel(number: u64, event: &Published, epoch: Option<u64>, tells_publisher: bool) -> Bytes {
    let mut frame = frame(event);
    frame.channel = number;
    frame.offset = event.position.offset;
    frame.epoch = epoch.unwrap_or_default();
    if tells_publisher {
        tell_publisher(&mut frame, event.publication.publisher.as_ref());
    }
    whole_message(&frame, &event.publication.body)
}

/// The message for one client that the server has subscribed, of what came before its first live event: by the channel's name,
/// which is sequenced as what is sent directly is, and so is sent again where the session is resumed.
pub(crate) fn of_channel_by_name(name: &ChannelName, event: &Published, tells_publisher: bool) -> Bytes {
    let mut frame = frame(event);
    frame.channel_name = name.as_str().to_owned();
    frame.offset = event.position.offset;
    frame.epoch = event.position.epoch;
    if tells_publisher {
        tell_publisher(&mut frame, event.publication.publisher.as_ref());
    }
    whole_message(&frame, &event.publication.body)
}

/// The message for clients that an event is sent to.
pub(crate) fn direct(event: &Published) -> Bytes {
    let mut frame = frame(event);
    tell_publisher(&mut frame, event.publication.publisher.as_ref());
    whole_message(&frame, &event.publication.body)
}

/// The message of an event of the hub's own, for one client.
pub(crate) fn own<C: Contract>(event: &C, id: &str) -> Bytes {
    let frame = EventFrame {
        type_name: C::FULL_NAME.to_owned(),
        id: id.to_owned(),
        time_us: micros_of(SystemTime::now()),
        ..EventFrame::default()
    };
    whole_message(&frame, &event.encode_to_vec().into())
}

/// The message for one client that so many events of a channel were dropped.
pub(crate) fn dropped(number: u64, count: u64) -> Bytes {
    let frame = EventFrame {
        channel: number,
        type_name: Dropped::FULL_NAME.to_owned(),
        time_us: micros_of(SystemTime::now()),
        ..EventFrame::default()
    };
    whole_message(&frame, &prost::Message::encode_to_vec(&Dropped { count }).into())
}

fn frame(event: &Published) -> EventFrame {
    let publication = &event.publication;
    EventFrame {
        type_name: publication.type_name.as_ref().to_owned(),
        id: publication.id.as_deref().unwrap_or_default().to_owned(),
        time_us: micros_of(publication.time),
        ..EventFrame::default()
    }
}

fn tell_publisher(frame: &mut EventFrame, publisher: Option<&Publisher>) {
    if let Some(publisher) = publisher {
        frame.client_id = publisher.client.to_string();
        frame.user_id = publisher.user.as_deref().unwrap_or_default().to_owned();
    }
}

/// Microseconds since the Unix epoch; 0 before it.
pub(crate) fn micros_of(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

fn whole_message(frame: &EventFrame, body: &Bytes) -> Bytes {
    let mut output = OutputBuffer::of_server();
    frame.encode(0, body, &mut output);
    output.into_message()
}
