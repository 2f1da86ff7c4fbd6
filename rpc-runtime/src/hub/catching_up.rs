//! Catching up: what a subscriber is told of what was published before, by its position or by a snapshot.
//!
//! The channel keeps for a new one what comes meanwhile ([`subscribing`](super::subscribing)), so that a broker and a snapshot may take the time
//! they need.

use std::sync::Arc;

use super::{
    HistoryQuery, Hub, Position,
    broker::{History, Published},
    channel::Channel,
    namespace::Taken,
    rights::Asks,
    room::{Fits, Room},
    subscribing::Wish,
};
use crate::Status;

/// A snapshot that history has overtaken while it was made is made again, so often.
const SNAPSHOTS: usize = 3;

/// What a subscriber is told.
#[derive(Debug, Clone)]
pub(crate) struct Begun {
    /// The channel, and what events name it by.
    pub(crate) channel: Arc<Channel>,
    /// Where the channel is, behind `missed`. Epoch and offset are 0 without history.
    pub(crate) position: Position,
    /// Whether `missed` is all that came after [`Wish::since`]; `None` where nothing was to be recovered.
    pub(crate) recovered: Option<bool>,
    /// What comes first.
    pub(crate) snapshot: Option<Taken>,
    /// Where the snapshot is, or the channel was: in front of `missed`.
    pub(crate) from: Position,
    /// What comes next, in order.
    pub(crate) missed: Vec<Arc<Published>>,
}

impl Begun {
    fn new(channel: Arc<Channel>, position: Position) -> Self {
        Self {
            channel,
            position,
            recovered: None,
            snapshot: None,
            from: position,
            missed: Vec::new(),
        }
    }

    /// It is told, and with it whether all that was missed is.
    pub(super) fn count_recovery(&self) {
        if let Some(all) = self.recovered {
            self.channel.namespace.counted.recovery(all);
        }
    }

    /// It is not told: what it takes of the answer is free again.
    pub(super) fn give_back(&self, room: &Room) {
        let snapshot = self.snapshot.as_ref().map_or(0, bytes_of_snapshot);
        room.give_back(bytes_of(&self.missed) + snapshot);
    }
}

impl Hub {
    /// Reads what a subscriber is told: a new one, for which the channel keeps events meanwhile, or one that hears them already.
    pub(super) async fn catch_up(
        &self,
        asks: &Asks,
        channel: &Arc<Channel>,
        wish: &Wish,
        is_heard: bool,
    ) -> Result<Begun, Status> {
        let position = self.link(channel).await?;
        let mut subscribed = Begun::new(channel.clone(), position);
        self.recover(asks, &mut subscribed, wish).await?;
        // Whoever hears it already, and asks without knowing anything, begins anew, such as another part of the same program.
        let needs_nothing =
            subscribed.recovered == Some(true) || is_heard && (wish.by_event || wish.needs_nothing(channel));
        if channel.namespace.has_snapshot() && !needs_nothing {
            self.take_snapshot(asks, &mut subscribed, &wish.room).await?;
        }
        Ok(subscribed)
    }

    /// Reads what came after the position that the client knows.
    async fn recover(&self, asks: &Asks, subscribed: &mut Begun, wish: &Wish) -> Result<(), Status> {
        let Some(since) = wish.since.filter(|_| !wish.needs_nothing(&subscribed.channel)) else {
            return Ok(());
        };
        let (history, all) = loop {
            let history = self
                .history_after(asks, &subscribed.channel, since, &wish.room)
                .await?;
            match fits(&history, &wish.room) {
                Some(Fits::Later) => {}
                fits => break (history, fits == Some(Fits::Now)),
            }
            // What was read is not to be there while it waits.
            drop(history);
            wish.room.turn().await?;
        };
        subscribed.recovered = Some(all);
        subscribed.position = history.position;
        if all {
            subscribed.missed = history.events;
        }
        Ok(())
    }

