//! What is sent to this client, to its user, or to all clients, as a program reads it.

use std::{
    fmt,
    future::poll_fn,
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_core::Stream;

use super::{
    error::SubscriptionError,
    inbox::{Inbox, Item, Taken},
    received::{Received, Unread},
    routing::Core,
};
use crate::{Client, hub::Events};

/// The events that are sent to this client, to its user, or to all clients, from the moment on at which it is made. Made by
/// [`Client::events`].
///
/// Several may listen for one type: each is given all. While there is no connection it waits; what is sent to a user or to
/// all meanwhile is for others, and what is sent to this client comes where its session is resumed. It keeps the client open.
///
/// What the program does not read waits, up to [`unread_events`](crate::ClientLimits::unread_events) and
/// [`unread_event_bytes`](crate::ClientLimits::unread_event_bytes); what comes after that is lost, and a
/// [gap](SubscriptionError::Gap) says how many that were. The last item says why the client is closed.
#[must_use = "what comes waits for nobody until it is read"]
pub struct EventStream<E: Events> {
    /// Kept open.
    _client: Client,
    core: Arc<Core>,
    inbox: Arc<Inbox>,
    undecodable: u64,
    events: PhantomData<fn() -> E>,
}

impl<E: Events> EventStream<E> {
    pub(super) fn new(client: Client, core: Arc<Core>) -> Self {
        Self {
            _client: client,
            inbox: core.listen(E::NAMES),
            core,
            undecodable: 0,
            events: PhantomData,
        }
    }

    /// How many events were skipped because their bodies are no such messages.
    pub fn undecodable(&self) -> u64 {
        self.undecodable
    }

    /// How many events wait to be read.
    pub fn unread(&self) -> usize {
        self.inbox.len()
    }

    /// The next event; `None` after the end. Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// A [gap](SubscriptionError::Gap), behind which it goes on, or why the client is closed.
    pub async fn next(&mut self) -> Option<Result<Received<E>, SubscriptionError>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<E: Events> Stream for EventStream<E> {
    type Item = Result<Received<E>, SubscriptionError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            // Nothing can be asked for again.
            let (taken, _) = this.inbox.poll_take(cx);
            return match taken {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Taken::End(end)) => Poll::Ready(end.map(Err)),
                Poll::Ready(Taken::Item(Item::Gap(gap))) => {
                    Poll::Ready(Some(Err(SubscriptionError::Gap(gap))))
                }
                Poll::Ready(Taken::Item(Item::Event { raw, kind, .. })) => match raw.read("", None, kind) {
                    Ok(received) => Poll::Ready(Some(Ok(received))),
                    Err(Unread::Unknown | Unread::Undecodable) => {
                        this.undecodable += 1;
                        continue;
                    }
                },
            };
        }
    }
}

impl<E: Events> Drop for EventStream<E> {
    fn drop(&mut self) {
        self.core.deafen(E::NAMES, &self.inbox);
    }
}

impl<E: Events> fmt::Debug for EventStream<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream")
            .field("events", &E::NAMES)
            .field("unread", &self.unread())
            .finish_non_exhaustive()
    }
}
