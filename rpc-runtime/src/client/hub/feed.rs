//! One channel as a client hears it: the subscriptions of the program, which share what the server sends, and what the server
//! is to be asked for them. No IO: it is told what came, and says what to ask.

mod refusal;

use std::{sync::Arc, task::Waker, time::Duration};

use tokio::{sync::oneshot, time::Instant};

pub(super) use refusal::Failed;

use super::{
    error::SubscriptionError,
    held::Held,
    received::Raw,
    skips::Skips,
    sub::{Answer, Stage, Sub},
};
use crate::{CallError, hub::Position, services::hub::TypedMessage};

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
    /// The server may think that the client hears the channel, whatever comes of the call that is in flight.
    pub(super) entangled: bool,
    /// It may have thought so on the connection before: whether its session goes on, the server has not said yet.
    was_entangled: bool,
    /// What came of a call is not known, that was in flight when the connection was lost or was given up.
    was_asking: bool,
    /// The session goes on in which that call was made: it may have subscribed the client behind an end that is told only now.
    pub(super) unanswered: bool,
    /// The server has ended the subscription while it was asked for: what it answers may be older than that.
    pub(super) doubtful: bool,
    /// The server has subscribed the client by itself while it was asked: a refusal may be older than that.
    pub(super) granted_meanwhile: bool,
    /// It is not to be asked for before.
    pub(super) not_before: Option<Instant>,
    failures: u32,
    last_check: Option<Instant>,
    /// What the program says of itself, for presence to say of this client.
    pub(super) says: Option<TypedMessage>,
    /// What of that the server has taken.
    taken: Option<TypedMessage>,
    /// It may have taken something else since, which is not said any more: what was taken is said once more.
    is_taken_doubtful: bool,
    /// It had no room, for what was said or for the channel: that is asked for without it, and it is said again behind that.
    withholds: bool,
    /// What the server has of it all the same: what was taken before it was asked without that.
    pub(super) still: Option<TypedMessage>,
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
            was_entangled: false,
            was_asking: false,
            unanswered: false,
            doubtful: false,
            granted_meanwhile: false,
            not_before: None,
            failures: 0,
            last_check: None,
            says: None,
            taken: None,
            is_taken_doubtful: false,
            withholds: false,
            still: None,
            held: Held::default(),
            skips: Skips::default(),
            by_server: None,
            left: Vec::new(),
        }
    }

    /// Another connection has taken the place of the one before: everything is to be asked for again.
    pub(super) fn begin(&mut self) {
        self.was_asking |= self.asking.is_some();
        self.was_entangled |= self.entangled || self.was_asking;
        self.entangled = false;
        self.unanswered = false;
        self.number = None;
        self.asking = None;
        self.confirmed = false;
        self.doubtful = false;
        self.granted_meanwhile = false;
        self.not_before = None;
        self.failures = 0;
        self.withholds = false;
        self.held = Held::default();
        for sub in &mut self.subs {
            sub.lose();
        }
    }

    /// The connection was lost before the answer: whatever was asked may have been done.
    pub(super) fn was_lost(&mut self) {
        self.entangled = true;
        self.was_asking = true;
    }

    /// The program says something of itself.
    pub(super) fn say(&mut self, presence: TypedMessage) {
        self.says = Some(presence);
        self.withholds = false;
    }

    /// What is to be asked has of it now.
    pub(super) fn to_be_said(&self) -> Option<TypedMessage> {
        self.says.clone().filter(|_| !self.withholds)
    }

    /// The server has said whether the session goes on: of another one it knows what was asked for on this connection, and no more.
    pub(super) fn greeted(&mut self, resumed: bool) {
        self.entangled |= resumed && self.was_entangled;
        self.was_entangled = false;
        self.unanswered = resumed && self.was_asking;
        self.was_asking = false;
        if !resumed {
            (self.taken, self.still, self.is_taken_doubtful) = (None, None, false);
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

    /// The server hears of it again. `says`: what the question had of the program. `early`: frames that came before their number was known;
    /// whether some of those are lost.
    pub(super) fn answered(
        &mut self,
        since: Option<Position>,
        says: Option<TypedMessage>,
        answer: &Answer,
        early: Vec<Arc<Raw>>,
        early_lost: bool,
        woken: &mut Vec<Waker>,
    ) {
        let epoch = answer.position.map(|position| position.epoch);
        self.is_numbered(answer.number, answer.frames_epoch.or(epoch));
        self.confirmed = true;
        self.entangled = true;
        (self.was_asking, self.unanswered) = (false, false);
        self.granted_meanwhile = false;
        self.failures = 0;
        (self.taken, self.is_taken_doubtful, self.withholds) = (says, false, false);
        self.still.take_if(|_| self.taken.is_some());
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
            } else if sub.stage == Stage::Needs {
                // Without history, what came before it is asked for is not for whoever begins: a snapshot has it already.
                unanswered |= answer.position.is_some() || sub.has_begun();
            }
        }
        // Those who have had their answer go on behind all that was held, and hold anew.
        if unanswered {
            late.into_iter().for_each(|raw| self.held.push(0, raw));
            self.held.overrun |= lost;
        }
    }

    /// The server has said that the client hears the channel no more, because it has asked for that. Whatever has begun meanwhile is
    /// asked for again: a program that has come back, or the server, whose word for that was on its way.
    pub(super) fn has_left(&mut self) {
        self.still = None;
        self.subs.iter_mut().for_each(Sub::lose);
        // What was held is of before, and what comes next is held elsewhere until its number is told.
        self.held = Held::default();
        self.confirmed = false;
        self.entangled = false;
        (self.was_asking, self.unanswered) = (false, false);
        self.number = None;
        self.failures = 0;
        self.left.drain(..).for_each(|waits| drop(waits.send(Ok(()))));
    }

    /// What to ask of the server.
    pub(super) fn next(&self, now: Instant) -> Next {
        let needs = |stage| self.subs.iter().filter(move |sub| sub.stage == stage);
        let is_to_be_said = self.says != self.taken || self.is_taken_doubtful;
        let wants = needs(Stage::Needs).next().is_some() || self.is_unsettled() || is_to_be_said;
        let leaves = self.subs.is_empty();
        if self.asking.is_some() || !wants && !leaves {
            return Next::Nothing;
        }
        if leaves && !self.entangled {
            return match self.was_entangled {
                true => Next::Nothing,
                false => Next::Gone,
            };
        }
        if let Some(not_before) = self.not_before.filter(|not_before| *not_before > now) {
            return Next::Later(not_before);
        }
        if leaves {
            return Next::Unsubscribe;
        }
        let cursors = |stage| needs(stage).filter_map(|sub| sub.cursor);
        let by_place = |cursor: &Position| (cursor.epoch, cursor.offset);
        Next::Subscribe(match needs(Stage::Needs).next() {
            // Those that know least: what they are given is not new to the others.
            Some(_) => cursors(Stage::Needs).min_by_key(by_place),
            // Nobody needs what the answer has: as little as there can be. Without history, that is said by a position that none has.
            None => cursors(Stage::Live)
                .chain(cursors(Stage::Full))
                .max_by_key(by_place)
                .or_else(|| Some(Position::default())),
        })
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
