//! One channel as a client hears it: the subscriptions of the program, which share what the server sends, and what the server
//! is to be asked for them. No IO: it is told what came, and says what to ask.
//!
//! ```text
//!   Needs ──── answered ────▶ Live ◀─┐
//!     ▲ ▲                      │ │   │ the next event, by its offset
//!     │ └─ lost, or a jump ────┘ └───┘
//!     │                        │ the program does not read
//!     └──── it has read ───── Full
//! ```

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    task::Waker,
    time::Duration,
};

use tokio::{sync::oneshot, time::Instant};

use super::{
    error::{Gap, GapCause, SubscriptionError},
    inbox::{Capacity, Inbox},
    received::{Raw, ReceivedKind},
};
use crate::{CallError, Reconnect, hub::Position, services::hub::TypedMessage};

/// So much is held of events that cannot be given yet, until the server has answered. What is held besides is asked for again.
pub(super) const MOST_HELD: Capacity = Capacity {
    events: 1_024,
    bytes: 1 << 20,
};

/// A jump in the offsets is asked about at most so often in one channel.
pub(super) const CHECK_EVERY: Duration = Duration::from_millis(100);

/// So many offsets are remembered of events that are not for this client, because it has published them so.
const MOST_SKIPS: usize = 1_024;

/// Who waits to be told what came of it.
pub(super) type Waits = oneshot::Sender<Result<(), CallError>>;

pub(super) struct Feed {
    pub(super) name: Arc<str>,
    /// What frames of events name it by, on this connection.
    pub(super) number: Option<u64>,
    pub(super) subs: Vec<Sub>,
    /// The call that is in flight for it.
    pub(super) asking: Option<u64>,
    /// The server has said, on this connection, that the client hears the channel.
    pub(super) confirmed: bool,
    /// The server may think that the client hears the channel.
    pub(super) entangled: bool,
    /// The server has ended the subscription while it was asked for: what it answers may be older than that.
    pub(super) doubtful: bool,
    /// It is not to be asked for before.
    pub(super) not_before: Option<Instant>,
    failures: u32,
    last_check: Option<Instant>,
    pub(super) presence: Option<TypedMessage>,
    /// What came while a subscription needs an answer first.
    held: Held,
    /// Offsets of events that are not for this client.
    skips: BTreeSet<u64>,
    /// The subscription for what the server has subscribed the client to by itself.
    pub(super) by_server: Option<u64>,
    /// Who waits until the server has said that the client hears the channel no more.
    pub(super) left: Vec<Waits>,
}

/// One subscription of the program.
pub(super) struct Sub {
    pub(super) id: u64,
    pub(super) inbox: Arc<Inbox>,
    /// Up to where it was given everything. `None` in a channel without history, and before it has begun.
    cursor: Option<Position>,
    stage: Stage,
    /// It has been live.
    begun: bool,
    /// Who waits for it to begin.
    pub(super) first: Option<Waits>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Needs,
    Live,
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
}

/// What to ask of the server for a channel.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    Nothing,
    /// Nobody needs the channel, and the server knows.
    Gone,
    Later(Instant),
    Subscribe(Option<Position>),
    Unsubscribe,
}

/// Events that cannot be given yet.
#[derive(Debug, Default)]
pub(super) struct Held {
    events: VecDeque<(u64, Arc<Raw>)>,
    bytes: usize,
    /// There was no room for all.
    pub(super) overrun: bool,
}

impl Held {
    /// Holds an event of a channel. After the first that does not fit, none is held.
    pub(super) fn push(&mut self, number: u64, raw: Arc<Raw>) {
        let cost = raw.cost();
        if self.events.len() >= MOST_HELD.events || self.bytes + cost > MOST_HELD.bytes {
            self.overrun = true;
        }
        if !self.overrun {
            self.bytes += cost;
            self.events.push_back((number, raw));
        }
    }

    /// Takes out what is of one channel.
    pub(super) fn take(&mut self, number: u64) -> Vec<Arc<Raw>> {
        let (of_it, others) = std::mem::take(&mut self.events)
            .into_iter()
            .partition(|(other, _)| *other == number);
        self.events = others;
        let of_it: VecDeque<(u64, Arc<Raw>)> = of_it;
        let taken: Vec<_> = of_it.into_iter().map(|(_, raw)| raw).collect();
        self.bytes -= taken.iter().map(|raw| raw.cost()).sum::<usize>();
        taken
    }
}

impl Feed {
    pub(super) fn new(name: Arc<str>) -> Self {
        Self {
            name,
            number: None,
            subs: Vec::new(),
            asking: None,
            confirmed: false,
            entangled: false,
            doubtful: false,
            not_before: None,
            failures: 0,
            last_check: None,
            presence: None,
            held: Held::default(),
            skips: BTreeSet::new(),
            by_server: None,
            left: Vec::new(),
        }
    }

