//! Which clients are connected as which user.
//!
//! Touched only when an identity changes, and by those who ask for a user: no call comes here.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use super::shared::Shared;
use crate::{ClientId, Session, sharded::Sharded};

/// The sessions of every user that is known.
#[derive(Debug, Default)]
pub(super) struct Users(Sharded<Arc<str>, Sessions>);

/// The sessions of one user; most have one.
#[derive(Debug)]
enum Sessions {
    One(Arc<Session>),
    /// Never empty.
    Many(HashMap<ClientId, Arc<Session>>),
}

impl Sessions {
    fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(sessions) => sessions.len(),
        }
    }

    fn add(&mut self, session: Arc<Session>) {
        match self {
            Self::One(first) => {
                let both = [first.clone(), session].map(|session| (session.id(), session));
                *self = Self::Many(both.into());
            }
            Self::Many(sessions) => {
                sessions.insert(session.id(), session);
            }
        }
    }

    /// Whether none is left.
    fn remove(&mut self, id: ClientId) -> bool {
        match self {
            Self::One(session) => session.id() == id,
            Self::Many(sessions) => {
                sessions.remove(&id);
                sessions.is_empty()
            }
        }
    }
}

impl Users {
    /// The sessions of a user, in no order.
    pub(super) fn sessions(&self, user: &str) -> Vec<Arc<Session>> {
        match self.0.of(user).get(user) {
            None => Vec::new(),
            Some(Sessions::One(session)) => vec![session.clone()],
            Some(Sessions::Many(sessions)) => sessions.values().cloned().collect(),
        }
    }
}

impl Shared {
    /// Lists a session as one of a user, for as long as the result lives. `None` where the user has as many as a user may
    /// have.
    pub(super) fn join(self: &Arc<Self>, user: &Arc<str>, session: &Arc<Session>) -> Option<Membership> {
        let mut shard = self.users.0.of(user);
        match shard.entry(user.clone()) {
            Entry::Occupied(mut sessions) => {
                if sessions.get().len() >= self.limits.connections_per_user {
                    return None;
                }
                sessions.get_mut().add(session.clone());
            }
            Entry::Vacant(place) => {
                place.insert(Sessions::One(session.clone()));
            }
        }
        Some(Membership {
            shared: self.clone(),
            user: user.clone(),
            id: session.id(),
        })
    }
}

/// A session's place among those of its user.
#[derive(Debug)]
pub(super) struct Membership {
    shared: Arc<Shared>,
    user: Arc<str>,
    id: ClientId,
}

impl Drop for Membership {
    fn drop(&mut self) {
        let mut shard = self.shared.users.0.of(&self.user);
        if shard
            .get_mut(&*self.user)
            .is_some_and(|sessions| sessions.remove(self.id))
        {
            shard.remove(&*self.user);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Endpoint, ServerLimits, routes::Routes};
    use super::*;
    use crate::ConnectInfo;

    fn shared(connections_per_user: usize) -> Arc<Shared> {
        let routes = Routes::build(vec![("/rpc".to_owned(), Endpoint::new())]).unwrap();
        let limits = ServerLimits {
            connections_per_user,
            ..ServerLimits::default()
        };
        Shared::new(routes, limits)
    }

    fn session(shared: &Arc<Shared>) -> Arc<Session> {
        Session::new(ConnectInfo::new(), shared.routes.main().clone(), shared.clone())
    }

    #[test]
    fn a_user_has_the_sessions_that_joined_and_have_not_left_and_no_more_than_allowed() {
        let shared = shared(3);
        let ali: Arc<str> = "ali".into();
        let sessions = [(); 4].map(|()| session(&shared));
        let mut places: Vec<_> = sessions[..3]
            .iter()
            .map(|session| shared.join(&ali, session).expect("is allowed"))
            .collect();
        assert!(shared.join(&ali, &sessions[3]).is_none());
        assert!(shared.join(&"eve".into(), &sessions[3]).is_some());
        assert!(
            shared.users.sessions("eve").is_empty(),
            "the place was given up at once"
        );
        places.remove(1);
        let mut listed: Vec<_> = shared.users.sessions("ali").iter().map(|s| s.id()).collect();
        let mut expected = [sessions[0].id(), sessions[2].id()];
        listed.sort();
        expected.sort();
        assert_eq!(listed, expected);
        assert!(shared.join(&ali, &sessions[3]).is_some());
    }

    #[test]
    fn users_who_come_and_go_leave_nothing_behind() {
        let shared = shared(10);
        for round in 0..100 {
            let user: Arc<str> = format!("user {round}").into();
            let places = [(); 3].map(|()| shared.join(&user, &session(&shared)).expect("is allowed"));
            assert_eq!(shared.users.sessions(&user).len(), 3);
            drop(places);
        }
        assert_eq!(shared.users.0.len(), 0);
    }
}
