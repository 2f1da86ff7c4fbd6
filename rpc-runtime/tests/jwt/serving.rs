//! Tokens shown to a server: at the handshake over sockets, and in band.
//!
//! These play in the present, because a connection asks the system's clock how long an identity lasts. How long that is from
//! then on is the monotonic clock's, which is paused where time has to pass.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header;
use jsonwebtoken::{Algorithm as Signed, EncodingKey};
use rpc_protocol::{Code, frame::AuthenticationPurpose};
use rpc_runtime::{
    Server, ServerBuilder,
    auth::jwt::{Jwt, Keys},
};
use serde_json::{Value, json};

use crate::{
    issuer::{SECRET, encode, rsa, set, sign, token},
    peer::{Answer, Peer, bearer, listen, names, page, shake, subprotocol},
};

use AuthenticationPurpose::{ChangeUser, Refresh as Authenticate, SignOut};

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn jwt() -> Jwt {
    Jwt::secret(SECRET).unwrap().issuer("us").audience("names")
}

/// Right claims of a user, for 10 minutes.
fn claims(user: &str) -> Value {
    json!({ "sub": user, "iss": "us", "aud": "names", "exp": now() + 600 })
}

fn of(user: &str) -> String {
    token(&claims(user))
}

/// A token with one claim changed.
fn but(claim: &str, value: Value) -> String {
    let mut claims = claims("ali");
    claims[claim] = value;
    token(&claims)
}

/// Tokens that are no good, by what is wrong with them.
fn forged() -> Vec<(&'static str, String)> {
    let claims = claims("ali");
    let body = encode(claims.to_string());
    let unsigned = |alg: &str| format!("{}.{body}.", encode(json!({ "alg": alg }).to_string()));
    let other_key = EncodingKey::from_secret(b"another secret, also of 32 bytes");
    let confused = EncodingKey::from_secret(rsa().public.as_bytes());
    let header = json!({ "alg": "HS256" });
    vec![
        ("forged", sign(&header, &claims, &other_key, Signed::HS256)),
        (
            "signed with a public key",
            sign(&header, &claims, &confused, Signed::HS256),
        ),
        ("alg none", unsigned("none")),
        ("alg None", unsigned("None")),
        ("another algorithm", rsa().token(None, &claims)),
        ("wrong audience", but("aud", json!("other"))),
        ("wrong issuer", but("iss", json!("them"))),
        ("not yet valid", but("nbf", json!(now() + 600))),
        ("no user", but("sub", json!(""))),
        ("no token", "x".to_owned()),
    ]
}

fn server(builder: ServerBuilder) -> Server {
    builder.build().unwrap()
}

#[tokio::test]
async fn a_good_token_names_the_user_from_the_header_and_from_the_subprotocol() {
    let (addr, _stop) = listen(names().authenticator(jwt()).require_authentication()).await;
    for shown in [bearer(&of("ali")), subprotocol(&of("ali"))] {
        let Answer::Greeted(mut peer) = shake(addr, &[shown]).await else {
            panic!("not let in");
        };
        assert_eq!(peer.user, "ali");
        assert_eq!(peer.mine().await, Ok("ali".to_owned()));
    }
    let of_page = shake(addr, &[subprotocol(&of("ali")), page(addr)]).await;
    assert_eq!(of_page.user(), "ali");
}

#[tokio::test]
async fn bad_tokens_are_401_without_an_origin_and_4500_or_4401_with_one() {
    let (addr, _stop) = listen(names().authenticator(jwt())).await;
    let expired = but("exp", json!(now() - 61));
    for (what, token) in forged() {
        assert_eq!(shake(addr, &[bearer(&token)]).await.code(), 401, "{what}");
        assert_eq!(
            shake(addr, &[subprotocol(&token), page(addr)]).await.code(),
            4500,
            "{what}"
        );
    }
    assert_eq!(shake(addr, &[bearer(&expired)]).await.code(), 401);
    assert_eq!(
        shake(addr, &[subprotocol(&expired), page(addr)]).await.code(),
        4401
    );
}

