//! How a session comes to hear a channel, from the right to do so to the first live event, without a gap; and how that ends.
//!
//! The session is added to the channel first, which keeps for it what comes from then on. Then history is read, behind the
//! position that the client knows, or behind its snapshot. At last, under the channel's lock, what was kept and is after that
//! goes into the session's queue, and what comes then goes there too. It works with any broker, however long it takes.

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    Begun, ChannelName, Hub, Position, PresenceData, Room,
    address::{HubError, LONGEST_EVENT},
    channel::{Added, Channel},
    encode,
    heard::{Granted, NotFilled, Reserved, Subscription, left_meanwhile},
    joining::{Joining, Stage},
    namespace::ActiveNamespace,
    rights::{Asks, denied},
};
use crate::{Session, Status, services::hub as contract};

/// A session for which not all could be kept while it caught up, or that became another user meanwhile, does so again, so often in all.
const CATCHES_UP: usize = 3;

const BECAME_ANOTHER: &str = "the client became another user meanwhile; try again";

const LOST: &str = "more was published than could be kept meanwhile; try again";

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    /// The last position that the client knows: it comes back, and wants what it has missed.
    pub(crate) since: Option<Position>,
    /// The server subscribes the client: rights are not asked for.
    pub(crate) granted: Option<Granted>,
    /// The client is told by an event, since it has not asked.
    pub(crate) by_event: bool,
    /// What the answer has room for.
    pub(crate) room: Room,
    /// What presence is to say of the client.
    pub(crate) presence: PresenceData,
}

impl Wish {
    /// The client hears the channel already, as far as it knows, which has no history, and says that it needs nothing of before: presence
    /// alone may be new.
    pub(super) fn needs_nothing(&self, channel: &Channel) -> bool {
        !channel.namespace.keep().keeps() && self.since == Some(Position::default())
    }
}

/// Why a session was not subscribed.
#[derive(Debug)]
pub(crate) struct NotSubscribed {
    pub(crate) status: Status,
    /// Its client knows: it has left by itself, or was told that it heard the channel and does no more.
    pub(crate) is_told: bool,
}

impl NotSubscribed {
    pub(super) fn told(status: Status) -> Self {
        Self {
            status,
            is_told: true,
        }
    }
}

impl From<Status> for NotSubscribed {
    fn from(status: Status) -> Self {
        Self {
            status,
            is_told: false,
        }
    }
}

impl From<NotSubscribed> for Status {
    fn from(not: NotSubscribed) -> Self {
        not.status
    }
}

impl Hub {
    /// The namespace of a channel; refused in the same words as what nobody may do.
    pub(crate) fn namespace_of(&self, name: &str, asks: &Asks) -> Result<&Arc<ActiveNamespace>, Status> {
        self.inner.namespaces.find(name).ok_or_else(|| denied(asks))
    }

    /// Has a session hear a channel. Where it does already, it is told how the channel stands.
    ///
    /// # Errors
    ///
    /// The client may not, there is no room, or the broker is not available. It then hears the channel only where it did before, and
    /// still may.
    pub(crate) async fn subscribe_session(
        &self,
        session: &Arc<Session>,
        name: &ChannelName,
        wish: Wish,
    ) -> Result<Begun, NotSubscribed> {
        let channels = session.make_channels();
        // Before the right is asked for: who has no room is told so whatever the channel, and does not make others look things up.
        let most = match wish.granted {
            Some(_) => usize::MAX,
            None => session.most_channels(),
        };
        let since = Instant::now();
        loop {
            let settled = channels.settled();
            match channels.reserve(name, most) {
                Reserved::New => break,
                Reserved::Already(subscription) => {
                    return self.tell_again(session, name, subscription, wish).await;
                }
                Reserved::Busy => channels.wait_for(name, since, settled).await,
                Reserved::Full => {
                    return Err(Status::resource_exhausted(
                        "the client has subscribed to as many channels as it may; unsubscribe from some first",
                    )
                    .into());
                }
                Reserved::Gone => return Err(Status::unavailable("the client is gone").into()),
            }
        }
        // Gives the place back, and takes the session out of the channel, where the future is dropped or fails.
        let mut joining = Joining {
            hub: self,
            session,
            channels,
            name,
            stage: Stage::Reserved,
        };
        let joined = self.join_in(&mut joining, wish).await;
        // Whoever was put out meanwhile was told why, whatever else has gone wrong since.
        joined.map_err(|not| joining.why_ended().map_or(not, NotSubscribed::told))
    }

