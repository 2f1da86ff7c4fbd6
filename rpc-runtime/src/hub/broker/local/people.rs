//! Who is in a channel.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::Arc,
};

use super::{
    super::{Member, MemberChange, MembersQuery},
    ledger::{Ledger, Taken},
};
use crate::ClientId;

/// What a member takes beside what it says and who it is known as: its places in two trees, with room to spare.
pub(super) const MEMBER: usize = 384;

/// Who is in a channel. There is somebody.
#[derive(Debug, Default)]
pub(super) struct People {
    members: BTreeMap<ClientId, Arc<Member>>,
    /// How many of the members a user has.
    users: HashMap<Arc<str>, usize>,
    anonymous: usize,
    /// What all of it counts for.
    weight: usize,
}

/// A part of them, which is shared with the list: it is made while that is locked.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) members: Vec<Arc<Member>>,
    pub(super) more: bool,
    pub(super) clients: usize,
    pub(super) users: usize,
}

/// What a member counts for.
pub(super) fn weight_of(member: &Member) -> usize {
    let user = member.user.as_ref().map_or(0, |user| user.len());
    let data = member.data.as_ref();
    MEMBER + user + data.map_or(0, |(type_name, body)| type_name.len() + body.len())
}

impl People {
    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    /// What the member that a client is takes; 0 where it is none.
    pub(super) fn weight_in(&self, client: ClientId) -> usize {
        self.members.get(&client).map_or(0, |member| weight_of(member))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Puts a member in, or replaces it, on the account of whom it is known as, who may take `most`. `None` where that has no room.
    pub(super) fn join(&mut self, member: Member, ledger: &Ledger, most: Taken) -> Option<MemberChange> {
        self.pay(&member, ledger, most).then(|| self.put_in(member))
    }

    /// Has a member be on its account, and the one that it replaces no more.
    fn pay(&self, member: &Member, ledger: &Ledger, most: Taken) -> bool {
        let bytes = |bytes| Taken { channels: 0, bytes };
        let (origin, weight) = (member.origin(), weight_of(member));
        let before = self.members.get(&member.client);
        let before = before.map_or((origin.clone(), 0), |before| (before.origin(), weight_of(before)));
        // Of one account, only what is more has to have room.
        let paid = if before.0 == origin {
            before.1.min(weight)
        } else {
            0
        };
        let pays = ledger.take(&origin, bytes(weight - paid), most);
        if pays {
            ledger.give_back(&before.0, bytes(before.1 - paid));
        }
        pays
    }

    fn put_in(&mut self, member: Member) -> MemberChange {
        let user = member.user.clone();
        self.weight += weight_of(&member);
        let before = self.members.insert(member.client, Arc::new(member));
        if let Some(before) = before {
            self.weight -= weight_of(&before);
            if before.user == user {
                return MemberChange::default();
            }
            self.leave_user(before.user.as_deref());
        }
        MemberChange {
            changed: true,
            of_user: self.join_user(user),
        }
    }

    /// Takes a member out.
    pub(super) fn leave(&mut self, client: ClientId, ledger: &Ledger) -> MemberChange {
        let Some(member) = self.members.remove(&client) else {
            return MemberChange::default();
        };
        let bytes = weight_of(&member);
        self.weight -= bytes;
        ledger.give_back(&member.origin(), Taken { channels: 0, bytes });
        MemberChange {
            changed: true,
            of_user: self.leave_user(member.user.as_deref()),
        }
    }

    /// Some of them, at a cost that does not grow with those before and behind.
    pub(super) fn page(&self, query: &MembersQuery) -> Page {
        let from = query.after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut range = self.members.range((from, Bound::Unbounded));
        Page {
            members: range
                .by_ref()
                .take(query.limit)
                .map(|(_, member)| member.clone())
                .collect(),
            more: range.next().is_some(),
            clients: self.members.len(),
            users: self.users.len() + self.anonymous,
        }
    }

    /// Whether the user was not there before.
    fn join_user(&mut self, user: Option<Arc<str>>) -> bool {
        let Some(user) = user else {
            self.anonymous += 1;
            return true;
        };
        let count = self.users.entry(user).or_default();
        *count += 1;
        *count == 1
    }

    /// Whether the user is there no more.
    fn leave_user(&mut self, user: Option<&str>) -> bool {
        let Some(user) = user else {
            self.anonymous -= 1;
            return true;
        };
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
