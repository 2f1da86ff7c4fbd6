//! Starting and stopping.

use std::time::Duration;

use rpc_protocol::{CloseCode, FrameKind, frame::Request};
use rpc_runtime::{
    CallError, Client, Code, Limits, Reconnect, Server, ServerLimits, StartError, codegen::Gateway as _,
};
use tokio::time::Instant;

use crate::{
    handshake::listen,
    probe::{ProbeGateway, call, connect, order, pair, server, until},
    raw::Raw,
};

#[tokio::test(start_paused = true)]
async fn a_stop_lets_running_calls_finish_refuses_new_ones_and_closes_with_1012() {
    let (server, traces) = server(Limits::default());
    let mut raw = Raw::connect(&server).await;
    raw.request(1, "Wait", &order("running")).await;
    until("it runs", || traces.started() == 1).await;
    let stopping = tokio::spawn({
        let server = server.clone();
        async move { server.shutdown().await }
    });
    let frame = raw.frame().await.unwrap();
    assert!(
        matches!(&frame.kind, FrameKind::GoAway(go_away) if go_away.last_stream_id == 1),
        "{frame:?}"
    );
    raw.request(2, "Echo", &order("too late")).await;
    let (stream_id, answer) = raw.answer().await;
    assert_eq!((stream_id, answer.unwrap_err().0), (2, Code::Unavailable));
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert!(!stopping.is_finished());
    traces.release.notify_waiters();
    assert_eq!(raw.answer().await, (1, Ok(order("running"))));
    assert_eq!(raw.closed().await.0, 1012);
    stopping.await.unwrap();
    assert_eq!(server.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn calls_that_outlast_the_grace_of_25_s_are_cancelled() {
    let (server, traces) = server(Limits::default());
    let client = connect(&server);
    let waiting = tokio::spawn(call(&client, "Wait", &order("too long")).into_future());
    until("it runs", || traces.started() == 1).await;
    let began = Instant::now();
    server.shutdown().await;
    assert_eq!(began.elapsed().as_secs(), 25);
    assert_eq!(traces.dropped(), 1);
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!(error.code(), Some(Code::Unavailable));
    assert!(
        error.status().is_some(),
        "an end of its own, not the connection's: {error:?}"
    );
    assert_eq!(client.closed().await.close_code(), CloseCode::Restart);
}

#[tokio::test]
async fn a_stopped_server_closes_its_connections_and_accepts_nothing_more() {
    let (server, addr, stop) = listen(ServerLimits::default()).await;
    let url = format!("ws://{addr}/rpc");
    let connect = || Client::builder(&url).reconnect(Reconnect::never()).connect();
    let clients = [connect().await.unwrap(), connect().await.unwrap()];
    call(&clients[0], "Echo", &order("up")).await.unwrap();
    drop(stop);
    for client in &clients {
        assert_eq!(client.closed().await.close_code(), CloseCode::Restart);
    }
    until("none is left", || server.connections() == 0).await;
    assert!(matches!(Client::connect(&url).await, Err(CallError::Refused(_))));
}

#[tokio::test(start_paused = true)]
async fn an_idle_server_is_gone_within_a_second() {
    let (server, client, _) = pair(Limits::default());
    call(&client, "Echo", &order("up")).await.unwrap();
    // The clock moves only where everything waits for a timer: this counts timers, not how busy the machine is.
    let began = Instant::now();
    server.shutdown().await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(server.connections(), 0);
    assert_eq!(client.closed().await.close_code(), CloseCode::Restart);
}

#[tokio::test]
async fn while_a_server_stops_its_client_refuses_new_calls_as_unavailable() {
    let (server, client, traces) = pair(Limits::default());
    let waiting = tokio::spawn(call(&client, "Wait", &order("running")).into_future());
    until("it runs", || traces.started() == 1).await;
    let stopping = tokio::spawn(async move { server.shutdown().await });
    tokio::time::sleep(Duration::from_millis(20)).await;
    let error = call(&client, "Echo", &order("new")).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::Unavailable));
    traces.release.notify_waiters();
    assert_eq!(waiting.await.unwrap().unwrap(), order("running"));
    stopping.await.unwrap();
}

#[test]
fn a_service_that_is_added_twice_is_an_error() {
    let error = Server::builder()
        .service(ProbeGateway::default())
        .service(ProbeGateway::default())
        .build()
        .unwrap_err();
    assert!(
        matches!(
            error,
            StartError::MethodTwice {
                method: "probe.ProbeService/Echo"
            }
        ),
        "{error:?}"
    );
}

mod clashing {
    use rpc_runtime::{Status, rpc};

    pub struct FirstGateway;
    pub struct SecondGateway;

    #[rpc("clash", detached)]
    impl FirstGateway {
        #[message("super::super::probe::Order", method = "One", number = 77)]
        async fn one(&self) -> Result<(), Status> {
            Ok(())
        }
    }

    #[rpc("clash", detached)]
    impl SecondGateway {
        #[message("super::super::probe::Order", method = "Two", number = 77)]
        async fn two(&self) -> Result<(), Status> {
            Ok(())
        }
    }
}

#[test]
fn two_methods_with_one_number_are_an_error_that_names_both_and_the_override() {
    let error = Server::builder()
        .service(clashing::FirstGateway)
        .service(clashing::SecondGateway)
        .build()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the methods `clash.FirstService/One` and `clash.SecondService/Two` share the number 0x000000000000004d; give \
         one of them another: `#[message(number = …)]`"
    );
}

mod numbered {
    use rpc_runtime::{Status, rpc};

