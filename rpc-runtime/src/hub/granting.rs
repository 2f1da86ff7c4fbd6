//! Subscriptions that the server makes and ends, by its own will or because a right has gone.

use std::{sync::Arc, time::Duration};

use futures_util::future;
use tokio::time;

use super::{
    ChannelName, Hub, HubError, Room, Wish,
    heard::{Granted, Subscription, left_meanwhile},
    rights::Asks,
    unsubscribing::spawn,
};
use crate::{ClientId, Session, SessionState, Status};

/// So long rights may take to be asked for again, all of a session together. What is not answered by then is refused.
const ASKED_AGAIN_WITHIN: Duration = Duration::from_millis(900);

/// Whom the server subscribes to a channel, or unsubscribes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subscriber {
    /// One client.
    Client(ClientId),
    /// Every client that is connected to this node and known as this user.
    User(Arc<str>),
}

impl Subscriber {
    /// Every client of a user.
    pub fn user(id: impl Into<Arc<str>>) -> Self {
        Self::User(id.into())
    }
}

impl From<ClientId> for Subscriber {
    fn from(client: ClientId) -> Self {
        Self::Client(client)
    }
}

impl From<&Session> for Subscriber {
    fn from(session: &Session) -> Self {
        Self::Client(session.id())
    }
}

impl From<&Arc<Session>> for Subscriber {
    fn from(session: &Arc<Session>) -> Self {
        Self::Client(session.id())
    }
}

/// Whether a session still is one of those.
fn is_of(session: &Session, whom: &Subscriber) -> bool {
    match whom {
        Subscriber::Client(client) => session.id() == *client,
        Subscriber::User(user) => session
            .identity()
            .is_some_and(|identity| identity.user() == &**user),
    }
}

/// # Subscriptions that the server makes
impl Hub {
    /// Subscribes a client, or all that a user has on this node now, to a channel, whatever its rights. Gives how many clients hear the
    /// channel by that.
    ///
    /// Each client is told by an event, `rpc.hub.v1.Subscribed`, before the first event of the channel. It is a subscription as any
    /// other: it recovers and shows the client's presence, the client may end it, and it counts among those that the client may
    /// have, though it is made where there is no room. That of a user ends with a change of user, unless the other has the right;
    /// that of a client is left to [`unsubscribe`](Self::unsubscribe).
    ///
    /// ```
    /// use std::sync::Arc;
    /// use rpc_runtime::{CloseCode, Hooks, Refusal, Session};
    ///
    /// struct Lobby;
    ///
    /// impl Hooks for Lobby {
    ///     async fn on_connect(&self, session: &Arc<Session>) -> Result<(), Refusal> {
    ///         match session.hub().subscribe(session, "lobby").await {
    ///             Ok(_) => Ok(()),
    ///             Err(error) => Err(Refusal::new(CloseCode::InternalError, error.to_string())),
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// What is wrong with the name, or why a client could not be subscribed, the first of several: no namespace has the channel, it is
    /// full, its snapshot was refused, the broker is not available, or it has no room for one more channel that somebody hears
    /// ([`LocalBroker`](super::LocalBroker) leaves a quarter to those who publish). All others of the user are subscribed; clients that have gone
    /// meanwhile, or have become another user's, are left out. If the future is dropped, those that were told are.
    pub async fn subscribe(
        &self,
        whom: impl Into<Subscriber>,
        channel: impl AsRef<str>,
    ) -> Result<usize, HubError> {
        let name = ChannelName::new(channel)?;
        self.declared(&name)?;
        let whom = whom.into();
        let granted = match &whom {
            Subscriber::Client(_) => Granted::Client,
            Subscriber::User(user) => Granted::User(user.clone()),
        };
        let (mut count, mut failed) = (0, None);
        for session in self.sessions_of(&whom) {
            let wish = Wish {
                since: None,
                granted: Some(granted.clone()),
                by_event: true,
                room: Room::new(session.most_queued()),
                presence: None,
            };
            match self.subscribe_session(&session, &name, wish).await {
                Ok(_) => count += 1,
                // It has gone meanwhile, or is another user's.
                Err(_) if session.state() == SessionState::Closed || !is_of(&session, &whom) => {}
                // One that cannot be is not to keep the others from it.
                Err(not) => drop(failed.get_or_insert(not)),
            }
        }
        match failed {
            Some(not) => Err(HubError::NotSubscribed(not.into())),
            None => Ok(count),
        }
    }

