//! Whom an event is not for, looked up once for each subscriber.

use std::collections::HashSet;

use crate::{ClientId, session::Session};

/// Whom an event is not for.
pub(super) enum Except<'a> {
    Few(&'a [ClientId]),
    Many(HashSet<ClientId>),
}

impl<'a> Except<'a> {
    /// So many are looked through for each subscriber.
    const FEW: usize = 8;

    pub(super) fn new(clients: &'a [ClientId]) -> Self {
        match clients.len() > Self::FEW {
            false => Self::Few(clients),
            true => Self::Many(clients.iter().copied().collect()),
        }
    }

    /// Whether it is not for this one. Looks at nothing of the session where it is for all.
    #[inline]
    pub(super) fn has(&self, session: &Session) -> bool {
        match self {
            Self::Few([]) => false,
            Self::Few(clients) => clients.contains(&session.id()),
            Self::Many(clients) => clients.contains(&session.id()),
        }
    }
}
