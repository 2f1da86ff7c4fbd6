//! Public keys in PEM.

use jsonwebtoken::DecodingKey;

use super::{Algorithm, KeyError, algorithm::Family, keys::Key};

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";

/// The keys of a text, in its order. What stands around blocks is skipped (RFC 7468 §2).
pub(super) fn parse(text: &[u8], algorithm: Algorithm) -> Result<Vec<Key>, KeyError> {
    if algorithm.family() == Family::Hmac {
        return Err(KeyError::key(
            algorithm,
            "is a shared secret and no PEM: use `Keys::secret`, or another algorithm",
        ));
    }
    let text = std::str::from_utf8(text).map_err(|_| broken("is not text"))?;
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(BEGIN) {
        let block = &rest[start..];
        let (label, _) = block[BEGIN.len()..]
            .split_once(DASHES)
            .ok_or_else(|| broken("has a first line that does not end"))?;
        let end = format!("-----END {label}-----");
        let length = block.find(&end).ok_or_else(|| broken("ends inside of a block"))? + end.len();
        check_label(label)?;
        keys.push(key(&block.as_bytes()[..length], algorithm)?);
        rest = &block[length..];
    }
    if keys.is_empty() {
        return Err(broken("has no block `-----BEGIN PUBLIC KEY-----`"));
    }
    Ok(keys)
}

fn check_label(label: &str) -> Result<(), KeyError> {
    match label {
        "PUBLIC KEY" | "RSA PUBLIC KEY" => Ok(()),
        private if private.ends_with("PRIVATE KEY") => Err(broken(
            "is a private key, which only whoever signs should have; give its public key: \
             `openssl pkey -in private.pem -pubout`",
        )),
        "CERTIFICATE" => Err(broken(
            "is a certificate, whose dates and names would not be checked; give its public key: \
             `openssl x509 -in certificate.pem -pubkey -noout`",
        )),
        _ => Err(broken(
            "has a block that is neither `PUBLIC KEY` nor `RSA PUBLIC KEY`",
        )),
    }
}

fn key(block: &[u8], algorithm: Algorithm) -> Result<Key, KeyError> {
    let (key, kind) = match algorithm.family() {
        Family::Rsa | Family::Hmac => (DecodingKey::from_rsa_pem(block), "RSA"),
        Family::Ec => (DecodingKey::from_ec_pem(block), "elliptic curve"),
        Family::Ed => (DecodingKey::from_ed_pem(block), "Ed25519"),
    };
    let key = key.map_err(|_| {
        KeyError::key(
            algorithm,
            format!("must be an {kind} public key, and this PEM is none"),
        )
    })?;
    Key::new(key, algorithm, None)
}

fn broken(what: &str) -> KeyError {
    KeyError::Text(format!("the PEM {what}"))
}
