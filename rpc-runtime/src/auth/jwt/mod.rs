//! JSON Web Tokens (RFC 7519): an authenticator for tokens that somebody has signed. With the feature `jwt`.
//!
//! ```
//! use rpc_runtime::{Server, auth::jwt::{Algorithm, Jwt}};
//!
//! # fn main() -> Result<(), rpc_runtime::auth::jwt::KeyError> {
//! // One's own tokens, by a secret that only this server has.
//! # let secret = [7_u8; 32];
//! let own = Jwt::secret(secret)?.issuer("tasks").audience("tasks");
//! let server = Server::builder().authenticator(own).require_authentication();
//!
//! // Those of an identity provider, whose public keys are fetched into a file by whatever deploys the server.
//! # let set = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
//! # let keys = std::env::temp_dir().join(format!("rpc-jwt-doc-{}.json", std::process::id()));
//! # std::fs::write(&keys, set).unwrap();
//! let theirs = Jwt::jwks_file(&keys)?
//!     .issuer("https://login.example.com/")
//!     .audience("https://api.example.com")
//!     .roles_claim("/realm_access/roles");
//! # std::fs::remove_file(&keys).unwrap();
//! # let _ = (server, theirs);
//! # Ok(())
//! # }
//! ```
//!
//! # What is checked
//!
//! In this order; the first fault refuses the token, and goes to the log without any part of the token but names:
//!
//! 1. at most 16 KiB; three parts; a header that says each thing once, asks for no extension (`crit`), and names an
//!    algorithm that is known. There is no `none`, however it is spelt.
//! 2. the signature, by a key that was given *for this algorithm*. A public key is never used as a shared secret, and
//!    keys that the token itself brings along (`jwk`, `jku`, `x5c`, `x5u`) are never looked at. Where a token names its
//!    key (`kid`), named keys of other names are not tried.
//! 3. that no claim is made twice; the issuer and the audience; `nbf` and `exp`, with a leeway of 60 s; the user.
//!
//! A token whose only fault is its age is [`AuthError::Expired`], and everything else
//! [`AuthError::Invalid`].
//!
//! Signatures of a shared secret are checked in some microseconds, those of RSA, elliptic curves and Ed25519 in some tens
//! to hundreds. That is done where a client authenticates, at its handshake or in band, and never on the way of a call.
//!
//! # Making tokens
//!
//! Nothing here makes tokens. A server of its own users does it with a crate such as `jsonwebtoken`, by the same secret
//! and algorithm ([`Algorithm::HS256`] for [`Jwt::secret`]), and with the claims that are checked: `sub`, `exp`, and `iss` and
//! `aud` where they are asked for. `exp` is in seconds since 1970. `examples/tasks/src/accounts/tokens.rs` does.
//!
//! # Changing keys
//!
//! [`Jwt::jwks_file`] and [`Jwt::pem_file`] look at their file again: when a token is checked and the last look is 5 s
//! ago, and when no key fits a token and the last look is 1 s ago. Reading is done on a thread for blocking work. While a file is missing,
//! broken or empty of keys, those from before stay, and the log says what to do. [`Jwt::rotate`] gives keys by hand.
//!
//! To change keys without refusing anyone, give the new key beside the old one, then sign with it, and take the old one away
//! when its last token has expired. A key that is taken away refuses tokens from then on; who is connected by one stays until it
//! expires, or is disconnected by hand.

mod algorithm;
mod claims;
mod error;
mod file;
mod jwks;
mod keys;
mod pem;
mod token;

