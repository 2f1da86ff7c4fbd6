//! Places that somebody is about to fill: who waits for one, and when whoever has it gives it up.

use std::{future::Future, pin::pin, time::Duration};

use tokio::{
    sync::futures::Notified,
    time::{self, Instant},
};

use super::{Place, SessionChannels};
use crate::{Status, hub::ChannelName};

/// Whoever has waited so long for a place asks for it.
const PATIENCE: Duration = Duration::from_secs(3);

impl SessionChannels {
    /// Ready when a subscription that was on its way when this was called is settled.
    pub(crate) fn settled(&self) -> Notified<'_> {
        self.settled.notified()
    }

    /// Waits for a place that is [`Busy`](super::Reserved::Busy) until something is `settled`, by whoever has waited for it since then.
    /// After a while it asks for the place: whoever has it may wait for its turn, and the turn for this.
    pub(crate) async fn wait_for(&self, name: &ChannelName, since: Instant, settled: Notified<'_>) {
        let mut settled = pin!(settled);
        if time::timeout_at(since + PATIENCE, settled.as_mut()).await.is_ok() {
            return;
        }
        if let Some(Place::Joining { is_asked_for, .. }) = self.lock().places.get_mut(name) {
            *is_asked_for = true;
        }
        self.given_up.notify_waiters();
        settled.await;
    }

    /// Waits for something with a place that is to be filled.
    ///
    /// # Errors
    ///
    /// The place is to be given up: it was ended, or somebody else has waited long for it, for whom this may wait.
    pub(crate) async fn wait_with<T>(
        &self,
        name: &ChannelName,
        something: impl Future<Output = T>,
    ) -> Result<T, Status> {
        tokio::select! {
            biased;
            done = something => Ok(done),
            why = self.is_to_be_given_up(name) => Err(why),
        }
    }

    async fn is_to_be_given_up(&self, name: &ChannelName) -> Status {
        loop {
            let given_up = self.given_up.notified();
            if let Some(why) = self.why_given_up(name) {
                return why;
            }
            given_up.await;
        }
    }

    fn why_given_up(&self, name: &ChannelName) -> Option<Status> {
        match self.lock().places.get(name)? {
            Place::Joining { ended: Some(why), .. } => Some(why.clone()),
            Place::Joining { is_asked_for, .. } => is_asked_for.then(asked_for),
            Place::Live(_) => None,
        }
    }

    /// Has a subscription that is on its way not be made, for this reason; `tell` is called before whoever makes it knows. Whether there
    /// is one, and nobody has done so before.
    pub(crate) fn prevent(&self, name: &ChannelName, why: Status, tell: impl FnOnce()) -> bool {
        let is_prevented = match self.lock().places.get_mut(name) {
            Some(Place::Joining {
                ended: ended @ None, ..
            }) => {
                tell();
                *ended = Some(why);
                true
            }
            _ => false,
        };
        if is_prevented {
            self.given_up.notify_waiters();
        }
        is_prevented
    }

    /// Why a subscription that is on its way is not to be made, where that is so.
    pub(crate) fn why_ended(&self, name: &ChannelName) -> Option<Status> {
        match self.lock().places.get(name) {
            Some(Place::Joining { ended, .. }) => ended.clone(),
            _ => None,
        }
    }
}

#[cold]
fn asked_for() -> Status {
    Status::unavailable(
        "the channel is subscribed to by others of the client's calls, or by the server; try again",
    )
}
