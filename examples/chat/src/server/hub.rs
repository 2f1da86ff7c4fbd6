//! Which channels there are, who may do what in them, and what is kept.

use std::sync::Arc;
use std::time::Duration;

use rpc_runtime::Status;
use rpc_runtime::hub::{Asks, Hub, Namespace, NamespaceError, Retention, SlowConsumer};

use crate::contracts::{DirectMessage, RoomEvent, Typing};
use crate::rooms::{RoomName, Rooms};

/// How long is kept what was said and written.
const KEPT: Duration = Duration::from_secs(60 * 60);

/// So many direct messages wait for a user.
const INBOX: usize = 100;

/// The hub of a server that keeps so many events of a room.
pub(crate) fn hub(rooms: &Arc<Rooms>, history: usize) -> Result<Hub, NamespaceError> {
    let may_be_in = {
        let rooms = rooms.clone();
        move |asks: &Asks, (room,): &(RoomName,)| {
            rooms.may_be_in(known(asks)?, room.as_str())?;
            Ok(())
        }
    };
    Hub::builder()
        // Nobody publishes here but the server: to say something is a call, which is looked at.
        .namespace(
            Namespace::<(RoomName,)>::of::<RoomEvent>()
                .subscribe(may_be_in.clone())
                .presence(may_be_in.clone())
                .history(may_be_in.clone())
                .tell_joins()
                .tell_publisher()
                .keep(Retention::of(history, KEPT)),
        )
        // Clients publish that somebody is typing without asking. It is worth nothing a moment later: none is kept, and of
        // those that wait for a client that is slow, the latest is enough.
        .namespace(
            Namespace::<(RoomName,)>::of::<Typing>()
                .subscribe(may_be_in.clone())
                .publish(may_be_in)
                .tell_publisher()
                .slow(SlowConsumer::KeepLatest),
        )
        // What is for one user waits for them in a channel that they alone may hear.
        .namespace(
            Namespace::<(String,)>::of::<DirectMessage>()
                .subscribe(is_own)
                .history(is_own)
                .tell_publisher()
                .keep(Retention::of(INBOX, KEPT)),
        )
        .build()
}

/// Whether an inbox is that of the user who asks.
fn is_own(asks: &Asks, (user,): &(String,)) -> Result<(), Status> {
    match known(asks)? == user {
        true => Ok(()),
        false => Err(Status::permission_denied("another user's inbox")),
    }
}

/// The user who asks.
fn known(asks: &Asks) -> Result<&str, Status> {
    asks.user().ok_or_else(|| Status::unauthenticated("log in first"))
}
