//! One channel as a client hears it: the subscriptions of the program, which share what the server sends, and what the server
//! is to be asked for them. No IO: it is told what came, and says what to ask.

use std::{collections::VecDeque, sync::Arc, task::Waker, time::Duration};

use tokio::{sync::oneshot, time::Instant};

use super::{
    error::SubscriptionError,
    inbox::Capacity,
    received::Raw,
    skips::Skips,
    sub::{Answer, Stage, Sub},
};
use crate::{CallError, Reconnect, hub::Position, services::hub::TypedMessage};

/// So much is held of events that cannot be given yet, until the server has answered. What is held besides is asked for again.
pub(super) const MOST_HELD: Capacity = Capacity {
    events: 1_024,
    bytes: 1 << 20,
};

/// A jump in the offsets is asked about at most so often in one channel.
pub(super) const CHECK_EVERY: Duration = Duration::from_millis(100);

/// Who waits to be told what came of it.
pub(super) type Waits = oneshot::Sender<Result<(), CallError>>;

pub(super) struct Feed {
    pub(super) name: Arc<str>,
    /// What frames of events name it by, on this connection.
    pub(super) number: Option<u64>,
    /// Of which history those are that tell none: the one of which the server spoke with the number.
    epoch: u64,
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
    presence: Option<TypedMessage>,
    /// What of that the server has taken.
    taken: Option<TypedMessage>,
    /// How often the program has said something of itself, and as of when the server knows.
    said: u64,
    told: u64,
    /// What came while a subscription needs an answer first.
    held: Held,
    skips: Skips,
    /// The subscription for what the server has subscribed the client to by itself.
    pub(super) by_server: Option<u64>,
    /// Who waits until the server has said that the client hears the channel no more.
    pub(super) left: Vec<Waits>,
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
            epoch: 0,
            subs: Vec::new(),
            asking: None,
            confirmed: false,
            entangled: false,
            doubtful: false,
            not_before: None,
            failures: 0,
            last_check: None,
            presence: None,
            taken: None,
            said: 0,
            told: 0,
            held: Held::default(),
            skips: Skips::default(),
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

    /// The program says something of itself, for presence to say of this client.
    pub(super) fn says(&mut self, presence: TypedMessage) {
        self.presence = Some(presence);
        self.said += 1;
    }

    /// What is to be told of it when the server is asked, and as of when that is.
    pub(super) fn presence(&self) -> (Option<TypedMessage>, u64) {
        (self.presence.clone(), self.said)
    }

    /// The server has taken what the program had said by then.
    pub(super) fn is_taken(&mut self, said: u64, presence: Option<TypedMessage>) {
        self.told = said;
        self.taken = presence;
    }

    /// The server has refused the channel. Where that is because of what the program had said by then, it is as if it had not been said.
    /// Whether it may be because of that.
    pub(super) fn is_not_taken(
        &mut self,
        said: u64,
        presence: Option<&TypedMessage>,
        error: &CallError,
    ) -> bool {
        let is_new = presence != self.taken.as_ref();
        let may_be = is_new && error.code() == Some(crate::Code::InvalidArgument);
        if may_be && said == self.said {
            self.presence = self.taken.clone();
        }
        self.told = said;
        may_be
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
    pub(super) fn on_event(&mut self, raw: Arc<Raw>, now: Instant, woken: &mut Vec<Waker>) -> bool {
        let mut waits = false;
        let mut jumps = false;
        // Whoever asks because of a mark is given what stood there; whoever asks already may be answered without.
        let is_mark = raw.dropped().is_some();
        for sub in &mut self.subs {
            let needed = sub.stage == Stage::Needs;
            sub.offer(&raw, self.epoch, &self.skips, woken);
            let needs = sub.stage == Stage::Needs;
            waits |= needs && (needed || !is_mark);
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
        self.skips.add(position);
    }

    /// The server has said what events name it by. The first time it says of which history they are, too: another one is told with
    /// each of its events.
    pub(super) fn is_numbered(&mut self, number: u64, epoch: Option<u64>) {
        if self.number != Some(number) {
            self.number = Some(number);
            self.epoch = epoch.unwrap_or(0);
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
        let epoch = answer.position.map(|position| position.epoch);
        self.is_numbered(answer.number, answer.frames_epoch.or(epoch));
        self.confirmed = true;
        self.entangled = true;
        self.failures = 0;
        let mut late = early;
        late.extend(self.held.take(0));
        let lost = early_lost || self.held.overrun;
        self.held = Held::default();
        for sub in self.subs.extract_if(.., |sub| !sub.may_hear(answer)) {
            sub.fail_as_unheard(&self.name, answer, woken);
        }
        if std::mem::take(&mut self.doubtful) {
            // Nobody begins by what may be over, and has a gap as soon as it is asked for again.
            return self.subs.iter_mut().for_each(Sub::lose);
        }
        let mut unanswered = false;
        for sub in &mut self.subs {
            if sub.stage == Stage::Needs && sub.is_answered_by(since, answer) {
                sub.answered(since, answer, woken);
                for raw in &late {
                    sub.offer(raw, self.epoch, &self.skips, woken);
                }
                if lost {
                    sub.miss(woken);
                }
            } else {
                unanswered |= sub.stage == Stage::Needs;
            }
        }
        // Those who have had their answer go on behind all that was held, and hold anew.
        if unanswered {
            late.into_iter().for_each(|raw| self.held.push(0, raw));
            self.held.overrun |= lost;
        }
    }

    /// The server could not be asked, or refuses it, which is `certain`: then the client does not hear the channel any more,
    /// unless it is the question that was wrong. `as_new`: it may be because of what was new in the question.
    pub(super) fn refused(
        &mut self,
        error: &CallError,
        certain: bool,
        as_new: bool,
        now: Instant,
        woken: &mut Vec<Waker>,
    ) {
        let is_bad = error.code() == Some(crate::Code::InvalidArgument);
        let is_out = certain && !is_bad;
        if is_out {
            // Who may not hear the channel any more has stopped to hear it by that.
            self.confirmed = false;
            self.entangled = false;
            self.subs.iter_mut().for_each(Sub::lose);
        } else if certain {
            self.entangled = self.confirmed;
        }
        let passes = passes(error);
        let is_asked = |stage| stage == Stage::Needs || is_out && stage == Stage::Full;
        let fails = |sub: &Sub| is_asked(sub.stage) && (sub.first.is_some() || !passes && !as_new);
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

    /// The server has said that the client hears the channel no more, because it has asked for that. Whatever has begun meanwhile is
    /// asked for again: a program that has come back, or the server, whose word for that was on its way.
    pub(super) fn has_left(&mut self) {
        self.subs.iter_mut().for_each(Sub::lose);
        // What was held is of before, and what comes next is held elsewhere until its number is told.
        self.held = Held::default();
        self.confirmed = false;
        self.entangled = false;
        self.number = None;
        self.failures = 0;
        self.left.drain(..).for_each(|waits| drop(waits.send(Ok(()))));
    }

    /// What to ask of the server.
    pub(super) fn next(&self, now: Instant) -> Next {
        let needs = |stage| self.subs.iter().filter(move |sub| sub.stage == stage);
        let wants = needs(Stage::Needs).next().is_some() || self.is_unsettled() || self.told != self.said;
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

    /// Ends those that have begun: the others are still asked for.
    pub(super) fn end_begun(&mut self, end: &SubscriptionError, woken: &mut Vec<Waker>) {
        for sub in self.subs.extract_if(.., |sub| sub.first.is_none()) {
            sub.inbox.finish(Some(end.clone()), woken);
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
