//! Claims: times, issuers, audiences, users and roles.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rpc_runtime::auth::jwt::{Claims, Jwt};
use serde_json::{Value, json};

use crate::issuer::{NOW, SECRET, ali, at, identity, shared_secret, still, token, verdict};

/// The right claims, and these.
fn with(changes: Value) -> Value {
    let mut claims = ali();
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

async fn judge(jwt: &Jwt, changes: Value) -> Result<String, String> {
    verdict(jwt, &token(&with(changes))).await
}

fn refused(why: &str) -> Result<String, String> {
    Err(why.to_owned())
}

fn accepted(user: &str) -> Result<String, String> {
    Ok(user.to_owned())
}

#[tokio::test]
async fn a_token_expires_with_its_leeway_to_the_second() {
    let jwt = shared_secret();
    assert_eq!(judge(&jwt, json!({ "exp": NOW + 1 })).await, accepted("ali"));
    assert_eq!(judge(&jwt, json!({ "exp": NOW - 59 })).await, accepted("ali"));
    assert_eq!(judge(&jwt, json!({ "exp": NOW - 60 })).await, refused("expired"));
    assert_eq!(judge(&jwt, json!({ "exp": 0 })).await, refused("expired"));
    let strict = jwt.leeway(Duration::ZERO);
    assert_eq!(judge(&strict, json!({ "exp": NOW + 1 })).await, accepted("ali"));
    // RFC 7519 §4.1.4: on or after it.
    assert_eq!(judge(&strict, json!({ "exp": NOW })).await, refused("expired"));
    assert_eq!(
        judge(&strict, json!({ "exp": NOW as f64 + 0.5 })).await,
        accepted("ali")
    );
}

#[tokio::test]
async fn a_token_begins_with_its_leeway_to_the_second() {
    let jwt = shared_secret();
    assert_eq!(judge(&jwt, json!({ "nbf": NOW + 60 })).await, accepted("ali"));
    let why = "the token is not valid for 2 more seconds";
    assert_eq!(judge(&jwt, json!({ "nbf": NOW + 61 })).await, refused(why));
    let strict = jwt.leeway(Duration::ZERO);
    assert_eq!(judge(&strict, json!({ "nbf": NOW })).await, accepted("ali"));
    let why = "the token is not valid for 11 more seconds";
    assert_eq!(judge(&strict, json!({ "nbf": NOW + 10 })).await, refused(why));
}

#[tokio::test]
async fn times_of_another_type_are_refused_and_not_skipped() {
    let jwt = shared_secret();
    for claim in ["exp", "nbf"] {
        let why = format!("the token's claim `{claim}` is not a number of seconds");
        for value in [
            json!("never"),
            json!((NOW + 600).to_string()),
            json!(null),
            json!([NOW]),
            json!(true),
        ] {
            assert_eq!(judge(&jwt, json!({ claim: value })).await, refused(&why));
        }
        let why = format!(
            "the token's claim `{claim}` is not a time before the year 10000 in seconds; is it in milliseconds?"
        );
        for value in [
            json!(NOW * 1000),
            json!(-1),
            json!(u64::MAX),
            json!(1e300),
            json!(-0.5),
        ] {
            assert_eq!(
                judge(&jwt, json!({ claim: value })).await,
                refused(&why),
                "{value}"
            );
        }
    }
}

#[tokio::test]
async fn a_token_without_an_expiry_is_refused_unless_told_otherwise() {
    let forever = token(&json!({ "sub": "ali" }));
    let why = "the token's claim `exp` is missing";
    assert_eq!(verdict(&shared_secret(), &forever).await, refused(why));
    let jwt = shared_secret().allow_missing_expiry();
    assert_eq!(verdict(&jwt, &forever).await, accepted("ali"));
    assert_eq!(jwt.identify(&forever).await.unwrap().expires(), None);
    // One that is there is looked at all the same.
    assert_eq!(judge(&jwt, json!({ "exp": NOW - 60 })).await, refused("expired"));
    let why = "the token's claim `exp` is not a number of seconds";
    assert_eq!(judge(&jwt, json!({ "exp": "never" })).await, refused(why));
}

#[tokio::test]
async fn an_identity_ends_when_its_token_does_and_with_the_leeway_only_if_that_is_over() {
    let known = identity(&shared_secret(), &ali()).await;
    assert_eq!(known.expires(), Some(at(NOW + 600)));
    let late = identity(&shared_secret(), &with(json!({ "exp": NOW - 30 }))).await;
    assert_eq!(late.expires(), Some(at(NOW + 30)));
    let last = identity(&shared_secret(), &with(json!({ "exp": NOW }))).await;
    assert_eq!(last.expires(), Some(at(NOW + 60)));
}

#[tokio::test]
async fn a_moved_clock_counts_for_tokens_shown_after_it_moved() {
    let clock = Arc::new(AtomicU64::new(NOW));
    let read = clock.clone();
    let jwt = Jwt::secret(SECRET)
        .unwrap()
        .clock(move || at(read.load(Ordering::SeqCst)));
    assert_eq!(judge(&jwt, json!({})).await, accepted("ali"));
    clock.fetch_add(24 * 60 * 60, Ordering::SeqCst);
    assert_eq!(judge(&jwt, json!({})).await, refused("expired"));
    clock.fetch_sub(48 * 60 * 60, Ordering::SeqCst);
    assert_eq!(judge(&jwt, json!({})).await, accepted("ali"));
    let why = "the token is not valid for 86341 more seconds";
    assert_eq!(judge(&jwt, json!({ "nbf": NOW })).await, refused(why));
}

#[tokio::test]
async fn an_issuer_that_is_not_accepted_is_refused() {
    let jwt = shared_secret().issuer("https://a").issuer("https://b");
    assert_eq!(judge(&jwt, json!({ "iss": "https://b" })).await, accepted("ali"));
    let why = "the token's issuer is \"https://b/\", which is not accepted";
    assert_eq!(judge(&jwt, json!({ "iss": "https://b/" })).await, refused(why));
    assert_eq!(
        judge(&jwt, json!({})).await,
        refused("the token's claim `iss` is missing")
    );
    let why = "the token's claim `iss` is not text";
    assert_eq!(judge(&jwt, json!({ "iss": ["https://a"] })).await, refused(why));
    assert_eq!(
        judge(&shared_secret(), json!({ "iss": "anyone" })).await,
        accepted("ali")
    );
}

#[tokio::test]
async fn an_audience_that_this_server_is_not_is_refused() {
    let jwt = shared_secret().audience("tasks").audience("notes");
    assert_eq!(judge(&jwt, json!({ "aud": "notes" })).await, accepted("ali"));
    assert_eq!(
        judge(&jwt, json!({ "aud": ["other", "tasks"] })).await,
        accepted("ali")
    );
    let another = "the token is for another audience";
    for aud in [json!("other"), json!([]), json!(["Tasks", "tasks "]), json!("")] {
        assert_eq!(judge(&jwt, json!({ "aud": aud })).await, refused(another));
    }
    assert_eq!(
        judge(&jwt, json!({})).await,
        refused("the token's claim `aud` is missing")
    );
    let why = "the token's claim `aud` is not text or a list of texts";
    for aud in [
        json!(1),
        json!(null),
        json!({ "tasks": true }),
        json!(["tasks", 1]),
    ] {
        assert_eq!(judge(&jwt, json!({ "aud": aud })).await, refused(why));
    }
}

#[tokio::test]
async fn a_token_for_an_audience_is_refused_by_a_server_that_knows_none() {
    let why =
        "the token is for an audience, and none is configured: see `Jwt::audience` and `Jwt::any_audience`";
    assert_eq!(
        judge(&shared_secret(), json!({ "aud": "tasks" })).await,
        refused(why)
    );
    let any = shared_secret().any_audience();
    assert_eq!(judge(&any, json!({ "aud": "tasks" })).await, accepted("ali"));
}

#[tokio::test]
async fn only_a_token_that_is_right_in_everything_else_has_expired() {
    let jwt = shared_secret().audience("tasks").issuer("a");
    let old = json!({ "exp": NOW - 600, "aud": "tasks", "iss": "a" });
    assert_eq!(judge(&jwt, old.clone()).await, refused("expired"));
    for (claim, value) in [("aud", json!("other")), ("iss", json!("b")), ("sub", json!(""))] {
        let mut claims = old.clone();
        claims[claim] = value;
        assert_ne!(judge(&jwt, claims).await, refused("expired"));
    }
    let forged = token(&with(old)) + "A";
    assert_ne!(verdict(&jwt, &forged).await, refused("expired"));
}

#[tokio::test]
async fn the_user_is_text_or_a_whole_number_of_the_claim_that_was_named() {
    let jwt = shared_secret();
    assert_eq!(judge(&jwt, json!({ "sub": 42 })).await, accepted("42"));
    assert_eq!(judge(&jwt, json!({ "sub": -1 })).await, accepted("-1"));
    assert_eq!(
        judge(&jwt, json!({ "sub": u64::MAX })).await,
        accepted("18446744073709551615")
    );
    let why = "the token's claim `sub` is not text that is not empty, or a whole number";
    for sub in [
        json!(""),
        json!(null),
        json!(1.5),
        json!(true),
        json!(["ali"]),
        json!({ "id": "ali" }),
    ] {
        assert_eq!(judge(&jwt, json!({ "sub": sub })).await, refused(why));
    }
    let nobody = token(&json!({ "exp": NOW + 600 }));
    assert_eq!(
        verdict(&jwt, &nobody).await,
        refused("the token's claim `sub` is missing")
    );

    let by_name = shared_secret().user_claim("https://example.com/id");
    assert_eq!(
        judge(&by_name, json!({ "https://example.com/id": "eva" })).await,
        accepted("eva")
    );
    let why = "the token's claim `https://example.com/id` is missing";
    assert_eq!(judge(&by_name, json!({})).await, refused(why));
    let by_pointer = shared_secret().user_claim("/user~1of/ids/0");
    assert_eq!(
        judge(&by_pointer, json!({ "user/of": { "ids": ["eva"] } })).await,
        accepted("eva")
    );
}

#[tokio::test]
async fn roles_are_one_text_or_a_list_and_scopes_are_split() {
    let roles = async |claim: &str, claims: Value| {
        let jwt = shared_secret().roles_claim(claim);
        match jwt.identify(token(&with(claims))).await {
            Ok(identity) => Ok(identity.roles().map(str::to_owned).collect::<Vec<_>>()),
            Err(error) => Err(error.to_string()),
        }
    };
    let some = |roles: &[&str]| Ok(roles.iter().map(|role| (*role).to_owned()).collect());
    assert_eq!(
        roles("roles", json!({ "roles": ["admin", "cook"] })).await,
        some(&["admin", "cook"])
    );
    // Not split: who is `site admin` is no `admin`.
    assert_eq!(
        roles("roles", json!({ "roles": "site admin" })).await,
        some(&["site admin"])
    );
    assert_eq!(
        roles("scope", json!({ "scope": "read  write" })).await,
        some(&["read", "write"])
    );
    assert_eq!(roles("roles", json!({})).await, some(&[]));
    let nested = json!({ "realm_access": { "roles": ["admin"] } });
    assert_eq!(roles("/realm_access/roles", nested).await, some(&["admin"]));
    for wrong in [
        json!(1),
        json!(["admin", 1]),
        json!(null),
        json!({ "admin": true }),
    ] {
        let why = roles("roles", json!({ "roles": wrong })).await.unwrap_err();
        assert!(
            why.ends_with("the token's claim `roles` is not text or a list of texts"),
            "{why}"
        );
    }
    // Without the claim's name no token gives roles.
    let known = identity(&shared_secret(), &with(json!({ "roles": ["admin"] }))).await;
    assert_eq!(known.roles().count(), 0);
}

#[tokio::test]
async fn claims_are_found_in_the_identity_as_they_are_or_as_a_type() {
    #[derive(Debug, Clone, PartialEq, serde::Deserialize)]
    struct Account {
        email: String,
    }
    let known = identity(&shared_secret(), &with(json!({ "email": "a@b" }))).await;
    assert_eq!(known.get::<Claims>().unwrap()["email"], "a@b");
    let jwt = still(Jwt::secret(SECRET).unwrap().claims::<Account>());
    let typed = jwt
        .identify(token(&with(json!({ "email": "a@b" }))))
        .await
        .unwrap();
    assert_eq!(
        typed.get(),
        Some(&Account {
            email: "a@b".to_owned()
        })
    );
    // No value of the token is in what the log says.
    let why = verdict(&jwt, &token(&with(json!({ "email": 12_345_678 }))))
        .await
        .unwrap_err();
    assert!(
        why.starts_with("the token's claims do not fit into `jwt::claims::"),
        "{why}"
    );
    assert!(!why.contains("12345678"), "{why}");
}
