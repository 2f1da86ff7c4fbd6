//! A token's three parts: split, decoded, and nothing in them believed before the signature is checked.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Value};

use super::{
    Algorithm,
    error::{Shown, TokenFault},
    keys::Keys,
};

/// The longest token that is looked at, in bytes. Those of identity providers, with their groups in them, exceed 4 KiB; a
/// longer one than this does not fit into what a client may send before it is known.
pub(super) const MOST_BYTES: usize = 16 << 10;

/// A token whose header was read. Of the header, `alg`, `kid` and `crit` are looked at: keys that a token brings along or
/// points to (`jwk`, `jku`, `x5c`, `x5u`) are whoever's who wrote it.
pub(super) struct Unverified<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
    /// What the signature is of: header and claims as they came.
    pub(super) signed: &'a [u8],
    pub(super) signature: Vec<u8>,
    claims: &'a [u8],
}

impl<'a> Unverified<'a> {
    pub(super) fn parse(token: &'a [u8]) -> Result<Self, TokenFault> {
        if token.len() > MOST_BYTES {
            return Err(TokenFault::TooLong {
                bytes: token.len(),
                most: MOST_BYTES,
            });
        }
        let mut parts = token.split(|byte| *byte == b'.');
        let (header, claims, signature) = match (parts.next(), parts.next(), parts.next(), parts.count()) {
            (Some(header), Some(claims), Some(signature), 0) => (header, claims, signature),
            (_, _, Some(_), 2) => return Err(TokenFault::Malformed("is encrypted (JWE), and not signed")),
            _ => return Err(TokenFault::Malformed("is not three parts with dots between them")),
        };
        let bytes = decode(header, "has a header that is not base64url")?;
        let header_fields = Object::parse(&bytes, "has a header that is no JSON object")?;
        if header_fields.twice {
            return Err(TokenFault::Malformed("says something twice in its header"));
        }
        let header_fields = header_fields.members;
        if header_fields.contains_key("crit") {
            return Err(TokenFault::Critical);
        }
        let Some(Value::String(said)) = header_fields.get("alg") else {
            return Err(TokenFault::Malformed(
                "does not say by which algorithm it is signed",
            ));
        };
        let algorithm = Algorithm::from_name(said).ok_or_else(|| TokenFault::Algorithm(Shown::new(said)))?;
        let kid = match header_fields.get("kid") {
            None => None,
            Some(Value::String(kid)) => Some(kid.clone()),
            Some(_) => return Err(TokenFault::Malformed("names a key by something that is no text")),
        };
        Ok(Self {
            algorithm,
            kid,
            signed: &token[..header.len() + 1 + claims.len()],
            signature: decode(signature, "has a signature that is not base64url")?,
            claims,
        })
    }

    /// The claims, once a key has been found to have signed them.
    pub(super) fn verify(&self, keys: &Keys) -> Result<Verified, TokenFault> {
        keys.verify(self)?;
        let json = decode(self.claims, "has claims that are not base64url")?;
        let object = Object::parse(&json, "has claims that are no JSON object")?;
        if object.twice {
            // RFC 7519 §4: other readers may take the other one.
            return Err(TokenFault::Malformed("makes a claim twice"));
        }
        Ok(Verified {
            claims: object.members,
            json,
        })
    }
}

/// What a key of ours has signed.
pub(super) struct Verified {
    pub(super) claims: Map<String, Value>,
    /// The same as text.
    pub(super) json: Vec<u8>,
}

fn decode(part: &[u8], problem: &'static str) -> Result<Vec<u8>, TokenFault> {
    BASE64URL_NOPAD
        .decode(part)
        .map_err(|_| TokenFault::Malformed(problem))
}

/// A JSON object, and whether it has a member twice, of which a plain map would keep the last.
struct Object {
    members: Map<String, Value>,
    twice: bool,
}

impl Object {
    fn parse(json: &[u8], problem: &'static str) -> Result<Self, TokenFault> {
        serde_json::from_slice(json).map_err(|_| TokenFault::Malformed(problem))
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut object = Object {
                    members: Map::new(),
                    twice: false,
                };
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    object.twice |= object.members.insert(name, value).is_some();
                }
                Ok(object)
            }
        }

        deserializer.deserialize_map(Members)
    }
}