    /// Subscribes a session that has a place for the channel.
    async fn join_in(&self, joining: &mut Joining<'_>, mut wish: Wish) -> Result<Begun, NotSubscribed> {
        let Joining {
            session,
            channels,
            name,
            ..
        } = *joining;
        wish.room = wish.room.with_place(session, name);
        let mut asks = Asks::now(session);
        let namespace = self.namespace_of(name.as_str(), &asks)?;
        namespace.check_heard(&asks, name, wish.granted.as_ref()).await?;
        namespace.check_presence(session, &wish.presence).await?;
        let channel = self.add(session, name, namespace, &wish)?;
        joining.stage = Stage::Added(channel.clone());
        let (mut tries, mut alone) = (1, None);
        let (subscribed, number) = loop {
            let subscribed = self.catch_up(&asks, &channel, &wish, false).await?;
            let has_lost = if !asks.is_still_known(session) {
                // What was read is for whom it was known as, and so was the right.
                asks = Asks::now(session);
                namespace.check_heard(&asks, name, wish.granted.as_ref()).await?;
                false
            } else {
                let ahead = match wish.by_event {
                    true => told_by_event(&subscribed, &self.new_id())?,
                    false => Vec::new(),
                };
                let (granted, presence) = (wish.granted.clone(), wish.presence.clone());
                let subscription = Subscription::new(channel.clone(), granted, presence);
                let position = subscribed.position;
                let filled = channels.fill(subscription, || {
                    let is_live = channel.go_live(session.id(), ahead, position);
                    if is_live {
                        namespace.counted.subscribed();
                    }
                    is_live
                });
                match filled {
                    Ok(number) => break (subscribed, number),
                    // By itself, or with a word of why.
                    Err(NotFilled::Ended(why)) => return Err(NotSubscribed::told(why)),
                    // Another history may have begun meanwhile, or more was published than is kept: that passes.
                    Err(NotFilled::Refused) => true,
                }
            };
            if tries == CATCHES_UP {
                let missing = if has_lost { LOST } else { BECAME_ANOTHER };
                return Err(Status::unavailable(missing).into());
            }
            tries += 1;
            subscribed.give_back(&wish.room);
            if has_lost {
                // What it was given is not to be there while it waits.
                drop(subscribed);
                if alone.is_none() {
                    alone = wish.room.alone().await?;
                }
                channel.keep_anew(session.id());
            }
        };
        drop(alone);
        subscribed.count_recovery();
        joining.stage = match wish.by_event {
            true => Stage::Told(number),
            false => Stage::Live(number),
        };
        if !asks.is_still_known(session) {
            // At the last moment: nobody has asked after the rights of the new user, and it may hear events already.
            let checked = self.check_again(session, name, number).await;
            checked.map_err(|refused| joining.is_told(refused))?;
        }
        if namespace.shows_presence()
            && let Err(error) = self.settle_presence(session, name).await
        {
            joining.is_not_present(number, &wish, error)?;
        }
        joining.stage = Stage::Done;
        Ok(subscribed)
    }

