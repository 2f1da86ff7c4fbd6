//! Presence that is told behind whatever goes on: nobody waits for it, and a broker that fails is told again.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time;

use super::{ChannelName, Hub, unsubscribing::spawn};
use crate::{Session, Status, random};

/// A broker that fails is told again after this at the latest, and after twice as long each further time.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// But no later than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// So often, which takes some two minutes. A broker that is away for longer has lost more than who is present.
const TRIES: usize = 10;

/// So many sessions wait at most, on one node, for their presence to be told again: each keeps its session in memory.
pub(super) const MOST_WAITING: usize = 10_000;

/// Whether somebody tells presence again for a session: one does for all of its channels.
#[derive(Debug, Default)]
pub(crate) struct Settling(Mutex<State>);

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Nobody,
    /// Somebody does.
    Somebody,
    /// The same, and more has failed since it began.
    More,
}

/// It is told again by whoever has this.
#[derive(Debug)]
struct TellsAgain<'a> {
    settling: &'a Settling,
    has_ended: bool,
}

impl Settling {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something has failed. `None` where somebody tells it again already, and learns of this one before it ends.
    fn begin(&self) -> Option<TellsAgain<'_>> {
        let mut state = self.lock();
        let before = *state;
        *state = match before {
            State::Nobody => State::Somebody,
            State::Somebody | State::More => State::More,
        };
        drop(state);
        (before == State::Nobody).then(|| TellsAgain {
            settling: self,
            has_ended: false,
        })
    }
}

impl TellsAgain<'_> {
    /// Whether this is the end of it. It is not where more has failed meanwhile: that may be in no round until now.
    fn ends(&mut self) -> bool {
        let mut state = self.settling.lock();
        self.has_ended = *state != State::More;
        *state = match self.has_ended {
            true => State::Nobody,
            false => State::Somebody,
        };
        self.has_ended
    }
}

impl Drop for TellsAgain<'_> {
    fn drop(&mut self) {
        // Where it has ended by itself, somebody else may be at it.
        if !self.has_ended {
            *self.settling.lock() = State::Nobody;
        }
    }
}

/// Where presence was not told.
struct Failed {
    /// In how many channels.
    channels: usize,
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

    /// Tries it once in each channel. Says in how many the broker failed, or refused it.
    async fn settle_each(&self, session: &Arc<Session>, names: Vec<ChannelName>) -> Result<(), Failed> {
        let mut failed: Option<Failed> = None;
        for name in names {
            if let Err(error) = self.settle_presence(session, &name).await {
                tracing::debug!(channel = %name, client = %session.id(), %error, "presence was not told to the broker");
                let channels = failed.map_or(0, |failed| failed.channels) + 1;
                failed = Some(Failed { channels, error });
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Tries it again. What is told is what is the case then: who has come back meanwhile is not taken out.
    async fn settle_again(&self, session: &Arc<Session>, mut failed: Failed) {
        // Once for each session, however often its user changes.
        let Some(mut telling) = session.make_channels().settling.begin() else {
            return;
        };
        let mut waits = None;
        loop {
            waits = waits.or_else(|| self.inner.presence_waits.try_acquire().ok());
            let given_up = match waits {
                None => Some("too much of that waits to be told again"),
                Some(_) => match self.settle_in_some_round(session, &mut failed).await {
                    true => None,
                    false => Some("it was tried for two minutes"),
                },
            };
            if !telling.ends() {
                continue;
            }
            if let Some(why) = given_up {
                let Failed { channels, error } = &failed;
                tracing::warn!(client = %session.id(), channels, %error, why, "presence could not be told to the broker, and is given up");
            }
            return;
        }
    }

    /// Tries it in all channels of a session, later and later. Whether nothing failed in the last round.
    async fn settle_in_some_round(&self, session: &Arc<Session>, failed: &mut Failed) -> bool {
        let mut pause = FIRST_PAUSE;
        for _ in 0..TRIES {
            // What failed at one moment shall not come back at one.
            time::sleep(random::between(pause / 2, pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            match self
                .settle_each(session, session.make_channels().presences())
                .await
            {
                Ok(()) => return true,
                Err(again) => *failed = again,
            }
        }
        false
    }
}
