//! What may happen to the server's end of a connection: what its client sends, and what the runtime does.

use arbitrary::Arbitrary;

/// One thing that happens. Streams are named by small numbers, so that they meet.
#[derive(Arbitrary, Debug)]
pub enum Operation {
    /// The client sends bytes that may be no frame.
    Bytes(Vec<u8>),
    /// The client opens a call, this far above the last.
    Request {
        step: u8,
        method: u64,
        flags: u8,
        metadata: u8,
        len: u16,
    },
    Reset {
        stream_id: u8,
    },
    Data {
        stream_id: u8,
        flags: u8,
        len: u16,
    },
    HalfClose {
        stream_id: u8,
    },
    Credit {
        stream_id: u8,
        bytes: u64,
    },
    Greeting {
        stream: u32,
        connection: u32,
        frame: u32,
        message: u32,
    },
    Ping,
    Pong {
        payload: u8,
    },
    Authenticate {
        purpose: i8,
        metadata: u8,
    },
    /// The runtime serves nobody whom it does not know, or whom it does.
    AwaitAuthentication {
        awaits: bool,
    },
    /// The runtime says who the client is.
    Identity {
        request_id: u8,
    },
    /// The runtime measures the round-trip time.
    Measure,
    Unknown {
        stream_id: u8,
    },
    /// The runtime leaves the call in hand for later.
    Park {
        stream_id: u8,
    },
    Respond {
        stream_id: u8,
        len: u16,
        long: bool,
    },
    OpenResponse {
        stream_id: u8,
    },
    Send {
        stream_id: u8,
        len: u16,
        long: bool,
    },
    Fail {
        stream_id: u8,
        code: u8,
    },
    EndRunning {
        stream_id: u8,
    },
    Finished {
        stream_id: u8,
    },
    Consumed {
        stream_id: u8,
        messages: u8,
    },
    StopReading {
        stream_id: u8,
    },
    Transmit {
        room: u32,
    },
    Fault,
    Flushed,
    Drain,
    Pass {
        milliseconds: u16,
    },
    Timeout,
}
