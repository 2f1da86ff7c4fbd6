//! Who may do what in which channels, and how that changes: by this the server answers, and the model knows what it must answer.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard},
};

use crate::house::USERS;

/// What a right is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    Subscribe,
    Publish,
    History,
    Presence,
}

/// A user, or nobody, and what that one does where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Deed {
    pub user: Option<&'static str>,
    pub act: Act,
    pub channel: &'static str,
}

/// What a client must be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Allowed,
    Refused,
    /// The right has changed since it asked, or nobody knows as whom.
    Either,
}

/// What may be done, and what was changed.
#[derive(Clone)]
pub struct Rights(Arc<Mutex<State>>);

struct State {
    denied: HashSet<Deed>,
    changed: Vec<Deed>,
}

/// A moment among the changes.
#[derive(Debug, Clone, Copy)]
pub struct Since(usize);

impl Rights {
    /// Everybody may do everything, but subscribe to what the server alone subscribes clients to.
    pub fn new() -> Self {
        let users = USERS.iter().map(|user| Some(*user)).chain([None]);
        let denied = users.map(|user| Deed {
            user,
            act: Act::Subscribe,
            channel: "granted:a",
        });
        Self(Arc::new(Mutex::new(State {
            denied: denied.collect(),
            changed: Vec::new(),
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Whether it may not be done now.
    pub fn deny(&self, deed: Deed) -> bool {
        self.lock().denied.contains(&deed)
    }

    /// Gives the right, or takes it.
    pub fn change(&self, deed: Deed) {
        let mut state = self.lock();
        if !state.denied.remove(&deed) {
            state.denied.insert(deed);
        }
        state.changed.push(deed);
    }

    /// This moment.
    pub fn now(&self) -> Since {
        Since(self.lock().changed.len())
    }

    /// Whether a right has changed.
    pub fn has_changed(&self, deed: Deed, since: Since) -> bool {
        self.lock().changed[since.0..].contains(&deed)
    }

    /// What a client must be answered now that has asked then, as one of these.
    pub fn answer(&self, deeds: impl Iterator<Item = Deed>, since: Since) -> Answer {
        let mut must = None;
        for deed in deeds {
            let is = match (self.has_changed(deed, since), self.deny(deed)) {
                (true, _) => Answer::Either,
                (false, true) => Answer::Refused,
                (false, false) => Answer::Allowed,
            };
            if must.is_some_and(|must| must != is) {
                return Answer::Either;
            }
            must = Some(is);
        }
        must.expect("somebody asks")
    }
}

#[test]
fn what_must_be_answered_is_open_only_where_that_right_has_changed_or_nobody_knows_who_asks() {
    let rights = Rights::new();
    let of = |user, act| Deed {
        user: Some(user),
        act,
        channel: "long:a",
    };
    let (ann, bob) = (of("ann", Act::Publish), of("bob", Act::Publish));
    let must = |deeds: &[Deed], since| rights.answer(deeds.iter().copied(), since);
    let before = rights.now();
    assert_eq!(must(&[ann], before), Answer::Allowed);
    rights.change(ann);
    assert_eq!(must(&[ann], before), Answer::Either, "it has changed meanwhile");
    assert_eq!(must(&[bob], before), Answer::Allowed, "that is another's");
    assert_eq!(must(&[of("ann", Act::History)], before), Answer::Allowed);
    let since = rights.now();
    assert_eq!(must(&[ann], since), Answer::Refused);
    assert_eq!(
        must(&[ann, bob], since),
        Answer::Either,
        "it may be either of them"
    );
    rights.change(bob);
    assert_eq!(must(&[ann, bob], rights.now()), Answer::Refused);
    rights.change(ann);
    assert_eq!(must(&[ann], rights.now()), Answer::Allowed);
    assert_eq!(must(&[ann], since), Answer::Either);
}
