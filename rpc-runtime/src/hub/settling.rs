//! Presence that is told behind whatever goes on: nobody waits for it, and a broker that fails is told again.

use std::{sync::Arc, time::Duration};

use tokio::time;

use super::{ChannelName, Hub, heard::SessionChannels, unsubscribing::spawn};
use crate::{Session, Status, random};

/// A broker that fails is told again after this at the latest, and after twice as long each further time.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// But no later than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// So often, which takes some two minutes. A broker that is away for longer has lost more than who is present.
const TRIES: usize = 10;

/// So many sessions wait at most, on one node, for their presence to be told again: each keeps its session in memory.
pub(super) const MOST_WAITING: usize = 10_000;

/// Says that nobody tells it again any more.
struct EndsSettling<'a>(&'a SessionChannels);

impl Drop for EndsSettling<'_> {
    fn drop(&mut self) {
        self.0.end_settling();
    }
}

/// Where presence was not told.
struct Failed {
    names: Vec<ChannelName>,
    /// Why, the last time: the broker is away, or has no room for it, of all or of this user.
    error: Status,
}

impl Hub {
    /// Has presence say of a session in channels what is the case, behind the present task.
    pub(super) fn settle_in_the_end(&self, session: &Arc<Session>, names: Vec<ChannelName>) {
        if names.is_empty() {
            return;
        }
        let (hub, session) = (self.clone(), session.clone());
        spawn(async move {
            if let Err(failed) = hub.settle_each(&session, names).await {
                hub.settle_again(&session, failed).await;
            }
        });
    }

    /// The same for all channels of a session.
    pub(super) fn settle_all_presence(&self, session: &Arc<Session>) {
        let names = session.channels().map(|channels| channels.presences());
        self.settle_in_the_end(session, names.unwrap_or_default());
    }

    /// Tries it once in each channel. Gives those in which the broker failed, or refused it.
    async fn settle_each(&self, session: &Arc<Session>, names: Vec<ChannelName>) -> Result<(), Failed> {
        let (mut failed, mut last) = (Vec::new(), None);
        for name in names {
            if let Err(error) = self.settle_presence(session, &name).await {
                tracing::debug!(channel = %name, client = %session.id(), %error, "presence was not told to the broker");
                failed.push(name);
                last = Some(error);
            }
        }
        match last {
            Some(error) => Err(Failed { names: failed, error }),
            None => Ok(()),
        }
    }

    /// Tries it again. What is told is what is the case then: who has come back meanwhile is not taken out.
    async fn settle_again(&self, session: &Arc<Session>, mut failed: Failed) {
        let channels = session.make_channels();
        // Once for each session, however often its user changes: what has failed since is told then, too.
        if !channels.begin_settling() {
            return;
        }
        let _ends = EndsSettling(channels);
        let (count, error) = (failed.names.len(), &failed.error);
        let Ok(_waits) = self.inner.presence_waits.try_acquire() else {
            tracing::warn!(client = %session.id(), channels = count, %error, "presence could not be told to the broker, and too much of that waits to be told again");
            return;
        };
        let mut pause = FIRST_PAUSE;
        for _ in 0..TRIES {
            // What failed at one moment shall not come back at one.
            time::sleep(random::between(pause / 2, pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            match self.settle_each(session, channels.presences()).await {
                Ok(()) => return,
                Err(again) => failed = again,
            }
        }
        let Failed { names, error } = failed;
        tracing::warn!(client = %session.id(), channels = names.len(), %error, "presence could not be told to the broker for two minutes: it is given up");
    }
}
