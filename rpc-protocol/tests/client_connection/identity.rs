//! Who the client is: what it sends, and which answers it takes.

use std::time::Duration;

use bytes::Bytes;
use rpc_protocol::frame::{AnnouncedLimits, Authenticate, Greeting, Identity, Pong, Request, Status};
use rpc_protocol::{ClientEvent, CloseCode, Code, Frame, FrameKind, TooLarge};

use super::{Client, is_none};

fn bearer(len: usize) -> Authenticate {
    Authenticate {
        scheme: "bearer".to_owned(),
        credential: Bytes::from(vec![b'x'; len]),
        ..Authenticate::default()
    }
}

fn identity(request_id: u64) -> FrameKind {
    FrameKind::Identity(Box::new(Identity {
        request_id,
        user_id: "ann".to_owned(),
        ..Identity::default()
    }))
}

#[test]
fn authentications_are_numbered_in_the_order_of_sending_and_go_before_what_is_sent_after() {
    let mut client = Client::new();
    assert_eq!(client.connection.authenticate(bearer(5), &mut client.out), Ok(1));
    client.open().unwrap();
    assert_eq!(client.connection.authenticate(bearer(6), &mut client.out), Ok(2));
    let sent = client.sent();
    let numbered = |request_id, len| {
        let authenticate = Authenticate {
            request_id,
            ..bearer(len)
        };
        Frame::new(0, FrameKind::Authenticate(Box::new(authenticate)))
    };
    assert_eq!(sent[0], numbered(1, 5));
    assert!(matches!(sent[1].kind, FrameKind::Request(_)));
    assert_eq!(sent[2], numbered(2, 6));
}

#[test]
fn an_answer_and_what_the_server_says_on_its_own_come_out() {
    let mut client = Client::new();
    client
        .connection
        .authenticate(bearer(5), &mut client.out)
        .unwrap();
    for request_id in [0, 1] {
        let event = client.receive(0, identity(request_id));
        let Ok(ClientEvent::Identity(identity)) = event else {
            panic!("no identity: {event:?}")
        };
        assert_eq!((identity.request_id, &*identity.user_id), (request_id, "ann"));
    }
    let refused = Identity {
        request_id: 1,
        status: Some(Status::new(Code::Unauthenticated, "no")),
        ..Identity::default()
    };
    let event = client.receive(0, FrameKind::Identity(Box::new(refused.clone())));
    assert!(matches!(event, Ok(ClientEvent::Identity(identity)) if *identity == refused));
}

#[test]
fn an_answer_to_what_was_never_asked_closes_with_4502() {
    let mut client = Client::new();
    client
        .connection
        .authenticate(bearer(5), &mut client.out)
        .unwrap();
    let error = client.receive(0, identity(2)).unwrap_err();
    assert_eq!(error.close_code(), CloseCode::ProtocolViolated);
}

#[test]
fn a_credential_over_the_servers_limit_is_not_sent_and_takes_no_number() {
    let fits = Authenticate {
        request_id: 1,
        ..bearer(50)
    };
    let limit = fits.message_len(0);
    let mut client = Client::greeted_with(AnnouncedLimits {
        max_message_bytes: limit as u64,
        ..AnnouncedLimits::default()
    });
    assert_eq!(
        client.connection.authenticate(bearer(51), &mut client.out),
        Err(TooLarge {
            len: limit + 1,
            limit
        })
    );
    assert_eq!(client.sent(), []);
    assert_eq!(client.connection.authenticate(bearer(50), &mut client.out), Ok(1));
    assert_eq!(
        client.sent(),
        [Frame::new(0, FrameKind::Authenticate(Box::new(fits)))]
    );
}

#[test]
fn a_client_measures_the_round_trip_time_as_well() {
    let mut client = Client::new();
    assert!(client.connection.ping(client.now, &mut client.out));
    let [
        Frame {
            kind: FrameKind::Ping(ping),
            ..
        },
    ] = client.sent()[..]
    else {
        panic!("a ping")
    };
    client.now += Duration::from_millis(30);
    let payload = ping.payload;
    assert!(is_none(client.receive(0, FrameKind::Pong(Pong { payload }))));
    assert_eq!(
        client.connection.round_trip_time(),
        Some(Duration::from_millis(30))
    );
}

/// What leaves of a call with a body of so many bytes: the longest message, and how many there are.
fn longest(client: &mut Client, len: usize) -> (usize, usize) {
    let request = Request {
        method: 7,
        ..Request::default()
    };
    let body = vec![1; len];
    let id = client
        .connection
        .open(&request, &body, &mut client.out)
        .expect("is opened");
    while client.connection.transmit(usize::MAX, &mut client.out) {}
    client.connection.cancel(id, &mut client.out);
    let frames: Vec<usize> = client.out.drain(..).map(|message| message.len()).collect();
    (*frames.iter().max().expect("was sent"), frames.len() - 1)
}

#[test]
fn while_nobody_is_known_who_has_to_be_messages_are_no_longer_than_a_server_takes_then() {
    let mut client = Client::new();
    assert_eq!(
        longest(&mut client, 20_000).1,
        1,
        "nothing is known of the server yet"
    );
    let greeting = Greeting {
        authentication_required: true,
        ..Greeting::default()
    };
    client
        .receive(0, FrameKind::Greeting(Box::new(greeting)))
        .unwrap();
    let (most, frames) = longest(&mut client, 20_000);
    assert!(most <= 16 << 10 && frames == 2, "{most} {frames}");
    // Behind a credential that may be accepted, which may itself be longer.
    let credential = bearer(20_000);
    assert!(
        client
            .connection
            .authenticate(credential, &mut client.out)
            .is_ok()
    );
    client.out.clear();
    assert_eq!(longest(&mut client, 20_000).1, 1);
    let refused = Identity {
        request_id: 1,
        status: Some(Status::new(Code::Unauthenticated, "no")),
        ..Identity::default()
    };
    client.receive(0, FrameKind::Identity(Box::new(refused))).unwrap();
    assert_eq!(longest(&mut client, 20_000).1, 2);
    // Once somebody was known the limit is that of all, also when nobody is any more.
    for user in ["ann", ""] {
        let told = Identity {
            user_id: user.to_owned(),
            ..Identity::default()
        };
        client.receive(0, FrameKind::Identity(Box::new(told))).unwrap();
        assert_eq!(longest(&mut client, 20_000).1, 1);
    }
    // Over another connection it is what the server says there.
    let successor = client.connection.successor(client.now);
    client.connection.resume(&successor, client.now);
    assert_eq!(longest(&mut client, 20_000).1, 1);
}
