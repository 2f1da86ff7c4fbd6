//! One channel, as its broker knows it: its history, who is in it, and for how long it is needed.
//!
//! A channel is needed while its node has subscribed to it, while it has members, and for as long after that as its events are
//! kept. Then it is over: whoever publishes or subscribes later begins another, with an epoch of its own.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use tokio::time::Instant;

use super::super::{
    History, HistoryQuery, Member, MemberChange, Position, Publication, Published, Receipt, Retention,
};
use crate::{ClientId, limits::LONGEST, random};

/// What an event of a history counts for beside its body, in all of the broker's memory.
pub(super) const EVENT: usize = 256;

/// A channel.
#[derive(Debug)]
pub(super) struct Topic {
    epoch: u64,
    /// The offset of the latest event.
    top: u64,
    /// In the order of their offsets, without gaps; each with the time at which it came.
    events: VecDeque<(Instant, Arc<Published>)>,
    /// What the bodies of `events` take.
    bytes: usize,
    /// Of those events that have one.
    keys: HashMap<Arc<str>, u64>,
    people: Option<Box<People>>,
    subscribed: bool,
    /// When it was last needed, unless it is needed now.
    used: Instant,
    /// What is kept, by whoever used it last.
    keep: Retention,
    /// It is on the list no more.
    pub(super) gone: bool,
}

/// Who is in a channel.
#[derive(Debug, Default)]
struct People {
    members: HashMap<ClientId, Member>,
    /// How many of the members a user has.
    users: HashMap<Arc<str>, usize>,
}

/// What publishing came to.
#[derive(Debug)]
pub(super) enum Added {
    /// It is in history, and to be delivered.
    New(Arc<Published>),
    /// An event with its key is in history already.
    Duplicate(Receipt),
}

impl Topic {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            epoch: u64::from_ne_bytes(random::bytes()),
            top: 0,
            events: VecDeque::new(),
            bytes: 0,
            keys: HashMap::new(),
            people: None,
            subscribed: false,
            used: now,
            keep: Retention::NONE,
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

    /// What its events count for in the broker's memory.
    pub(super) fn weight(&self) -> usize {
        self.bytes + self.events.len() * EVENT
    }

    /// Lets go of what is not to be kept any more.
    pub(super) fn expire(&mut self, now: Instant) {
        let keep = self.keep;
        while let Some((came, oldest)) = self.events.front() {
            let fits = self.events.len() <= keep.events && self.bytes <= keep.bytes;
            if fits && now.saturating_duration_since(*came) < keep.time {
                break;
            }
            self.bytes -= oldest.publication.body.len();
            if let Some(key) = &oldest.publication.key {
                self.keys.remove(key);
            }
            self.events.pop_front();
        }
        if self.events.capacity() > 64 && self.events.len() < self.events.capacity() / 4 {
            self.events.shrink_to_fit();
            self.keys.shrink_to_fit();
        }
    }

    /// Has what is kept be this, from now on.
    pub(super) fn keep(&mut self, keep: &Retention, now: Instant) {
        self.keep = *keep;
        self.expire(now);
    }

    /// Puts an event into history.
    pub(super) fn add(&mut self, publication: Publication, now: Instant) -> Added {
        self.used = now;
        if let Some(key) = &publication.key
            && let Some(&offset) = self.keys.get(key)
        {
            let position = Position {
                epoch: self.epoch,
                offset,
            };
            return Added::Duplicate(Receipt::new(key.clone(), Some(position), None).duplicate());
        }
        self.top += 1;
        let event = Arc::new(Published {
            position: self.position(),
            publication,
        });
        self.bytes += event.publication.body.len();
        if let Some(key) = &event.publication.key {
            self.keys.insert(key.clone(), self.top);
        }
        self.events.push_back((now, event.clone()));
        self.expire(now);
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

    /// Puts a member in, or replaces it.
    pub(super) fn join(&mut self, member: Member) -> MemberChange {
        let people = self.people.get_or_insert_default();
        let user = member.user.clone();
        let before = people.members.insert(member.client, member);
        let was = before.map(|before| before.user);
        if was.as_ref() == Some(&user) {
            return MemberChange::default();
        }
        if let Some(Some(was)) = was {
            people.leave_user(&was);
        }
        MemberChange {
            changed: true,
            of_user: user.is_none_or(|user| people.join_user(user)),
        }
    }

    /// Takes a member out.
    pub(super) fn leave(&mut self, client: ClientId, now: Instant) -> MemberChange {
        let Some(people) = &mut self.people else {
            return MemberChange::default();
        };
        let Some(member) = people.members.remove(&client) else {
            return MemberChange::default();
        };
        let of_user = member.user.is_none_or(|user| people.leave_user(&user));
        if people.members.is_empty() {
            self.people = None;
            self.used = now;
        }
        MemberChange {
            changed: true,
            of_user,
        }
    }

    /// Who is in it.
    pub(super) fn members(&self) -> Vec<Member> {
        let members = self.people.iter().flat_map(|people| people.members.values());
        members.cloned().collect()
    }
}

fn take<'a>(asked: impl Iterator<Item = &'a Arc<Published>>, limit: usize, history: &mut History) {
    let mut asked = asked;
    history.events.extend(asked.by_ref().take(limit).cloned());
    history.more = asked.next().is_some();
}

impl People {
    /// Whether the user was not there before.
    fn join_user(&mut self, user: Arc<str>) -> bool {
        let count = self.users.entry(user).or_default();
        *count += 1;
        *count == 1
    }

    /// Whether the user is there no more.
    fn leave_user(&mut self, user: &str) -> bool {
        match self.users.get_mut(user) {
            Some(count) if *count > 1 => {
                *count -= 1;
                false
            }
            _ => {
                self.users.remove(user);
                true
            }
        }
    }
}