#[tokio::test]
async fn a_token_within_its_leeway_is_let_in() {
    let (addr, _stop) = listen(names().authenticator(jwt())).await;
    let late = but("exp", json!(now() - 30));
    assert_eq!(shake(addr, &[bearer(&late)]).await.user(), "ali");
}

#[tokio::test]
async fn a_large_token_of_an_identity_provider_fits_into_the_headers() {
    let (addr, _stop) = listen(names().authenticator(jwt())).await;
    let groups: Vec<_> = (0..200).map(|group| format!("group-{group:032}")).collect();
    let token = but("groups", json!(groups));
    assert!(token.len() > 10_000 && token.len() < 16 << 10);
    assert_eq!(shake(addr, &[bearer(&token)]).await.user(), "ali");
}

#[tokio::test]
async fn a_token_in_a_cookie_is_taken_only_where_told_so_and_from_pages_that_may() {
    let cookie = || (header::COOKIE, format!("sid={}", of("ali")));
    let told = names().authenticator(jwt().cookie()).auth_cookie("sid");
    let (addr, _stop) = listen(told).await;
    assert_eq!(shake(addr, &[cookie(), page(addr)]).await.user(), "ali");
    let elsewhere = (header::ORIGIN, "https://evil.example".to_owned());
    assert_eq!(shake(addr, &[cookie(), elsewhere]).await.code(), 403);
    assert_eq!(shake(addr, &[cookie()]).await.code(), 403);
    let not_told = names().authenticator(jwt()).auth_cookie("sid");
    let (addr, _stop) = listen(not_told).await;
    assert_eq!(shake(addr, &[cookie(), page(addr)]).await.code(), 4500);
}

