//! A connection that was lost, whose calls go on over the next one: what they write meanwhile waits, and what was lost is sent
//! again.
//!
//! ```text
//!            lost                another socket              the server has greeted
//!   open ──────────▶ away ─────────────────────▶ returning ──────────────────────▶ open: with its calls, or they have failed
//!                     ▲                              │ lost
//!                     └──────────────────────────────┘
//!
//!   away, returning ── there will be no other connection ──▶ closed
//! ```
//!
//! Only where this side keeps what its calls send, and the server has said that it does as well.

use std::{convert::Infallible, future, sync::atomic::Ordering};

use bytes::Bytes;
use rpc_protocol::{ClientConnection, ClientEvent, CloseCode, ConnectionError, Replay, frame::Greeting};
use tokio::time::{Instant, sleep_until};

use super::{Failure, Link, State, Woken};
use crate::{
    client::{error::Closed, resume::Return},
    transport::output::OutputBuffer,
};

/// How calls wait for the next connection.
pub(super) struct Away {
    /// Why the one before has ended.
    why: Closed,
    /// The next one, while its server has not greeted.
    pub(super) next: Option<Next>,
}

/// A connection over which the client comes back.
pub(super) struct Next {
    pub(super) protocol: ClientConnection,
    /// What goes out before the calls go on.
    pub(super) output: OutputBuffer,
    /// Its server has not greeted in time.
    is_silent: bool,
}

impl Away {
    fn is_silent(&self) -> bool {
        self.next.as_ref().is_some_and(|next| next.is_silent)
    }

    /// Hands what goes out before the calls go on to the task.
    pub(super) fn let_go(&mut self, output: &mut OutputBuffer) {
        if let Some(next) = &mut self.next {
            output.take_from(&mut next.output);
        }
    }
}

impl State {
    /// Why the connection was lost, while there is no other.
    pub(super) fn is_lost(&self) -> Option<Closed> {
        let away = self.away.as_ref()?;
        away.next.is_none().then(|| away.why.clone())
    }

    /// Whether calls wait for the next connection.
    pub(in crate::client) fn is_away(&self) -> bool {
        self.away.is_some()
    }

    /// Whether calls may go on after this end of the connection.
    fn may_go_on(&self, closed: &Closed) -> bool {
        let is_lost = matches!(closed.close_code(), CloseCode::Abnormal | CloseCode::TooSlow);
        let stays = self.closed.is_none() && self.close_requested.is_none() && self.going_away.is_none();
        let keeps = self.away.is_some() || self.output.keeps_calls() && self.protocol.counts_received();
        is_lost && stays && keeps && !self.abandoned && !self.authentications.are_asked()
    }

    /// The protocol and the output of the socket that there is, if any.
    fn of_socket(&mut self) -> Option<(&mut ClientConnection, &mut OutputBuffer)> {
        match &mut self.away {
            None => Some((&mut self.protocol, &mut self.output)),
            Some(away) => away
                .next
                .as_mut()
                .map(|next| (&mut next.protocol, &mut next.output)),
        }
    }

    /// Does what is due on the connection, and gives when something is again.
    ///
    /// # Errors
    ///
    /// The server is gone.
    pub(in crate::client) fn keep_alive(&mut self, now: Instant) -> Result<Option<Instant>, ConnectionError> {
        if self.away.as_ref().is_some_and(|away| away.is_silent()) {
            return Err(ConnectionError::PeerSilent);
        }
        let Some((protocol, output)) = self.of_socket() else {
            return Ok(None);
        };
        protocol.handle_timeout(now.into_std(), output)?;
        Ok(protocol.poll_timeout().map(Instant::from_std))
    }

    /// Something has come that is no message of ours.
    pub(in crate::client) fn handle_activity(&mut self, now: Instant) {
        if let Some((protocol, _)) = self.of_socket() {
            protocol.handle_activity(now.into_std());
        }
    }

    /// Nobody waits for the next connection any more. What was to go on over it is forgotten, and it is all that there is.
    pub(super) fn end_absence(&mut self) {
        if let Some(away) = self.away.take() {
            self.output.keep_for_resume(None);
            self.output.discard();
            if let Some(Next { protocol, output, .. }) = away.next {
                self.protocol = protocol;
                self.output = output;
            }
        }
    }

    /// A message has come over the connection by which the client comes back.
    #[cold]
    pub(super) fn on_return(
        &mut self,
        message: Bytes,
        now: Instant,
        link: &Link,
        woken: &mut Woken,
    ) -> Result<(), ConnectionError> {
        let Some((protocol, output)) = self.of_socket() else {
            return Ok(());
        };
        match protocol.handle_message(message, now.into_std(), output)? {
            ClientEvent::Greeting(greeting) => self.has_returned(*greeting, link, now, woken),
            // A ping, perhaps.
            ClientEvent::None => Ok(()),
            _ => Err(ConnectionError::UnexpectedFrame {
                stream_id: 0,
                kind: "first",
            }),
        }
    }

