//! Accounts of those who listen: how many channels are subscribed to here because of one user, or of what nobody knows at one address.
//!
//! A channel that somebody hears takes memory of the node and of its broker, however many hear it. It is on the account of whoever was the
//! first to subscribe, and when that one leaves, on that of one who is left, also where it has no room: what is heard stays. So whose account
//! is full is refused what others hear, too: else one would leave to it what is more than it may have, again and again. Whom the server has
//! subscribed is on no account.

use std::{collections::hash_map::Entry, net::IpAddr, sync::Arc};

use crate::{ClientId, Session, server::network, sharded::Sharded};

/// Whose account it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Account {
    /// A user's, with all its connections.
    User(Arc<str>),
    /// That of all who are known as nobody and come from one address: of IPv6, from a network of 64 bits.
    Address(IpAddr),
}

/// The accounts of those who listen. Whose address is not known has none.
#[derive(Debug, Default)]
pub(crate) struct Listening(Sharded<Account, usize>);

/// A channel on an account.
#[derive(Debug)]
pub(super) struct OnAccount {
    client: ClientId,
    account: Option<Account>,
    listening: Arc<Listening>,
}

impl Listening {
    /// Whether there was room for one more.
    fn take(&self, account: &Account, most: usize) -> bool {
        let mut shard = self.0.of(account);
        let count = shard.get(account).copied().unwrap_or_default();
        if count < most {
            shard.insert(account.clone(), count + 1);
        }
        count < most
    }

    /// Whether there is room for one more.
    fn has_room(&self, account: &Account, most: usize) -> bool {
        let shard = self.0.of(account);
        shard.get(account).is_none_or(|count| *count < most)
    }

    fn give_back(&self, account: &Account) {
        if let Entry::Occupied(mut count) = self.0.of(account).entry(account.clone()) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

/// On whose account a session is.
fn account_of(session: &Session) -> Option<Account> {
    match session.user() {
        Some(user) => Some(Account::User(user)),
        None => session.info().client_addr().map(network).map(Account::Address),
    }
}

/// How much there may be on an account.
fn most_of(account: &Account, session: &Session) -> usize {
    let limits = session.server_limits();
    match account {
        Account::User(_) => limits.channels_per_user,
        Account::Address(_) => limits.channels_per_address,
    }
}

impl OnAccount {
    /// Puts a channel on a session's account. `None` where that has no room.
    pub(super) fn take(session: &Session) -> Option<Self> {
        let (listening, account) = (session.hub().inner.listening.clone(), account_of(session));
        let has_room = account
            .as_ref()
            .is_none_or(|account| listening.take(account, most_of(account, session)));
        has_room.then(|| Self {
            client: session.id(),
            account,
            listening,
        })
    }

    /// Whether it is a client's.
    pub(super) fn is_by(&self, client: ClientId) -> bool {
        self.client == client
    }

    /// Whether a session may hear the channel, too, to which it may be left: it is on the same account, or that has room.
    pub(super) fn may_pass_to(&self, session: &Session) -> bool {
        let account = account_of(session);
        let has_room = |account| self.listening.has_room(account, most_of(account, session));
        account == self.account || account.as_ref().is_none_or(has_room)
    }

    /// Puts it on another session's account, or on that of whom the session is known as now, whatever room that has.
    pub(super) fn pass_to(&mut self, session: &Session) {
        self.client = session.id();
        let account = account_of(session);
        if account == self.account {
            return;
        }
        if let Some(account) = &account {
            self.listening.take(account, usize::MAX);
        }
        if let Some(before) = std::mem::replace(&mut self.account, account) {
            self.listening.give_back(&before);
        }
    }
}

impl Drop for OnAccount {
    fn drop(&mut self) {
        if let Some(account) = &self.account {
            self.listening.give_back(account);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_that_has_nothing_any_more_is_none() {
        let listening = Listening::default();
        let (ali, here) = (
            Account::User("ali".into()),
            Account::Address([127, 0, 0, 1].into()),
        );
        assert!(listening.take(&ali, 2) && listening.take(&ali, 2) && !listening.take(&ali, 2));
        assert!(!listening.has_room(&ali, 2) && listening.has_room(&ali, 3));
        assert!(listening.has_room(&here, 1));
        assert!(listening.take(&here, 1) && !listening.take(&here, 1));
        assert_eq!(listening.0.len(), 2);
        listening.give_back(&ali);
        assert!(listening.take(&ali, 2), "there is room again");
        for _ in 0..2 {
            listening.give_back(&ali);
        }
        listening.give_back(&here);
        assert_eq!(listening.0.len(), 0);
    }
}
