//! Whom an event is not for, looked up once for each subscriber.

use std::collections::HashSet;

use crate::ClientId;

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

    pub(super) fn has(&self, client: ClientId) -> bool {
        match self {
            Self::Few(clients) => clients.contains(&client),
            Self::Many(clients) => clients.contains(&client),
        }
    }
}
