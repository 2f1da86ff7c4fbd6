//! What a session knows of the secret by which its client comes back.
//!
//! A token is 48 random bytes, written as base64url: sixteen that find the session and stay the same, and 32 that are replaced each
//! time that one is told. So a token that was used up is recognised without being remembered: it finds its session, and its
//! secret is neither of the two that are good. Of the secret only the SHA-256 is kept.

use std::sync::{Mutex, MutexGuard, PoisonError};

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use crate::random;

/// What finds a session.
const NAME: usize = 16;
/// What proves that its client comes back.
const SECRET: usize = 32;

pub(crate) type Hash = [u8; 32];

fn hash(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// A token that a client shows, as it can be looked for.
#[derive(Clone, Copy)]
pub(crate) struct Shown {
    pub(crate) name: Hash,
    secret: Hash,
}

impl Shown {
    /// `None`: it is none of this server's.
    pub(crate) fn read(token: &str) -> Option<Self> {
        let mut bytes = [0; NAME + SECRET];
        // Longer ones are not even decoded.
        if BASE64URL_NOPAD.decode_len(token.len()) != Ok(bytes.len()) {
            return None;
        }
        BASE64URL_NOPAD.decode_mut(token.as_bytes(), &mut bytes).ok()?;
        let (name, secret) = bytes.split_at(NAME);
        Some(Self {
            name: hash(name),
            secret: hash(secret),
        })
    }
}

/// What comes of a token that has found its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Good,
    /// It was good before, and its successor has arrived: who has it has stolen it, or its successor was stolen.
    UsedUp,
}

/// The tokens of one session.
pub(crate) struct Tokens {
    /// Kept as it is: it alone resumes nothing, and all tokens of the session begin with it.
    name: [u8; NAME],
    good: Mutex<Good>,
}

struct Good {
    latest: Hash,
    /// The one before, until the client has said that it has the latest.
    before: Option<Hash>,
    /// The session's calls began anew with the greeting that told the latest: who shows the one before has not read that, and
    /// takes them for those of before.
    calls_are_new: bool,
}

impl Tokens {
    /// The tokens of a new session, and the first of them.
    pub(crate) fn new() -> (Self, String) {
        let name = random::bytes();
        let (token, latest) = make(&name);
        let good = Mutex::new(Good {
            latest,
            before: None,
            calls_are_new: false,
        });
        (Self { name, good }, token)
    }

    /// By what the session is found.
    pub(crate) fn name(&self) -> Hash {
        hash(&self.name)
    }

    /// Whether a token is good. It stays so.
    pub(crate) fn look_at(&self, shown: &Shown) -> Verdict {
        let good = self.lock();
        if shown.secret == good.latest || Some(shown.secret) == good.before {
            Verdict::Good
        } else {
            Verdict::UsedUp
        }
    }

    /// Whether the client that shows a good token has read the greeting with which the session's calls began.
    pub(crate) fn knows_calls(&self, shown: &Shown) -> bool {
        let good = self.lock();
        !good.calls_are_new || shown.secret == good.latest
    }

    /// Makes the successor of a token that was shown. Both are good until [`stored`](Self::stored), all others are used up. With
    /// `streams` the session's calls go on, and otherwise they begin anew.
    pub(crate) fn replace(&self, shown: &Shown, streams: bool) -> String {
        let (token, latest) = make(&self.name);
        *self.lock() = Good {
            latest,
            before: Some(shown.secret),
            calls_are_new: !streams,
        };
        token
    }

    /// The same of the latest, where the client has said that it has that.
    pub(crate) fn renew(&self) -> Option<String> {
        let (token, latest) = make(&self.name);
        let mut good = self.lock();
        if good.before.is_some() {
            return None;
        }
        good.before = Some(good.latest);
        good.latest = latest;
        Some(token)
    }

    /// The client has the latest.
    pub(crate) fn stored(&self) {
        let mut good = self.lock();
        good.before = None;
        good.calls_are_new = false;
    }

