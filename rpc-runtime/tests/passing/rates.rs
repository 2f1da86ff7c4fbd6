//! Rates of calls, of the messages of streams, and of bytes.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rpc_runtime::{
    Code, ConnectInfo, Context, Rate, RateLimit, Server, StartError, Status, auth::Credential,
};

use crate::guards::ByName;
use crate::service::{Item, METHODS, Nothing, STREAMS, Served, allow, broken, call, item, method, serve};

fn limited(limits: impl IntoIterator<Item = RateLimit>) -> Served {
    serve(|server| {
        limits.into_iter().fold(
            server.guard("first", allow).guard("second", allow),
            |server, limit| server.rate_limit(limit),
        )
    })
}

fn from(address: &str) -> ConnectInfo {
    let address: SocketAddr = address.parse().unwrap();
    ConnectInfo::new().with_remote_addr(address)
}

async fn status(client: &rpc_runtime::Client, name: &str, items: Vec<Item>) -> Option<Status> {
    let error = call(client, name, "", items).await.err()?;
    Some(error.status().unwrap().clone())
}

#[tokio::test(start_paused = true)]
async fn calls_of_every_kind_over_the_rate_are_told_when_to_try_again_and_pass_then() {
    for layered in [false, true] {
        for name in METHODS {
            let asked = Arc::new(AtomicUsize::new(0));
            let counter = asked.clone();
            let served = serve(|server| {
                let server = server
                    .guard("first", allow)
                    .guard("second", move |_: &Context| {
                        counter.fetch_add(1, Ordering::SeqCst);
                        Ok(())
                    })
                    .rate_limit(RateLimit::messages(Rate::per_second(1)));
                if layered { server.layer(Nothing) } else { server }
            });
            let client = &served.client;
            assert!(status(client, name, Vec::new()).await.is_none(), "{name}");
            // It would be an invalid argument, had it been decoded.
            let refused = status(client, name, vec![broken()]).await.unwrap();
            assert_eq!(refused.code(), Code::ResourceExhausted, "{name}");
            assert!(refused.recoverable());
            let delay = refused.retry_delay().unwrap();
            assert!(
                delay <= Duration::from_secs(1) && delay > Duration::from_millis(900),
                "{name}: {delay:?}"
            );
            assert_eq!(served.begun(), 1, "{name}");
            assert_eq!(asked.load(Ordering::SeqCst), 1, "{name}: guards are not asked");
            tokio::time::sleep(delay).await;
            assert!(status(client, name, Vec::new()).await.is_none(), "{name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_with_more_messages_than_the_rate_ends_with_that_status_behind_what_was_sent_before() {
    for name in STREAMS {
        // One for the call, and three messages.
        let served = limited([RateLimit::messages(Rate::per_second(1).burst(4))]);
        let items = vec![item("a"); 3];
        assert!(status(&served.client, name, items).await.is_none(), "{name}");
        tokio::time::sleep(Duration::from_secs(4)).await;
        let refused = status(&served.client, name, vec![item("a"); 50]).await.unwrap();
        assert_eq!(refused.code(), Code::ResourceExhausted, "{name}");
        assert!(refused.retry_delay().is_some(), "{name}");
        assert_eq!(served.read(), 6, "{name}");
        // The connection is none the worse for it.
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert!(status(&served.client, name, vec![item("a")]).await.is_none());
        assert_eq!(served.server.connections(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn messages_that_come_at_the_rate_pass_however_long_they_wait_to_be_read() {
    // The handler reads nothing for a while, and then everything at once.
    let served = limited([RateLimit::messages(Rate::per_second(10).burst(2))]);
    let call = served.client.session(method("Chat"), async |output, mut input| {
        for at in 0..50 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            output.send(item(&at.to_string())).await?;
        }
        drop(output);
        let mut count = 0;
        while let Some(Item { .. }) = input.message().await? {
            count += 1;
        }
        Ok(count)
    });
    assert_eq!(call.await.unwrap(), 50);
}

#[tokio::test(start_paused = true)]
async fn bytes_are_counted_as_they_are_on_the_wire_and_more_than_the_burst_is_never_accepted() {
    let served = limited([RateLimit::bytes(Rate::per_second(20))]);
    // Each is ten bytes: a tag, a length, and eight characters.
    let ten = || vec![item("12345678")];
    assert!(status(&served.client, "Echo", ten()).await.is_none());
    assert!(status(&served.client, "Echo", ten()).await.is_none());
    let refused = status(&served.client, "Echo", ten()).await.unwrap();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    let delay = refused.retry_delay().unwrap();
    assert!(delay > Duration::from_millis(400), "{delay:?}");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let refused = status(&served.client, "Echo", vec![item("1234567890123456789")])
        .await
        .unwrap();
    assert_eq!(
        (refused.code(), refused.message()),
        (
            Code::ResourceExhausted,
            "21 bytes at once are more than this connection may ever send: at most 20"
        )
    );
    assert!(!refused.recoverable(), "it would never pass");
    // An empty request has no bytes.
    for _ in 0..100 {
        assert!(status(&served.client, "Echo", vec![item("")]).await.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn each_session_has_its_rate_and_what_all_share_is_shared() {
    let served = limited([RateLimit::messages(Rate::per_minute(2)).each_session()]);
    let other = served.client(ConnectInfo::new());
    for client in [&served.client, &other] {
        for _ in 0..2 {
            assert!(status(client, "Echo", Vec::new()).await.is_none());
        }
        assert!(status(client, "Echo", Vec::new()).await.is_some());
    }
    let served = limited([RateLimit::messages(Rate::per_minute(2)).of_all()]);
    let other = served.client(ConnectInfo::new());
    for client in [&served.client, &other] {
        assert!(status(client, "Echo", Vec::new()).await.is_none());
    }
    let refused = status(&other, "Echo", Vec::new()).await.unwrap();
    assert!(refused.message().contains("all clients together"), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn connections_of_one_address_share_its_rate_and_whoever_reconnects_has_no_new_one() {
    let served = limited([RateLimit::messages(Rate::per_minute(3)).each_address()]);
    let one = served.client(from("192.0.2.1:1"));
    let same = served.client(from("192.0.2.1:2"));
    let other = served.client(from("192.0.2.2:1"));
    for client in [&one, &same, &one, &other] {
        assert!(status(client, "Echo", Vec::new()).await.is_none());
    }
    assert!(status(&same, "Echo", Vec::new()).await.is_some());
    assert!(status(&other, "Echo", Vec::new()).await.is_none());
    drop((one, same));
    while served.server.connections() > 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let again = served.client(from("192.0.2.1:3"));
    assert!(status(&again, "Echo", Vec::new()).await.is_some());
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(status(&again, "Echo", Vec::new()).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn connections_of_one_user_share_its_rate_and_anonymous_ones_have_it_each() {
    let served = serve(|server| {
        server
            .guard("first", allow)
            .guard("second", allow)
            .authenticator(ByName)
            .rate_limit(RateLimit::messages(Rate::per_minute(2)).each_user())
    });
    let connect = || served.client(ConnectInfo::new());
    let (one, same, other, anonymous) = (connect(), connect(), connect(), connect());
    one.authenticate(Credential::bearer("ali")).await.unwrap();
    same.authenticate(Credential::bearer("ali")).await.unwrap();
    other.authenticate(Credential::bearer("eve")).await.unwrap();
    assert!(status(&one, "Echo", Vec::new()).await.is_none());
    assert!(status(&same, "Echo", Vec::new()).await.is_none());
    let refused = status(&one, "Echo", Vec::new()).await.unwrap();
    assert!(refused.message().contains("this user"), "{refused:?}");
    for client in [&other, &anonymous, &served.client] {
        for _ in 0..2 {
            assert!(status(client, "Echo", Vec::new()).await.is_none());
        }
        assert!(status(client, "Echo", Vec::new()).await.is_some());
    }
    // Whoever becomes somebody else has what that one has left, and a refresh gives nobody more.
    let late = connect();
    late.authenticate(Credential::bearer("ali")).await.unwrap();
    assert!(status(&late, "Echo", Vec::new()).await.is_some());
    late.authenticate(Credential::bearer("ali")).await.unwrap();
    assert!(status(&late, "Echo", Vec::new()).await.is_some());
    late.change_user(Credential::bearer("bob")).await.unwrap();
    assert!(status(&late, "Echo", Vec::new()).await.is_none());
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(status(&one, "Echo", Vec::new()).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn networks_of_64_bits_of_ipv6_count_as_one_address() {
    let served = limited([RateLimit::messages(Rate::per_minute(1)).each_address()]);
    let one = served.client(from("[2001:db8:1:2::1]:1"));
    let same = served.client(from("[2001:db8:1:2:ffff::9]:1"));
    let other = served.client(from("[2001:db8:1:3::1]:1"));
    assert!(status(&one, "Echo", Vec::new()).await.is_none());
    assert!(status(&same, "Echo", Vec::new()).await.is_some());
    assert!(status(&other, "Echo", Vec::new()).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_rate_of_one_method_is_not_touched_by_others() {
    let limit = RateLimit::messages(Rate::per_minute(1));
    let served = limited([limit.of_method(method("Echo").full_name)]);
    for _ in 0..5 {
        assert!(status(&served.client, "Repeat", vec![item("a")]).await.is_none());
    }
    assert!(status(&served.client, "Echo", Vec::new()).await.is_none());
    assert!(status(&served.client, "Echo", Vec::new()).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn what_a_narrow_rate_refuses_takes_nothing_of_what_others_share() {
    let served = limited([
        RateLimit::messages(Rate::per_minute(3)).of_all(),
        RateLimit::messages(Rate::per_minute(1)).each_session(),
    ]);
    for _ in 0..20 {
        let _ = status(&served.client, "Echo", Vec::new()).await;
    }
    let other = served.client(ConnectInfo::new());
    assert!(status(&other, "Echo", Vec::new()).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn one_way_calls_over_the_rate_are_counted_as_failures() {
    let served = limited([RateLimit::messages(Rate::per_minute(1))]);
    for _ in 0..3 {
        served
            .client
            .unary::<()>(method("Tell"), &item("a"))
            .await
            .unwrap();
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(
        (served.begun(), served.server.counters().one_way_failures),
        (1, 2)
    );
}

#[test]
fn rates_that_cannot_be_kept_and_rates_of_methods_that_are_not_served_do_not_start() {
    let start = |limit| Server::builder().rate_limit(limit).build().unwrap_err();
    for rate in [
        Rate::per_second(0),
        Rate::per_second(1).burst(0),
        Rate::per(1, Duration::ZERO),
    ] {
        let error = start(RateLimit::messages(rate));
        assert!(matches!(error, StartError::Rate { .. }), "{error}");
        assert!(error.to_string().contains(" 0"), "{error}");
    }
    let error = start(RateLimit::bytes(Rate::per_second(1)).of_method("passing.GuardedService/Eco"));
    assert!(
        matches!(&error, StartError::RateOfUnknownMethod { method } if method == "passing.GuardedService/Eco"),
        "{error}"
    );
}
