//! Bytes that are no token, or tokens that want to be read in two ways.

use jsonwebtoken::{Algorithm as Signed, EncodingKey};
use proptest::prelude::*;
use rpc_runtime::auth::jwt::Jwt;
use serde_json::json;

use crate::issuer::{SECRET, ali, encode, p256, rsa, shared_secret, sign, sign_text, still, token, verdict};

fn refused(why: &str) -> Result<String, String> {
    Err(why.to_owned())
}

#[tokio::test]
async fn a_token_that_was_cut_anywhere_is_refused() {
    let token = token(&ali());
    for length in 0..token.len() {
        verdict(&shared_secret(), &token[..length]).await.unwrap_err();
    }
}

#[tokio::test]
async fn a_token_over_16_kib_is_refused_before_it_is_read() {
    let mut claims = ali();
    claims["fill"] = "x".repeat(12_100).into();
    let fitting = token(&claims);
    assert!(
        fitting.len() <= 16 << 10 && fitting.len() > 16_000,
        "{}",
        fitting.len()
    );
    assert_eq!(verdict(&shared_secret(), &fitting).await, Ok("ali".to_owned()));
    claims["fill"] = "x".repeat(12_400).into();
    let longer = token(&claims);
    let why = format!(
        "the token has {} bytes, and at most 16384 are looked at",
        longer.len()
    );
    assert_eq!(verdict(&shared_secret(), &longer).await, Err(why));
    // Whatever it is.
    let why = "the token has 1000000 bytes, and at most 16384 are looked at";
    assert_eq!(
        verdict(&shared_secret(), &"\u{0}".repeat(1_000_000)).await,
        refused(why)
    );
}

#[tokio::test]
async fn a_token_has_three_parts() {
    let token = token(&ali());
    let three = "the token is not three parts with dots between them";
    for text in [
        "",
        ".",
        "a",
        "a.b",
        &format!("{token}."),
        &format!(".{token}"),
        ".....",
    ] {
        assert_eq!(verdict(&shared_secret(), text).await, refused(three), "{text}");
    }
    let encrypted = "the token is encrypted (JWE), and not signed";
    assert_eq!(verdict(&shared_secret(), "a.b.c.d.e").await, refused(encrypted));
}

#[tokio::test]
async fn parts_are_base64url_without_padding_in_their_one_spelling() {
    let token = token(&ali());
    let parts: Vec<_> = token.split('.').collect();
    let names = [
        "has a header that is not base64url",
        "",
        "has a signature that is not base64url",
    ];
    for part in [0, 2] {
        for spoiled in [
            format!("{}=", parts[part]),
            format!("{}+", parts[part]),
            format!(" {}", parts[part]),
        ] {
            let mut parts = parts.clone();
            parts[part] = &spoiled;
            let why = format!("the token {}", names[part]);
            assert_eq!(verdict(&shared_secret(), &parts.join(".")).await, Err(why));
        }
    }
    // The last character of 32 bytes has two bits that say nothing; only zeros are taken, so that a token has one spelling.
    let last = token.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let next = alphabet.as_bytes()[alphabet.find(last).unwrap() + 1] as char;
    let other = format!("{}{next}", &token[..token.len() - 1]);
    let why = "the token has a signature that is not base64url";
    assert_eq!(verdict(&shared_secret(), &other).await, refused(why));
}