#[tokio::test]
async fn keys_change_while_the_server_serves() {
    let (new, keys) = (rsa(), jwt());
    let (addr, _stop) = listen(names().authenticator(keys.clone())).await;
    let by_new = new.token(Some("new"), &claims("ali"));
    let Answer::Greeted(mut before) = shake(addr, &[bearer(&of("ali"))]).await else {
        panic!("not let in");
    };
    assert_eq!(shake(addr, &[bearer(&by_new)]).await.code(), 401);
    keys.rotate(Keys::jwks(set(&[new.jwk(Some("new"))])).unwrap());
    assert_eq!(shake(addr, &[bearer(&by_new)]).await.user(), "ali");
    assert_eq!(shake(addr, &[bearer(&of("ali"))]).await.code(), 401);
    // Who is connected stays.
    assert_eq!(before.mine().await, Ok("ali".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn who_shows_no_token_in_5_s_is_closed_with_4505() {
    let server = server(names().authenticator(jwt()).require_authentication());
    let mut peer = Peer::connect(&server).await;
    assert_eq!(peer.mine().await, Err(Code::Unauthenticated));
    let before = tokio::time::Instant::now();
    assert_eq!(peer.closed().await, 4505);
    assert_eq!(before.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn bad_tokens_in_band_are_refused_on_a_connection_that_lives() {
    let server = server(names().authenticator(jwt()));
    for (what, token) in forged() {
        let mut peer = Peer::connect(&server).await;
        let told = peer.show(&token, Authenticate).await.unwrap();
        let status = told.status.unwrap();
        assert_eq!(status.code(), Code::Unauthenticated, "{what}");
        // The same words whatever is wrong: the log says more.
        assert_eq!(status.message, "the credential is not valid", "{what}");
        assert_eq!(peer.mine().await, Err(Code::Unauthenticated));
        assert_eq!(peer.show(&of("ali"), Authenticate).await.unwrap().user_id, "ali");
        assert_eq!(peer.mine().await, Ok("ali".to_owned()));
    }
    let mut peer = Peer::connect(&server).await;
    let expired = peer
        .show(&but("exp", json!(now() - 61)), Authenticate)
        .await
        .unwrap();
    assert_eq!(expired.status.unwrap().message, "the credential has expired");
}

#[tokio::test]
async fn guessing_tokens_in_band_is_closed_with_4500() {
    let server = server(names().authenticator(jwt()));
    let mut peer = Peer::connect(&server).await;
    for _ in 0..5 {
        assert!(peer.show("x", Authenticate).await.unwrap().status.is_some());
    }
    assert!(peer.show("x", Authenticate).await.is_ok());
    assert_eq!(peer.closed().await, 4500);
}

#[tokio::test]
async fn a_refresh_with_another_subject_is_closed_with_4503_and_a_change_of_user_is_not() {
    let server = server(names().authenticator(jwt()));
    let mut peer = Peer::connect(&server).await;
    assert_eq!(peer.show(&of("ali"), Authenticate).await.unwrap().user_id, "ali");
    assert_eq!(peer.show(&of("eva"), ChangeUser).await.unwrap().user_id, "eva");
    assert_eq!(peer.mine().await, Ok("eva".to_owned()));
    // A change that is refused leaves who it was.
    let refused = peer.show("x", ChangeUser).await.unwrap();
    assert!(refused.status.is_some());
    assert_eq!(refused.user_id, "eva");
    assert_eq!(peer.mine().await, Ok("eva".to_owned()));
    let nobody = peer.show("", SignOut).await.unwrap();
    assert_eq!((nobody.status, nobody.user_id.as_str()), (None, ""));
    assert_eq!(peer.mine().await, Err(Code::Unauthenticated));
    assert_eq!(peer.show(&of("ali"), Authenticate).await.unwrap().user_id, "ali");
    assert_eq!(peer.show(&of("eva"), Authenticate).await.unwrap_err(), 4503);
}

/// The wall clock stands still here, or nearly, and the identity ends nevertheless: it is the monotonic clock that counts from
/// the moment on in which a token is accepted.
#[tokio::test(start_paused = true)]
async fn a_token_that_ends_is_warned_of_then_refreshed_then_closed_with_4401() {
    let begun = tokio::time::Instant::now();
    let elapsed = || begun.elapsed().as_secs_f64().round();
    let server = server(names().authenticator(jwt()));
    let mut peer = Peer::connect(&server).await;
    let known = peer
        .show(&but("exp", json!(now() + 601)), Authenticate)
        .await
        .unwrap();
    let left = Duration::from_micros(known.expires_in_us);
    assert!(
        left > Duration::from_secs(590) && left <= Duration::from_secs(601),
        "{left:?}"
    );
    let warning = peer.identity().await.unwrap();
    assert!(warning.expires_soon && warning.user_id == "ali" && warning.request_id == 0);
    assert!((530.0..=541.0).contains(&elapsed()), "{}", elapsed());
    // In the wall clock's time nothing has passed: this one lasts as long again, from now.
    let refreshed = peer
        .show(&but("exp", json!(now() + 601)), Authenticate)
        .await
        .unwrap();
    assert!(refreshed.status.is_none() && !refreshed.expires_soon);
    assert!(peer.identity().await.unwrap().expires_soon);
    assert_eq!(peer.mine().await, Ok("ali".to_owned()));
    assert_eq!(peer.closed().await, 4401);
    let grace = 25.0;
    let expected = elapsed() - 2.0 * 540.0 - 60.0 - grace;
    assert!(expected.abs() <= 20.0, "{expected}");
}

#[tokio::test(start_paused = true)]
async fn a_token_may_be_refreshed_in_the_grace_after_its_end() {
    let server = server(names().authenticator(jwt()));
    let mut peer = Peer::connect(&server).await;
    peer.show(&of("ali"), Authenticate).await.unwrap();
    assert!(peer.identity().await.unwrap().expires_soon);
    // 60 s to the end, and 20 of the 25 s behind it.
    peer.idle(Duration::from_secs(80)).await;
    let refreshed = peer.show(&of("ali"), Authenticate).await.unwrap();
    assert!(refreshed.status.is_none());
    assert_eq!(peer.mine().await, Ok("ali".to_owned()));
}
