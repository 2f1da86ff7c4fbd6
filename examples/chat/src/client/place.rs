//! A room, as somebody who is in it hears it.

use rpc_runtime::Client;
use rpc_runtime::hub::Position;
use rpc_runtime::hub::client::{Received, Subscription};
use rpc_runtime::text::one_line;

use crate::contracts::{Card, DirectMessage, RoomEvent, Typing};
use crate::failure::Failure;
use crate::rooms::{RoomName, inbox};
use crate::text;

/// What is shown of what was said before somebody came.
const BEFORE: usize = 10;

/// So many events are read to find what was said among them: all that the server gives at once.
const READ: u32 = 1_000;

/// A room that somebody is in, for as long as this is kept: dropping it leaves.
pub(super) struct Place {
    pub(super) room: RoomName,
    pub(super) events: Subscription<RoomEvent>,
    pub(super) typing: Subscription<Typing>,
}

impl Place {
    /// Goes into a room. Gives what there is to be seen as well.
    pub(super) async fn enter(
        client: &Client,
        room: RoomName,
        me: &str,
        doing: &str,
    ) -> Result<(Place, Vec<String>), Failure> {
        let hub = client.hub();
        let (before, position) = history(client, &room, BEFORE).await?;
        let card = Card {
            doing: doing.to_owned(),
        };
        // What happens after the history was read, and before this is answered, is heard as well, and once.
        let mut events = hub.subscribe::<RoomEvent>(room.channel()).presence(&card);
        if let Some(position) = position {
            events = events.since(position);
        }
        let events = events.await?;
        let typing = hub.subscribe::<Typing>(room.typing_channel()).await?;
        let mut seen = vec![
            format!(
                "You are in {room}, as {}. /help lists what you can type.",
                one_line(me)
            ),
            who(client, &room).await?,
        ];
        if !before.is_empty() {
            seen.push("Before you came:".to_owned());
            seen.extend(before);
        }
        Ok((Place { room, events, typing }, seen))
    }
}

/// Who is in a room: `Here: ann, bob (making tea)`.
pub(super) async fn who(client: &Client, room: &RoomName) -> Result<String, Failure> {
    let presence = client.hub().presence(room.channel()).await?;
    let mut names: Vec<String> = Vec::new();
    for member in presence.members {
        let name = one_line(member.user.as_deref().unwrap_or("somebody"));
        // Another message, or none that can be read, says nothing.
        let card = member.data::<Card>().and_then(Result::ok).unwrap_or_default();
        names.push(match card.doing.as_str() {
            "" => name,
            doing => format!("{name} ({})", one_line(doing)),
        });
    }
    // Somebody may be here twice, with two clients.
    names.sort();
    names.dedup();
    Ok(format!("Here: {}", names.join(", ")))
}

/// The last things that were said in a room, oldest first, and how far that goes.
pub(super) async fn history(
    client: &Client,
    room: &RoomName,
    most: usize,
) -> Result<(Vec<String>, Option<Position>), Failure> {
    let history = client.hub().history::<RoomEvent>(room.channel());
    let page = history.newest_first().limit(READ).await?;
    let said = page.events.iter().filter_map(|received| match &received.event {
        RoomEvent::Said(said) => Some(text::said_earlier(said, publisher(received), received.time)),
        // Who came and went long ago is of no interest.
        _ => None,
    });
    let mut said: Vec<String> = said.take(most).collect();
    said.reverse();
    Ok((said, page.position))
}

/// What was written to a user in the last hour, oldest first, and how far that goes.
pub(super) async fn letters(client: &Client, me: &str) -> Result<(Vec<String>, Option<Position>), Failure> {
    let history = client.hub().history::<DirectMessage>(inbox(me));
    let page = history.newest_first().limit(READ).await?;
    let to_me = page.events.iter().filter(|received| received.event.to == me);
    let shown =
        to_me.map(|received| text::written_earlier(&received.event, publisher(received), me, received.time));
    let mut shown: Vec<String> = shown.take(BEFORE).collect();
    shown.reverse();
    Ok((shown, page.position))
}

/// Who published an event.
pub(super) fn publisher<E>(received: &Received<E>) -> &str {
    received.user.as_deref().unwrap_or("somebody")
}
