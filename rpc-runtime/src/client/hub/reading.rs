//! Who is in a channel, and what was published in it.

use std::{
    fmt,
    future::{Future, IntoFuture},
    marker::PhantomData,
    pin::Pin,
    time::SystemTime,
};

use prost::DecodeError;

use super::{
    ClientHub,
    received::{Raw, Received, ReceivedKind, Unread},
    wire::{position_of, told_position},
};
use crate::{
    CallError, Contract,
    hub::{Events, Position},
    services::hub::{ChannelMember, HistoryRequest, HubClient, PresenceRequest, TypedMessage},
};

type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Who is in a channel.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Presence {
    /// Who is there, in the order of their client ids: 1,000 of them at most.
    pub members: Vec<PresentMember>,
    /// There are more behind the last of them: see [`ClientHub::presence_after`].
    pub more: bool,
    /// How many clients there are.
    pub clients: u64,
    /// How many users there are; each anonymous client counts as one.
    pub users: u64,
}

/// A client that is in a channel.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PresentMember {
    /// The client's id.
    pub client: String,
    /// Who it is known as; `None` while anonymous.
    pub user: Option<String>,
    /// Since when, by the server's clock.
    pub since: SystemTime,
    data: Option<TypedMessage>,
}

impl PresentMember {
    /// What the client says of itself. `None` where it says nothing, or another message.
    ///
    /// # Errors
    ///
    /// When what it says is no such message, though it is named so.
    pub fn data<M: Contract + Default>(&self) -> Option<Result<M, DecodeError>> {
        let data = self.data.as_ref().filter(|data| data.type_name == M::FULL_NAME)?;
        Some(M::decode(data.body.clone()))
    }
}

impl From<ChannelMember> for PresentMember {
    fn from(member: ChannelMember) -> Self {
        Self {
            client: member.client_id,
            user: member.user_id,
            since: member.since,
            data: member.presence,
        }
    }
}

impl ClientHub {
    /// Who is in a channel now: the first 1,000 of them.
    ///
    /// # Errors
    ///
    /// [`CallError::Status`]: PERMISSION_DENIED where the client has no right to see that, or there is no such channel, UNAUTHENTICATED for
    /// both while it is anonymous. The others as for a call.
    pub async fn presence(&self, channel: impl Into<String>) -> Result<Presence, CallError> {
        self.presence_after(channel, "").await
    }

    /// Those who are in a channel now and come after a client, the last of a page before: the next 1,000 of them. Who comes or goes
    /// in between is on a later page or on none.
    ///
    /// # Errors
    ///
    /// As [`presence`](Self::presence); INVALID_ARGUMENT for an id that is none as well.
    pub async fn presence_after(
        &self,
        channel: impl Into<String>,
        client: impl Into<String>,
    ) -> Result<Presence, CallError> {
        let request = PresenceRequest {
            channel: channel.into(),
            after: client.into(),
            ..PresenceRequest::default()
        };
        self.ask_presence(request).await
    }

    /// How many are in a channel now; the list of them is empty.
    ///
    /// # Errors
    ///
    /// As [`presence`](Self::presence).
    pub async fn presence_counts(&self, channel: impl Into<String>) -> Result<Presence, CallError> {
        let request = PresenceRequest {
            channel: channel.into(),
            counts_only: true,
            ..PresenceRequest::default()
        };
        self.ask_presence(request).await
    }

    async fn ask_presence(&self, request: PresenceRequest) -> Result<Presence, CallError> {
        let answer = HubClient::new(self.client.clone()).presence(request).await?;
        Ok(Presence {
            members: answer.members.into_iter().map(Into::into).collect(),
            more: answer.more,
            clients: answer.clients,
            users: answer.users,
        })
    }
}

/// A part of a channel's history, which is read when this is awaited. Made by [`ClientHub::history`].
///
/// All that is said of it holds. Dropping the future cancels the call.
///
/// # Errors
///
/// [`CallError::Status`]: PERMISSION_DENIED where the client has no right to read it, or there is no such channel, UNAUTHENTICATED for both
/// while it is anonymous. The others as for a call.
#[must_use = "nothing is read until it is awaited"]
pub struct ReadHistory<E> {
    hub: ClientHub,
    request: HistoryRequest,
    events: PhantomData<fn() -> E>,
}

/// A part of a channel's history.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct HistoryPage<E> {
    /// Where the channel is now; `None` where it has no history.
    pub position: Option<Position>,
    /// The events, in the direction that was asked for.
    pub events: Vec<Received<E>>,
    /// With [`after`](ReadHistory::after): no event that is for this client is missing between that position and those that are given. False as well
    /// where that position is known to nobody.
    pub complete: bool,
    /// There are more in that direction.
    pub more: bool,
    /// The position of the last one that was looked at, also of one that was skipped or is not for this client: where to read on
    /// by [`after`](ReadHistory::after).
    pub last: Option<Position>,
    /// How many were skipped because their types are none of `E`.
    pub skipped: u64,
    /// How many were skipped because their bodies are no such messages.
    pub undecodable: u64,
}

impl<E: Events> ReadHistory<E> {
    pub(super) fn new(hub: ClientHub, channel: String) -> Self {
        let request = HistoryRequest {
            channel,
            ..HistoryRequest::default()
        };
        Self {
            hub,
            request,
            events: PhantomData,
        }
    }

    /// Events after this position.
    pub fn after(mut self, position: Position) -> Self {
        self.request.after = Some(told_position(position));
        self
    }

    /// Events before this offset of the present epoch.
    pub fn before(mut self, offset: u64) -> Self {
        self.request.before = offset;
        self
    }

    /// Events that were published then or later, by the server's clock.
    pub fn since(mut self, time: SystemTime) -> Self {
        self.request.since = Some(time);
        self
    }

    /// Events that were published before then.
    pub fn until(mut self, time: SystemTime) -> Self {
        self.request.until = Some(time);
        self
    }

    /// So many at most, and never more than 1,000. 100 without.
    pub fn limit(mut self, limit: u32) -> Self {
        self.request.limit = limit;
        self
    }

    /// The latest first.
    pub fn newest_first(mut self) -> Self {
        self.request.newest_first = true;
        self
    }
}

impl<E: Events> IntoFuture for ReadHistory<E> {
    type Output = Result<HistoryPage<E>, CallError>;
    type IntoFuture = Later<Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { hub, request, .. } = self;
            let channel = request.channel.clone();
            let answer = HubClient::new(hub.client.clone()).history(request).await?;
            let position = answer.position.map(position_of);
            let mut page = HistoryPage {
                position,
                events: Vec::with_capacity(answer.events.len()),
                complete: answer.complete,
                more: answer.more,
                last: None,
                skipped: 0,
                undecodable: 0,
            };
            let epoch = position.map(|position| position.epoch);
            if answer.last_offset > 0 {
                let offset = answer.last_offset;
                page.last = epoch.map(|epoch| Position { epoch, offset });
            }
            for record in answer.events {
                let raw = Raw::of_record(record);
                match raw.read(&channel, epoch, ReceivedKind::Recovered) {
                    Ok(received) => page.events.push(received),
                    Err(Unread::Unknown) => page.skipped += 1,
                    Err(Unread::Undecodable) => page.undecodable += 1,
                }
            }
            Ok(page)
        })
    }
}

impl<E> fmt::Debug for ReadHistory<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadHistory")
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}
