//! What happens to a session.

use arbitrary::Arbitrary;

/// One thing that happens. Calls are named by small numbers, so that they meet.
#[derive(Arbitrary, Debug)]
pub enum Operation {
    Open {
        streams: bool,
    },
    ClientSends {
        call: u8,
        len: u16,
    },
    ClientFinishes {
        call: u8,
    },
    ClientCancels {
        call: u8,
    },
    ServerSends {
        call: u8,
        len: u16,
    },
    ServerResponds {
        call: u8,
        len: u16,
    },
    ServerEnds {
        call: u8,
    },
    /// The server publishes, to this client alone or to a channel.
    Event {
        direct: bool,
        len: u8,
    },
    /// So many frames arrive at the server.
    Up(u8),
    /// And at the client.
    Down(u8),
    /// The connection is lost with all that is on its way.
    Cut,
    /// A peer acknowledges something else than what it has.
    Acknowledge {
        by_client: bool,
        received: u64,
    },
    Pass {
        milliseconds: u16,
    },
}
