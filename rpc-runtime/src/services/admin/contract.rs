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

    /// Lists the channels that have subscribers on this node, in the order of their names, a page at a time.
    #[message(idempotent, spawn)]
    async fn list_channels(
        &self,
        cx: &Context,
        request: ListChannelsRequest,
    ) -> Result<ListChannelsResponse, Status>;

    /// Lists the subscribers that a channel has on this node, in the order of their ids, a page at a time. A channel without any is
    /// an empty list.
    #[message(idempotent, spawn)]
    async fn list_subscribers(
        &self,
        cx: &Context,
        request: ListSubscribersRequest,
    ) -> Result<ListSubscribersResponse, Status>;

    /// Ends the subscription of a client, or of all clients of a user, to a channel. They are told why.
    #[message(idempotent)]
    async fn unsubscribe(
        &self,
        cx: &Context,
        request: UnsubscribeRequest,
    ) -> Result<UnsubscribeResponse, Status>;

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
    /// Channels that have subscribers.
    pub channels: u64,
    /// Channels that clients hear, counted for each client.
    pub subscriptions: u64,
    /// Events that were published, or sent to users and clients.
    pub published_events: u64,
    /// Events that were put into the queues of clients.
    pub delivered_events: u64,
    /// Events that were dropped for clients that are slow.
    pub dropped_events: u64,
    /// Clients that came back to a channel and got all that they had missed.
    pub recoveries: u64,
    /// Clients that came back to a channel, and were told that something is missing.
    pub failed_recoveries: u64,
    /// Events that wait now for clients to take them.
    pub queued_events: u64,
    /// Bytes of events that wait now for clients to take them.
    pub queued_event_bytes: u64,
}

/// Which channels to list.
#[contract(package = "rpc.admin.v1", proto_path = "protos/rpc/admin/v1/admin.proto")]
pub struct ListChannelsRequest {
    /// Those whose name begins with this.
    pub prefix: String,
    /// How many at most: 100 where it is 0, and never more than 1,000.
    pub page_size: u32,
    /// What the page before gave as the next; empty for the first.
    pub page_token: String,
}

/// A page of channels.
#[contract(package = "rpc.admin.v1", proto_path = "protos/rpc/admin/v1/admin.proto")]
pub struct ListChannelsResponse {
    /// In the order of their names.
    pub channels: Vec<ChannelDetails>,
    /// Asks for the next page; empty on the last.
    pub next_page_token: String,
}

/// A channel.
#[contract(package = "rpc.admin.v1", proto_path = "protos/rpc/admin/v1/admin.proto")]
pub struct ChannelDetails {
    /// Its name.
    pub channel: String,
    /// The pattern of its namespace.
    pub namespace: String,
    /// Clients that have subscribed on this node.
    pub subscribers: u64,
    /// How many events were published in its history; absent where it has none.
    pub offset: Option<u64>,
    /// Clients that are present, on all nodes; absent where presence is not kept.
    pub present_clients: Option<u64>,
    /// Users that are present, and anonymous clients.
    pub present_users: Option<u64>,
}

/// Whose subscribers.
#[contract(package = "rpc.admin.v1", proto_path = "protos/rpc/admin/v1/admin.proto")]
pub struct ListSubscribersRequest {
    /// The channel.
    pub channel: String,
    /// How many at most: 100 where it is 0, and never more than 1,000.
    pub page_size: u32,
    /// What the page before gave as the next; empty for the first.
    pub page_token: String,
}

/// A page of subscribers.
#[contract(package = "rpc.admin.v1", proto_path = "protos/rpc/admin/v1/admin.proto")]
pub struct ListSubscribersResponse {
    /// In the order of their client ids.
    pub subscribers: Vec<SubscriberDetails>,
    /// Asks for the next page; empty on the last.
    pub next_page_token: String,
}

/// A client that hears a channel.
#[contract(package = "rpc.admin.v1", proto_path = "protos/rpc/admin/v1/admin.proto")]
pub struct SubscriberDetails {
    /// The client's id.
    pub client_id: String,
    /// Who it is known as; absent while anonymous.
    pub user_id: Option<String>,
    /// The server has subscribed it.
    pub by_server: bool,
    /// Events of all its channels that wait for it.
    pub queued_events: u64,
    /// Bytes of events of all its channels that wait for it.
    pub queued_event_bytes: u64,
    /// Events of all its channels that were dropped because it is slow.
    pub dropped_events: u64,
}

/// Whose subscription is to end, and what they are told.
#[contract(package = "rpc.admin.v1", proto_path = "protos/rpc/admin/v1/admin.proto")]
pub struct UnsubscribeRequest {
    /// Whose.
    pub target: Target,
    /// The channel.
    pub channel: String,
    /// What they are told, with PERMISSION_DENIED.
    #[field(max_len = 1024)]
    pub reason: String,
}

/// Whose subscription has ended.
#[contract(package = "rpc.admin.v1", proto_path = "protos/rpc/admin/v1/admin.proto")]
pub struct UnsubscribeResponse {
    /// How many had subscribed.
    pub count: u64,
}