    /// Another connection has taken the place of the one before: everything is to be asked for again.
    pub(super) fn begin(&mut self) {
        self.number = None;
        self.asking = None;
        self.confirmed = false;
        self.doubtful = false;
        self.not_before = None;
        self.failures = 0;
        self.held = Held::default();
        for sub in &mut self.subs {
            sub.lose();
        }
    }

    /// Whether frames may be of this channel although their number is not known.
    pub(super) fn is_unsettled(&self) -> bool {
        !self.confirmed && !self.subs.is_empty()
    }

    /// Whether there is a subscription for what the server has subscribed the client to.
    pub(super) fn is_heard_by_server(&self) -> bool {
        let by_server = self.by_server;
        by_server.is_some_and(|id| self.subs.iter().any(|sub| sub.id == id))
    }

    /// Gives an event that came as a frame. Whether the server is to be asked for something now.
    pub(super) fn on_event(
        &mut self,
        raw: Arc<Raw>,
        epoch: u64,
        now: Instant,
        woken: &mut Vec<Waker>,
    ) -> bool {
        let mut waits = false;
        let mut jumps = false;
        for sub in &mut self.subs {
            if epoch != 0 && sub.cursor.is_some_and(|cursor| cursor.epoch != epoch) {
                sub.lose();
            }
            let needed = sub.stage == Stage::Needs;
            sub.offer(&raw, &self.skips, ReceivedKind::Live, woken);
            let needs = sub.stage == Stage::Needs;
            waits |= needs;
            jumps |= needs && !needed;
        }
        if waits {
            self.held.push(0, raw);
        }
        if jumps {
            let next = self.last_check.map(|last| last + CHECK_EVERY);
            self.not_before = self.not_before.max(next.filter(|next| *next > now));
            self.last_check = Some(self.not_before.unwrap_or(now));
        }
        jumps
    }

    /// This client has published an event that is not for itself: nobody waits for it.
    pub(super) fn skip(&mut self, position: Position) {
        let known = self.subs.iter().filter_map(|sub| sub.cursor);
        if known.clone().any(|cursor| cursor.epoch == position.epoch) {
            let oldest = known.map(|cursor| cursor.offset).min().unwrap_or(0);
            self.skips = self.skips.split_off(&(oldest + 1));
            if self.skips.len() < MOST_SKIPS {
                self.skips.insert(position.offset);
            }
        }
    }

    /// The server hears of it again. `early`: frames that came before their number was known; whether some of those are lost.
    pub(super) fn answered(
        &mut self,
        since: Option<Position>,
        answer: &Answer,
        early: Vec<Arc<Raw>>,
        early_lost: bool,
        woken: &mut Vec<Waker>,
    ) {
        self.number = Some(answer.number);
        self.confirmed = true;
        self.entangled = true;
        self.failures = 0;
        let mut late = early;
        late.extend(self.held.take(0));
        let lost = early_lost || self.held.overrun;
        self.held = Held::default();
        let doubtful = std::mem::take(&mut self.doubtful);
        for sub in &mut self.subs {
            if sub.stage == Stage::Needs && sub.is_answered_by(since, answer) {
                sub.answered(since, answer, woken);
                for raw in &late {
                    sub.offer(raw, &self.skips, ReceivedKind::Live, woken);
                }
                if lost {
                    sub.miss(woken);
                }
            }
            if doubtful {
                sub.lose();
            }
        }
        if self.subs.iter().any(|sub| sub.stage == Stage::Needs) {
            late.into_iter().for_each(|raw| self.held.push(0, raw));
            self.held.overrun |= lost;
        }
    }

    /// The server could not be asked, or refuses it, which is `certain`: then the client does not hear the channel any more,
    /// unless it is the question that was wrong.
    pub(super) fn refused(&mut self, error: &CallError, certain: bool, now: Instant, woken: &mut Vec<Waker>) {
        let is_bad = error.code() == Some(crate::Code::InvalidArgument);
        if certain && !is_bad {
            // Who may not hear the channel any more has stopped to hear it by that.
            self.confirmed = false;
            self.entangled = false;
            self.subs.iter_mut().for_each(Sub::lose);
        } else if certain {
            self.entangled = self.confirmed;
        }
        let passes = passes(error);
        let fails = |sub: &Sub| sub.stage == Stage::Needs && (sub.first.is_some() || !passes);
        for sub in self.subs.extract_if(.., |sub| fails(sub)) {
            sub.fail(error.clone(), woken);
        }
        if self.subs.is_empty() && !passes {
            self.left
                .drain(..)
                .for_each(|waits| drop(waits.send(Err(error.clone()))));
            self.entangled = false;
        }
        self.failures = self.failures.saturating_add(1);
        let asked = error.status().and_then(crate::Status::retry_delay);
        let wait = Reconnect::default().wait(self.failures, asked.unwrap_or_default());
        self.not_before = now.checked_add(wait);
    }

