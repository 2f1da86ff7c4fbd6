//! One subscription of the program: up to where it was given everything, and what an event or an answer means for it.

use std::{sync::Arc, task::Waker};

use super::{
    error::{Gap, GapCause, SubscriptionError},
    feed::Waits,
    inbox::Inbox,
    received::{Raw, ReceivedKind},
    skips::Skips,
};
use crate::{
    CallError, Status,
    hub::{Position, is_among},
};

/// One subscription of the program.
pub(super) struct Sub {
    pub(super) id: u64,
    pub(super) inbox: Arc<Inbox>,
    /// Up to where it was given everything. `None` in a channel without history, and before it has begun.
    pub(super) cursor: Option<Position>,
    pub(super) stage: Stage,
    /// The full names of the events that the program reads of it; none for all.
    listens_for: &'static [&'static str],
    /// It has been live.
    begun: bool,
    /// Who waits for it to begin.
    pub(super) first: Option<Waits>,
}

/// ```text
///   Needs ──── answered ────▶ Live ◀─┐
///     ▲ ▲                      │ │   │ the next event, by its offset
///     │ └─ lost, or a jump ────┘ └───┘
///     │                        │ the program does not read
///     └──── it has read ───── Full
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The server is to be asked before anything is given.
    Needs,
    /// What comes next is given.
    Live,
    /// What comes is left out until the program has read.
    Full,
}

/// How the server answers for one channel.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) number: u64,
    pub(super) position: Option<Position>,
    pub(super) recovered: bool,
    pub(super) snapshot: Option<Arc<Raw>>,
    pub(super) events: Vec<Arc<Raw>>,
    /// The full names of all events that may come; empty: any.
    pub(super) types: Vec<String>,
    /// Of which history those frames are that tell none, where it is not that of `position`.
    pub(super) frames_epoch: Option<u64>,
}

