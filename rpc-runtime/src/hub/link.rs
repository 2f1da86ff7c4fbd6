//! Between the channels of this node and its broker: a channel is asked for with its first subscriber, and given back with its last.
//!
//! ```text
//!  idle ── first subscriber: subscribe ──▶ linked ── last one gone: unsubscribe ──▶ idle ── still nobody ──▶ closed, off the list
//!            ▲                                                                        │
//!            └───────────────────────────── somebody came meanwhile ──────────────────┘
//! ```
//!
//! A broker may take its time for both. A channel stays on the list until it is given back, and its `link` is held meanwhile:
//! whoever subscribes then waits, and asks for it anew. So the broker never has both asked of it at once for one channel.

use std::{
    future::Future,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use super::{Channel, Hub, Position, broker::BrokerError, unsubscribing::spawn};

/// A broker whose answer does not fit the events that came meanwhile is asked again, so often in all.
const ASKS: usize = 3;

/// What a channel has of its broker. Held while that is asked for anything.
#[derive(Debug, Default)]
pub(crate) struct Link {
    /// The broker delivers.
    linked: bool,
    /// It may: it was asked, and not asked to end it, with success.
    asked: bool,
}

impl Hub {
    /// Has the broker deliver a channel, where it does not yet. Every event after the position is delivered.
    ///
    /// Dropping the future is fine.
    pub(super) async fn link(&self, channel: &Channel) -> Result<Position, BrokerError> {
        let mut link = channel.link.lock().await;
        if !link.linked {
            if channel.is_closed() {
                // Its last subscriber was taken out while it asked: nobody would give this back.
                let left = "the channel was left meanwhile";
                return Err(BrokerError::Unavailable(left.to_owned()));
            }
            let keep = channel.namespace.keep();
            link.asked = true;
            for _ in 0..ASKS {
                let asked_at = channel.epoch();
                let position = self.inner.broker.subscribe(&channel.name, keep).await?;
                if channel.reaches_since(asked_at, position) {
                    break;
                }
            }
            link.linked = true;
        }
        Ok(channel.position())
    }

    /// Gives a channel back that has no subscribers any more, unless somebody comes meanwhile.
    pub(super) fn give_back_if_empty(&self, channel: &Arc<Channel>) {
        if !channel.is_empty() {
            return;
        }
        let mut given_back = Box::pin(give_back(self.clone(), channel.clone()));
        // A broker in this process does it at once, also where there is no runtime any more.
        let at_once = given_back.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if at_once == Poll::Pending {
            spawn(given_back);
        }
    }
}

async fn give_back(hub: Hub, channel: Arc<Channel>) {
    let mut link = channel.link.lock().await;
    if !channel.is_empty() {
        return;
    }
    if link.asked {
        // Should it not come to an end, the next asks again.
        link.linked = false;
        match hub.inner.broker.unsubscribe(&channel.name).await {
            Ok(()) => link.asked = false,
            Err(error) => {
                tracing::warn!(channel = %channel.name, %error, "the broker could not be told that a channel is left");
            }
        }
    }
    if channel.close_if_empty() {
        hub.inner.channels.remove(&channel);
    }
}
