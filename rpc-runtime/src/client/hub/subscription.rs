//! A channel as a program reads it.

use std::{
    fmt,
    future::poll_fn,
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_core::Stream;
use tokio::sync::oneshot;

use super::{
    error::SubscriptionError,
    inbox::{Inbox, Item, Taken},
    keeper,
    received::{Received, Unread},
    routing::Core,
};
use crate::{
    CallError, Client, Status,
    hub::{Events, Position},
};

/// The events of one channel, in their order: a stream, and by [`next`](Self::next).
///
/// Made by [`ClientHub::subscribe`](super::ClientHub::subscribe). While it lives the client hears the channel: it is subscribed to
/// again after every reconnect, and given what was published meanwhile, each event once. Where that cannot be had any more, it is
/// given a [`Gap`](SubscriptionError::Gap) in its place, and goes on behind it. While there is no connection it waits. It keeps the
/// client open.
///
/// # A program that does not read
///
/// What is published waits, up to
/// [`unread_events`](crate::ClientLimits::unread_events) and
/// [`unread_event_bytes`](crate::ClientLimits::unread_event_bytes). What comes after that is left out, and asked for again when everything
/// that waits was read; where the channel has no history, a gap says how many are missing.
///
/// # Other types
///
/// Events that are none of `E` are skipped, and [counted](Self::skipped); so are those that
/// [do not decode](Self::undecodable).
///
/// # The end
///
/// Dropping it unsubscribes, where it is the client's last subscription of the channel; [`unsubscribe`](Self::unsubscribe) waits until
/// the server has said so. It ends by itself, with its last item an error that [is final](SubscriptionError::is_final), when the
/// server ends or refuses it, or the client is closed for good.
#[must_use = "it is unsubscribed when it is dropped"]
pub struct Subscription<E> {
    client: Client,
    core: Arc<Core>,
    channel: Arc<str>,
    id: u64,
    inbox: Arc<Inbox>,
    position: Option<Position>,
    skipped: u64,
    undecodable: u64,
    /// It is off the list.
    left: bool,
    events: PhantomData<fn() -> E>,
}

impl<E> Subscription<E> {
    pub(super) fn new(
        client: Client,
        core: Arc<Core>,
        channel: Arc<str>,
        id: u64,
        inbox: Arc<Inbox>,
    ) -> Self {
        Self {
            client,
            core,
            channel,
            id,
            inbox,
            position: None,
            skipped: 0,
            undecodable: 0,
            left: false,
            events: PhantomData,
        }
    }

    /// The channel's name.
    pub fn channel(&self) -> &str {
        &self.channel
    }

    /// The position of what was read last, to go on from at another time by [`since`](super::Subscribe::since). `None` in a channel
    /// without history, and before anything was read.
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// How many events were skipped because their types are none of `E`.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// How many events were skipped because their bodies are no such messages.
    pub fn undecodable(&self) -> u64 {
        self.undecodable
    }

    /// How many events, and gaps, wait to be read.
    pub fn unread(&self) -> usize {
        self.inbox.len()
    }

    /// Ends the subscription. Returns when the server has said that the client hears the channel no more; at once where the
    /// program has another subscription of it, which goes on. What waits to be read is lost.
    ///
    /// If the future is dropped, the subscription ends all the same.
    ///
    /// # Errors
    ///
    /// When the server could not be told: the client is closed, or the server does not let it say so at all.
    pub async fn unsubscribe(mut self) -> Result<(), CallError> {
        let (waits, told) = oneshot::channel();
        self.left = true;
        self.inbox.clear();
        self.core.leave(&self.channel, self.id, Some(waits));
        keeper::ensure(&self.core, &self.client);
        // Its sender is dropped with the client alone.
        told.await
            .unwrap_or_else(|_| Err(Status::cancelled("the client is gone").into()))
    }
}

impl<E: Events> Subscription<E> {
    /// The next event; `None` after the end. Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// A [gap](SubscriptionError::Gap), behind which it goes on, or why it ends.
    pub async fn next(&mut self) -> Option<Result<Received<E>, SubscriptionError>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<E: Events> Stream for Subscription<E> {
    type Item = Result<Received<E>, SubscriptionError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            let (taken, drained) = this.inbox.poll_take(cx);
            if drained {
                this.core.drained(&this.channel, this.id);
            }
            match taken {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Taken::End(end)) => return Poll::Ready(end.map(Err)),
                Poll::Ready(Taken::Item(Item::Gap(gap))) => {
                    this.position = gap.next.or(this.position.filter(|_| gap.last.is_none()));
                    return Poll::Ready(Some(Err(SubscriptionError::Gap(gap))));
                }
                Poll::Ready(Taken::Item(Item::Event { raw, epoch, kind })) => {
                    if let Some(epoch) = epoch.filter(|_| raw.offset > 0) {
                        let offset = raw.offset;
                        this.position = Some(Position { epoch, offset });
                    }
                    match raw.read(&this.channel, epoch, kind) {
                        Ok(received) => return Poll::Ready(Some(Ok(received))),
                        Err(Unread::Unknown) => this.skipped += 1,
                        Err(Unread::Undecodable) => this.undecodable += 1,
                    }
                }
            }
        }
    }
}

impl<E> Drop for Subscription<E> {
    fn drop(&mut self) {
        if !self.left {
            self.inbox.clear();
            self.core.leave(&self.channel, self.id, None);
        }
    }
}

impl<E> fmt::Debug for Subscription<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("channel", &self.channel)
            .field("position", &self.position)
            .field("unread", &self.unread())
            .finish_non_exhaustive()
    }
}
