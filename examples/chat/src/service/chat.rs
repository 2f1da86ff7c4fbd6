//! The service of rooms and messages: what people say goes through it to the hub.

use std::collections::BTreeSet;
use std::sync::Arc;

use rpc_runtime::hub::Subscriber;
use rpc_runtime::{Context, Status};

use crate::accounts::Users;
use crate::contracts::{
    Chat, DirectMessage, KickRequest, KickResponse, Kicked, ListRoomsResponse, Room, Said, SayRequest,
    SayResponse, WriteRequest, WriteResponse,
};
use crate::rooms::{Rooms, inbox};

/// What users may ask for.
pub(crate) struct Talk {
    pub(crate) rooms: Arc<Rooms>,
    pub(crate) users: Users,
}

impl Chat for Talk {
    async fn say(&self, cx: &Context, request: SayRequest) -> Result<SayResponse, Status> {
        let user = user(cx)?;
        let room = self.rooms.may_be_in(user, &request.room)?;
        let hub = cx.hub();
        let receipt = hub
            .channel(room.channel())
            .from(cx)
            .key(own_key(user, &request.key))
            .publish(&Said { text: request.text })
            .await?;
        // One of those that it has reached may be the speaker. Who is there is only looked up where that matters.
        let is_heard = match receipt.reached {
            Some(2..) => true,
            _ => {
                let members = hub.members(room.channel()).await?;
                members.iter().any(|member| member.user.as_deref() != Some(user))
            }
        };
        Ok(SayResponse { is_heard })
    }

    async fn write(&self, cx: &Context, request: WriteRequest) -> Result<WriteResponse, Status> {
        let user = user(cx)?;
        let WriteRequest { to, text, key } = request;
        if !self.users.exists(&to).await.map_err(Status::internal_from)? {
            return Err(Status::not_found(format!("nobody is called {to}")));
        }
        // Both have it: the user it is for, and whatever else its sender has open.
        let mut inboxes = vec![inbox(&to)];
        if to != user {
            inboxes.push(inbox(user));
        }
        let is_there = !cx.server().sessions_of(&to).is_empty();
        cx.hub()
            .channels(inboxes)
            .from(cx)
            .key(own_key(user, &key))
            .publish(&DirectMessage { to, text })
            .await?;
        Ok(WriteResponse { is_there })
    }

    async fn list_rooms(&self, cx: &Context) -> Result<ListRoomsResponse, Status> {
        let hub = cx.hub();
        let mut rooms = Vec::new();
        for name in self.rooms.names() {
            let members = hub.members(name.channel()).await?;
            // Somebody may be there with several clients.
            let users: BTreeSet<_> = members.into_iter().map(|member| member.user).collect();
            rooms.push(Room {
                name: name.to_string(),
                users: users.len() as u64,
            });
        }
        Ok(ListRoomsResponse { rooms })
    }

    async fn kick(&self, cx: &Context, request: KickRequest) -> Result<KickResponse, Status> {
        let KickRequest { room, user, reason } = request;
        let room = self.rooms.find(&room)?;
        if !self.users.exists(&user).await.map_err(Status::internal_from)? {
            return Err(Status::not_found(format!("nobody is called {user}")));
        }
        // In this order, so that who is put out is not back before it is known that they may not be.
        self.rooms.keep_out(&user, room);
        let hub = cx.hub();
        let by = cx.user().unwrap_or_default();
        let why = match reason.as_str() {
            "" => format!("you were put out of {room} by {by}"),
            reason => format!("you were put out of {room} by {by}: {reason}"),
        };
        // They hear it as the reason why they hear no more; the others by an event.
        let theirs = cx
            .server()
            .sessions_of(&user)
            .into_iter()
            .map(|session| session.id());
        let kicked = Kicked {
            user: user.clone(),
            reason,
        };
        let others = hub.channel(room.channel()).from(cx).except_all(theirs);
        others.publish(&kicked).await?;
        let why = Status::permission_denied(why);
        hub.unsubscribe(Subscriber::user(user.as_str()), room.typing_channel(), &why)?;
        let ended = hub.unsubscribe(Subscriber::user(user), room.channel(), &why)?;
        Ok(KickResponse { was_there: ended > 0 })
    }
}

/// The user who calls. The contract says `auth`: there is one.
fn user(cx: &Context) -> Result<&str, Status> {
    cx.user().ok_or_else(|| Status::unauthenticated("log in first"))
}

/// The key of what a user says. It has the user's name in it, so that nobody can say something under another's key first.
fn own_key(user: &str, key: &str) -> String {
    format!("{user}/{key}")
}
