//! What is sent to this client: who listens for it, and what the server says of subscriptions that it makes and ends.

use std::{sync::Arc, task::Waker};

use rpc_protocol::frame::Event as EventFrame;
use tokio::time::Instant;

use super::{
    by_server::Untaken,
    error::SubscriptionError,
    feed::Feed,
    inbox::{Capacity, Inbox},
    received::{Raw, ReceivedKind},
    routing::{ANY, Came, HubCell, State},
    sub::Sub,
    wire::{position_of, status_of},
};
use crate::{
    CallError,
    contract::Contract,
    hub::Position,
    services::hub::{Subscribed, Unsubscribed, is_of_the_hub},
};

impl HubCell {
    /// The server has said whether the session goes on, and so many of the direct events that come first were sent on the connection before.
    pub(in crate::client) fn greeted(&self, link: u64, resumed: bool, events_again: u64) {
        let core = match self.core.get() {
            Some(core) => core,
            None if events_again > 0 => self.core(),
            None => return,
        };
        let mut state = core.lock();
        state.begin(link);
        if state.link == link {
            state.again = events_again;
            let State { feeds, todo, .. } = &mut *state;
            feeds.values_mut().for_each(|feed| feed.greeted(resumed));
            todo.extend(feeds.keys().copied());
            drop(state);
            core.work.notify_one();
        }
    }
}

impl State {
    /// `is_again`: it was sent on the connection before.
    pub(super) fn on_direct(
        &mut self,
        frame: EventFrame,
        is_again: bool,
        capacity: Capacity,
        woken: &mut Vec<Waker>,
    ) -> Came {
        let came = match frame.type_name.as_str() {
            Subscribed::FULL_NAME => self.on_subscribed(&frame, is_again, capacity, woken),
            Unsubscribed::FULL_NAME => self.on_unsubscribed(&frame, woken),
            _ => Came::Unheard,
        };
        let of_type = self.listeners.get(frame.type_name.as_str());
        // What the hub says of the client's own subscriptions was sent by nobody: those alone hear it who name it.
        let is_sent = !is_of_the_hub(&frame.type_name);
        let of_any = self.listeners.get(ANY).filter(|_| is_sent);
        if of_type.is_none() && of_any.is_none() {
            return came;
        }
        let raw = Arc::new(Raw::of_frame(frame));
        for listener in of_type.into_iter().chain(of_any).flatten() {
            listener.put_or_miss(&raw, ReceivedKind::Live, woken);
        }
        match came {
            Came::Unheard => Came::Nothing,
            came => came,
        }
    }

    /// The server has subscribed the client.
    fn on_subscribed(
        &mut self,
        frame: &EventFrame,
        is_again: bool,
        capacity: Capacity,
        woken: &mut Vec<Waker>,
    ) -> Came {
        let Ok(told) = <Subscribed as prost::Message>::decode(frame.body.clone()) else {
            return Came::Unheard;
        };
        let position = told.position.map(position_of);
        let known = self.names.get(told.channel.as_str()).copied();
        let has_one = known
            .and_then(|place| self.feeds.get(&place))
            .is_some_and(Feed::is_heard_by_server);
        if !has_one && self.untaken.is_full() {
            return Came::Unheard;
        }
        let place = self.feed(&told.channel);
        let id = self.new_id();
        let before = self.feeds.get(&place).and_then(|feed| feed.number);
        let (early, _) = self.name(place, before, told.number);
        let Some(feed) = self.feeds.get_mut(&place) else {
            return Came::Nothing;
        };
        feed.is_numbered(told.number, position.map(|position| position.epoch));
        feed.entangled = true;
        feed.granted_meanwhile |= feed.asking.is_some();
        if feed.subs.is_empty() && feed.asking.is_none() {
            feed.confirmed = true;
        }
        if !has_one {
            let inbox = Inbox::new(Untaken::CAPACITY.min(capacity));
            if let Some(snapshot) = told.snapshot {
                let snapshot = Arc::new(Raw::of_record(snapshot));
                let epoch = position.map(|position: Position| position.epoch);
                inbox.put(&snapshot, epoch, ReceivedKind::Snapshot, woken);
            }
            let mut sub = Sub::live(id, inbox.clone(), position);
            if is_again {
                // What came behind it then is gone with the connection.
                sub.lose();
            }
            feed.subs.push(sub);
            feed.by_server = Some(id);
            woken.extend(self.untaken.push(feed.name.clone(), id, inbox));
        }
        let now = Instant::now();
        for raw in early {
            feed.on_event(raw, now, woken);
        }
        self.todo.insert(place);
        Came::Work
    }

    /// The server has ended a subscription.
    fn on_unsubscribed(&mut self, frame: &EventFrame, woken: &mut Vec<Waker>) -> Came {
        let Ok(told) = <Unsubscribed as prost::Message>::decode(frame.body.clone()) else {
            return Came::Unheard;
        };
        let Some(&place) = self.names.get(told.channel.as_str()) else {
            return Came::Nothing;
        };
        let Some(feed) = self.feeds.get_mut(&place) else {
            return Came::Nothing;
        };
        feed.still = None;
        let reason = status_of(told.reason.unwrap_or_default());
        if feed.asking.is_some() {
            // Whether what is asked for now came before or after that, the answer alone tells. What there was has ended.
            feed.doubtful = true;
            feed.granted_meanwhile = false;
            feed.end_begun(&SubscriptionError::Ended(reason), woken);
            self.todo.insert(place);
        } else if feed.confirmed {
            let error = CallError::Status(reason.clone());
            feed.end(&SubscriptionError::Ended(reason), &error, woken);
            if feed.unanswered {
                feed.confirmed = false;
                self.todo.insert(place);
            } else {
                self.remove(place);
            }
        }
        Came::Work
    }
}
