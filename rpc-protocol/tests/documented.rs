//! The page about the wire says what the code does.

use std::time::{Duration, Instant};

use bytes::Bytes;
use rpc_protocol::frame::{
    AnnouncedLimits, Authenticate, AuthenticationPurpose, Compression, End, Event, Greeting, Identity,
    Request,
};
use rpc_protocol::{
    ClientConnection, ClientEvent, CloseCode, DATA_FRAME_COST, Frame, FrameKind, Limits, PeerLimits,
    ServerConnection, ServerEvent, method_number,
};

const PAGE: &str = include_str!("../../docs/wire.md");

/// The bytes of the transcripts on the page, each with who sends them.
fn transcripts() -> Vec<Vec<(char, Bytes)>> {
    let mut transcripts: Vec<Vec<_>> = Vec::new();
    let mut inside = false;
    for line in PAGE.lines() {
        if line.starts_with("```") {
            inside = line == "```transcript";
            if inside {
                transcripts.push(Vec::new());
            }
        } else if inside {
            let (sender, rest) = line.split_at(1);
            let (bytes, _what) = rest.split_once('|').expect("bytes, and what they say");
            let byte = |byte| u8::from_str_radix(byte, 16).expect("two hexadecimal digits");
            let bytes: Vec<u8> = bytes.split_whitespace().map(byte).collect();
            let sender = sender.chars().next().expect("a sender");
            transcripts
                .last_mut()
                .expect("a transcript")
                .push((sender, bytes.into()));
        }
    }
    transcripts
}

#[test]
fn the_page_lists_every_close_code_and_whether_a_client_comes_back() {
    for code in CloseCode::ALL {
        let row = PAGE
            .lines()
            .find(|line| line.starts_with(&format!("| {code} |")))
            .unwrap_or_else(|| panic!("no row for {code}"));
        let wanted = if code.may_return() {
            "| comes back |"
        } else {
            "| final |"
        };
        assert!(row.ends_with(wanted), "{row}");
    }
}

#[test]
fn the_page_gives_the_numbers_of_methods() {
    for name in ["a", "foobar", "task.TaskService/AddTask"] {
        let row = format!("| `{name}` | `{:#018x}` |", method_number(name));
        assert!(PAGE.contains(&row), "{row}");
    }
}

#[test]
fn the_page_gives_every_limit_and_its_default() {
    let limits = Limits::default();
    let seconds = |time: Option<Duration>| format!("{} s", time.expect("finite").as_secs());
    let rows = [
        ("max_message_bytes", limits.max_message_bytes.to_string()),
        (
            "max_unauthenticated_message_bytes",
            limits.max_unauthenticated_message_bytes.to_string(),
        ),
        ("max_streams", limits.max_streams.to_string()),
        ("stream_window_bytes", limits.stream_window_bytes.to_string()),
        (
            "connection_window_bytes",
            limits.connection_window_bytes.to_string(),
        ),
        ("max_frame_body_bytes", limits.max_frame_body_bytes.to_string()),
        ("max_body_bytes", limits.max_body_bytes.to_string()),
        ("max_pending_bytes", limits.max_pending_bytes.to_string()),
        ("max_queued_bytes", limits.max_queued_bytes.to_string()),
        ("max_metadata_entries", limits.max_metadata_entries.to_string()),
        ("max_metadata_bytes", limits.max_metadata_bytes.to_string()),
        ("max_opens", limits.max_opens.to_string()),
        ("max_refused_streams", limits.max_refused_streams.to_string()),
        ("max_resets", limits.max_resets.to_string()),
        ("max_pings", limits.max_pings.to_string()),
        ("max_faults", limits.max_faults.to_string()),
        ("keep_alive_interval", seconds(limits.keep_alive_interval)),
        ("keep_alive_timeout", seconds(Some(limits.keep_alive_timeout))),
        ("idle_timeout", seconds(limits.idle_timeout)),
    ];
    // Told by `Debug`, so that a limit which is added is missed here.
    let fields = format!("{limits:#?}");
    let fields = fields
        .lines()
        .filter(|line| line.starts_with("    ") && !line.starts_with("     "));
    let names: Vec<&str> = fields
        .filter_map(|line| line.trim().split_once(':'))
        .map(|(name, _)| name)
        .collect();
    for name in names.iter().filter(|name| **name != "compressions") {
        assert!(
            rows.iter().any(|(row, _)| row == name),
            "{name} is not looked for"
        );
    }
    for (name, default) in rows {
        let row = PAGE
            .lines()
            .find(|line| line.starts_with(&format!("| `{name}`")))
            .unwrap_or_else(|| panic!("no row for {name}"));
        assert!(row.contains(&format!("| {default} |")), "{row}: {default}");
    }
    assert!(PAGE.contains(&format!("**{DATA_FRAME_COST} bytes more**")));
}

