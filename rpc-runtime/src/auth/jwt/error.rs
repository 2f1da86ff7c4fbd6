//! What is wrong with keys, and what is wrong with tokens.

use std::{fmt, io, path::PathBuf};

use super::Algorithm;

/// Why keys cannot be used. No text of it has a secret in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A shared secret that can be guessed is worth nothing: whoever has one token can try secrets at leisure.
    #[error(
        "a secret for {algorithm} needs at least {least} bytes and has {bytes}: make one with `openssl rand -base64 {least}`"
    )]
    ShortSecret {
        /// The algorithm.
        algorithm: Algorithm,
        /// How many bytes it has.
        bytes: usize,
        /// How many it needs (RFC 7518 §3.2).
        least: usize,
    },
    /// The key is of another kind than the algorithm asks for, too weak, or broken.
    #[error("a key for {algorithm} {problem}")]
    Key {
        /// The algorithm.
        algorithm: Algorithm,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The text is not what it should be.
    #[error("{0}")]
    Text(String),
    /// There is no key in it that could check a token.
    #[error("of {entries} keys none could check a token{first}")]
    NoKeys {
        /// How many entries there are.
        entries: usize,
        /// What is wrong with the first, where something is.
        first: String,
    },
    /// There are more keys than are kept.
    #[error("there are {keys} keys, and at most {most} are kept: give those that tokens are signed with")]
    TooManyKeys {
        /// How many there are.
        keys: usize,
        /// How many there may be.
        most: usize,
    },
    /// The file cannot be read.
    #[error("the file {} cannot be read: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file was read, and there are no keys in it that can be used.
    #[error("in the file {}: {source}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<KeyError>,
    },
}

impl KeyError {
    pub(super) fn key(algorithm: Algorithm, problem: impl Into<String>) -> Self {
        Self::Key {
            algorithm,
            problem: problem.into(),
        }
    }
}

/// Why a token is not accepted. Goes to the log, and has at most names out of the token in it, cut and escaped.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenFault {
    #[error("the token has {bytes} bytes, and at most {most} are looked at")]
    TooLong { bytes: usize, most: usize },
    #[error("the token {0}")]
    Malformed(&'static str),
    #[error("the token says that it is signed by {0}, which is not accepted")]
    Algorithm(Shown),
    #[error("the token asks for extensions of its signature (`crit`), and none is known here")]
    Critical,
    #[error("there is no key for {algorithm} with the id {kid} that the token names")]
    UnknownKey { algorithm: Algorithm, kid: Shown },
    #[error("there is no key for {0}, by which the token is signed")]
    NoKey(Algorithm),
    #[error("the token names no key (`kid`), and {0} keys for {1} have names")]
    AmbiguousKey(usize, Algorithm),
    #[error("the token's signature is not of a key that is accepted")]
    Signature,
    #[error("the token's claim `{0}` is missing")]
    Missing(String),
    #[error("the token's claim `{claim}` is not {expected}")]
    WrongType { claim: String, expected: &'static str },
    #[error("the token's claim `{0}` is not a time before the year 10000 in seconds; is it in milliseconds?")]
    NoTime(&'static str),
    #[error("the token is not valid for {0} more seconds")]
    NotYet(u64),
    #[error("the token's issuer is {0}, which is not accepted")]
    Issuer(Shown),
    #[error("the token is for another audience")]
    Audience,
    #[error(
        "the token is for an audience, and none is configured: see `Jwt::audience` and `Jwt::any_audience`"
    )]
    AudienceUnexpected,
    #[error(
        "the token's claims do not fit into `{ty}`: a value before byte {column} is missing or of another type"
    )]
    Claims { ty: &'static str, column: usize },
}

/// A name out of a token: cut to 64 characters, and escaped, so that it cannot forge lines of a log.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shown(String);

impl Shown {
    pub(super) fn new(text: &str) -> Self {
        Self(text.chars().take(64).collect())
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}
