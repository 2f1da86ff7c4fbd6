//! Keys that check signatures: each with one algorithm, found strong enough before it is used.

use std::{fmt, sync::Arc};

use jsonwebtoken::{DecodingKey, DecodingKeyKind, crypto::rust_crypto::DEFAULT_PROVIDER};

use super::{
    Algorithm, KeyError,
    algorithm::Family,
    error::{Shown, TokenFault},
    jwks, pem,
    token::Unverified,
};

/// How many keys are kept. A token that names no key is tried on those without a name, one after the other.
const MOST_KEYS: usize = 64;

/// How many keys without a name are kept, which all have to be tried.
const MOST_UNNAMED: usize = 8;

/// RSA below this is not acceptable (RFC 7518 §3.3); above, checking takes a client's choice of time.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// The keys that tokens may be signed with. Cloning is cheap.
///
/// One set may have keys of several kinds; each is used with its own algorithm alone.
///
/// ```
/// use rpc_runtime::auth::jwt::{Jwt, Keys};
///
/// // While secrets are changed, tokens of the old one are accepted too.
/// let (new, old) = ([1; 32], [2; 32]);
/// let keys = Keys::secret(new)?.and(Keys::secret(old)?)?;
/// let jwt = Jwt::new(keys);
/// # Ok::<(), rpc_runtime::auth::jwt::KeyError>(())
/// ```
#[derive(Clone)]
pub struct Keys(Arc<[Arc<Key>]>);

impl Keys {
    /// A shared secret, for [`Algorithm::HS256`].
    ///
    /// # Errors
    ///
    /// When it has less than 32 bytes: [`KeyError::ShortSecret`].
    pub fn secret(secret: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        let secret = secret.as_ref();
        let key = Key::secret(secret, Algorithm::HS256, None)?;
        Self::of(vec![key])
    }

    /// Public keys in PEM (`BEGIN PUBLIC KEY`, or `BEGIN RSA PUBLIC KEY`), one or more, all for one algorithm. They have
    /// no names: a token's `kid` is not looked at, and each is tried.
    ///
    /// # Errors
    ///
    /// When one cannot be used with this algorithm, and when it is a private key or a certificate: both would say more
    /// than is checked.
    pub fn pem(pem: impl AsRef<[u8]>, algorithm: Algorithm) -> Result<Self, KeyError> {
        Self::of(pem::parse(pem.as_ref(), algorithm)?)
    }

    /// A JSON Web Key Set (RFC 7517). Of each key, `alg` says the algorithm. Where it is missing it is ES256 or ES384 by the
    /// curve, EdDSA for Ed25519, RS256 for RSA, and HS256 for secrets.
    ///
    /// Keys that are not for checking signatures, and of kinds that are not known, are left out, as RFC 7517 §5 asks; broken
    /// ones too, which is logged. Of a private key the public part is used.
    ///
    /// # Errors
    ///
    /// When it is no key set, or no key is left.
    pub fn jwks(json: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        Self::of(jwks::parse(json.as_ref())?)
    }

    /// These keys and others.
    ///
    /// # Errors
    ///
    /// When there are too many: more than 64, or more than 8 without a name.
    pub fn and(self, others: Keys) -> Result<Self, KeyError> {
        Self::of_shared(self.0.iter().chain(others.0.iter()).cloned().collect())
    }

    fn of(keys: Vec<Key>) -> Result<Self, KeyError> {
        Self::of_shared(keys.into_iter().map(Arc::new).collect())
    }

    fn of_shared(keys: Vec<Arc<Key>>) -> Result<Self, KeyError> {
        let unnamed = keys.iter().filter(|key| key.kid.is_none()).count();
        for (keys, most) in [(keys.len(), MOST_KEYS), (unnamed, MOST_UNNAMED)] {
            if keys > most {
                return Err(KeyError::TooManyKeys { keys, most });
            }
        }
        Ok(Self(keys.into()))
    }

