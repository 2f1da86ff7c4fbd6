//! Tokens: who logs in gets one, and who shows one is known by it.

use std::time::{Duration, SystemTime};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rpc_runtime::auth::jwt::{Jwt, KeyError};
use serde::Serialize;

use super::Secret;

/// Who makes tokens, and for whom: a token of another program with the same secret is none here.
const ISSUER: &str = "tasks";

/// Makes tokens: JWTs, signed with HMAC-SHA-256 (`HS256`).
pub(crate) struct Tokens {
    key: EncodingKey,
    lifetime: Duration,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
#[error("cannot make a token: {0}")]
pub(crate) struct TokenError(#[from] jsonwebtoken::errors::Error);

/// What a token says. What its user may do is asked of the database, so that it changes at once and not with the next login.
#[derive(Serialize)]
struct Claims {
    /// The user's id.
    sub: String,
    iss: String,
    aud: String,
    /// When it was made, in seconds since 1970.
    iat: u64,
    /// Until when it is good, in seconds since 1970.
    exp: u64,
}

impl Tokens {
    /// Tokens that are good for `lifetime`.
    pub(crate) fn new(secret: &Secret, lifetime: Duration) -> Self {
        Tokens {
            key: EncodingKey::from_secret(secret.bytes()),
            lifetime,
        }
    }

    /// A token for a user, and until when it is good.
    ///
    /// # Errors
    ///
    /// When it cannot be signed.
    pub(crate) fn issue(&self, user: &str) -> Result<(String, SystemTime), TokenError> {
        let since = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = since(SystemTime::now());
        let claims = Claims {
            sub: user.to_owned(),
            iss: ISSUER.to_owned(),
            aud: ISSUER.to_owned(),
            iat: now.as_secs(),
            exp: (now + self.lifetime).as_secs(),
        };
        let token = encode(&Header::new(Algorithm::HS256), &claims, &self.key)?;
        Ok((token, SystemTime::UNIX_EPOCH + Duration::from_secs(claims.exp)))
    }
}

/// Knows users by the tokens that [`Tokens`] with the same secret made.
///
/// # Errors
///
/// When the secret is too short to be one.
pub(crate) fn authenticator(secret: &Secret) -> Result<Jwt, KeyError> {
    Ok(Jwt::secret(secret.bytes())?.issuer(ISSUER).audience(ISSUER))
}