use std::{
    any::type_name,
    fmt,
    marker::PhantomData,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde::de::DeserializeOwned;

pub use algorithm::Algorithm;
pub use claims::Claims;
use claims::Rules;
pub use error::KeyError;
use error::TokenFault;
use file::{Format, Source};
pub use keys::Keys;
use token::Unverified;

use super::{Attempt, AuthError, Authenticator, Identity};

/// An authenticator for JSON Web Tokens, which come with the scheme `bearer`. See the [module](self) for what is checked.
///
/// The claims of a token are found in its [`Identity`], as `T`: [`Claims`], or a type of your own.
///
/// Cloning is cheap; clones share their keys.
pub struct Jwt<T = Claims> {
    source: Arc<Source>,
    rules: Rules,
    cookie: bool,
    clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    claims: PhantomData<fn() -> T>,
}

impl Jwt {
    /// Accepts tokens that one of these keys has signed.
    pub fn new(keys: Keys) -> Self {
        Self::of(Source::given(keys))
    }

    /// Accepts tokens that are signed with a shared secret, by [`Algorithm::HS256`]. Whoever has it can make tokens.
    ///
    /// # Errors
    ///
    /// When it has less than 32 bytes: [`KeyError::ShortSecret`].
    pub fn secret(secret: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        Ok(Self::new(Keys::secret(secret)?))
    }

    /// Accepts tokens that are signed with the private key of a public key in PEM; see [`Keys::pem`].
    ///
    /// # Errors
    ///
    /// See [`Keys::pem`].
    pub fn pem(pem: impl AsRef<[u8]>, algorithm: Algorithm) -> Result<Self, KeyError> {
        Ok(Self::new(Keys::pem(pem, algorithm)?))
    }

    /// The same from a file, which is read now, on this thread, and again when it has changed.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is longer than 1 MiB, or has no key that can be used.
    pub fn pem_file(path: impl AsRef<Path>, algorithm: Algorithm) -> Result<Self, KeyError> {
        let path = path.as_ref().to_owned();
        Ok(Self::of(Source::file(path, Format::Pem(algorithm))?))
    }

    /// Accepts tokens that are signed with a key of a JSON Web Key Set; see [`Keys::jwks`].
    ///
    /// # Errors
    ///
    /// See [`Keys::jwks`].
    pub fn jwks(json: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        Ok(Self::new(Keys::jwks(json)?))
    }

    /// The same from a file, which is read now, on this thread, and again when it has changed.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is longer than 1 MiB, or has no key that can be used.
    pub fn jwks_file(path: impl AsRef<Path>) -> Result<Self, KeyError> {
        Ok(Self::of(Source::file(path.as_ref().to_owned(), Format::Jwks)?))
    }

    fn of(source: Source) -> Self {
        Self {
            source: Arc::new(source),
            rules: Rules::default(),
            cookie: false,
            clock: Arc::new(SystemTime::now),
            claims: PhantomData,
        }
    }
}

impl<T> Jwt<T> {
    /// Refuses tokens whose `iss` is not this. May be called again, for more that are accepted. Without, anyone who can
    /// sign with the keys is an issuer.
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.rules.issuers.push(issuer.into());
        self
    }

    /// Refuses tokens whose `aud` is not this and has not this among others. May be called again, for more that are
    /// accepted. Without, tokens that have the claim are refused, because they are for somebody else.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.rules.audiences.push(audience.into());
        self
    }

    /// Accepts tokens whomever they are for. A token that another service was given is then good here too.
    #[must_use]
    pub fn any_audience(mut self) -> Self {
        self.rules.any_audience = true;
        self
    }

    /// The claim that has the user's id, `sub` without: text that is not empty, or a whole number, which becomes its
    /// decimal digits. One that begins with `/` is a JSON pointer, such as `/user/id`.
    #[must_use]
    pub fn user_claim(mut self, name: impl Into<String>) -> Self {
        self.rules.user_claim = name.into();
        self
    }

    /// The claim that has the user's roles: one text, which is one role, or a list of them. `scope` and `scp` are split at
    /// spaces, as OAuth writes them. One that begins with `/` is a JSON pointer, such as `/realm_access/roles`. A token
    /// without the claim gives no roles; without this, none does.
    #[must_use]
    pub fn roles_claim(mut self, name: impl Into<String>) -> Self {
        self.rules.roles_claim = Some(name.into());
        self
    }

    /// How far this server's clock and the issuer's may be apart: so long a token is accepted before `nbf` and after `exp`.
    /// 60 s without. The identity ends at `exp` all the same; only that of a token that is shown after its `exp` ends with
    /// the leeway.
    #[must_use]
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.rules.leeway = leeway;
        self
    }

    /// Accepts tokens without `exp`, which are good until their key is taken away.
    #[must_use]
    pub fn allow_missing_expiry(mut self) -> Self {
        self.rules.expiry_required = false;
        self
    }

    /// Accepts tokens from cookies too; see [`Endpoint::auth_cookie`](crate::Endpoint::auth_cookie).
    #[must_use]
    pub fn cookie(mut self) -> Self {
        self.cookie = true;
        self
    }

    /// Puts the claims into the identity as a type of your own. A token whose claims do not fit into it is refused.
    ///
    /// ```
    /// use rpc_runtime::auth::jwt::Jwt;
    ///
    /// #[derive(Clone, serde::Deserialize)]
    /// struct Account {
    ///     email: String,
    ///     #[serde(default)]
    ///     plan: Option<String>,
    /// }
    ///
    /// # fn handler(cx: &rpc_runtime::Context) -> Option<&str> {
    /// // In a handler:
    /// let email = &cx.identity()?.get::<Account>()?.email;
    /// # Some(email)
    /// # }
    /// let jwt = Jwt::secret([7; 32])?.claims::<Account>();
    /// # Ok::<(), rpc_runtime::auth::jwt::KeyError>(())
    /// ```
    #[must_use]
    pub fn claims<C>(self) -> Jwt<C>
    where
        C: DeserializeOwned + Clone + Send + Sync + 'static,
    {
        Jwt {
            source: self.source,
            rules: self.rules,
            cookie: self.cookie,
            clock: self.clock,
            claims: PhantomData,
        }
    }

    /// Takes the time from elsewhere than the system's clock, for tests.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// From now on, accepts tokens of these keys and no others, also in all clones. Where keys come from a file, it holds until
    /// the file changes.
    pub fn rotate(&self, keys: Keys) {
        self.source.replace(keys);
    }
}

