//! Signatures: by the right key, with the key's own algorithm, or refused.

use jsonwebtoken::{Algorithm as Signed, EncodingKey};
use rpc_runtime::auth::jwt::{Jwt, Keys};
use serde_json::json;

use crate::issuer::{
    SECRET, ali, ed25519, encode, p256, pairs, rsa, rsa_other, set, shared_secret, sign, still, token,
    verdict,
};

const NOT_OURS: &str = "the token's signature is not of a key that is accepted";

#[tokio::test]
async fn tokens_of_every_algorithm_are_accepted_by_pem_and_by_key_set() {
    assert_eq!(
        verdict(&shared_secret(), &token(&ali())).await,
        Ok("ali".to_owned())
    );
    for pair in pairs() {
        let token = pair.token(None, &ali());
        let by_pem = still(Jwt::pem(pair.public, pair.algorithm).unwrap());
        assert_eq!(
            verdict(&by_pem, &token).await,
            Ok("ali".to_owned()),
            "{}",
            pair.algorithm
        );
        let by_set = still(Jwt::jwks(set(&[pair.jwk(None)])).unwrap());
        assert_eq!(
            verdict(&by_set, &token).await,
            Ok("ali".to_owned()),
            "{}",
            pair.algorithm
        );
    }
}

#[tokio::test]
async fn secrets_of_key_sets_may_be_of_the_longer_algorithms() {
    for (name, signed, bytes) in [("HS384", Signed::HS384, 48), ("HS512", Signed::HS512, 64)] {
        let secret = vec![7; bytes];
        let entry = json!({ "kty": "oct", "alg": name, "k": encode(&secret) });
        let jwt = still(Jwt::jwks(set(&[entry])).unwrap());
        let key = EncodingKey::from_secret(&secret);
        let token = sign(&json!({ "alg": name }), &ali(), &key, signed);
        assert_eq!(verdict(&jwt, &token).await, Ok("ali".to_owned()));
    }
}

#[tokio::test]
async fn a_signature_of_another_key_is_refused() {
    let jwt = still(Jwt::pem(rsa().public, rsa().algorithm).unwrap());
    let forged = rsa_other().token(None, &ali());
    assert_eq!(verdict(&jwt, &forged).await, Err(NOT_OURS.to_owned()));
    let key = EncodingKey::from_secret(b"another secret, also of 32 bytes");
    let forged = sign(&json!({ "alg": "HS256" }), &ali(), &key, Signed::HS256);
    assert_eq!(verdict(&shared_secret(), &forged).await, Err(NOT_OURS.to_owned()));
}

#[tokio::test]
async fn claims_that_were_changed_after_signing_are_refused() {
    let mut claims = ali();
    let honest = token(&claims);
    claims["sub"] = "eve".into();
    let parts: Vec<_> = honest.split('.').collect();
    let forged = format!("{}.{}.{}", parts[0], encode(claims.to_string()), parts[2]);
    assert_eq!(verdict(&shared_secret(), &forged).await, Err(NOT_OURS.to_owned()));
}

#[tokio::test]
async fn no_spelling_of_none_is_an_algorithm() {
    let pem = still(Jwt::pem(rsa().public, rsa().algorithm).unwrap());
    for spelling in [
        "none",
        "None",
        "NONE",
        "nOnE",
        "none ",
        " none",
        "",
        "null",
        "no\u{0}ne",
    ] {
        let header = encode(json!({ "alg": spelling, "typ": "JWT" }).to_string());
        let claims = encode(ali().to_string());
        for signature in [String::new(), encode("x"), honest_signature()] {
            let token = format!("{header}.{claims}.{signature}");
            for jwt in [&shared_secret(), &pem] {
                let why = verdict(jwt, &token).await.unwrap_err();
                assert!(why.ends_with("which is not accepted"), "{why}");
            }
        }
    }
    for header in [
        json!({}),
        json!({ "alg": null }),
        json!({ "alg": ["none"] }),
        json!({ "alg": 0 }),
    ] {
        let token = format!("{}.{}.", encode(header.to_string()), encode(ali().to_string()));
        let why = verdict(&shared_secret(), &token).await.unwrap_err();
        assert_eq!(why, "the token does not say by which algorithm it is signed");
    }
}

