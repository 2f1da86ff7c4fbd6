//! From the session's queue of events to the output, while little else waits there.

use super::{Connection, going_on::WRITE_AHEAD};
use crate::hub::DIRECT;

impl<S> Connection<S> {
    /// Moves events into the output. What finds no room there waits in the queue, until the peer has taken some.
    #[inline]
    pub(super) fn send_events(&mut self) {
        if self.session.mailbox.take_has_events() || self.events_left {
            self.move_events();
        }
    }

    fn move_events(&mut self) {
        if self.gate.as_ref().is_some_and(|gate| gate.is_of_connect()) {
            // The greeting comes first.
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
            output.write_event(&event.message, event.channel == DIRECT);
            output.pending() <= WRITE_AHEAD
        });
    }
}
