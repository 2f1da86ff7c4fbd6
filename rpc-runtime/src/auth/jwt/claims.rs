//! What is asked of the claims of a token whose signature is right, and the identity that they make.
//!
//! The rules are checked here and not by the library, which reads the wall clock itself, takes `nbf` only where told so, and
//! has skipped claims of the wrong type. Here a claim that is looked at is right or the token is refused.

use std::{
    ops::Deref,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::{Shown, TokenFault};
use crate::auth::{AuthError, Identity};

/// The last second of the year 9999: RFC 3339 ends there, and milliseconds taken for seconds lie beyond.
const LAST_SECOND: u64 = 253_402_300_799;

/// The claims of a token, by name, in [`Identity::get`]. They are `serde_json` values; types of your own are put in their
/// place by [`Jwt::claims`](super::Jwt::claims).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Claims(Map<String, Value>);

impl Deref for Claims {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Map<String, Value> {
        &self.0
    }
}

/// The rules.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) issuers: Vec<String>,
    pub(super) audiences: Vec<String>,
    pub(super) any_audience: bool,
    pub(super) user_claim: String,
    pub(super) roles_claim: Option<String>,
    pub(super) leeway: Duration,
    pub(super) expiry_required: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            issuers: Vec::new(),
            audiences: Vec::new(),
            any_audience: false,
            user_claim: "sub".to_owned(),
            roles_claim: None,
            leeway: Duration::from_secs(60),
            expiry_required: true,
        }
    }
}

impl Rules {
    /// The identity that claims make. Only a token that is right in everything else has expired: who shows another's is not
    /// told to come back with a newer one.
    pub(super) fn identify(
        &self,
        claims: &Map<String, Value>,
        now: SystemTime,
    ) -> Result<Identity, AuthError> {
        let (identity, expires) = self.check(claims, now).map_err(AuthError::invalid)?;
        let Some(expires) = expires else {
            return Ok(identity);
        };
        let late = expires.saturating_add(self.leeway);
        let now = since_epoch(now);
        if now >= late {
            return Err(AuthError::Expired);
        }
        // An identity that has ended already would let nobody in, and the leeway be none.
        let ends = if now < expires { expires } else { late };
        match UNIX_EPOCH.checked_add(ends) {
            Some(ends) => Ok(identity.expires_at(ends)),
            None => Ok(identity),
        }
    }

    fn check(
        &self,
        claims: &Map<String, Value>,
        now: SystemTime,
    ) -> Result<(Identity, Option<Duration>), TokenFault> {
        self.check_issuer(claims)?;
        self.check_audience(claims)?;
        if let Some(begins) = time(claims, "nbf")? {
            let now = since_epoch(now).saturating_add(self.leeway);
            if now < begins {
                return Err(TokenFault::NotYet((begins - now).as_secs().saturating_add(1)));
            }
        }
        let expires = time(claims, "exp")?;
        if expires.is_none() && self.expiry_required {
            return Err(TokenFault::Missing("exp".to_owned()));
        }
        let mut identity = Identity::new(self.user(claims)?);
        for role in self.roles(claims)? {
            identity = identity.with_role(role);
        }
        Ok((identity, expires))
    }

    fn check_issuer(&self, claims: &Map<String, Value>) -> Result<(), TokenFault> {
        if self.issuers.is_empty() {
            return Ok(());
        }
        match claims.get("iss") {
            None => Err(TokenFault::Missing("iss".to_owned())),
            Some(Value::String(issuer)) if self.issuers.contains(issuer) => Ok(()),
            Some(Value::String(issuer)) => Err(TokenFault::Issuer(Shown::new(issuer))),
            Some(_) => Err(wrong("iss", "text")),
        }
    }

    fn check_audience(&self, claims: &Map<String, Value>) -> Result<(), TokenFault> {
        const EXPECTED: &str = "text or a list of texts";
        if self.any_audience {
            return Ok(());
        }
        let named = match claims.get("aud") {
            None if self.audiences.is_empty() => return Ok(()),
            None => return Err(TokenFault::Missing("aud".to_owned())),
            // RFC 7519 §4.1.3: who does not know itself in the claim must refuse.
            Some(_) if self.audiences.is_empty() => return Err(TokenFault::AudienceUnexpected),
            Some(value) => texts(value).ok_or_else(|| wrong("aud", EXPECTED))?,
        };
        let ours = |name: &&str| self.audiences.iter().any(|audience| audience == name);
        if named.iter().any(ours) {
            Ok(())
        } else {
            Err(TokenFault::Audience)
        }
    }

    fn user(&self, claims: &Map<String, Value>) -> Result<String, TokenFault> {
        const EXPECTED: &str = "text that is not empty, or a whole number";
        match find(claims, &self.user_claim) {
            None => Err(TokenFault::Missing(self.user_claim.clone())),
            Some(Value::String(user)) if !user.is_empty() => Ok(user.clone()),
            Some(Value::Number(user)) if user.is_u64() || user.is_i64() => Ok(user.to_string()),
            Some(_) => Err(wrong(&self.user_claim, EXPECTED)),
        }
    }

    fn roles<'c>(&self, claims: &'c Map<String, Value>) -> Result<Vec<&'c str>, TokenFault> {
        let Some(name) = &self.roles_claim else {
            return Ok(Vec::new());
        };
        match find(claims, name) {
            None => Ok(Vec::new()),
            // RFC 8693 §4.2: a list with spaces between. Other claims that are one text are one role: it may have spaces in it.
            Some(Value::String(scopes)) if name == "scope" || name == "scp" => {
                Ok(scopes.split(' ').filter(|scope| !scope.is_empty()).collect())
            }
            Some(value) => texts(value).ok_or_else(|| wrong(name, "text or a list of texts")),
        }
    }
}

/// A claim by its name, or by a JSON pointer (RFC 6901) where it begins with a slash.
fn find<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c Value> {
    let Some(pointer) = name.strip_prefix('/') else {
        return claims.get(name);
    };
    let (first, rest) = pointer.split_at(pointer.find('/').unwrap_or(pointer.len()));
    claims
        .get(&first.replace("~1", "/").replace("~0", "~"))?
        .pointer(rest)
}

/// One text, or all of a list.
fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) => Some(vec![text]),
        Value::Array(list) => list.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

/// A claim that says a time, since the epoch.
fn time(claims: &Map<String, Value>, name: &'static str) -> Result<Option<Duration>, TokenFault> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let Value::Number(number) = value else {
        return Err(wrong(name, "a number of seconds"));
    };
    let time = match number.as_u64() {
        Some(seconds) => Some(Duration::from_secs(seconds)),
        None => number
            .as_f64()
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
    };
    match time {
        Some(time) if time.as_secs() <= LAST_SECOND => Ok(Some(time)),
        _ => Err(TokenFault::NoTime(name)),
    }
}

/// A clock before the epoch counts as the epoch.
fn since_epoch(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn wrong(claim: &str, expected: &'static str) -> TokenFault {
    TokenFault::WrongType {
        claim: claim.to_owned(),
        expected,
    }
}
