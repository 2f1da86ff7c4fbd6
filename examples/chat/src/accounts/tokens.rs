//! Tokens: who logs in gets one, and who shows one is known by it.

use std::time::{Duration, SystemTime};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rpc_runtime::auth::jwt::{Jwt, KeyError};
use serde::Serialize;

/// Who makes tokens, and for whom: a token of another program with the same secret is none here.
const ISSUER: &str = "chat";

/// How long a token is good. A client that stays longer logs in again by itself.
const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

/// Makes tokens: JWTs, signed with HMAC-SHA-256 (`HS256`).
pub(crate) struct Tokens(EncodingKey);

/// What a token says.
#[derive(Serialize)]
struct Claims {
    /// The user's name, which is its id too: names are not changed, and not given to another.
    sub: String,
    iss: &'static str,
    aud: &'static str,
    /// When it was made, in seconds since 1970.
    iat: u64,
    /// Until when it is good, in seconds since 1970.
    exp: u64,
}

impl Tokens {
    /// Tokens that are signed with a secret.
    pub(crate) fn new(secret: &[u8]) -> Self {
        Tokens(EncodingKey::from_secret(secret))
    }

    /// A token for a user, and until when it is good.
    ///
    /// # Errors
    ///
    /// When it cannot be signed.
    pub(crate) fn issue(&self, user: &str) -> Result<(String, SystemTime), jsonwebtoken::errors::Error> {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let claims = Claims {
            sub: user.to_owned(),
            iss: ISSUER,
            aud: ISSUER,
            iat: now.as_secs(),
            exp: (now + LIFETIME).as_secs(),
        };
        let token = encode(&Header::new(Algorithm::HS256), &claims, &self.0)?;
        Ok((token, SystemTime::UNIX_EPOCH + Duration::from_secs(claims.exp)))
    }
}

/// Knows users by the tokens that [`Tokens`] with the same secret made.
///
/// # Errors
///
/// When the secret is too short to be one.
pub(crate) fn authenticator(secret: &[u8]) -> Result<Jwt, KeyError> {
    Ok(Jwt::secret(secret)?.issuer(ISSUER).audience(ISSUER))
}
