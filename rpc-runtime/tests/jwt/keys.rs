//! Keys that are refused when they are given, with what to do.

use rpc_runtime::auth::jwt::{Algorithm, Jwt, KeyError, Keys};
use serde_json::{Value, json};

use crate::issuer::{ali, ed25519, encode, p256, rsa, rsa_other, set, still, verdict};

fn problem<T: std::fmt::Debug>(given: Result<T, KeyError>) -> String {
    given.expect_err("is refused").to_string()
}

#[test]
fn a_short_secret_is_refused_with_the_command_that_makes_one() {
    let why =
        "a secret for HS256 needs at least 32 bytes and has 31: make one with `openssl rand -base64 32`";
    assert_eq!(problem(Jwt::secret([1; 31])), why);
    assert!(Jwt::secret([1; 32]).is_ok());
    let short = json!({ "kty": "oct", "alg": "HS512", "k": encode([1; 63]) });
    assert_eq!(
        problem(Keys::jwks(set(&[short]))),
        "of 1 keys none could check a token: a secret for HS512 needs at least 64 bytes and has \
         63: make one with `openssl rand -base64 64`"
    );
}

#[test]
fn a_pem_of_another_kind_than_the_algorithm_is_refused() {
    let cases = [
        (
            p256().public,
            Algorithm::RS256,
            "a key for RS256 must be an RSA public key, and this PEM is none",
        ),
        (
            rsa().public,
            Algorithm::ES256,
            "a key for ES256 must be an elliptic curve public key, and this PEM is none",
        ),
        (
            rsa().public,
            Algorithm::EdDSA,
            "a key for EdDSA must be an Ed25519 public key, and this PEM is none",
        ),
        (
            p256().public,
            Algorithm::ES384,
            "a key for ES384 is not a point of its curve: ES256 takes P-256, and ES384 takes P-384",
        ),
        (
            rsa().public,
            Algorithm::HS256,
            "a key for HS256 is a shared secret and no PEM: use `Keys::secret`, or another algorithm",
        ),
        (
            include_str!("keys/rsa_weak.pub.pem"),
            Algorithm::RS256,
            "a key for RS256 has 1024 bits, and must have 2048 to 4096",
        ),
    ];
    for (pem, algorithm, why) in cases {
        assert_eq!(problem(Keys::pem(pem, algorithm)), why);
    }
}

#[test]
fn private_keys_and_certificates_are_refused_with_the_command_that_gives_the_public_key() {
    let private = problem(Keys::pem(include_str!("keys/rsa.pem"), Algorithm::RS256));
    assert!(
        private.contains("private key") && private.contains("openssl pkey"),
        "{private}"
    );
    let certificate = problem(Keys::pem(
        include_str!("keys/rsa.certificate.pem"),
        Algorithm::RS256,
    ));
    assert!(
        certificate.contains("certificate") && certificate.contains("openssl x509"),
        "{certificate}"
    );
}

#[test]
fn texts_that_are_no_pem_are_refused() {
    let public = rsa().public;
    let cut = &public[..public.len() - 20];
    let no_key = public.replace("MII", "AAA");
    for (pem, why) in [
        ("", "the PEM has no block `-----BEGIN PUBLIC KEY-----`"),
        ("-----BEGIN ", "the PEM has a first line that does not end"),
        (cut, "the PEM ends inside of a block"),
        (
            &no_key,
            "a key for RS256 must be an RSA public key, and this PEM is none",
        ),
    ] {
        assert_eq!(problem(Keys::pem(pem, Algorithm::RS256)), why);
    }
    assert_eq!(
        problem(Keys::pem(b"\xff", Algorithm::RS256)),
        "the PEM is not text"
    );
}

#[tokio::test]
async fn a_pem_may_have_several_keys_and_text_between_them() {
    let (a, b) = (rsa(), rsa_other());
    let pem = format!("The old one:\n{}\nThe new one:\n{}", a.public, b.public);
    let jwt = still(Jwt::pem(pem, Algorithm::RS256).unwrap());
    for pair in [a, b] {
        assert_eq!(
            verdict(&jwt, &pair.token(None, &ali())).await,
            Ok("ali".to_owned())
        );
    }
}