    /// The server has greeted, and said whether calls go on.
    fn has_returned(
        &mut self,
        greeting: Greeting,
        link: &Link,
        now: Instant,
        woken: &mut Woken,
    ) -> Result<(), ConnectionError> {
        let received = greeting.received_frames;
        let mut replay = self.output.take_replay();
        let can_resume = |replay: &Replay| replay.can_resume(received, true);
        if greeting.streams_resumed && !replay.as_deref().is_some_and(can_resume) {
            return Err(ConnectionError::NeverSent {
                acknowledged: received,
                sent: replay.map_or(0, |replay| replay.sent_frames()),
            });
        }
        let Some(Away {
            why,
            next: Some(next),
        }) = self.away.take().map(|away| *away)
        else {
            return Ok(());
        };
        // Written while there was nobody to take it, and kept.
        self.output.discard();
        self.output = next.output;
        if greeting.streams_resumed {
            self.protocol.resume(&next.protocol, now.into_std());
            if let Some(replay) = &mut replay {
                replay.resume(received, true);
            }
        } else {
            self.fail_calls(&Failure::Closed(why), woken);
            self.protocol = next.protocol;
            replay = Some(Box::new(Replay::new(0, link.replay_bytes())));
        }
        self.output.keep_for_resume(replay);
        self.output.write_again();
        while let Some(stream_id) = self.held_up.pop_front() {
            self.wake_sender(stream_id);
        }
        link.open.store(true, Ordering::Release);
        woken.fate = true;
        self.on_greeting(greeting, link, now, woken);
        Ok(())
    }
}

impl Link {
    /// How much it keeps of frames of calls, where the server does as well.
    fn replay_bytes(&self) -> usize {
        self.resumption.replay_bytes(self.limits.replay_bytes)
    }

    /// Whether calls would wait for the next connection if this one ended so.
    pub(in crate::client) fn may_go_on(&self, closed: &Closed) -> bool {
        self.lock().may_go_on(closed)
    }

    /// The socket is gone, and its task with it. The calls wait for the next one, or end.
    pub(in crate::client) fn lost(&self, closed: Closed) {
        let mut woken = Woken::default();
        let mut state = self.lock();
        if !state.may_go_on(&closed) {
            drop(state);
            self.close(closed);
            return self.end();
        }
        let received = state.protocol.received_frames();
        self.resumption
            .ended(self.number(), closed.close_code(), received, true);
        self.open.store(false, Ordering::Release);
        state.fail_authentications(&Failure::Closed(closed.clone()));
        state.output.discard();
        state.behind = 0;
        match &mut state.away {
            Some(away) => away.next = None,
            None => {
                state.away = Some(Box::new(Away {
                    why: closed,
                    next: None,
                }));
            }
        }
        state.gone = true;
        drop(state);
        woken.fate = true;
        self.wake(&mut woken);
    }

    /// Has the calls that wait go on over another socket, whose server is asked by this. `false`: they have ended meanwhile.
    pub(in crate::client) fn return_over(&self, back: &Return) -> bool {
        let mut state = self.lock();
        if state.is_lost().is_none() {
            return false;
        }
        let mut protocol = state.protocol.successor(Instant::now().into_std());
        let greeting = Greeting {
            replay_bytes: self.replay_bytes() as u64,
            replay_after: state.output.replay().map_or(0, |replay| replay.given_up()),
            ..back.clone().greeting()
        };
        let mut output = OutputBuffer::of_client();
        protocol.greet(greeting, &mut output);
        if let Some(away) = &mut state.away {
            away.next = Some(Next {
                protocol,
                output,
                is_silent: false,
            });
        }
        state.gone = false;
        self.number.store(self.standing.begins(), Ordering::Relaxed);
        true
    }

    /// The new socket is lost, because its server says nothing. The calls wait for the one after it.
    pub(in crate::client) fn give_up_return(&self) {
        if let Some(next) = self.lock().away.as_mut().and_then(|away| away.next.as_mut()) {
            next.is_silent = true;
        }
        self.wake_driver();
    }

    /// Ends the calls that wait for another socket: there will be none.
    pub(in crate::client) fn give_up_waiting(&self) {
        let why = self.lock().is_lost();
        if let Some(why) = why {
            self.close(why);
        }
    }

    /// Waits until calls go on, or have ended, or the new socket is lost as well.
    pub(in crate::client) async fn returned(&self) {
        self.until(|state| {
            let returns = state.away.as_ref().is_some_and(|away| away.next.is_some());
            (!returns).then_some(())
        })
        .await;
    }

    /// Ends calls whose time is over while they wait for another socket, and all of them at `end`.
    pub(in crate::client) async fn keep_time_until(&self, end: Option<Instant>) -> Infallible {
        loop {
            let mut woken = Woken::default();
            let now = Instant::now();
            let due = self.lock().expire(now, &mut woken);
            self.wake(&mut woken);
            let due = match end {
                Some(end) if now >= end => {
                    self.give_up_waiting();
                    None
                }
                end => due.into_iter().chain(end).min(),
            };
            match due {
                Some(due) => sleep_until(due).await,
                None => return future::pending().await,
            }
        }
    }
}