    use super::super::probe::Order;

    pub struct OldGateway;
    pub struct OtherGateway;

    #[rpc("numbered", detached)]
    impl OldGateway {
        #[message("super::super::probe::Order", method = "First", number = 77)]
        async fn first(&self) -> Result<Order, Status> {
            Ok(super::order("first"))
        }

        #[message("super::super::probe::Order", method = "Second", number = 78)]
        async fn second(&self) -> Result<Order, Status> {
            Ok(super::order("second"))
        }
    }

    #[rpc("numbered", detached)]
    impl OtherGateway {
        // What the name of `Second` comes out as.
        #[message("super::super::probe::Order", method = "Taker", number = 0x81b43a9e4cd2065a)]
        async fn taker(&self) -> Result<Order, Status> {
            Ok(super::order("taker"))
        }
    }
}

#[tokio::test]
async fn a_method_with_a_number_of_its_own_is_found_by_its_names_too() {
    let server = Server::builder().service(numbered::OldGateway).build().unwrap();
    let mut raw = Raw::connect(&server).await;
    let first = rpc_protocol::method_number("numbered.OldService/First");
    let second = rpc_protocol::method_number("numbered.OldService/Second");
    for (stream_id, number, found) in [
        (1, 77, "first"),
        (2, first, "first"),
        (3, 78, "second"),
        (4, second, "second"),
    ] {
        let request = Request {
            method: number,
            ..Request::default()
        };
        raw.send(stream_id, FrameKind::Request(request)).await;
        assert_eq!(raw.answer().await, (stream_id, Ok(order(found))));
    }
}

#[test]
fn a_number_that_another_methods_name_comes_out_as_is_an_error_that_names_both_and_the_override() {
    let second = rpc_protocol::method_number("numbered.OldService/Second");
    assert_eq!(numbered::OtherGateway::descriptor().methods[0].number, second);
    let old_first = Server::builder()
        .service(numbered::OldGateway)
        .service(numbered::OtherGateway);
    let other_first = Server::builder()
        .service(numbered::OtherGateway)
        .service(numbered::OldGateway);
    for builder in [old_first, other_first] {
        assert_eq!(
            builder.build().unwrap_err().to_string(),
            "the number 0x81b43a9e4cd2065a of the method `numbered.OtherService/Taker` is what the name of \
             `numbered.OldService/Second` comes out as: clients that are made from a `.proto` call \
             `numbered.OldService/Second` by that, and would run `numbered.OtherService/Taker`. Give \
             `numbered.OtherService/Taker` another number, `#[message(number = …)]`, or `numbered.OldService/Second` \
             another name; where both names come out as it, only another name helps"
        );
    }
}

mod elsewhere {
    use rpc_runtime::{Context, Status, rpc};

    pub struct PlaceGateway;

    #[rpc("place", detached)]
    impl PlaceGateway {
        #[message(
            "super::super::probe::Order",
            method = "OverHttp",
            transports("http"),
            guard = "admin"
        )]
        async fn over_http(&self) -> Result<(), Status> {
            Ok(())
        }

        #[message("super::super::probe::Order", method = "OverBoth", transports("http", "ws"))]
        async fn over_both(&self, _cx: &Context) -> Result<(), Status> {
            Ok(())
        }
    }
}

#[tokio::test]
async fn a_method_that_is_not_offered_over_websocket_is_unimplemented_by_number_and_by_name() {
    let server = Server::builder()
        .service(elsewhere::PlaceGateway)
        .build()
        .expect("what is not offered need not be guarded");
    let mut raw = Raw::connect(&server).await;
    let [http, both] = elsewhere::PlaceGateway::descriptor().methods else {
        panic!("two methods");
    };
    let by_number = |number| {
        FrameKind::Request(Request {
            method: number,
            ..Request::default()
        })
    };
    raw.send(1, by_number(http.number)).await;
    assert_eq!(raw.answer().await.1.unwrap_err().0, Code::Unimplemented);
    let by_name = FrameKind::Request(Request {
        method_name: http.full_name.into(),
        ..Request::default()
    });
    raw.send(2, by_name).await;
    assert_eq!(raw.answer().await.1.unwrap_err().0, Code::Unimplemented);
    raw.send(3, by_number(both.number)).await;
    assert!(raw.answer().await.1.is_ok());
}

mod guarded {
    use rpc_runtime::{Status, rpc};

    pub struct GuardGateway;
    pub struct AuthGateway;

    #[rpc("guarded", detached)]
    impl GuardGateway {
        #[message("super::super::probe::Order", method = "Wipe", guard = "admin")]
        async fn wipe(&self) -> Result<(), Status> {
            Ok(())
        }
    }

    #[rpc("guarded", detached, auth)]
    impl AuthGateway {
        #[message("super::super::probe::Order", method = "Read")]
        async fn read(&self) -> Result<(), Status> {
            Ok(())
        }
    }
}

#[test]
fn a_method_that_asks_for_a_guard_or_authentication_is_not_served_without() {
    let error = Server::builder()
        .service(guarded::GuardGateway)
        .build()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the method `guarded.GuardService/Wipe` names the guard `admin`, which is not registered: say what it does with \
         `.guard(\"admin\", …)` or, for `serving::probe::Order`, this method's type of request, with \
         `.request_guard(\"admin\", …)`"
    );
    let error = Server::builder()
        .service(guarded::AuthGateway)
        .build()
        .unwrap_err();
    assert!(matches!(&error, StartError::NoAuthenticator { .. }), "{error:?}");
}