    /// Ends the subscription of a client, or of all clients of a user on this node, to a channel, whoever has made it. Each is told by an
    /// event, `rpc.hub.v1.Unsubscribed`, with the reason, behind the last event of the channel that it is sent: what still waits for it
    /// is dropped. Gives how many had subscribed, or were about to: those are refused with the reason.
    ///
    /// Nothing keeps a client from subscribing again but the namespace's rights: a kick that lasts is remembered there.
    ///
    /// ```
    /// # fn kick(hub: &rpc_runtime::hub::Hub) -> Result<(), rpc_runtime::hub::HubError> {
    /// use rpc_runtime::{Status, hub::Subscriber};
    ///
    /// hub.unsubscribe(Subscriber::user("ali"), "room:5", &Status::permission_denied("be polite"))?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// What is wrong with the name.
    pub fn unsubscribe(
        &self,
        whom: impl Into<Subscriber>,
        channel: impl AsRef<str>,
        reason: &Status,
    ) -> Result<usize, HubError> {
        let name = ChannelName::new(channel)?;
        let sessions = self.sessions_of(&whom.into());
        let ended = sessions
            .iter()
            .filter(|session| self.unsubscribe_because(session, &name, Some(reason)));
        Ok(ended.count())
    }

    fn sessions_of(&self, whom: &Subscriber) -> Vec<Arc<Session>> {
        let Some(server) = self.inner.server() else {
            return Vec::new();
        };
        match whom {
            Subscriber::Client(client) => server.session(*client).into_iter().collect(),
            Subscriber::User(user) => server.sessions_of_user(user),
        }
    }

    /// Subscribes a session that was just greeted to the channel that it has named in its query, where its endpoint has that: behind
    /// the present task, under the channel's policy. It is told by an event either way.
    pub(crate) fn on_greeted(&self, session: &Arc<Session>) {
        let Some(parameter) = &session.endpoint.channel_query else {
            return;
        };
        let Some(channel) = session.info().query_value(parameter).map(String::from) else {
            return;
        };
        let (hub, session) = (self.clone(), session.clone());
        spawn(async move {
            if session.endpoint.auth_required {
                let mut states = session.state_changes();
                // It becomes known in time, or is closed.
                let known = states.wait_for(|state| match state {
                    SessionState::Closed => true,
                    _ => session.identity().is_some(),
                });
                let _ = known.await;
            }
            hub.subscribe_by_query(&session, &channel).await;
        });
    }

    async fn subscribe_by_query(&self, session: &Arc<Session>, channel: &str) {
        let wish = Wish {
            since: None,
            granted: None,
            by_event: true,
            room: Room::new(session.most_queued()),
            presence: None,
        };
        let (shown, subscribed) = match ChannelName::new(channel) {
            Ok(name) => {
                let subscribed = self.subscribe_session(session, &name, wish).await;
                (channel, subscribed.map(drop))
            }
            // What is no name is not sent back.
            Err(error) => ("", Err(Status::from(error).into())),
        };
        // Said twice, it would end what the client has asked for since.
        if let Err(not) = subscribed
            && !not.is_told
        {
            self.tell_unsubscribed(session, shown, &not.status);
        }
    }

    /// A session is known as somebody else, or by other roles: every subscription is checked again, behind the present task. Those
    /// that are refused, or not answered within a second, end; where the user changes again in that time, a second is given for the next
    /// one. Each change has a check of its own. Presence moves to the new user.
    pub(crate) fn on_identity(&self, session: &Arc<Session>) {
        let Some(channels) = session.channels() else {
            return;
        };
        let (hub, all, session) = (self.clone(), channels.list(), session.clone());
        if all.is_empty() {
            return;
        }
        spawn(async move {
            let asked = all
                .iter()
                .map(|subscription| hub.check_one(&session, subscription));
            future::join_all(asked).await;
            hub.settle_all_presence(&session);
        });
    }

    /// Asks for the right to one channel again: the subscription of this number ends where it is refused.
    pub(super) async fn check_again(
        &self,
        session: &Arc<Session>,
        name: &ChannelName,
        number: u64,
    ) -> Result<(), Status> {
        let subscription = session.channels().and_then(|channels| channels.get(name));
        match subscription {
            Some(subscription) if subscription.number == number => {
                self.check_one(session, &subscription).await
            }
            _ => Err(left_meanwhile()),
        }
    }

    async fn check_one(&self, session: &Arc<Session>, subscription: &Subscription) -> Result<(), Status> {
        let channel = &subscription.channel;
        loop {
            let asks = Asks::now(session);
            let asked = channel
                .namespace
                .check_heard(&asks, &channel.name, subscription.granted.as_ref());
            let answer = match time::timeout(ASKED_AGAIN_WITHIN, asked).await {
                Ok(answer) => answer,
                Err(_) => Err(Status::unavailable(
                    "the right to the channel could not be asked for in time; subscribe again",
                )),
            };
            let Err(refused) = answer else {
                channel.known_anew(session);
                return Ok(());
            };
            // Where it has become another again, that one is asked for.
            if asks.is_still_known(session) {
                let stays = self.stays_without_right(session, subscription, asks.user(), Some(&refused));
                return if stays { Ok(()) } else { Err(refused) };
            }
        }
    }
}
