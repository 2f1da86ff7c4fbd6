//! Whoever signs tokens, honestly or not.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm as Signed, EncodingKey, crypto};
use rpc_runtime::auth::{
    AuthError, Identity,
    jwt::{Algorithm, Jwt},
};
use serde_json::{Value, json};

pub(crate) const SECRET: [u8; 32] = *b"a secret of this test, 32 bytes.";

/// The time at which these tests play, in seconds since the epoch.
pub(crate) const NOW: u64 = 1_800_000_000;

pub(crate) fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// An authenticator whose clock stands.
pub(crate) fn still<T>(jwt: Jwt<T>) -> Jwt<T> {
    jwt.clock(|| at(NOW))
}

/// The one that most tests use.
pub(crate) fn shared_secret() -> Jwt {
    still(Jwt::secret(SECRET).unwrap())
}

/// Claims that are right.
pub(crate) fn ali() -> Value {
    json!({ "sub": "ali", "exp": NOW + 600 })
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64URL_NOPAD.encode(bytes.as_ref())
}

/// A token whose header and claims are these, signed as the key says.
pub(crate) fn sign(header: &Value, claims: &Value, key: &EncodingKey, algorithm: Signed) -> String {
    sign_text(&header.to_string(), &claims.to_string(), key, algorithm)
}

/// The same of texts, which need not be JSON.
pub(crate) fn sign_text(header: &str, claims: &str, key: &EncodingKey, algorithm: Signed) -> String {
    let signed = format!("{}.{}", encode(header), encode(claims));
    let signature = crypto::sign(signed.as_bytes(), key, algorithm).unwrap();
    format!("{signed}.{signature}")
}

/// A token of the shared secret.
pub(crate) fn token(claims: &Value) -> String {
    let key = EncodingKey::from_secret(&SECRET);
    sign(
        &json!({ "alg": "HS256", "typ": "JWT" }),
        claims,
        &key,
        Signed::HS256,
    )
}

/// A key pair of `keys/`, and an algorithm that it signs with.
pub(crate) struct Pair {
    pub(crate) algorithm: Algorithm,
    pub(crate) signed: Signed,
    pub(crate) private: EncodingKey,
    pub(crate) public: &'static str,
}

macro_rules! pair {
    ($algorithm:ident, $name:literal, $read:ident) => {
        Pair {
            algorithm: Algorithm::$algorithm,
            signed: Signed::$algorithm,
            private: EncodingKey::$read(include_bytes!(concat!("keys/", $name, ".pem"))).unwrap(),
            public: include_str!(concat!("keys/", $name, ".pub.pem")),
        }
    };
}

pub(crate) fn rsa() -> Pair {
    pair!(RS256, "rsa", from_rsa_pem)
}

pub(crate) fn rsa_other() -> Pair {
    pair!(RS256, "rsa_other", from_rsa_pem)
}

pub(crate) fn p256() -> Pair {
    pair!(ES256, "p256", from_ec_pem)
}

pub(crate) fn ed25519() -> Pair {
    pair!(EdDSA, "ed25519", from_ed_pem)
}

/// One of every algorithm that has a public key.
pub(crate) fn pairs() -> Vec<Pair> {
    vec![
        rsa(),
        pair!(RS384, "rsa", from_rsa_pem),
        pair!(RS512, "rsa", from_rsa_pem),
        pair!(PS256, "rsa", from_rsa_pem),
        pair!(PS384, "rsa", from_rsa_pem),
        pair!(PS512, "rsa", from_rsa_pem),
        p256(),
        pair!(ES384, "p384", from_ec_pem),
        ed25519(),
    ]
}

impl Pair {
    pub(crate) fn token(&self, kid: Option<&str>, claims: &Value) -> String {
        let mut header = json!({ "alg": self.algorithm.name() });
        if let Some(kid) = kid {
            header["kid"] = kid.into();
        }
        sign(&header, claims, &self.private, self.signed)
    }

    /// The public key as an entry of a key set.
    pub(crate) fn jwk(&self, kid: Option<&str>) -> Value {
        let jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&self.private, self.signed).unwrap();
        let mut jwk = serde_json::to_value(jwk).unwrap();
        if let Some(kid) = kid {
            jwk["kid"] = kid.into();
        }
        jwk
    }
}

pub(crate) fn set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

/// What becomes of a token: the user, `expired`, or what the log says, of which no part is a part of the token.
pub(crate) async fn verdict<T>(jwt: &Jwt<T>, token: &str) -> Result<String, String>
where
    T: serde::de::DeserializeOwned + Clone + Send + Sync + 'static,
{
    match jwt.identify(token).await {
        Ok(identity) => Ok(identity.user().to_owned()),
        Err(AuthError::Expired) => Err("expired".to_owned()),
        Err(AuthError::Invalid(why)) => {
            let why = why.to_string();
            for part in token.split('.').filter(|part| part.len() > 8) {
                assert!(!why.contains(part), "the log has a part of the token: {why}");
            }
            Err(why)
        }
        Err(other) => panic!("{other:?}"),
    }
}

pub(crate) async fn identity(jwt: &Jwt, claims: &Value) -> Identity {
    jwt.identify(token(claims)).await.unwrap()
}
