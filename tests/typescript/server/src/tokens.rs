//! Tokens for whomever a case wants to be: JWTs that the worlds' servers accept.

use std::time::SystemTime;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::Serialize;

use crate::world::{Failure, explain};

/// What tokens are signed with. These servers listen on loopback, for as long as a test runs.
pub(crate) const SECRET: &[u8] = b"the secret of servers that nobody but the cases ever reaches";

#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a str,
    /// Until when it is good, in seconds since 1970.
    exp: i64,
}

/// A token for a user, good until so many seconds from now, which may be before now.
pub(crate) fn token(user: &str, seconds: i64) -> Result<String, Failure> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = i64::try_from(now.unwrap_or_default().as_secs())?;
    let claims = Claims {
        sub: user,
        exp: now.saturating_add(seconds),
    };
    let key = EncodingKey::from_secret(SECRET);
    encode(&Header::new(Algorithm::HS256), &claims, &key).map_err(explain("cannot sign a token"))
}
