//! From the session's queue of events to the output, while little else waits there.

use super::{Connection, going_on::WRITE_AHEAD};

impl<S> Connection<S> {
    /// Moves events into the output. What finds no room there waits in the queue, until the peer has taken some.
    #[inline]
    pub(super) fn send_events(&mut self) {
        if self.session.mailbox.take_has_events() || self.events_left {
            self.move_events();
        }
    }

    /// Whether events wait for nothing but room in the output.
    pub(super) fn has_events_to_send(&self) -> bool {
        self.events_left && !self.is_to_be_greeted()
    }

    fn is_to_be_greeted(&self) -> bool {
        self.gate.as_ref().is_some_and(|gate| gate.is_of_connect())
    }

    fn move_events(&mut self) {
        if self.is_to_be_greeted() {
            // The greeting comes first, in whose turn they follow.
            self.events_left = true;
            return;
        }
        let Some(events) = self.session.mailbox.events() else {
            self.events_left = false;
            return;
        };
        let output = &mut self.socket.io.output;
        if output.pending() > WRITE_AHEAD {
            self.events_left = true;
            return;
        }
        self.events_left = events.take(|event| {
            output.write_event(event.message(), event.is_direct());
            output.pending() <= WRITE_AHEAD
        });
    }
}