/// The page's example is what both ends of this crate say to each other.
#[test]
fn the_page_shows_a_bidirectional_call_byte_by_byte() {
    let now = Instant::now();
    let mut server = ServerConnection::new(Limits::default(), now);
    let mut client = ClientConnection::new(Limits::default(), now);
    let (mut up, mut down): (Vec<Vec<u8>>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());

    let request = Request {
        method: method_number("task.TaskService/AddTask"),
        open: true,
        ..Request::default()
    };
    let id = client.open(&request, &(), &mut up).expect("is opened");
    client
        .send(id, Compression::NONE, &b"hi"[..], &mut up)
        .expect("is sent");
    client.finish(id, &mut up);
    for message in &up {
        let message = Bytes::copy_from_slice(message);
        match server.handle_message(message, now, &mut down).expect("is taken") {
            ServerEvent::Request(request) => assert!(request.open),
            ServerEvent::Message { message, .. } => assert_eq!(&message.body[..], b"hi"),
            ServerEvent::HalfClosed { stream_id } => assert_eq!(stream_id, id),
            event => panic!("{event:?}"),
        }
    }
    server
        .send(id, Compression::NONE, &b"ho"[..], &mut down)
        .expect("is sent");
    server.end(id, &End::default(), &mut down).expect("fits");
    let mut events = Vec::new();
    for message in &down {
        let event = client.handle_message(Bytes::copy_from_slice(message), now, &mut Vec::new());
        events.push(event.expect("is taken"));
    }
    assert!(matches!(
        events[..],
        [
            ClientEvent::Opened { .. },
            ClientEvent::Message { .. },
            ClientEvent::End { .. }
        ]
    ));

    let said = up.into_iter().map(|message| ('C', Bytes::from(message)));
    let answered = down.into_iter().map(|message| ('S', Bytes::from(message)));
    let said: Vec<_> = said.chain(answered).collect();
    assert_eq!(transcripts()[0], said);
}

#[test]
fn the_page_shows_the_greeting_of_a_minimal_client() {
    let [(sender, bytes)] = &transcripts()[1][..] else {
        panic!("one frame")
    };
    assert_eq!(*sender, 'C');
    let largest = u64::MAX >> 1;
    let limits = AnnouncedLimits {
        stream_window_bytes: largest,
        connection_window_bytes: largest,
        max_frame_body_bytes: largest,
        ..AnnouncedLimits::default()
    };
    let greeting = Greeting {
        limits: Some(limits),
        ..Greeting::default()
    };
    let peer = PeerLimits::of(&greeting);
    assert_eq!(
        Frame::decode(bytes.clone()),
        Ok(Frame::new(0, FrameKind::Greeting(Box::new(greeting))))
    );
    // As good as without end.
    assert!(peer.stream_window_bytes > 1 << 60 && peer.connection_window_bytes > 1 << 60);
}

/// Both ends of this crate say what the page shows, and understand it.
#[test]
fn the_page_shows_an_authentication_byte_by_byte() {
    let now = Instant::now();
    let mut server = ServerConnection::new(Limits::default(), now);
    let mut client = ClientConnection::new(Limits::default(), now);
    let bearer = Authenticate {
        scheme: "bearer".to_owned(),
        credential: Bytes::from_static(b"token"),
        ..Authenticate::default()
    };
    let sign_out = Authenticate {
        purpose: AuthenticationPurpose::SignOut as i32,
        ..Authenticate::default()
    };
    let ann = Identity {
        user_id: "ann".to_owned(),
        expires_in_us: 60_000_000,
        ..Identity::default()
    };
    let mut said = Vec::new();
    for (asked, answer) in [(bearer, ann), (sign_out, Identity::default())] {
        let (mut up, mut down): (Vec<Vec<u8>>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
        let id = client.authenticate(asked.clone(), &mut up).expect("fits");
        let message = Bytes::from(up.remove(0));
        said.push(('C', message.clone()));
        match server.handle_message(message, now, &mut down).expect("is taken") {
            ServerEvent::Authenticate(came) => {
                let asked = Authenticate {
                    request_id: id,
                    ..asked
                };
                assert_eq!(*came, asked);
            }
            event => panic!("{event:?}"),
        }
        let answer = Identity {
            request_id: id,
            ..answer
        };
        server.identity(&answer, &mut down);
        let message = Bytes::from(down.remove(0));
        said.push(('S', message.clone()));
        match client.handle_message(message, now, &mut up).expect("is taken") {
            ClientEvent::Identity(told) => assert_eq!(*told, answer),
            event => panic!("{event:?}"),
        }
    }
    assert_eq!(transcripts()[2], said);
}

/// A client says what the page shows when it comes back, and when it is greeted.
#[test]
fn the_page_shows_a_client_that_comes_back() {
    let now = Instant::now();
    let mut client = ClientConnection::new(Limits::default(), now);
    let back = Greeting {
        resume_token: "secret one!".to_owned(),
        received_frames: 2,
        ..Greeting::default()
    };
    let mut out: Vec<Vec<u8>> = Vec::new();
    // A client of this crate announces its limits as well, which the page leaves out.
    client.greet(back.clone(), &mut out);
    out.clear();
    let greeting = Greeting {
        resume_token: "secret two!".to_owned(),
        resumed: true,
        ..Greeting::default()
    };
    let message = Frame::new(0, FrameKind::Greeting(Box::new(greeting))).to_bytes();
    client.handle_message(message, now, &mut out).expect("is taken");
    client.acknowledge_token(&mut out);
    let greeting = Frame::new(0, FrameKind::Greeting(Box::new(back))).to_bytes();
    let acknowledgement = Bytes::from(out.remove(0));
    assert_eq!(transcripts()[4], [('C', greeting), ('C', acknowledgement)]);
}

#[test]
fn the_page_lists_the_purposes_of_an_authentication_and_no_others() {
    for number in 0..10 {
        let row = PAGE
            .lines()
            .find(|line| line.starts_with(&format!("| {number} |")) && !line.contains('`'));
        let known = AuthenticationPurpose::from_i32(number).is_some();
        assert_eq!(row.is_some(), known, "purpose {number}");
    }
}

#[test]
fn the_page_shows_an_event_byte_by_byte() {
    let event = Event {
        channel: 3,
        offset: 3,
        type_name: "chat.A".to_owned(),
        time_us: 64_000_000,
        ..Event::default()
    };
    let mut out: Vec<Vec<u8>> = Vec::new();
    event.encode(0, &b"\x0a\x02hi"[..], &mut out);
    assert_eq!(transcripts()[3], [('S', Bytes::from(out.remove(0)))]);
}
