//! The short turn: a connection that has come to rest sends the events that have come, and does nothing else.
//!
//! Of ten thousand clients that listen each is far from the processor when its turn comes, and what a turn costs is the lines of its
//! memory that are looked at. So whether anything but events may have come since the last turn is told by a few of its fields: bytes,
//! which the socket says; calls that were woken and commands, of which the mailbox says that it is filled; and the time, for which the
//! timer is set. In every other case, and where the socket does not take all, a whole turn follows.

use std::task::{Context as TaskContext, Poll};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};

use super::{Connection, Phase};

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Whether a turn in which the socket was read dry, and that has left no call to go on with, leaves nothing else either, until
    /// something comes or the timer fires.
    pub(super) fn has_nothing_to_do(&self) -> bool {
        matches!(self.phase, Phase::Open)
            && self.gate.is_none()
            // Also sockets that keep what they have taken, as TLS does, have taken all to its end.
            && self.timers.are_at_rest()
            && !self.events_left
            && !self.socket.is_inside_message()
            && self.socket.io.output.pending() == 0
    }

    /// A turn after one that has left nothing to be done. `None`: there is something besides events, which a whole turn does.
    #[inline(never)]
    pub(super) fn send_only_events(&mut self, now: Instant, cx: &mut TaskContext<'_>) -> Option<Poll<()>> {
        let mailbox = &self.session.mailbox;
        if mailbox.is_filled() || !self.timers.wake_later(now, cx.waker()) {
            return None;
        }
        mailbox.begin_short_turn();
        match self.socket.io.poll_fill(cx) {
            Poll::Pending => {}
            Poll::Ready(Ok(count)) => {
                self.session.counters.received(count);
                return None;
            }
            Poll::Ready(Err(error)) => {
                self.broken(Some(&error));
                return Some(Poll::Ready(()));
            }
        }
        self.send_events();
        match self.write_output(cx) {
            Poll::Ready(Ok(())) if !self.events_left => {
                self.rests = true;
                Some(Poll::Pending)
            }
            Poll::Ready(Err(error)) => {
                self.broken(Some(&error));
                Some(Poll::Ready(()))
            }
            Poll::Ready(Ok(())) | Poll::Pending => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        pin::Pin,
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
        task::{Wake, Waker},
        time::Duration,
    };

    use bytes::Bytes;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadBuf, duplex};

    use super::{
        super::super::{Endpoint, ServerLimits, routes::Routes, shared::Shared},
        *,
    };
    use crate::{
        ConnectInfo,
        hub::{Put, Queued, SlowConsumer},
        session::{Session, mailbox::Report},
    };

    /// No turn of this connection has so many calls: where they are counted afterwards, the turn was a short one.
    const MARK: usize = 77;

    /// A task that takes its turns anyhow. It is always the same one, which `Waker::noop()` does not promise.
    struct Task;

    impl Wake for Task {
        fn wake(self: Arc<Self>) {}
    }

    /// A socket that takes all at once, and says for a time that it has not passed it on, as one of TLS does.
    struct Keeping {
        pipe: DuplexStream,
        keeps: Arc<AtomicBool>,
    }

    impl AsyncRead for Keeping {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut TaskContext<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Pin::new(&mut self.pipe).poll_read(cx, buffer)
        }
    }

    impl AsyncWrite for Keeping {
        fn poll_write(
            mut self: Pin<&mut Self>,
            cx: &mut TaskContext<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Pin::new(&mut self.pipe).poll_write(cx, bytes)
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
            match self.keeps.load(Ordering::Relaxed) {
                true => Poll::Pending,
                false => Poll::Ready(Ok(())),
            }
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.pipe).poll_shutdown(cx)
        }
    }

    /// A connection whose turns are taken one by one, and its client's end.
    struct Quiet {
        task: Waker,
        connection: Connection<Keeping>,
        keeps: Arc<AtomicBool>,
        client: DuplexStream,
    }

    impl Quiet {
        /// It has said its greeting, and come to rest.
        async fn over_a_pipe_of(bytes: usize) -> Self {
            let routes = Routes::build(vec![("/rpc".to_owned(), Endpoint::new())]).unwrap();
            let shared = Shared::new(routes, ServerLimits::default());
            let session = Session::new(ConnectInfo::new(), shared.routes.main().clone(), shared.clone());
            let (client, pipe) = duplex(bytes);
            let keeps = Arc::new(AtomicBool::new(false));
            let stream = Keeping {
                pipe,
                keeps: keeps.clone(),
            };
            let mut quiet = Self {
                task: Waker::from(Arc::new(Task)),
                connection: Connection::new(stream, &[], session, shared),
                keeps,
                client,
            };
            while !quiet.connection.rests {
                assert!(!quiet.turn_is_short());
                quiet.reads().await;
            }
            quiet
        }

        fn is_open(&self) -> bool {
            matches!(self.connection.phase, Phase::Open)
        }

        fn session(&self) -> &Arc<Session> {
            &self.connection.session
        }

        fn is_sent(&self, event: &'static [u8]) {
            let event = Queued::new(Bytes::from_static(event), 1);
            let put = self
                .session()
                .mailbox
                .put_event(event, SlowConsumer::DropOldest, 1_000);
            assert_eq!(put, Put::Queued);
        }

        fn turn(&mut self) -> Poll<()> {
            self.connection.turn(&mut TaskContext::from_waker(&self.task))
        }

        /// Takes a turn, and tells whether it was a short one.
        fn turn_is_short(&mut self) -> bool {
            self.session().counters.stands(MARK, 0);
            assert!(self.turn().is_pending());
            self.connection.socket.io.release_input();
            assert!(!self.session().mailbox.end_turn());
            self.session().stats().open_calls == MARK as u32
        }

        async fn reads(&mut self) -> Vec<u8> {
            let mut bytes = vec![0; 1_000];
            let read = tokio::time::timeout(Duration::from_millis(1), self.client.read(&mut bytes)).await;
            bytes.truncate(read.map_or(0, Result::unwrap));
            bytes
        }
    }

    #[tokio::test(start_paused = true)]
    async fn events_to_whoever_says_nothing_take_short_turns() {
        let mut quiet = Quiet::over_a_pipe_of(1_000).await;
        for event in [b"one".as_slice(), b"two", b"three"] {
            quiet.is_sent(event);
            assert!(quiet.turn_is_short());
            assert_eq!(quiet.reads().await, event);
        }
        let before = quiet.session().stats().bytes_sent;
        quiet.is_sent(b"12345");
        quiet.is_sent(b"678");
        assert!(quiet.turn_is_short());
        assert_eq!(quiet.reads().await, b"12345678");
        assert_eq!(quiet.session().stats().bytes_sent, before + 8);
    }

    #[tokio::test(start_paused = true)]
    async fn whatever_else_comes_takes_a_whole_turn() {
        let mut quiet = Quiet::over_a_pipe_of(1_000).await;
        // Part of a frame, which the timer has to watch over, and then the rest of it.
        quiet.client.write_all(&[0x8a]).await.unwrap();
        assert!(!quiet.turn_is_short() && !quiet.turn_is_short());
        quiet.client.write_all(&[0x80, 1, 2, 3, 4]).await.unwrap();
        assert!(!quiet.turn_is_short(), "a pong");
        assert!(quiet.turn_is_short(), "nothing");
        quiet.session().mailbox.report(Report::Abandoned { stream_id: 1 });
        assert!(!quiet.turn_is_short(), "a report");
        assert!(quiet.turn_is_short(), "nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_sent_events_and_says_nothing_is_asked_in_its_time() {
        let mut quiet = Quiet::over_a_pipe_of(1_000).await;
        for second in 1..25 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            quiet.is_sent(b"x");
            assert!(quiet.turn_is_short(), "{second}");
            assert_eq!(quiet.reads().await, b"x");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        quiet.is_sent(b"x");
        assert!(!quiet.turn_is_short());
        let read = quiet.reads().await;
        assert!(read.len() > 1 && read.contains(&b'x'), "a ping and the event");
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_socket_does_not_take_is_watched_by_the_timer() {
        for reads in [true, false] {
            // More than the greeting is not taken at once.
            let mut quiet = Quiet::over_a_pipe_of(64).await;
            quiet.is_sent(&[b'x'; 100]);
            assert!(!quiet.turn_is_short() && !quiet.connection.rests);
            if reads {
                assert_eq!(quiet.reads().await.len(), 64);
                assert!(!quiet.turn_is_short());
                assert_eq!(quiet.reads().await.len(), 36);
            }
            tokio::time::sleep(Duration::from_secs(11)).await;
            if reads {
                assert!(!quiet.turn_is_short(), "the timer has fired");
                quiet.is_sent(b"y");
                assert!(quiet.turn_is_short());
            } else {
                let _ = quiet.turn();
            }
            assert_eq!(quiet.is_open(), reads);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_has_taken_what_its_socket_kept_for_a_time_is_not_closed_for_that() {
        for is_passed_on in [true, false] {
            let mut quiet = Quiet::over_a_pipe_of(1_000).await;
            quiet.keeps.store(true, Ordering::Relaxed);
            quiet.is_sent(b"kept");
            assert!(!quiet.turn_is_short());
            quiet.keeps.store(!is_passed_on, Ordering::Relaxed);
            for _ in 0..12 {
                quiet.is_sent(b"x");
                let _ = quiet.turn();
                let _ = quiet.session().mailbox.end_turn();
                quiet.reads().await;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            // Whole turns, each with some progress, hold a socket that passes nothing on for one that takes what it is given.
            assert!(quiet.is_open(), "{is_passed_on}");
            quiet.keeps.store(false, Ordering::Relaxed);
            let _ = quiet.turn();
            quiet.is_sent(b"y");
            assert!(quiet.turn_is_short());
        }
    }
}
