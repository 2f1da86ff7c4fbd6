//! Who is in channels: what a session is and has in them is told to the broker, and to the other subscribers.
//!
//! What is to be is never computed from what happened: after each change the broker is told, in the channel's turn, what is the
//! case then. So two changes that meet leave behind what the later one says, in whatever order they come here.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::time;

use super::{
    ChannelName, Hub,
    broker::{BrokerError, Member, Publication},
    heard::{Change, Known, Present},
    unsubscribing::spawn,
};
use crate::{
    Contract, Session, SessionState, Status,
    services::hub::{Joined, Left, presence},
};

/// A client whose connection is lost is present for so long, though it may come back to its session later.
const ABSENCE: Duration = Duration::from_secs(5);

impl Hub {
    /// Has presence say of a session in a channel what is the case, and tells the subscribers where it is to.
    ///
    /// If the future is dropped, the next time sets it right. Where subscribers are told it goes on by itself: a change that was half
    /// told would have them see somebody leave who has not joined.
    pub(super) async fn settle_presence(
        &self,
        session: &Arc<Session>,
        name: &ChannelName,
    ) -> Result<(), Status> {
        let namespace = self.inner.namespaces.find(name.as_str());
        if !namespace.is_some_and(|namespace| namespace.tells_joins()) {
            return self.settle_presence_in_turn(session, name).await;
        }
        let (hub, session, name) = (self.clone(), session.clone(), name.clone());
        let settled = tokio::spawn(async move { hub.settle_presence_in_turn(&session, &name).await });
        settled
            .await
            .unwrap_or_else(|_| Err(Status::internal("presence could not be told")))
    }

    async fn settle_presence_in_turn(
        &self,
        session: &Arc<Session>,
        name: &ChannelName,
    ) -> Result<(), Status> {
        let _in_turn = self.inner.presence_turns.of(name).await;
        let channels = session.make_channels();
        loop {
            // Looked at in the turn, and not before.
            let (is, wanted) = channels.presence(name, session.user());
            match (is, wanted) {
                (Some(is), wanted)
                    if wanted
                        .as_ref()
                        .is_none_or(|wanted| wanted.user != is.present.user) =>
                {
                    let unsure = Known { is_sure: false, ..is };
                    // First: it may be gone already when this is dropped, or fails.
                    channels.set_present(name, Some(unsure.clone()));
                    self.leave(session, name, &unsure.present).await?;
                    channels.set_present(name, None);
                }
                (Some(is), Some(wanted)) if is.is_sure && is.present == wanted => return Ok(()),
                (is, Some(wanted)) => {
                    let mut known = Known {
                        present: wanted.clone(),
                        is_sure: false,
                    };
                    // First: it may be there already when this is dropped, or fails.
                    channels.set_present(name, Some(known.clone()));
                    if let Err(error) = self.join(session, name, wanted).await {
                        if matches!(error, BrokerError::Full(_) | BrokerError::AccountFull(_)) {
                            // Refused for certain: as what it was there before it still is.
                            channels.set_present(name, is);
                        }
                        return Err(error.into());
                    }
                    known.is_sure = true;
                    channels.set_present(name, Some(known));
                }
                (_, None) => return Ok(()),
            }
        }
    }

    async fn join(&self, session: &Session, name: &ChannelName, present: Present) -> Result<(), BrokerError> {
        let joined = Joined {
            client_id: session.id().to_string(),
            user_id: present.user.as_deref().map(str::to_owned),
            presence: presence(&present.data),
        };
        let member = Member {
            client: session.id(),
            user: present.user,
            since: SystemTime::now(),
            data: present.data,
        };
        let change = self.inner.broker.join(name, member).await?;
        if change.changed && change.of_user {
            self.tell_presence(session, name, &joined).await;
        }
        Ok(())
    }

    async fn leave(&self, session: &Session, name: &ChannelName, was: &Present) -> Result<(), BrokerError> {
        let change = self.inner.broker.leave(name, session.id()).await?;
        if change.changed && change.of_user {
            let left = Left {
                client_id: session.id().to_string(),
                user_id: was.user.as_deref().map(str::to_owned),
            };
            self.tell_presence(session, name, &left).await;
        }
        Ok(())
    }

    /// Publishes a change of presence, where the namespace says so. Which events it allows does not matter.
    async fn tell_presence<C: Contract>(&self, session: &Session, name: &ChannelName, event: &C) {
        let Some(namespace) = self.inner.namespaces.find(name.as_str()) else {
            return;
        };
        if !namespace.tells_joins() {
            return;
        }
        let publication = Publication {
            type_name: C::FULL_NAME.into(),
            body: event.encode_to_vec().into(),
            id: (!namespace.keep().keeps()).then(|| self.new_id()),
            key: None,
            // It answers for what history keeps of its comings and goings.
            origin: session.origin_of(session.identity().as_ref()),
            time: SystemTime::now(),
            publisher: None,
            except: Arc::default(),
        };
        if let Err(error) = self
            .inner
            .broker
            .publish(name, namespace.keep(), publication)
            .await
        {
            tracing::warn!(channel = %name, %error, "a change of presence could not be published");
        }
    }

    /// The client of a session is silent, and its connection about to be given up: with that it is present nowhere. So it is gone
    /// 35 s after it was heard last, and not 5 s later.
    pub(crate) fn on_silent(&self, session: &Session) {
        if let Some(channels) = session.channels() {
            channels.is_silent();
        }
    }

    /// A session has lost its connection, and waits for its client: unless that is back within 5 s, it is present nowhere.
    pub(crate) fn on_detached(&self, session: &Arc<Session>) {
        let Some(channels) = session.channels() else {
            return;
        };
        let Change { number, was_silent } = channels.changed();
        if channels.presences().is_empty() {
            return;
        }
        let (hub, session) = (self.clone(), session.clone());
        spawn(async move {
            if !was_silent {
                time::sleep(ABSENCE).await;
            }
            let is_away = session.make_channels().is_away_since(number);
            if is_away && session.state() != SessionState::Closed {
                hub.settle_all_presence(&session);
            }
        });
    }

    /// The client of a session is back.
    pub(crate) fn on_resumed(&self, session: &Arc<Session>) {
        if let Some(channels) = session.channels() {
            channels.changed();
            self.settle_all_presence(session);
        }
    }

    /// A session is over.
    pub(crate) fn on_gone(&self, session: &Arc<Session>) {
        self.forget(session);
    }
}
