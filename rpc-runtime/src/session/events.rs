//! The events of a session: the channels that it hears, and the queue of what its client is to be sent.

use std::sync::atomic::Ordering;

use rpc_protocol::CloseCode;

use super::{Session, SessionState, mailbox::Command};
use crate::{
    ServerLimits,
    hub::{EventQueue, Hub, Put, Queued, SessionChannels, SlowConsumer, TOO_SLOW},
};

impl Session {
    /// The hub of the server.
    pub fn hub(&self) -> Hub {
        self.server.hub.clone()
    }

    /// The channels that it hears, where it ever heard one.
    pub(crate) fn channels(&self) -> Option<&SessionChannels> {
        self.channels.get().map(|channels| &**channels)
    }

    pub(crate) fn make_channels(&self) -> &SessionChannels {
        self.channels.get_or_init(Box::default)
    }

    /// How many channels it may hear.
    pub(crate) fn most_channels(&self) -> usize {
        self.endpoint.limits.subscriptions
    }

    /// What its server allows all together.
    pub(crate) fn server_limits(&self) -> &ServerLimits {
        &self.server.limits
    }

    /// How many bytes of events may wait for the client.
    pub(crate) fn most_queued(&self) -> usize {
        self.endpoint.limits.event_queue_bytes
    }

    /// The longest body that the client takes, in bytes, as it has said.
    pub(crate) fn answer_bytes(&self) -> usize {
        usize::try_from(self.answer_bytes.load(Ordering::Relaxed)).unwrap_or(usize::MAX)
    }

    /// The client has said how long bodies may be.
    pub(crate) fn set_answer_bytes(&self, most: usize) {
        // More than that no answer has.
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        self.answer_bytes.store(most, Ordering::Relaxed);
    }

    /// Whether what is sent to all clients is for this one: it was let in, and is known where it has to be.
    pub(crate) fn hears_broadcasts(&self) -> bool {
        match self.state() {
            SessionState::Connecting | SessionState::Closed => false,
            _ => !self.endpoint.auth_required || self.identity().is_some(),
        }
    }

    /// Leaves an event for the client. Where there is no room for it, and that is what the channel says, the client is closed.
    pub(crate) fn queue_event(&self, event: Queued, slow: SlowConsumer) -> Put {
        if self.state() == SessionState::Closed {
            return Put::Gone;
        }
        let most = self.endpoint.limits.event_queue_bytes;
        let put = self.mailbox.put_event(event, slow, most);
        if put == Put::Refused {
            self.close_as_too_slow();
        }
        put
    }

    /// Closes the client because it does not take its events. What waits for it is let go of at once: it recovers that when it
    /// comes back.
    #[cold]
    pub(crate) fn close_as_too_slow(&self) {
        if let Some(events) = self.mailbox.events() {
            events.close();
        }
        self.mailbox.send(Command::Close {
            code: CloseCode::TooSlow,
            reason: TOO_SLOW.to_owned(),
        });
    }

    /// How many bytes of events wait for the client.
    pub(super) fn queued_event_bytes(&self) -> usize {
        self.mailbox.events().map_or(0, EventQueue::bytes)
    }

    /// Whether more waits for the client than may.
    pub(crate) fn is_queue_over(&self) -> bool {
        let most = self.endpoint.limits.event_queue_bytes;
        self.mailbox.events().is_some_and(|events| events.bytes() > most)
    }

    /// Ready when no more waits for the client than may.
    pub(crate) async fn queue_has_room(&self) {
        if let Some(events) = self.mailbox.events() {
            events.has_room(self.endpoint.limits.event_queue_bytes).await;
        }
    }

    /// Drops what waits of a channel.
    pub(crate) fn forget_events_of(&self, channel: u64) {
        if let Some(events) = self.mailbox.events() {
            events.forget(channel);
        }
    }

    /// The queue of its events, where there ever was one.
    pub(crate) fn events(&self) -> Option<&EventQueue> {
        self.mailbox.events()
    }
}
