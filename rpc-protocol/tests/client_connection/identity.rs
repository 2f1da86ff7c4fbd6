//! Who the client is: what it sends, and which answers it takes.

use std::time::Duration;

use bytes::Bytes;
use rpc_protocol::frame::{AnnouncedLimits, Authenticate, Identity, Pong, Status};
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
