//! One channel, as its broker knows it: its history, who is in it, and for how long it is needed.
//!
//! A channel is needed while its node has subscribed to it, while it has members, and for as long after that as its events are
//! kept. Then it is over: whoever publishes or subscribes later begins another, with an epoch of its own.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use tokio::time::Instant;

use super::{
    super::{
        History, HistoryQuery, Member, MemberChange, MembersQuery, Origin, Position, Publication, Published,
        Receipt, Retention,
    },
    ledger::{Ledger, Taken},
    people::{self, Page, People},
};
use crate::{ClientId, limits::LONGEST, random};

/// What an event of a history takes beside the texts and bytes that it is made of: itself, its place, and its publisher's account.
pub(super) const EVENT: usize = 384;

/// What a key takes beside its text: its place in a table, with room to spare.
const KEY: usize = 128;

/// What a channel takes beside its name, events and members: itself, and its places in lists.
pub(super) const TOPIC: usize = 768;

/// What an event of a history counts for.
pub(super) fn weight_of(publication: &Publication) -> usize {
    let length = |text: &Option<Arc<str>>| text.as_ref().map_or(0, |text| text.len());
    let user = publication
        .publisher
        .as_ref()
        .map_or(0, |publisher| length(&publisher.user));
    EVENT
        + publication.type_name.len()
        + publication.body.len()
        + length(&publication.id)
        + publication.key.as_ref().map_or(0, |key| KEY + key.len())
        + user
        + publication.except.len() * size_of::<ClientId>()
}

/// A channel.
#[derive(Debug)]
pub(super) struct Topic {
    /// How long its name is.
    name: usize,
    epoch: u64,
    /// The offset of the latest event.
    top: u64,
    /// In the order of their offsets, without gaps; each with the time at which it came.
    events: VecDeque<(Instant, Arc<Published>)>,
    /// What the bodies of `events` take.
    bytes: usize,
    /// What `events` count for.
    weight: usize,
    /// Of those events that have one.
    keys: HashMap<Key, u64>,
    /// Whose first event began the history: the channel is on its account while there is any event.
    begun_by: Origin,
    people: Option<Box<People>>,
    subscribed: bool,
    /// When it was last needed, unless it is needed now.
    used: Instant,
    /// What is kept, by whoever used it last.
    keep: Retention,
    /// It is on the list of those that may go when there is no room.
    pub(super) is_listed: bool,
    /// It is on the list no more.
    pub(super) gone: bool,
}

/// A key, and whose it is.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    origin: Origin,
    text: Arc<str>,
}

impl Key {
    fn of(publication: &Publication) -> Option<Self> {
        let text = publication.key.clone()?;
        let origin = publication.origin.clone();
        Some(Self { origin, text })
    }
}

/// What publishing came to.
#[derive(Debug)]
pub(super) enum Added {
    /// It is in history, and to be delivered.
    New(Arc<Published>),
    /// An event with its key is in history already.
    Duplicate(Receipt),
    /// It is not to be stored: an event with its key is in history, and is another.
    Another,
    /// It is not to be stored: its publisher takes as much as it may.
    NoShare,
}

impl Topic {
    pub(super) fn new(name: usize, now: Instant) -> Self {
        Self {
            name,
            epoch: u64::from_ne_bytes(random::bytes()),
            top: 0,
            events: VecDeque::new(),
            bytes: 0,
            weight: 0,
            keys: HashMap::new(),
            begun_by: Origin::Server,
            people: None,
            subscribed: false,
            used: now,
            keep: Retention::NONE,
            is_listed: false,
            gone: false,
        }
    }

    pub(super) fn position(&self) -> Position {
        Position {
            epoch: self.epoch,
            offset: self.top,
        }
    }

