//! Subscriptions that the server has made by itself, until the program takes them.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use futures_core::Stream;

use super::{
    Subscription,
    inbox::{Capacity, Inbox},
    keeper,
    routing::Core,
};
use crate::{Client, hub::Events};

/// So many are kept that no program has taken. Those behind them count as events that nobody listens for.
const MOST_UNTAKEN: usize = 128;

/// The subscriptions that no program has taken yet.
#[derive(Debug, Default)]
pub(super) struct Untaken {
    waiting: VecDeque<Entry>,
    readers: Vec<Waker>,
    over: bool,
}

#[derive(Debug)]
struct Entry {
    channel: Arc<str>,
    id: u64,
    inbox: Arc<Inbox>,
}

impl Capacity {
    pub(super) fn min(self, other: Self) -> Self {
        Self {
            events: self.events.min(other.events),
            bytes: self.bytes.min(other.bytes),
        }
    }
}

impl Untaken {
    /// So much waits for a program that has not taken the subscription yet.
    pub(super) const CAPACITY: Capacity = Capacity {
        events: 64,
        bytes: 64 << 10,
    };

    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= MOST_UNTAKEN
    }

    /// Keeps one. Who is to be woken.
    pub(super) fn push(&mut self, channel: Arc<str>, id: u64, inbox: Arc<Inbox>) -> Vec<Waker> {
        self.waiting.push_back(Entry { channel, id, inbox });
        std::mem::take(&mut self.readers)
    }

    /// No more will come. Who is to be woken.
    pub(super) fn finish(&mut self) -> Vec<Waker> {
        self.over = true;
        self.waiting.clear();
        std::mem::take(&mut self.readers)
    }

    fn poll_take(&mut self, cx: &Context<'_>) -> Poll<Option<Entry>> {
        if let Some(entry) = self.waiting.pop_front() {
            return Poll::Ready(Some(entry));
        }
        if self.over {
            return Poll::Ready(None);
        }
        if !self.readers.iter().any(|reader| reader.will_wake(cx.waker())) {
            self.readers.push(cx.waker().clone());
        }
        Poll::Pending
    }
}

/// The subscriptions that the server makes for this client by itself, each once, also those from before this was asked for.
/// Made by [`ClientHub::server_subscriptions`](super::ClientHub::server_subscriptions).
///
/// Ends with the client, which it keeps open. Where there are several of these streams, each subscription goes to one of
/// them.
#[must_use = "nothing is taken until it is polled"]
pub struct ServerSubscriptions {
    client: Client,
    core: Arc<Core>,
}

impl ServerSubscriptions {
    pub(super) fn new(client: Client, core: Arc<Core>) -> Self {
        Self { client, core }
    }

    /// The next one; `None` when the client is closed for good. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<ServerSubscription> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for ServerSubscriptions {
    type Item = ServerSubscription;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ServerSubscription>> {
        let taken = self.core.lock().untaken.poll_take(cx);
        taken.map(|entry| {
            keeper::ensure(&self.core, &self.client);
            entry.map(|entry| ServerSubscription {
                client: self.client.clone(),
                core: self.core.clone(),
                entry,
                is_opened: false,
            })
        })
    }
}

/// A channel that the server has subscribed this client to.
///
/// Dropping it instead of [opening](Self::open) it unsubscribes from the channel.
#[must_use = "it is unsubscribed when it is dropped"]
pub struct ServerSubscription {
    client: Client,
    core: Arc<Core>,
    entry: Entry,
    /// The subscription that was made of it unsubscribes now.
    is_opened: bool,
}

impl ServerSubscription {
    /// The channel.
    pub fn channel(&self) -> &str {
        &self.entry.channel
    }

    /// Reads it, as the events that the program expects in such a channel. What was published since the server has
    /// subscribed the client comes first, as far as it can be had.
    pub fn open<E: Events>(mut self) -> Subscription<E> {
        self.is_opened = true;
        let Entry { channel, id, inbox } = &self.entry;
        inbox.widen(self.core.capacity);
        Subscription::new(
            self.client.clone(),
            self.core.clone(),
            channel.clone(),
            *id,
            inbox.clone(),
        )
    }
}

impl Drop for ServerSubscription {
    fn drop(&mut self) {
        if !self.is_opened {
            self.core.leave(&self.entry.channel, self.entry.id, None);
        }
    }
}

impl fmt::Debug for ServerSubscriptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerSubscriptions").finish_non_exhaustive()
    }
}

impl fmt::Debug for ServerSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerSubscription")
            .field("channel", &self.channel())
            .finish()
    }
}
