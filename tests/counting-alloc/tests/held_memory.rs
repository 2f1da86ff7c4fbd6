//! What a server's end of a connection holds for its peer takes no more memory than the limits say, whatever comes.

use std::time::Instant;

use counting_alloc::{Counting, peak_of};
use rpc_protocol::frame::{Data, Request};
use rpc_protocol::{Frame, FrameKind, Limits, ServerConnection, ServerEvent, StreamMessage};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The server's end, with what its application was given and did not read.
struct Server {
    connection: ServerConnection,
    now: Instant,
    out: Vec<Vec<u8>>,
    unread: Vec<StreamMessage>,
}

impl Server {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            connection: ServerConnection::new(Limits::default(), now),
            now,
            out: Vec::new(),
            unread: Vec::new(),
        }
    }

    /// Whether a message was taken.
    fn receive(&mut self, message: Vec<u8>) -> bool {
        match self
            .connection
            .handle_message(message.into(), self.now, &mut self.out)
        {
            Ok(ServerEvent::Message { message, .. }) => self.unread.push(message),
            Ok(_) => {}
            Err(_) => return false,
        }
        self.out.clear();
        true
    }

    /// Opens a call on which the client goes on sending.
    fn open(&mut self, stream_id: u64) {
        let open = Request {
            method: 7,
            open: true,
            ..Request::default()
        };
        assert!(self.receive(frame(stream_id, FrameKind::Request(open))));
        self.connection.park(stream_id);
    }
}

fn frame(stream_id: u64, kind: FrameKind) -> Vec<u8> {
    Frame::new(stream_id, kind).to_bytes().to_vec()
}

/// A frame with a body of `body` bytes, behind a field of `padding` bytes that nobody knows.
fn padded(stream_id: u64, body: usize, padding: usize) -> Vec<u8> {
    let data = Data {
        body: vec![7; body].into(),
        ..Data::default()
    };
    let mut bytes = frame(stream_id, FrameKind::Data(data));
    // Field 100, of a length.
    bytes.extend([0xa2, 0x06]);
    let mut length = padding;
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.resize(bytes.len() + padding, 0);
    bytes
}

#[test]
fn a_short_message_does_not_keep_the_long_frame_in_which_it_came() {
    let mut server = Server::new();
    server.open(1);
    let (taken, peak) = peak_of(|| {
        let mut taken = 0_u64;
        // As many as the stream's window lets through, in as many half mebibytes.
        while taken < 200 && server.receive(padded(1, 1, 512 << 10)) {
            taken += 1;
        }
        taken
    });
    assert_eq!((taken, server.unread.len()), (200, 200));
    // One that is being read, made from another.
    assert!(peak < 3 << 20, "{peak} bytes for {taken} messages of one byte");
}

#[test]
fn a_request_that_is_not_whole_keeps_no_name_of_a_method_that_no_limit_counts() {
    let mut server = Server::new();
    let name = "x".repeat(1 << 19);
    let ((), peak) = peak_of(|| {
        for stream_id in 1..=100 {
            let begun = Request {
                method_name: name.clone(),
                more: true,
                ..Request::default()
            };
            assert!(server.receive(frame(stream_id, FrameKind::Request(begun))));
        }
    });
    assert!(peak < 4 << 20, "{peak} bytes for 100 requests without a body");
}

#[test]
fn tiny_messages_that_nobody_reads_take_at_most_three_times_what_they_count() {
    let counted = |len: usize| {
        let mut server = Server::new();
        let (count, peak) = peak_of(|| {
            let mut count = 0_u64;
            for stream_id in 1..=60 {
                server.open(stream_id);
                let data = Data {
                    body: vec![7; len].into(),
                    ..Data::default()
                };
                let message = frame(stream_id, FrameKind::Data(data));
                // All but the last, which would go over.
                for _ in 0..(256 << 10) / (32 + len) {
                    if !server.receive(message.clone()) {
                        return count;
                    }
                    count += 1;
                }
            }
            count
        });
        (count * (32 + len as u64), peak)
    };
    for len in [0, 1, 16, 100, 1_000] {
        let (counted, peak) = counted(len);
        println!("{len} bytes each: {counted} counted, {peak} at the peak");
        assert!(
            peak <= 3 * counted,
            "{len} bytes each: {counted} counted, {peak} taken"
        );
    }
}

#[test]
fn bodies_that_are_not_whole_take_no_more_than_what_may_be_pending() {
    let mut server = Server::new();
    let limits = Limits::default();
    let (sent, peak) = peak_of(|| {
        let mut sent = 0_u64;
        for round in 0..200 {
            for stream_id in 1..=100 {
                let part = vec![7; 900].into();
                let kind = if round == 0 {
                    FrameKind::Request(Request {
                        method: 7,
                        more: true,
                        body: part,
                        ..Request::default()
                    })
                } else {
                    FrameKind::Data(Data {
                        more: true,
                        body: part,
                        ..Data::default()
                    })
                };
                assert!(server.receive(frame(stream_id, kind)));
                sent += 900;
            }
        }
        sent
    });
    assert!(sent > limits.max_pending_bytes as u64, "more than fits was sent");
    println!("{sent} sent, {peak} at the peak");
    let most = (limits.max_pending_bytes as u64) + (1 << 20);
    assert!(
        peak <= most,
        "{peak} bytes for bodies of at most {}",
        limits.max_pending_bytes / 2
    );
}
