//! JSON Web Key Sets (RFC 7517).

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value};

use super::{Algorithm, KeyError, algorithm::Family, keys::Key};

/// Why an entry is left out.
enum LeftOut {
    /// It is for something else.
    NotForUs(&'static str),
    Broken(String),
}

impl From<KeyError> for LeftOut {
    fn from(error: KeyError) -> Self {
        Self::Broken(error.to_string())
    }
}

/// The keys of a set that can check tokens.
pub(super) fn parse(json: &[u8]) -> Result<Vec<Key>, KeyError> {
    let no_set = || {
        KeyError::Text(
            "this is not a JSON Web Key Set: an object with a list `keys`, as an issuer's `jwks_uri` gives it".to_owned(),
        )
    };
    let set: Value = serde_json::from_slice(json).map_err(|_| no_set())?;
    let entries = set.get("keys").and_then(Value::as_array).ok_or_else(no_set)?;
    let mut keys = Vec::new();
    let mut first = None;
    for (index, entry) in entries.iter().enumerate() {
        let kid = entry.get("kid").and_then(Value::as_str);
        match key(entry, kid) {
            Ok(key) => keys.push(key),
            Err(LeftOut::NotForUs(why)) => {
                tracing::debug!(index, kid, why, "a key of the set is not for checking tokens");
                first.get_or_insert_with(|| format!(": the first {why}"));
            }
            Err(LeftOut::Broken(why)) => {
                tracing::warn!(
                    index,
                    kid,
                    why,
                    "a key of the set is left out: tokens signed with it are refused"
                );
                first.get_or_insert_with(|| format!(": {why}"));
            }
        }
    }
    if keys.is_empty() {
        return Err(KeyError::NoKeys {
            entries: entries.len(),
            first: first.unwrap_or_default(),
        });
    }
    Ok(keys)
}

fn key(entry: &Value, kid: Option<&str>) -> Result<Key, LeftOut> {
    let entry = entry
        .as_object()
        .ok_or_else(|| LeftOut::Broken("an entry is not an object".to_owned()))?;
    if entry.get("use").is_some_and(|r#use| r#use != "sig") {
        return Err(LeftOut::NotForUs("is not for signatures (`use`)"));
    }
    if let Some(operations) = entry.get("key_ops").and_then(Value::as_array)
        && !operations.iter().any(|operation| operation == "verify")
    {
        return Err(LeftOut::NotForUs("is not for verifying (`key_ops`)"));
    }
    let algorithm = algorithm(entry)?;
    let text = |name: &str| {
        entry
            .get(name)
            .and_then(Value::as_str)
            .ok_or_else(|| LeftOut::Broken(format!("a key for {algorithm} has no `{name}`")))
    };
    let encoded = || LeftOut::Broken(format!("a key for {algorithm} is not base64url without padding"));
    let key = match algorithm.family() {
        Family::Hmac => {
            let secret = BASE64URL_NOPAD
                .decode(text("k")?.as_bytes())
                .map_err(|_| encoded())?;
            return Ok(Key::secret(&secret, algorithm, kid)?);
        }
        Family::Rsa => DecodingKey::from_rsa_components(text("n")?, text("e")?).map_err(|_| encoded())?,
        Family::Ec => DecodingKey::from_ec_components(text("x")?, text("y")?).map_err(|_| encoded())?,
        Family::Ed => DecodingKey::from_ed_components(text("x")?).map_err(|_| encoded())?,
    };
    Ok(Key::new(key, algorithm, kid)?)
}

/// The algorithm of a key: its own word, as far as that fits its kind, or what its kind implies.
fn algorithm(entry: &Map<String, Value>) -> Result<Algorithm, LeftOut> {
    let member = |name: &str| entry.get(name).and_then(Value::as_str);
    let (family, implied) = match (member("kty"), member("crv")) {
        (Some("oct"), _) => (Family::Hmac, Algorithm::HS256),
        (Some("RSA"), _) => (Family::Rsa, Algorithm::RS256),
        (Some("EC"), Some("P-256")) => (Family::Ec, Algorithm::ES256),
        (Some("EC"), Some("P-384")) => (Family::Ec, Algorithm::ES384),
        (Some("OKP"), Some("Ed25519")) => (Family::Ed, Algorithm::EdDSA),
        _ => {
            return Err(LeftOut::NotForUs(
                "is of a kind or curve that is not known here (`kty`, `crv`)",
            ));
        }
    };
    match entry.get("alg") {
        None | Some(Value::Null) => Ok(implied),
        Some(alg) => {
            let said = alg.as_str().and_then(Algorithm::from_name);
            let said = said.ok_or(LeftOut::NotForUs(
                "is for an algorithm that is not known here (`alg`)",
            ))?;
            if said.family() != family || (family == Family::Ec && said != implied) {
                return Err(LeftOut::Broken(format!(
                    "a key says {said}, and is of another kind"
                )));
            }
            Ok(said)
        }
    }
}