fn honest_signature() -> String {
    token(&ali()).rsplit('.').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_public_key_is_never_used_as_a_shared_secret() {
    let pair = rsa();
    let pem = still(Jwt::pem(pair.public, pair.algorithm).unwrap());
    let both = Keys::pem(pair.public, pair.algorithm).unwrap();
    let both = still(Jwt::new(both.and(Keys::secret(SECRET).unwrap()).unwrap()));
    let jwk = pair.jwk(None);
    let modulus = jwk["n"].as_str().unwrap();
    let shapes = [
        pair.public.as_bytes(),
        pair.public.trim_end().as_bytes(),
        modulus.as_bytes(),
    ];
    for secret in shapes {
        let key = EncodingKey::from_secret(secret);
        let forged = sign(&json!({ "alg": "HS256" }), &ali(), &key, Signed::HS256);
        let why = verdict(&pem, &forged).await.unwrap_err();
        assert_eq!(why, "there is no key for HS256, by which the token is signed");
        assert_eq!(verdict(&both, &forged).await, Err(NOT_OURS.to_owned()));
    }
}

#[tokio::test]
async fn a_key_is_used_with_its_own_algorithm_alone() {
    let pair = rsa();
    let jwt = still(Jwt::pem(pair.public, pair.algorithm).unwrap());
    for (name, signed) in [
        ("RS384", Signed::RS384),
        ("RS512", Signed::RS512),
        ("PS256", Signed::PS256),
    ] {
        let token = sign(&json!({ "alg": name }), &ali(), &pair.private, signed);
        let why = verdict(&jwt, &token).await.unwrap_err();
        assert_eq!(
            why,
            format!("there is no key for {name}, by which the token is signed")
        );
        // Nor where the header says what the key is for.
        let lie = sign(&json!({ "alg": "RS256" }), &ali(), &pair.private, signed);
        assert_eq!(verdict(&jwt, &lie).await, Err(NOT_OURS.to_owned()));
    }
}

#[tokio::test]
async fn keys_that_a_token_brings_along_or_points_to_are_not_looked_at() {
    let (ours, theirs) = (rsa(), rsa_other());
    let jwt = still(Jwt::jwks(set(&[ours.jwk(Some("a"))])).unwrap());
    let header = json!({
        "alg": "RS256",
        "kid": "a",
        "jwk": theirs.jwk(Some("a")),
        "jku": "http://127.0.0.1:1/keys",
        "x5u": "http://127.0.0.1:1/certificate",
        "x5c": ["MIIB"],
    });
    let forged = sign(&header, &ali(), &theirs.private, theirs.signed);
    assert_eq!(verdict(&jwt, &forged).await, Err(NOT_OURS.to_owned()));
    let honest = sign(&header, &ali(), &ours.private, ours.signed);
    assert_eq!(verdict(&jwt, &honest).await, Ok("ali".to_owned()));
}

#[tokio::test]
async fn a_token_that_names_its_key_is_checked_with_that_one_alone() {
    let (a, b) = (rsa(), rsa_other());
    let jwt = still(Jwt::jwks(set(&[a.jwk(Some("a")), b.jwk(Some("b"))])).unwrap());
    assert_eq!(
        verdict(&jwt, &a.token(Some("a"), &ali())).await,
        Ok("ali".to_owned())
    );
    assert_eq!(
        verdict(&jwt, &b.token(Some("b"), &ali())).await,
        Ok("ali".to_owned())
    );
    assert_eq!(
        verdict(&jwt, &b.token(Some("a"), &ali())).await,
        Err(NOT_OURS.to_owned())
    );
    let why = verdict(&jwt, &a.token(Some("c\n"), &ali())).await.unwrap_err();
    assert_eq!(
        why,
        "there is no key for RS256 with the id \"c\\n\" that the token names"
    );
    // Names are not paths, and not compared loosely.
    for kid in ["A", "a ", "../a", ""] {
        verdict(&jwt, &a.token(Some(kid), &ali())).await.unwrap_err();
    }
}

#[tokio::test]
async fn a_token_that_names_no_key_is_accepted_where_there_is_nothing_to_choose() {
    let (a, b, other) = (rsa(), rsa_other(), p256());
    let one = still(Jwt::jwks(set(&[a.jwk(Some("a")), other.jwk(Some("c"))])).unwrap());
    assert_eq!(verdict(&one, &a.token(None, &ali())).await, Ok("ali".to_owned()));
    let two = still(Jwt::jwks(set(&[a.jwk(Some("a")), b.jwk(Some("b"))])).unwrap());
    let why = verdict(&two, &a.token(None, &ali())).await.unwrap_err();
    assert_eq!(
        why,
        "the token names no key (`kid`), and 2 keys for RS256 have names"
    );
    // Keys without names are tried, whatever a token names.
    let unnamed = still(Jwt::jwks(set(&[a.jwk(None), b.jwk(None)])).unwrap());
    for kid in [None, Some("x")] {
        assert_eq!(
            verdict(&unnamed, &b.token(kid, &ali())).await,
            Ok("ali".to_owned())
        );
    }
}

#[tokio::test]
async fn ed25519_has_two_names() {
    let pair = ed25519();
    let mut jwk = pair.jwk(None);
    jwk["alg"] = "Ed25519".into();
    let jwt = still(Jwt::jwks(set(&[jwk])).unwrap());
    for name in ["EdDSA", "Ed25519"] {
        let token = sign(&json!({ "alg": name }), &ali(), &pair.private, pair.signed);
        assert_eq!(verdict(&jwt, &token).await, Ok("ali".to_owned()));
    }
}