#[test]
fn texts_that_are_no_key_set_are_refused() {
    for text in ["", "{}", "[]", "null", r#"{"keys":{}}"#, r#"{"kty":"RSA"}"#] {
        assert!(problem(Keys::jwks(text)).starts_with("this is not a JSON Web Key Set"));
    }
    let why = "of 0 keys none could check a token";
    assert_eq!(problem(Keys::jwks(r#"{"keys":[]}"#)), why);
}

#[tokio::test]
async fn keys_of_a_set_that_are_not_for_checking_or_are_broken_are_left_out() {
    let changed = |mut jwk: Value, name: &str, value: Value| {
        jwk[name] = value;
        jwk
    };
    let jwk = || rsa().jwk(None);
    let left_out = [
        json!("text"),
        json!({ "kty": "MAGIC" }),
        json!({ "kty": "EC", "crv": "P-521", "x": "", "y": "" }),
        json!({ "kty": "OKP", "crv": "Ed448", "x": "AA" }),
        // Shorter than the library reads of it.
        json!({ "kty": "OKP", "crv": "Ed25519", "x": "AAAA" }),
        json!({ "kty": "OKP", "crv": "Ed25519" }),
        json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" }),
        changed(jwk(), "use", json!("enc")),
        changed(jwk(), "key_ops", json!(["encrypt"])),
        changed(jwk(), "alg", json!("RSA-OAEP")),
        changed(jwk(), "alg", json!("HS256")),
        changed(jwk(), "alg", json!(256)),
        changed(jwk(), "n", json!("+")),
        changed(jwk(), "n", json!(1)),
        changed(jwk(), "e", json!("AQ")),
        changed(jwk(), "e", json!("")),
        changed(p256().jwk(None), "alg", json!("ES384")),
        changed(p256().jwk(None), "x", json!("AAAA")),
        changed(p256().jwk(None), "x", encode([1; 32]).into()),
    ];
    for entry in &left_out {
        let why = problem(Keys::jwks(set(std::slice::from_ref(entry))));
        assert!(
            why.starts_with("of 1 keys none could check a token"),
            "{entry}: {why}"
        );
    }
    // Those beside them are there all the same.
    let pair = ed25519();
    let mut entries = left_out.to_vec();
    entries.push(changed(pair.jwk(Some("a")), "key_ops", json!(["verify"])));
    let jwt = still(Jwt::jwks(set(&entries)).unwrap());
    assert_eq!(
        verdict(&jwt, &pair.token(Some("a"), &ali())).await,
        Ok("ali".to_owned())
    );
}

#[tokio::test]
async fn a_key_without_an_algorithm_has_the_one_that_its_kind_implies() {
    for pair in [rsa(), p256(), ed25519()] {
        let mut jwk = pair.jwk(None);
        jwk.as_object_mut().unwrap().remove("alg");
        let jwt = still(Jwt::jwks(set(&[jwk])).unwrap());
        assert_eq!(
            verdict(&jwt, &pair.token(None, &ali())).await,
            Ok("ali".to_owned())
        );
    }
}

#[test]
fn more_keys_than_are_kept_are_refused() {
    let named = |count: usize| {
        let entries: Vec<_> = (0..count)
            .map(|kid| ed25519().jwk(Some(&kid.to_string())))
            .collect();
        Keys::jwks(set(&entries))
    };
    assert!(named(64).is_ok());
    assert!(problem(named(65)).starts_with("there are 65 keys, and at most 64 are kept"));
    let unnamed = |count: usize| Keys::jwks(set(&vec![ed25519().jwk(None); count]));
    let many = problem(unnamed(8).unwrap().and(unnamed(1).unwrap()));
    assert!(
        many.starts_with("there are 9 keys, and at most 8 are kept"),
        "{many}"
    );
}

#[test]
fn nothing_that_is_printed_has_a_secret_in_it() {
    let secret = [b's'; 32];
    let jwk = json!({ "kty": "oct", "k": encode(secret), "kid": "a" });
    let path = std::env::temp_dir().join(format!("rpc-jwt-printed-{}.json", std::process::id()));
    std::fs::write(&path, set(&[jwk])).unwrap();
    let printed = format!(
        "{:?} {:?}",
        Jwt::secret(secret).unwrap(),
        Jwt::jwks_file(&path).unwrap()
    );
    std::fs::remove_file(&path).unwrap();
    assert!(printed.contains("HS256"), "{printed}");
    let bytes = secret
        .iter()
        .take(3)
        .map(u8::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    for hidden in ["sss", &encode("sss"), &bytes] {
        assert!(!printed.contains(hidden), "{printed}");
    }
}