    /// Tells a session of a channel that it hears already, after asking whether it still may.
    async fn tell_again(
        &self,
        session: &Arc<Session>,
        name: &ChannelName,
        subscription: Subscription,
        wish: Wish,
    ) -> Result<Begun, NotSubscribed> {
        // It may be put out while others are asked: then it is told the end, and nothing that is not so.
        let change = |change: &dyn Fn(&mut Subscription)| {
            let is_there = session.make_channels().change(name, subscription.number, change);
            let ended = || NotSubscribed::told(left_meanwhile());
            is_there.then_some(()).ok_or_else(ended)
        };
        let granted = wish.granted.as_ref().or(subscription.granted.as_ref());
        let mut tries = 1;
        let subscribed = loop {
            let asks = Asks::now(session);
            let checked = subscription
                .channel
                .namespace
                .check_heard(&asks, name, granted)
                .await;
            if asks.is_still_known(session) {
                if let Err(refused) = checked
                    && !self.stays_without_right(session, &subscription, asks.user(), None)
                {
                    return Err(refused.into());
                }
                let namespace = &subscription.channel.namespace;
                namespace.check_presence(session, &wish.presence).await?;
                change(&|_| {})?;
                let subscribed = self.catch_up(&asks, &subscription.channel, &wish, true).await?;
                if asks.is_still_known(session) {
                    break subscribed;
                }
                subscribed.give_back(&wish.room);
            }
            // What was read is for whom it was known as, and so was the right.
            if tries == CATCHES_UP {
                return Err(Status::unavailable(BECAME_ANOTHER).into());
            }
            tries += 1;
        };
        // Last: whoever is refused anything is as what it was before.
        let changed = match wish.presence.is_some() {
            true => self.change_presence(session, &subscription, &wish.presence).await,
            false => Ok(()),
        };
        let changed = changed.and_then(|()| {
            change(&|heard| {
                if wish.granted.is_some() {
                    heard.granted.clone_from(&wish.granted);
                    heard.channel.granted(session.id());
                }
                heard.is_shared = true;
            })
        });
        if let Err(not) = changed {
            // The call's other channels have the room.
            subscribed.give_back(&wish.room);
            return Err(not);
        }
        subscribed.count_recovery();
        Ok(subscribed)
    }

    /// Has presence say something else of a session that hears a channel.
    async fn change_presence(
        &self,
        session: &Arc<Session>,
        subscription: &Subscription,
        presence: &PresenceData,
    ) -> Result<(), NotSubscribed> {
        let Subscription { number, channel, .. } = subscription;
        let (channels, name) = (session.make_channels(), &channel.name);
        let mut before = None;
        let is_there = channels.change(name, *number, |heard| {
            before = std::mem::replace(&mut heard.presence, presence.clone())
        });
        if !is_there {
            return Err(NotSubscribed::told(left_meanwhile()));
        }
        if !channel.namespace.shows_presence() {
            return Ok(());
        }
        // Also where nothing is new: what was given up in between is told now, or is refused again.
        let settled = self.settle_presence(session, name).await;
        if settled.is_err() {
            channels.change(name, *number, |heard| {
                if heard.presence == *presence {
                    heard.presence = before;
                }
            });
            // It may have been taken all the same.
            self.settle_in_the_end(session, vec![name.clone()]);
        }
        Ok(settled?)
    }

    fn add(
        &self,
        session: &Arc<Session>,
        name: &ChannelName,
        namespace: &Arc<ActiveNamespace>,
        wish: &Wish,
    ) -> Result<Arc<Channel>, Status> {
        loop {
            let channel = self.inner.channels.get(name, namespace);
            let refused = match channel.add(session, wish) {
                Added::New => return Ok(channel),
                Added::Closed => {
                    // Its last subscriber has just left.
                    self.inner.channels.remove(&channel);
                    continue;
                }
                Added::Full => "the channel has as many subscribers as it may have",
                Added::NoShare => {
                    "this user, or this address, has subscribed to as many channels as it may have to itself; unsubscribe from some first"
                }
            };
            // Where none may be had, it was made for nothing.
            self.give_back_if_empty(&channel);
            return Err(Status::resource_exhausted(refused));
        }
    }
}

/// What the client is told whom the server has subscribed: the subscription, then what is behind its snapshot.
fn told_by_event(subscribed: &Begun, id: &str) -> Result<Vec<Bytes>, Status> {
    let channel = &subscribed.channel;
    if let Some(snapshot) = &subscribed.snapshot
        && snapshot.body.len() > LONGEST_EVENT
    {
        return Err(Status::resource_exhausted(
            "the channel's snapshot is longer than an event may be; let the client subscribe by itself",
        ));
    }
    let keeps = channel.namespace.keep().keeps();
    let event = contract::Subscribed {
        channel: channel.name.as_str().to_owned(),
        number: channel.number,
        position: keeps.then(|| subscribed.from.into()),
        snapshot: subscribed.snapshot.as_ref().map(Into::into),
    };
    let tells_publisher = channel.namespace.tells_publisher();
    let missed = subscribed.missed.iter();
    let frames = missed.map(|event| encode::of_channel_by_name(&channel.name, event, tells_publisher));
    Ok(std::iter::once(encode::own(&event, id)).chain(frames).collect())
}

impl From<super::NameError> for Status {
    fn from(error: super::NameError) -> Self {
        HubError::from(error).into()
    }
}