impl Sub {
    /// A subscription that is to be asked for, from a position on where the program knows one.
    pub(super) fn new(
        id: u64,
        inbox: Arc<Inbox>,
        since: Option<Position>,
        listens_for: &'static [&'static str],
        first: Waits,
    ) -> Self {
        Self {
            id,
            inbox,
            cursor: since,
            stage: Stage::Needs,
            listens_for,
            begun: false,
            first: Some(first),
        }
    }

    /// One that is there already: the server has subscribed the client.
    pub(super) fn live(id: u64, inbox: Arc<Inbox>, position: Option<Position>) -> Self {
        Self {
            id,
            inbox,
            cursor: position,
            stage: Stage::Live,
            listens_for: &[],
            begun: true,
            first: None,
        }
    }

    /// Whether it has been live.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// What comes next may not be the next: it is to be asked for.
    pub(super) fn lose(&mut self) {
        if self.stage == Stage::Live {
            self.stage = Stage::Needs;
        }
    }

    /// Gives an event as it was published, if it is the next. `epoch`: of its history, where it does not tell.
    pub(super) fn offer(&mut self, raw: &Arc<Raw>, epoch: u64, skips: &Skips, woken: &mut Vec<Waker>) {
        if self.stage != Stage::Live {
            return;
        }
        if let Some(count) = raw.dropped() {
            return self.is_left_out(count, woken);
        }
        let kind = ReceivedKind::Live;
        let epoch = if raw.epoch == 0 { epoch } else { raw.epoch };
        match self.cursor {
            // It has no place among the others.
            Some(_) if raw.offset == 0 => drop(self.inbox.put_or_miss(raw, kind, woken)),
            // Of a history that has begun, or of one that is over: the server knows.
            Some(cursor) if epoch != 0 && epoch != cursor.epoch => self.stage = Stage::Needs,
            // It was given already.
            Some(cursor) if raw.offset <= cursor.offset => {}
            Some(cursor) => {
                let between = cursor.offset + 1..raw.offset;
                // What lies between may have been for others, or may have been dropped: the server knows.
                if skips.have(cursor.epoch, between) {
                    self.give(raw, cursor.epoch, kind, woken);
                } else {
                    self.stage = Stage::Needs;
                }
            }
            None => drop(self.inbox.put_or_miss(raw, kind, woken)),
        }
    }

    /// The server has dropped events here.
    fn is_left_out(&mut self, count: u64, woken: &mut Vec<Waker>) {
        if self.cursor.is_some() {
            self.stage = Stage::Needs;
            return;
        }
        let gap = Gap {
            last: None,
            next: None,
            missed: Some(count).filter(|count| *count > 0),
            cause: GapCause::NotRead,
        };
        self.inbox.put_gap(gap, woken);
    }

    /// Gives an event of a channel with history.
    fn give(&mut self, raw: &Arc<Raw>, epoch: u64, kind: ReceivedKind, woken: &mut Vec<Waker>) {
        if self.inbox.put(raw, Some(epoch), kind, woken) {
            let offset = raw.offset;
            self.cursor = Some(Position { epoch, offset });
        } else {
            self.stage = Stage::Full;
        }
    }

    /// Whether an answer to what was asked since a position is one for this subscription: one that was made for another may be
    /// of before what this has been given meanwhile, and would have it given twice.
    pub(super) fn is_answered_by(&self, since: Option<Position>, answer: &Answer) -> bool {
        if let (Some(cursor), Some(position)) = (self.cursor, answer.position)
            && cursor.epoch == position.epoch
            && cursor.offset > position.offset
            && self.cursor != since
        {
            return false;
        }
        match (self.cursor, since) {
            (Some(cursor), Some(since)) if answer.recovered => {
                cursor.epoch == since.epoch && cursor.offset >= since.offset
            }
            (cursor, since) => cursor == since,
        }
    }

    /// Whether something may come that the program reads. Of one that has begun that is not asked any more: servers change.
    pub(super) fn may_hear(&self, answer: &Answer) -> bool {
        let is_one = |allowed: &String| is_among(allowed, self.listens_for);
        self.begun || answer.types.is_empty() || answer.types.iter().any(is_one)
    }

    /// Ends it before it has begun: nothing that its program reads ever comes.
    pub(super) fn fail_as_unheard(self, channel: &str, answer: &Answer, woken: &mut Vec<Waker>) {
        let status = Status::invalid_argument(format!(
            "the channel `{channel}` has no events of the types that are listened for ({}): it has {}. Allow them by \
             `Namespace::events` on the server, or listen for others",
            self.listens_for.join(", "),
            answer.types.join(", "),
        ));
        self.fail(CallError::Status(status), woken);
    }

    pub(super) fn answered(&mut self, since: Option<Position>, answer: &Answer, woken: &mut Vec<Waker>) {
        self.stage = Stage::Live;
        if let Some(position) = answer.position {
            let recovers = since.is_some() && answer.recovered;
            if !recovers && !self.starts_over(answer, position, woken) {
                return;
            }
            for raw in &answer.events {
                let is_new = self.cursor.is_none_or(|cursor| raw.offset > cursor.offset);
                if is_new && self.stage == Stage::Live {
                    self.give(raw, position.epoch, ReceivedKind::Recovered, woken);
                }
            }
            if self.stage == Stage::Live {
                self.cursor = Some(position);
            }
        } else {
            if self.begun || since.is_some() {
                self.miss_all(None, woken);
            }
            self.cursor = None;
            if let Some(snapshot) = &answer.snapshot {
                self.inbox.put_or_miss(snapshot, ReceivedKind::Snapshot, woken);
            }
            for raw in &answer.events {
                self.inbox.put_or_miss(raw, ReceivedKind::Live, woken);
            }
        }
        self.begins();
    }

    /// Begins at a position of the channel: with its snapshot, and behind a gap where something was known before. `false`: not
    /// before the program has read what waits.
    fn starts_over(&mut self, answer: &Answer, position: Position, woken: &mut Vec<Waker>) -> bool {
        let first = answer.events.first().map(|raw| raw.offset.saturating_sub(1));
        let start = Position {
            offset: first.unwrap_or(position.offset),
            ..position
        };
        if let Some(snapshot) = &answer.snapshot
            && !self.inbox.has_room(snapshot)
        {
            self.stage = Stage::Full;
            return false;
        }
        if self.begun || self.cursor.is_some() {
            self.miss_all(Some(start), woken);
        }
        if let Some(snapshot) = &answer.snapshot {
            let epoch = Some(position.epoch);
            self.inbox.put(snapshot, epoch, ReceivedKind::Snapshot, woken);
        }
        self.cursor = Some(start);
        true
    }

    fn begins(&mut self) {
        self.begun = true;
        if let Some(first) = self.first.take() {
            // Nobody may wait for it any more: then it is about to leave.
            let _ = first.send(Ok(()));
        }
    }

    /// Some of what came behind the answer is lost.
    pub(super) fn miss(&mut self, woken: &mut Vec<Waker>) {
        match self.cursor {
            Some(_) => self.lose(),
            None => self.miss_all(None, woken),
        }
    }

    fn miss_all(&self, next: Option<Position>, woken: &mut Vec<Waker>) {
        let cause = match self.cursor {
            Some(_) => GapCause::NotRecovered,
            None => GapCause::NoHistory,
        };
        let gap = Gap {
            last: self.cursor,
            next,
            missed: None,
            cause,
        };
        self.inbox.put_gap(gap, woken);
    }

    pub(super) fn fail(mut self, error: CallError, woken: &mut Vec<Waker>) {
        match self.first.take() {
            Some(first) => drop(first.send(Err(error))),
            None => {
                let end = match error {
                    CallError::Status(status) => SubscriptionError::Refused(status),
                    error => SubscriptionError::Closed(error),
                };
                self.inbox.finish(Some(end), woken);
            }
        }
    }
}