#[tokio::test]
async fn headers_and_claims_are_objects() {
    let key = EncodingKey::from_secret(&SECRET);
    for header in ["", "[]", "1", "{", "{}}", "\"alg\"", "null", "\u{feff}{}"] {
        let token = sign_text(header, &ali().to_string(), &key, Signed::HS256);
        let why = "the token has a header that is no JSON object";
        assert_eq!(verdict(&shared_secret(), &token).await, refused(why), "{header}");
    }
    for claims in ["", "[]", "1", "{", "{}}", "null", r#"{"sub":"ali",}"#] {
        let token = sign_text(r#"{"alg":"HS256"}"#, claims, &key, Signed::HS256);
        let why = "the token has claims that are no JSON object";
        assert_eq!(verdict(&shared_secret(), &token).await, refused(why), "{claims}");
    }
}

#[tokio::test]
async fn nesting_without_end_is_refused_and_not_followed() {
    let key = EncodingKey::from_secret(&SECRET);
    let deep = format!(
        r#"{{"alg":"HS256","x":{}{}}}"#,
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    let token = sign_text(&deep, &ali().to_string(), &key, Signed::HS256);
    let why = "the token has a header that is no JSON object";
    assert_eq!(verdict(&shared_secret(), &token).await, refused(why));
}

#[tokio::test]
async fn what_is_said_twice_is_refused() {
    let key = EncodingKey::from_secret(&SECRET);
    let claims = ali().to_string();
    let twice = [
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"none","alg":"HS256"}"#,
        r#"{"alg":"HS256","kid":"a","kid":"b"}"#,
        r#"{"alg":"HS256","\u0061lg":"none"}"#,
    ];
    for header in twice {
        let token = sign_text(header, &claims, &key, Signed::HS256);
        let why = "the token says something twice in its header";
        assert_eq!(verdict(&shared_secret(), &token).await, refused(why));
    }
    for extra in [
        r#""sub":"root""#,
        r#""sub":"ali""#,
        r#""exp":1"#,
        r#""s\u0075b":"root""#,
    ] {
        let claims = format!("{{{},{extra}}}", &claims[1..claims.len() - 1]);
        let token = sign_text(r#"{"alg":"HS256"}"#, &claims, &key, Signed::HS256);
        assert_eq!(
            verdict(&shared_secret(), &token).await,
            refused("the token makes a claim twice")
        );
    }
}

#[tokio::test]
async fn extensions_that_must_be_understood_are_refused() {
    let key = EncodingKey::from_secret(&SECRET);
    let why = "the token asks for extensions of its signature (`crit`), and none is known here";
    for crit in [json!(["b64"]), json!([]), json!(null), json!("exp")] {
        let header = json!({ "alg": "HS256", "crit": crit, "b64": false });
        let token = sign(&header, &ali(), &key, Signed::HS256);
        assert_eq!(verdict(&shared_secret(), &token).await, refused(why));
    }
}

#[tokio::test]
async fn a_key_id_is_text() {
    let key = EncodingKey::from_secret(&SECRET);
    for kid in [json!(1), json!(null), json!(["a"])] {
        let token = sign(
            &json!({ "alg": "HS256", "kid": kid }),
            &ali(),
            &key,
            Signed::HS256,
        );
        let why = "the token names a key by something that is no text";
        assert_eq!(verdict(&shared_secret(), &token).await, refused(why));
    }
}

#[tokio::test]
async fn what_the_log_says_is_cut_and_escaped() {
    let key = EncodingKey::from_secret(&SECRET);
    let name = format!("evil\r\n\u{1b}[31m{}", "x".repeat(5_000));
    let token = sign(&json!({ "alg": name }), &ali(), &key, Signed::HS256);
    let why = verdict(&shared_secret(), &token).await.unwrap_err();
    assert!(why.len() < 200 && !why.contains(char::is_control), "{why:?}");
}

/// Authenticators of every kind of key.
fn all() -> Vec<Jwt> {
    let (rsa, p256) = (rsa(), p256());
    vec![
        shared_secret(),
        still(Jwt::pem(rsa.public, rsa.algorithm).unwrap()),
        still(Jwt::pem(p256.public, p256.algorithm).unwrap()),
    ]
}

fn never_accepted(token: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for jwt in all() {
        assert!(runtime.block_on(jwt.identify(token)).is_err());
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        never_accepted(&bytes);
    }

    #[test]
    fn no_parts_panic(
        header in prop_oneof![
            Just(r#"{"alg":"HS256"}"#.to_owned()),
            Just(r#"{"alg":"RS256"}"#.to_owned()),
            Just(r#"{"alg":"ES256"}"#.to_owned()),
            ".{0,40}",
        ],
        claims in ".{0,80}",
        signature in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        never_accepted(format!("{}.{}.{}", encode(header), encode(claims), encode(signature)).as_bytes());
    }

    /// One byte of a good token, changed: it is never accepted, and nothing panics.
    #[test]
    fn no_change_of_a_byte_is_accepted(index in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut token = token(&ali()).into_bytes();
        let index = index.index(token.len());
        prop_assume!(token[index] != byte);
        token[index] = byte;
        never_accepted(&token);
    }

    /// What a key has signed is read, whatever it is.
    #[test]
    fn no_signed_claims_panic(claims in r#"\{("(sub|exp|nbf|aud|iss|roles)":([0-9eE.+-]{1,20}|"[a-z]{0,5}"|null|\[\]|\{\}|true),?){0,4}\}"#) {
        let key = EncodingKey::from_secret(&SECRET);
        let token = sign_text(r#"{"alg":"HS256"}"#, &claims, &key, Signed::HS256);
        let jwt = shared_secret().issuer("a").audience("a").roles_claim("roles");
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let _ = runtime.block_on(jwt.identify(&token));
        let _ = runtime.block_on(shared_secret().allow_missing_expiry().identify(&token));
    }
}