    fn lock(&self) -> MutexGuard<'_, Good> {
        // Nothing panics while the lock is held.
        self.good.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A token, and what is kept of its secret.
fn make(name: &[u8; NAME]) -> (String, Hash) {
    let secret: [u8; SECRET] = random::bytes();
    let mut bytes = [0; NAME + SECRET];
    bytes[..NAME].copy_from_slice(name);
    bytes[NAME..].copy_from_slice(&secret);
    (BASE64URL_NOPAD.encode(&bytes), hash(&secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(token: &str) -> Shown {
        Shown::read(token).expect("is a token")
    }

    #[test]
    fn a_token_is_good_until_its_successor_is_stored_and_used_up_then() {
        let (tokens, first) = Tokens::new();
        let first = shown(&first);
        assert_eq!(first.name, tokens.name());
        assert_eq!(tokens.look_at(&first), Verdict::Good);
        let second = shown(&tokens.replace(&first, true));
        assert_eq!(second.name, first.name);
        assert_eq!(
            tokens.look_at(&first),
            Verdict::Good,
            "its successor may not have arrived"
        );
        assert_eq!(tokens.look_at(&second), Verdict::Good);
        tokens.stored();
        assert_eq!(tokens.look_at(&first), Verdict::UsedUp);
        assert_eq!(tokens.look_at(&second), Verdict::Good);
    }

    #[test]
    fn of_a_secret_its_hash_alone_is_kept() {
        let (tokens, token) = Tokens::new();
        let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).unwrap();
        let (name, secret) = bytes.split_at(NAME);
        let Tokens { name: kept, good } = tokens;
        let good = good.into_inner().unwrap();
        assert_eq!(kept, name);
        assert_eq!((good.latest, good.before), (Sha256::digest(secret).into(), None));
    }

    #[test]
    fn of_a_token_that_is_used_twice_because_its_successor_was_lost_only_the_last_successor_is_good() {
        let (tokens, first) = Tokens::new();
        let first = shown(&first);
        let lost = shown(&tokens.replace(&first, true));
        let second = shown(&tokens.replace(&first, true));
        assert_eq!(tokens.look_at(&first), Verdict::Good);
        assert_eq!(tokens.look_at(&second), Verdict::Good);
        assert_eq!(tokens.look_at(&lost), Verdict::UsedUp);
    }

    #[test]
    fn who_shows_the_token_before_the_greeting_with_which_calls_began_does_not_know_them() {
        let (tokens, first) = Tokens::new();
        let first = shown(&first);
        assert!(tokens.knows_calls(&first));
        let lost = shown(&tokens.replace(&first, false));
        assert!(!tokens.knows_calls(&first) && tokens.knows_calls(&lost));
        let second = shown(&tokens.replace(&first, false));
        assert!(!tokens.knows_calls(&first) && tokens.knows_calls(&second));
        // From here on they go on, whether that is heard or not.
        let third = shown(&tokens.replace(&second, true));
        assert!(tokens.knows_calls(&second) && tokens.knows_calls(&third));
        let fourth = shown(&tokens.replace(&third, false));
        tokens.stored();
        let fifth = shown(&tokens.renew().expect("the one before is stored"));
        assert!(tokens.knows_calls(&fourth) && tokens.knows_calls(&fifth));
    }

    #[test]
    fn what_is_no_token_is_not_read_however_long_it_is() {
        let (_, token) = Tokens::new();
        assert_eq!(token.len(), 64);
        for wrong in [
            "",
            "x",
            &token[1..],
            &format!("{token}a"),
            &"a".repeat(1 << 20),
            &format!("!{}", &token[1..]),
        ] {
            assert!(Shown::read(wrong).is_none());
        }
    }

    #[test]
    fn no_two_tokens_are_the_same() {
        let (tokens, first) = Tokens::new();
        let (_, other) = Tokens::new();
        let successor = tokens.renew().expect("the first needs no acknowledgement");
        assert!(
            tokens.renew().is_none(),
            "there is one that the client may not have"
        );
        assert_eq!(first[..20], successor[..20], "it finds the same session");
        assert_ne!(first[30..], successor[30..]);
        assert_ne!(first[..20], other[..20]);
    }
}
