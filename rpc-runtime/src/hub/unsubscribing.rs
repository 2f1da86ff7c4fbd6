//! How a session comes to hear a channel no more: by its own wish, because it has lost the right, or because it has gone.

use std::{future::Future, sync::Arc};

use super::{
    ChannelName, DIRECT, Hub, Queued, SlowConsumer,
    channel::Channel,
    encode,
    heard::{Subscription, left_meanwhile},
};
use crate::{Session, Status, services::hub as contract};

impl Hub {
    /// Has a session hear a channel no more. Whether it did.
    pub(crate) fn unsubscribe_session(&self, session: &Arc<Session>, name: &ChannelName) -> bool {
        self.unsubscribe_because(session, name, None)
    }

    /// The same; where there is a reason, the client is told by an event. It counts, too, whoever was just about to hear the channel and is
    /// now told why it does not.
    pub(crate) fn unsubscribe_because(
        &self,
        session: &Arc<Session>,
        name: &ChannelName,
        reason: Option<&Status>,
    ) -> bool {
        let Some(channels) = session.channels() else {
            return false;
        };
        // One that is on its way is heard behind this, or not at all.
        let is_prevented = channels.prevent(name, reason.map_or_else(left_meanwhile, Status::clone), || {
            if let Some(reason) = reason {
                self.tell_unsubscribed(session, name.as_str(), reason);
            }
        });
        match is_prevented {
            true => reason.is_some(),
            false => self.end(session, name, |_| true, reason),
        }
    }

    /// A user has no right to what a session hears by this subscription. Whether it stays, because the server has subscribed it while that
    /// was asked for: then it is on nobody's account.
    pub(super) fn stays_without_right(
        &self,
        session: &Arc<Session>,
        subscription: &Subscription,
        user: Option<&str>,
        reason: Option<&Status>,
    ) -> bool {
        let mut stays = false;
        let may_end = |heard: &Subscription| {
            let granted = heard.granted.as_ref();
            let is_it = heard.number == subscription.number;
            stays = is_it && granted.is_some_and(|granted| granted.holds_for(user));
            is_it && !stays
        };
        self.end(session, &subscription.channel.name, may_end, reason);
        stays
    }

    /// Ends the subscription of this number, unless somebody was told of it besides whoever has made it.
    pub(super) fn end_own(
        &self,
        session: &Arc<Session>,
        name: &ChannelName,
        number: u64,
        reason: Option<&Status>,
    ) -> bool {
        let is_own = |heard: &Subscription| heard.number == number && !heard.is_shared;
        self.end(session, name, is_own, reason)
    }

    fn end(
        &self,
        session: &Arc<Session>,
        name: &ChannelName,
        may_end: impl FnOnce(&Subscription) -> bool,
        reason: Option<&Status>,
    ) -> bool {
        let Some(channels) = session.channels() else {
            return false;
        };
        let ended = channels.remove(name, may_end, |subscription| {
            leave(session, &subscription.channel);
            if let Some(reason) = reason {
                self.tell_unsubscribed(session, name.as_str(), reason);
            }
        });
        let Some(subscription) = ended else { return false };
        subscription.channel.namespace.counted.unsubscribed();
        self.left(session, [&subscription.channel]);
        true
    }

    /// Tells a client that it hears a channel no more, or not at all.
    pub(crate) fn tell_unsubscribed(&self, session: &Session, channel: &str, reason: &Status) {
        let event = contract::Unsubscribed {
            channel: channel.to_owned(),
            reason: Some(reason.into()),
        };
        let queued = Queued::new(encode::own(&event, &self.new_id()), DIRECT);
        session.queue_event(queued, SlowConsumer::Disconnect);
    }

    /// Takes a session out of all its channels, for good: it has gone.
    pub(crate) fn forget(&self, session: &Arc<Session>) {
        let ended = session
            .make_channels()
            .end(|subscription| leave(session, &subscription.channel));
        if let Some(events) = session.events() {
            // Nobody waits for it to take them.
            events.close();
        }
        for subscription in &ended {
            subscription.channel.namespace.counted.unsubscribed();
        }
        self.left(session, ended.iter().map(|heard| &heard.channel));
    }

    /// Gives channels back that nobody here hears any more, and sees to it, behind whatever goes on, that presence is told.
    pub(super) fn left<'a>(
        &self,
        session: &Arc<Session>,
        channels: impl IntoIterator<Item = &'a Arc<Channel>>,
    ) {
        let mut shown = Vec::new();
        for channel in channels {
            self.give_back_if_empty(channel);
            if channel.namespace.shows_presence() {
                shown.push(channel.name.clone());
            }
        }
        self.settle_in_the_end(session, shown);
    }
}

/// Does something behind the present task. Nothing, where the runtime has ended.
pub(super) fn spawn(later: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(later);
    }
}

pub(super) fn leave(session: &Session, channel: &Channel) {
    channel.remove(session.id());
    session.forget_events_of(channel.number);
}
