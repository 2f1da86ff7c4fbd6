//! The contract of `rpc.admin.v1.AdminService`.

use std::time::{Duration, SystemTime};

use crate::{Context, Status, contract, services::session::State};

/// Sessions, for those who administer a server.
#[contract(
    package = "rpc.admin.v1",
    proto_path = "protos/rpc/admin/v1/admin.proto",
    guard = "admin"
)]
pub trait Admin {
    /// Lists the sessions of clients that are connected, in the order of their ids, a page at a time.
    #[message(idempotent, spawn)]
    async fn list_sessions(
        &self,
        cx: &Context,
        request: ListSessionsRequest,
    ) -> Result<ListSessionsResponse, Status>;

    /// One session. NOT_FOUND where the client is not connected.
    #[message(idempotent)]
    async fn get_session(
        &self,
        cx: &Context,
        request: GetSessionRequest,
    ) -> Result<GetSessionResponse, Status>;

    /// Closes the connection of a client, or all connections of a user.
    #[message(idempotent)]
    async fn disconnect(
        &self,
        cx: &Context,
        request: DisconnectRequest,
    ) -> Result<DisconnectResponse, Status>;

    /// What the server has counted since it was made.
    #[message(idempotent, spawn)]
    async fn stats(&self, cx: &Context, request: StatsRequest) -> Result<StatsResponse, Status>;
}

/// Which sessions to list: those for which all that is set holds.
#[contract(package = "rpc.admin.v1", proto_path = "protos/rpc/admin/v1/admin.proto")]
pub struct ListSessionsRequest {
    /// The user.
    pub user_id: Option<String>,
    /// The client's address, without a port.
    pub address: Option<String>,
    /// The path that the client connected to.
    pub path: Option<String>,
    /// How many at most: 100 where it is 0, and never more than 1,000.
    pub page_size: u32,
    /// What the page before gave as the next; empty for the first.
    pub page_token: String,
}

/// A page of sessions.
#[contract(package = "rpc.admin.v1", proto_path = "protos/rpc/admin/v1/admin.proto")]
pub struct ListSessionsResponse {
    /// In the order of their client ids.
    pub sessions: Vec<SessionDetails>,
    /// Asks for the next page; empty on the last.
    pub next_page_token: String,
}

/// Which session.
#[contract(package = "rpc.admin.v1", proto_path = "protos/rpc/admin/v1/admin.proto")]
pub struct GetSessionRequest {
    /// The client's id.
    pub client_id: String,
}

/// One session.
#[contract(package = "rpc.admin.v1", proto_path = "protos/rpc/admin/v1/admin.proto")]
pub struct GetSessionResponse {
    /// How it stands.
    pub session: SessionDetails,
}

/// A session, and what was counted of it.
#[contract(package = "rpc.admin.v1", proto_path = "protos/rpc/admin/v1/admin.proto")]
pub struct SessionDetails {
    /// The client's id.
    pub client_id: String,
    /// Who the client is; absent while anonymous.
    pub user_id: Option<String>,
    /// Where the session stands.
    pub state: State,
    /// Until when the identity holds; absent: for ever, or there is none.
    pub identity_expires: Option<SystemTime>,
    /// The client's address, without the port; absent where the transport has none.
    pub peer_address: Option<String>,
    /// The path that the client connected to.
    pub path: String,
    /// When the connection was made.
    pub started: SystemTime,
    /// How long the last ping took to be answered; absent before the first.
    pub round_trip_time: Option<Duration>,
    /// Calls that the client has made.
    pub calls: u64,
    /// Calls that ended with another status than OK.
    pub failed_calls: u64,
    /// Calls that are open now.
    pub open_calls: u64,
    /// WebSocket messages that the client has sent.
    pub messages_received: u64,
    /// Bytes that the client has sent.
    pub bytes_received: u64,
    /// Bytes that the client was sent.
    pub bytes_sent: u64,
    /// Bytes that wait now for the client to take them.
    pub queued_bytes: u64,
}

/// Whom to disconnect, and what they are told.
#[contract(package = "rpc.admin.v1", proto_path = "protos/rpc/admin/v1/admin.proto")]
pub struct DisconnectRequest {
    /// Whom.
    pub target: Target,
    /// The close code: 1000, 1001, 1008, 1012, 1013, or one from 3000 to 4999. Whether clients come back is the code's: see
    /// the table of close codes.
    pub code: u32,
    /// What the client is told; cut to 123 bytes.
    pub reason: String,
}

/// One client, or all clients of a user.
#[contract(package = "rpc.admin.v1", proto_path = "protos/rpc/admin/v1/admin.proto")]
pub enum Target {
    /// Nobody: INVALID_ARGUMENT.
    #[default]
    Nobody,
    /// The client with this id.
    ClientId(String),
    /// All clients of this user.
    UserId(String),
}

/// Who was disconnected.
#[contract(package = "rpc.admin.v1", proto_path = "protos/rpc/admin/v1/admin.proto")]
pub struct DisconnectResponse {
    /// How many connections are closed for it: 0 where nobody was connected.
    pub count: u64,
}

/// Asks for what was counted.
#[contract(package = "rpc.admin.v1", proto_path = "protos/rpc/admin/v1/admin.proto")]
pub struct StatsRequest {}

/// What the server has counted since it was made.
#[contract(package = "rpc.admin.v1", proto_path = "protos/rpc/admin/v1/admin.proto")]
pub struct StatsResponse {
    /// Clients that are connected.
    pub connections: u64,
    /// Of these, clients whose user is known.
    pub authenticated: u64,
    /// Connections in all: those that are gone as well.
    pub connections_made: u64,
    /// Calls in all.
    pub calls: u64,
    /// Calls that ended with another status than OK.
    pub failed_calls: u64,
    /// Calls that are open now.
    pub open_calls: u64,
    /// WebSocket messages that clients have sent.
    pub messages_received: u64,
    /// Bytes that clients have sent.
    pub bytes_received: u64,
    /// Bytes that clients were sent.
    pub bytes_sent: u64,
    /// Bytes that wait now for clients to take them.
    pub queued_bytes: u64,
    /// One-way calls that failed, of which nobody was told.
    pub one_way_failures: u64,
}