    /// What came after a position and is for the client. Incomplete in channels without history.
    async fn history_after(
        &self,
        asks: &Asks,
        channel: &Channel,
        after: Position,
        room: &Room,
    ) -> Result<History, Status> {
        let keep = channel.namespace.keep();
        let query = HistoryQuery {
            after: Some(after),
            limit: keep.recover,
            ..HistoryQuery::default()
        };
        let _reads = room.may_read().await;
        let asked_at = channel.epoch();
        let mut history = self.inner.broker.history(&channel.name, keep, &query).await?;
        if keep.keeps() {
            // Of another epoch than events were until now, whoever is told this one has to be told theirs. Where events have begun yet
            // another meanwhile, they say so by themselves.
            channel.reaches_since(asked_at, history.position);
        }
        history.complete &= keep.keeps();
        if history.complete && !history.more {
            // Where these events end, whatever has been published since they were read.
            history.position = history.events.last().map_or(after, |last| last.position);
        }
        history.events.retain(|event| event.is_for(asks.client()));
        Ok(history)
    }

    /// Takes a snapshot, and reads what came after it.
    async fn take_snapshot(&self, asks: &Asks, subscribed: &mut Begun, room: &Room) -> Result<(), Status> {
        let channel = subscribed.channel.clone();
        let too_long = || {
            Status::resource_exhausted(
                "the channel's snapshot is longer than the answer may be; subscribe to fewer channels at a time",
            )
        };
        let mut overtaken = 0;
        while overtaken < SNAPSHOTS {
            let Some(mut snapshot) = channel.namespace.snapshot(asks, channel.name.as_str()).await? else {
                return Ok(());
            };
            let taken = bytes_of_snapshot(&snapshot);
            match room.fits(taken) {
                Fits::Now => {}
                Fits::Never => return Err(too_long()),
                Fits::Later => {
                    drop(snapshot);
                    room.turn().await?;
                    continue;
                }
            }
            let keeps = channel.namespace.keep().keeps();
            let now = subscribed.position;
            let at = match snapshot.position {
                // It is of an epoch that is over: everything of that was before it was taken, and all of this one comes after it.
                Some(at) if at.epoch != now.epoch => {
                    // Told as an offset of this one, it would be a place that it does not have.
                    snapshot.position = None;
                    Position { offset: 0, ..now }
                }
                at => at.unwrap_or(now),
            };
            if !keeps {
                subscribed.snapshot = Some(snapshot);
                return Ok(());
            }
            let history = self.history_after(asks, &channel, at, room).await?;
            (subscribed.from, subscribed.position) = (at, history.position);
            let fits = fits(&history, room);
            if fits == Some(Fits::Now) {
                subscribed.missed = history.events;
                subscribed.snapshot = Some(snapshot);
                return Ok(());
            }
            room.give_back(taken);
            if fits == Some(Fits::Later) {
                drop((history, snapshot));
                room.turn().await?;
            } else {
                overtaken += 1;
            }
        }
        Err(Status::unavailable(
            "the channel changes faster than its snapshot is made; try again",
        ))
    }
}

/// Whether all of a history fits into an answer, where it is all that there is.
fn fits(history: &History, room: &Room) -> Option<Fits> {
    (history.complete && !history.more).then(|| room.fits(bytes_of(&history.events)))
}

/// What stands around an event's body in an answer, at most, without names that others choose.
const AROUND: usize = 160;

/// What a snapshot takes in an answer, at most.
fn bytes_of_snapshot(snapshot: &Taken) -> usize {
    snapshot.body.len() + AROUND
}

/// What events take in an answer, at most.
fn bytes_of(events: &[Arc<Published>]) -> usize {
    events.iter().map(|event| bytes_of_one(event)).sum()
}

/// What an event takes in an answer, at most.
pub(crate) fn bytes_of_one(event: &Published) -> usize {
    let publication = &event.publication;
    let id = publication.id.as_ref().map_or(0, |id| id.len());
    let publisher = publication.publisher.as_ref();
    let user = publisher.and_then(|publisher| publisher.user.as_ref());
    publication.body.len() + publication.type_name.len() + id + user.map_or(0, |user| user.len()) + AROUND
}
