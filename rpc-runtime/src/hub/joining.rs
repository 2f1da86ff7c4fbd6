//! A session on its way into a channel: what is taken back, and what is left, where it does not get there.

use std::sync::Arc;

use super::{
    ChannelName, Hub, Wish,
    channel::Channel,
    heard::SessionChannels,
    subscribing::NotSubscribed,
    unsubscribing::{leave, spawn},
};
use crate::{Session, Status};

/// A session that is being subscribed. Dropped before it is done, it takes everything back.
pub(super) struct Joining<'a> {
    pub(super) hub: &'a Hub,
    pub(super) session: &'a Arc<Session>,
    pub(super) channels: &'a SessionChannels,
    pub(super) name: &'a ChannelName,
    pub(super) stage: Stage,
}

pub(super) enum Stage {
    /// It has a place for the channel.
    Reserved,
    /// The channel keeps events for it.
    Added(Arc<Channel>),
    /// It hears the channel, by the subscription of this number.
    Live(u64),
    /// It hears the channel by that, and its client is told so without having asked: that stays so. Presence is to be told.
    Told(u64),
    Done,
}

impl Joining<'_> {
    /// Why it is not to be subscribed, where somebody has put it out meanwhile.
    pub(super) fn why_ended(&self) -> Option<Status> {
        match self.stage {
            Stage::Reserved | Stage::Added(_) => self.channels.why_ended(self.name),
            Stage::Live(_) | Stage::Told(_) | Stage::Done => None,
        }
    }

    /// The client has been told that it hears the channel no more: there is nothing to take back.
    pub(super) fn is_told(&mut self, status: Status) -> NotSubscribed {
        self.stage = Stage::Done;
        NotSubscribed::told(status)
    }

    /// Presence is refused, and with it the subscription. Where somebody else was told of it meanwhile it stays, and presence is told in the
    /// end: what the client has said of itself is refused all the same.
    pub(super) fn is_not_present(
        &mut self,
        number: u64,
        wish: &Wish,
        error: Status,
    ) -> Result<(), NotSubscribed> {
        let reason = wish.by_event.then_some(&error);
        if self.hub.end_own(self.session, self.name, number, reason) {
            self.stage = Stage::Done;
            return Err(NotSubscribed {
                status: error,
                is_told: wish.by_event,
            });
        }
        let stays = self.channels.change(self.name, number, |heard| {
            if heard.presence == wish.presence {
                heard.presence = None;
            }
        });
        if !stays {
            return Err(self.is_told(error));
        }
        self.hub.settle_in_the_end(self.session, vec![self.name.clone()]);
        match wish.presence {
            None => Ok(()),
            Some(_) => {
                self.stage = Stage::Done;
                Err(error.into())
            }
        }
    }

    /// Asks after the right, and has presence told, behind the present task.
    fn leave_as_it_is(&self, number: u64) {
        let (hub, session, name) = (self.hub.clone(), self.session.clone(), self.name.clone());
        // Nobody else asks after the right of a user that it became at the last moment.
        spawn(async move {
            if hub.check_again(&session, &name, number).await.is_ok() {
                hub.settle_in_the_end(&session, vec![name]);
            }
        });
    }
}

impl Drop for Joining<'_> {
    fn drop(&mut self) {
        match &self.stage {
            Stage::Reserved => self.channels.give_back(self.name, || {}),
            Stage::Added(channel) => {
                self.channels
                    .give_back(self.name, || leave(self.session, channel));
                self.hub.left(self.session, [channel]);
            }
            &Stage::Live(number) => {
                if !self.hub.end_own(self.session, self.name, number, None) {
                    self.leave_as_it_is(number);
                }
            }
            &Stage::Told(number) => self.leave_as_it_is(number),
            Stage::Done => {}
        }
    }
}