    /// Whether nobody needs it any more.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        !self.is_in_use() && now.saturating_duration_since(self.used) >= self.keep.time
    }

    /// Whether anybody may know a position in it.
    pub(super) fn has_kept(&self) -> bool {
        self.keep.keeps()
    }

    fn is_in_use(&self) -> bool {
        self.subscribed || self.people.is_some()
    }

    /// When it is to be looked at again, where it is not over.
    pub(super) fn look_again(&self, now: Instant) -> Instant {
        let from = if self.is_in_use() { now } else { self.used };
        // A time that no clock can hold is never.
        from.checked_add(self.keep.time).unwrap_or(now + LONGEST)
    }

    /// What it counts for in the broker's memory: nothing once it is off the list.
    pub(super) fn weight(&self) -> usize {
        if self.gone {
            return 0;
        }
        let people = self.people.as_ref().map_or(0, |people| people.weight());
        self.own_weight() + self.weight + people
    }

    /// What those take of it who listen: the channel, and what they say of themselves.
    pub(super) fn held(&self) -> Taken {
        if !self.is_in_use() {
            return Taken::default();
        }
        let mut held = self.as_taken();
        held.bytes += self.people.as_ref().map_or(0, |people| people.weight());
        held
    }

    /// What the next who listens takes of it beside what it says of itself.
    pub(super) fn to_be_held(&self) -> Taken {
        match self.is_in_use() {
            true => Taken::default(),
            false => self.as_taken(),
        }
    }

    fn own_weight(&self) -> usize {
        TOPIC + self.name
    }

    /// Whether nothing is lost with it but its epoch: nobody is there, and it has no events.
    pub(super) fn may_go(&self) -> bool {
        !self.is_in_use() && self.events.is_empty()
    }

    /// Lets go of all its events.
    pub(super) fn clear(&mut self, ledger: &Ledger) {
        while self.forget_oldest(ledger) {}
    }

    /// Lets go of what is not to be kept any more.
    pub(super) fn expire(&mut self, now: Instant, ledger: &Ledger) {
        let keep = self.keep;
        while let Some((came, _)) = self.events.front() {
            let fits = self.events.len() <= keep.events && self.bytes <= keep.bytes;
            if fits && now.saturating_duration_since(*came) < keep.time {
                break;
            }
            self.forget_oldest(ledger);
        }
        if self.events.capacity() > 64 && self.events.len() < self.events.capacity() / 4 {
            self.events.shrink_to_fit();
            self.keys.shrink_to_fit();
        }
    }

    /// Whether there was one.
    fn forget_oldest(&mut self, ledger: &Ledger) -> bool {
        let Some((_, oldest)) = self.events.pop_front() else {
            return false;
        };
        let publication = &oldest.publication;
        let weight = weight_of(publication);
        self.bytes -= publication.body.len();
        self.weight -= weight;
        if let Some(key) = Key::of(publication) {
            self.keys.remove(&key);
        }
        let of_event = Taken {
            channels: 0,
            bytes: weight,
        };
        ledger.give_back(&publication.origin, of_event);
        if self.events.is_empty() {
            ledger.give_back(&std::mem::take(&mut self.begun_by), self.as_taken());
        }
        true
    }

    /// What it is on the account of whoever has begun it, and of those who listen.
    fn as_taken(&self) -> Taken {
        Taken {
            channels: 1,
            bytes: self.own_weight(),
        }
    }

    /// Has what is kept be this, from now on.
    pub(super) fn keep(&mut self, keep: &Retention, now: Instant, ledger: &Ledger) {
        self.keep = *keep;
        self.expire(now, ledger);
    }

    /// What was published under a key, where history remembers it.
    pub(super) fn published(&self, publication: &Publication) -> Option<Added> {
        let offset = *self.keys.get(&Key::of(publication)?)?;
        let (_, event) = self.events.get(self.count_before(offset))?;
        let first = &event.publication;
        if first.type_name != publication.type_name || first.body != publication.body {
            return Some(Added::Another);
        }
        let receipt = Receipt::new(event.id(), Some(event.position), None);
        Some(Added::Duplicate(receipt.duplicate()))
    }

    /// Puts an event into history, of which nothing was [published](Self::published), and takes it for that. Whoever publishes may
    /// take `most` of all histories.
    pub(super) fn add(
        &mut self,
        place: &mut Option<Publication>,
        now: Instant,
        ledger: &Ledger,
        most: Taken,
    ) -> Added {
        let begins = self.events.is_empty();
        let pays = |publication: &mut Publication| {
            let mut takes = if begins { self.as_taken() } else { Taken::default() };
            takes.bytes += weight_of(publication);
            ledger.take(&publication.origin, takes, most)
        };
        let Some(publication) = place.take_if(pays) else {
            return Added::NoShare;
        };
        if begins {
            self.begun_by = publication.origin.clone();
        }
        self.used = now;
        self.top += 1;
        if let Some(key) = Key::of(&publication) {
            self.keys.insert(key, self.top);
        }
        let event = Arc::new(Published {
            position: self.position(),
            publication,
        });
        self.bytes += event.publication.body.len();
        self.weight += weight_of(&event.publication);
        self.events.push_back((now, event.clone()));
        self.expire(now, ledger);
        Added::New(event)
    }

    /// Whether the node is to have its events.
    pub(super) fn set_subscribed(&mut self, subscribed: bool, now: Instant) {
        if self.subscribed || subscribed {
            self.used = now;
        }
        self.subscribed = subscribed;
    }

    /// The offset of the oldest event that is kept; one more than the latest where none is.
    fn oldest(&self) -> u64 {
        self.top + 1 - self.events.len() as u64
    }

    /// How many of the events that are kept come before an offset.
    fn count_before(&self, offset: u64) -> usize {
        let count = offset.saturating_sub(self.oldest());
        usize::try_from(count).map_or(self.events.len(), |count| count.min(self.events.len()))
    }

    pub(super) fn read(&self, query: &HistoryQuery) -> History {
        let known = query
            .after
            .is_none_or(|after| after.epoch == self.epoch && after.offset <= self.top);
        let complete = known && query.after.is_none_or(|after| after.offset + 1 >= self.oldest());
        let mut history = History {
            position: self.position(),
            events: Vec::new(),
            complete,
            more: false,
        };
        if !known {
            return history;
        }
        let first = query.after.map_or(0, |after| self.count_before(after.offset + 1));
        let end = query
            .before
            .map_or(self.events.len(), |before| self.count_before(before));
        let asked = self
            .events
            .range(first.min(end)..end)
            .map(|(_, event)| event)
            .filter(|event| {
                let time = event.publication.time;
                query.since.is_none_or(|since| time >= since) && query.until.is_none_or(|until| time < until)
            });
        if query.newest_first {
            take(asked.rev(), query.limit, &mut history);
        } else {
            take(asked, query.limit, &mut history);
        }
        history
    }

    /// What a member would add, beside those who are there: nothing but what is more, of one that replaces another.
    pub(super) fn growth_by(&self, member: &Member) -> usize {
        let before = self
            .people
            .as_deref()
            .map_or(0, |people| people.weight_in(member.client));
        people::weight_of(member).saturating_sub(before)
    }

    /// Puts a member in, or replaces it. `None` where whoever it is known as may take no more.
    pub(super) fn join(&mut self, member: Member, ledger: &Ledger, most: Taken) -> Option<MemberChange> {
        let mut people = self.people.take().unwrap_or_default();
        let joined = people.join(member, ledger, most);
        self.people = Some(people).filter(|people| !people.is_empty());
        joined
    }

    /// Takes a member out.
    pub(super) fn leave(&mut self, client: ClientId, now: Instant, ledger: &Ledger) -> MemberChange {
        let Some(people) = &mut self.people else {
            return MemberChange::default();
        };
        let change = people.leave(client, ledger);
        if people.is_empty() {
            self.people = None;
            self.used = now;
        }
        change
    }

    /// Some of those who are in it.
    pub(super) fn members(&self, query: &MembersQuery) -> Page {
        let people = self.people.as_deref();
        people.map(|people| people.page(query)).unwrap_or_default()
    }
}

fn take<'a>(asked: impl Iterator<Item = &'a Arc<Published>>, limit: usize, history: &mut History) {
    let mut asked = asked;
    history.events.extend(asked.by_ref().take(limit).cloned());
    history.more = asked.next().is_some();
}