impl<T> Jwt<T>
where
    T: DeserializeOwned + Clone + Send + Sync + 'static,
{
    /// Whom a token identifies, by the same rules as for clients that connect: for HTTP beside the server, and tests.
    ///
    /// Nothing is lost when the future is dropped.
    ///
    /// # Errors
    ///
    /// [`AuthError::Expired`] and [`AuthError::Invalid`].
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, where keys come from a file.
    pub async fn identify(&self, token: impl AsRef<[u8]> + Send) -> Result<Identity, AuthError> {
        let token = Unverified::parse(token.as_ref()).map_err(AuthError::invalid)?;
        let keys = self.source.keys().await;
        let verified = match token.verify(&keys) {
            Err(fault) => match self.source.other_than(&keys).await {
                Some(newer) => token.verify(&newer),
                None => Err(fault),
            },
            verified => verified,
        };
        let verified = verified.map_err(AuthError::invalid)?;
        let identity = self.rules.identify(&verified.claims, (self.clock)())?;
        // The parser's own words have values of claims in them.
        let claims = serde_json::from_slice::<T>(&verified.json).map_err(|error| {
            AuthError::invalid(TokenFault::Claims {
                ty: type_name::<T>(),
                column: error.column(),
            })
        })?;
        Ok(identity.with(claims))
    }
}

impl<T> Authenticator for Jwt<T>
where
    T: DeserializeOwned + Clone + Send + Sync + 'static,
{
    async fn authenticate(&self, attempt: &Attempt<'_>) -> Result<Identity, AuthError> {
        let credential = attempt.credential();
        match credential.scheme() {
            "bearer" => {}
            "cookie" if self.cookie => {}
            _ => return Err(AuthError::UnknownScheme),
        }
        self.identify(credential.secret()).await
    }
}

impl<T> Clone for Jwt<T> {
    fn clone(&self) -> Self {
        Self {
            source: self.source.clone(),
            rules: self.rules.clone(),
            cookie: self.cookie,
            clock: self.clock.clone(),
            claims: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Jwt<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwt")
            .field("source", &self.source)
            .field("rules", &self.rules)
            .field("cookie", &self.cookie)
            .finish_non_exhaustive()
    }
}
