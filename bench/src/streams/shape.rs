//! The loads of the streams: which way, how long the messages are, and how many streams share the connection. And how a client process
//! is told.

use crate::results::Column;
use clap::{Args, ValueEnum};

/// Which way messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Direction {
    /// From the server to the client: server streaming.
    Down,
    /// From the client to the server: client streaming.
    Up,
    /// Both: each message comes back to the client, bidirectional streaming.
    Echo,
}

impl Direction {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Down, Self::Up, Self::Echo];

    /// The name on the command line.
    fn name(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Up => "up",
            Self::Echo => "echo",
        }
    }

    /// The name in the tables.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Down => "server to client",
            Self::Up => "client to server",
            Self::Echo => "both ways, each message comes back",
        }
    }
}

/// One load: all streams on one connection, each as fast as it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Args)]
pub(crate) struct StreamShape {
    /// What the tables call it, within its direction.
    #[arg(skip = "given")]
    pub(crate) name: &'static str,
    /// Which way messages go.
    #[arg(long)]
    pub(crate) direction: Direction,
    /// Bytes of a message's payload; number, keys and lengths take 11 to 13 more.
    #[arg(long)]
    pub(crate) payload: usize,
    /// Streams of the one connection.
    #[arg(long)]
    pub(crate) streams: usize,
}

impl StreamShape {
    /// What says it on the command line.
    pub(crate) fn arguments(self) -> [(&'static str, String); 3] {
        [
            ("--direction", self.direction.name().to_owned()),
            ("--payload", self.payload.to_string()),
            ("--streams", self.streams.to_string()),
        ]
    }
}

impl Column for StreamShape {
    fn name(self) -> &'static str {
        self.name
    }
}

/// The payload that makes a message of 100 bytes.
pub(crate) const SMALL_PAYLOAD: usize = 89;
/// A long message's payload.
pub(crate) const LARGE_PAYLOAD: usize = 64 * 1024;

/// All loads, in the order of the tables.
pub(crate) fn shapes() -> Vec<StreamShape> {
    let sizes = [
        ("100 B x 1", SMALL_PAYLOAD, 1),
        ("100 B x 100", SMALL_PAYLOAD, 100),
        ("64 KiB x 1", LARGE_PAYLOAD, 1),
        ("64 KiB x 100", LARGE_PAYLOAD, 100),
    ];
    Direction::ALL
        .into_iter()
        .flat_map(|direction| {
            sizes.map(|(name, payload, streams)| StreamShape {
                name,
                direction,
                payload,
                streams,
            })
        })
        .collect()
}