    /// The server has said that the client hears the channel no more, because it has asked for that.
    pub(super) fn has_left(&mut self) {
        self.confirmed = false;
        self.entangled = false;
        self.number = None;
        self.failures = 0;
        self.left.drain(..).for_each(|waits| drop(waits.send(Ok(()))));
    }

    /// What to ask of the server.
    pub(super) fn next(&self, now: Instant) -> Next {
        let needs = |stage| self.subs.iter().filter(move |sub| sub.stage == stage);
        let wants = needs(Stage::Needs).next().is_some() || self.is_unsettled();
        let leaves = self.subs.is_empty();
        if self.asking.is_some() || !wants && !leaves {
            return Next::Nothing;
        }
        if leaves && !self.entangled {
            return Next::Gone;
        }
        if let Some(not_before) = self.not_before.filter(|not_before| *not_before > now) {
            return Next::Later(not_before);
        }
        if leaves {
            return Next::Unsubscribe;
        }
        // Those that know least: what they are given is not new to the others.
        let oldest = |stage| {
            let cursors = needs(stage).filter_map(|sub| sub.cursor);
            cursors.min_by_key(|cursor| (cursor.epoch, cursor.offset))
        };
        let since = oldest(Stage::Needs);
        let is_there = needs(Stage::Needs).next().is_some();
        Next::Subscribe(if is_there { since } else { oldest(Stage::Full) })
    }

    /// Ends every subscription.
    pub(super) fn end(&mut self, end: &SubscriptionError, error: &CallError, woken: &mut Vec<Waker>) {
        for mut sub in self.subs.drain(..) {
            match sub.first.take() {
                Some(first) => drop(first.send(Err(error.clone()))),
                None => sub.inbox.finish(Some(end.clone()), woken),
            }
        }
    }

    /// A subscription's program has read everything: what it missed meanwhile is to be asked for.
    pub(super) fn is_drained(&mut self, sub: u64) -> bool {
        let full = self
            .subs
            .iter_mut()
            .find(|one| one.id == sub && one.stage == Stage::Full);
        full.is_some_and(|sub| {
            sub.stage = Stage::Needs;
            true
        })
    }
}

/// Whether asking again may go better.
fn passes(error: &CallError) -> bool {
    use crate::Code::{
        Aborted, Cancelled, DeadlineExceeded, Internal, ResourceExhausted, Unavailable, Unknown,
    };
    match error {
        CallError::Status(status) => matches!(
            status.code(),
            Aborted | Cancelled | DeadlineExceeded | Internal | ResourceExhausted | Unavailable | Unknown
        ),
        _ => true,
    }
}

impl Sub {
    /// A subscription that is to be asked for, from a position on where the program knows one.
    pub(super) fn new(id: u64, inbox: Arc<Inbox>, since: Option<Position>, first: Waits) -> Self {
        Self {
            id,
            inbox,
            cursor: since,
            stage: Stage::Needs,
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
            begun: true,
            first: None,
        }
    }

    /// What comes next may not be the next: it is to be asked for.
    fn lose(&mut self) {
        if self.stage == Stage::Live {
            self.stage = Stage::Needs;
        }
    }

    /// Gives an event, if it is the next.
    fn offer(&mut self, raw: &Arc<Raw>, skips: &BTreeSet<u64>, kind: ReceivedKind, woken: &mut Vec<Waker>) {
        if self.stage != Stage::Live {
            return;
        }
        match self.cursor {
            // It has no place among the others.
            Some(_) if raw.offset == 0 => drop(self.inbox.put_or_miss(raw, kind, woken)),
            // It was given already.
            Some(cursor) if raw.offset <= cursor.offset => {}
            Some(cursor) => {
                let between = cursor.offset + 1..raw.offset;
                // What lies between may have been for others, or may have been dropped: the server knows.
                let few = between.end - between.start <= MOST_SKIPS as u64;
                if few && between.clone().all(|offset| skips.contains(&offset)) {
                    self.give(raw, cursor.epoch, kind, woken);
                } else {
                    self.stage = Stage::Needs;
                }
            }
            None => drop(self.inbox.put_or_miss(raw, kind, woken)),
        }
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

    /// Whether an answer to what was asked since a position is one for this subscription.
    fn is_answered_by(&self, since: Option<Position>, answer: &Answer) -> bool {
        match (self.cursor, since) {
            (Some(cursor), Some(since)) if answer.recovered => {
                cursor.epoch == since.epoch && cursor.offset >= since.offset
            }
            (cursor, since) => cursor == since,
        }
    }

    fn answered(&mut self, since: Option<Position>, answer: &Answer, woken: &mut Vec<Waker>) {
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
    fn miss(&mut self, woken: &mut Vec<Waker>) {
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

    fn fail(mut self, error: CallError, woken: &mut Vec<Waker>) {
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