    /// Whether one of the keys has signed the token.
    pub(super) fn verify(&self, token: &Unverified<'_>) -> Result<(), TokenFault> {
        let fitting = self.0.iter().filter(|key| key.algorithm == token.algorithm);
        let (named, mut candidates): (Vec<_>, Vec<_>) = fitting.partition(|key| key.kid.is_some());
        match &token.kid {
            Some(kid) => candidates.extend(named.into_iter().filter(|key| key.kid.as_deref() == Some(kid))),
            // A key that has a name is not guessed, unless there is no other.
            None if named.len() <= 1 => candidates.extend(named),
            None if candidates.is_empty() => {
                return Err(TokenFault::AmbiguousKey(named.len(), token.algorithm));
            }
            None => {}
        }
        if candidates.is_empty() {
            return Err(match &token.kid {
                Some(kid) => TokenFault::UnknownKey {
                    algorithm: token.algorithm,
                    kid: Shown::new(kid),
                },
                None => TokenFault::NoKey(token.algorithm),
            });
        }
        if candidates.into_iter().any(|key| key.verify(token)) {
            Ok(())
        } else {
            Err(TokenFault::Signature)
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |key: &Arc<Key>| (key.algorithm, key.kid.clone());
        f.debug_list().entries(self.0.iter().map(shown)).finish()
    }
}

/// One key.
pub(super) struct Key {
    kid: Option<Box<str>>,
    /// The only algorithm that the key is used with.
    algorithm: Algorithm,
    key: DecodingKey,
}

impl Key {
    pub(super) fn secret(secret: &[u8], algorithm: Algorithm, kid: Option<&str>) -> Result<Self, KeyError> {
        let least = algorithm.least_secret();
        if secret.len() < least {
            return Err(KeyError::ShortSecret {
                algorithm,
                bytes: secret.len(),
                least,
            });
        }
        Self::new(DecodingKey::from_secret(secret), algorithm, kid)
    }

    /// Takes a key whose parts were read, and sees that it can check something: what the library notices only when a token is
    /// checked would refuse all of them.
    pub(super) fn new(key: DecodingKey, algorithm: Algorithm, kid: Option<&str>) -> Result<Self, KeyError> {
        let problem = match algorithm.family() {
            Family::Hmac => None,
            Family::Rsa => rsa_problem(&key),
            // The library takes the first 32 bytes, and panics where there are fewer.
            Family::Ed => (key.try_get_as_bytes().map_or(0, <[u8]>::len) != 32)
                .then(|| "is not an Ed25519 public key of 32 bytes".to_owned()),
            Family::Ec => None,
        };
        if let Some(problem) = problem {
            return Err(KeyError::key(algorithm, problem));
        }
        if (DEFAULT_PROVIDER.verifier_factory)(&algorithm.of_jsonwebtoken(), &key).is_err() {
            let problem = match algorithm.family() {
                Family::Ec => "is not a point of its curve: ES256 takes P-256, and ES384 takes P-384",
                _ => "cannot be used",
            };
            return Err(KeyError::key(algorithm, problem));
        }
        Ok(Self {
            kid: kid.map(Into::into),
            algorithm,
            key,
        })
    }

    fn verify(&self, token: &Unverified<'_>) -> bool {
        // Named, and not the process's default, which panics where a program has chosen two implementations.
        (DEFAULT_PROVIDER.verifier_factory)(&self.algorithm.of_jsonwebtoken(), &self.key)
            .is_ok_and(|verifier| verifier.verify(token.signed, &token.signature).is_ok())
    }
}

/// What is wrong with an RSA key.
fn rsa_problem(key: &DecodingKey) -> Option<String> {
    let components = match key.kind() {
        DecodingKeyKind::RsaModulusExponent { n, e } => Ok((n.clone(), e.clone())),
        DecodingKeyKind::SecretOrDer(der) => {
            (DEFAULT_PROVIDER.key_utils.rsa_pub_components_from_public_key)(der)
        }
    };
    let Ok((n, e)) = components else {
        return Some("is not an RSA public key".to_owned());
    };
    let n = &n[n.iter().take_while(|byte| **byte == 0).count()..];
    let bits = n
        .first()
        .map_or(0, |first| n.len() * 8 - first.leading_zeros() as usize);
    if !RSA_BITS.contains(&bits) {
        return Some(format!(
            "has {bits} bits, and must have {} to {}",
            RSA_BITS.start(),
            RSA_BITS.end()
        ));
    }
    let odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
    let e = &e[e.iter().take_while(|byte| **byte == 0).count()..];
    // What the library takes; 1 would accept any signature that is the padded hash itself.
    if !odd(n) || !odd(e) || e == [1] || e.len() > 4 {
        return Some("has a modulus or an exponent that no RSA key has".to_owned());
    }
    None
}
