//! The contract of `rpc.session.v1.SessionService`.

use std::time::{Duration, SystemTime};

use crate::{Context, Status, contract};

/// What a client may know about its own session.
#[contract(
    package = "rpc.session.v1",
    proto_path = "protos/rpc/session/v1/session.proto"
)]
pub trait Session {
    /// Tells the facts of the greeting as they are now, and how the session stands.
    #[message(idempotent)]
    async fn info(&self, cx: &Context, request: InfoRequest) -> Result<InfoResponse, Status>;
}

/// Asks about the caller's own session.
#[contract(
    package = "rpc.session.v1",
    proto_path = "protos/rpc/session/v1/session.proto"
)]
pub struct InfoRequest {}

/// A session, as its own client may know it.
#[contract(
    package = "rpc.session.v1",
    proto_path = "protos/rpc/session/v1/session.proto"
)]
pub struct InfoResponse {
    /// The client's public name on this server; never a credential.
    pub client_id: String,
    /// Who the client is; absent while anonymous.
    pub user_id: Option<String>,
    /// Where the session stands.
    pub state: State,
    /// Whether calls are refused while nobody is known.
    pub authentication_required: bool,
    /// Until when the identity holds; absent: for ever, or there is none.
    pub identity_expires: Option<SystemTime>,
    /// What the client may do.
    pub limits: SessionLimits,
    /// How long the connection may be silent before the server sends a ping.
    pub heartbeat_interval: Duration,
    /// How long a pong may take before the client counts as gone.
    pub heartbeat_timeout: Duration,
    /// The server's clock.
    pub server_time: SystemTime,
    /// When the connection was made.
    pub started: SystemTime,
    /// The client's address as the server sees it, without the port; absent where the transport has none.
    pub peer_address: Option<String>,
    /// The path that the client connected to.
    pub path: String,
    /// How long the last ping took to be answered; absent before the first.
    pub round_trip_time: Option<Duration>,
}

/// What one connection may do.
#[contract(
    package = "rpc.session.v1",
    proto_path = "protos/rpc/session/v1/session.proto"
)]
pub struct SessionLimits {
    /// The longest WebSocket message, in bytes.
    pub message_bytes: u64,
    /// The longest body of a request or a message, in bytes.
    pub body_bytes: u64,
    /// Calls at a time.
    pub streams: u64,
    /// The window that each stream begins with, in bytes.
    pub stream_window_bytes: u64,
    /// The window that the connection begins with, in bytes.
    pub connection_window_bytes: u64,
    /// Entries of a call's metadata.
    pub metadata_entries: u64,
    /// Bytes of a call's metadata.
    pub metadata_bytes: u64,
}

/// Where a session stands.
#[contract(
    package = "rpc.session.v1",
    proto_path = "protos/rpc/session/v1/session.proto"
)]
pub enum State {
    /// The handshake, and what runs before the client is greeted.
    Connecting = 0,
    /// Greeted, and nobody is known.
    Anonymous = 1,
    /// A credential is looked at.
    Authenticating = 2,
    /// A user is known.
    Authenticated = 3,
    /// The server stops.
    Draining = 4,
    /// The connection is over.
    Closed = 5,
    /// The connection was lost, and the client may come back.
    Detached = 6,
    /// A state that this side does not know.
    #[field(other)]
    Other(i32),
}
