//! What a client may know about its own session: the greeting's facts, and how the session stands.
//!
//! ```
//! # async fn ask(client: rpc_runtime::Client) -> Result<(), rpc_runtime::CallError> {
//! use rpc_runtime::services::session::{InfoRequest, SessionClient};
//!
//! let info = SessionClient::new(client).info(InfoRequest {}).await?;
//! println!("{} {:?} from {:?}", info.client_id, info.user_id, info.peer_address);
//! # Ok(()) }
//! ```

mod contract;

use std::time::SystemTime;

pub use contract::{InfoRequest, InfoResponse, Session, SessionLimits, State};

use crate::{Context, Limits, SessionState, Status, dispatch::Gateway};

crate::include_gateway!("rpc.session.v1");

/// The service, to be added to an endpoint.
///
/// Anybody may call it who may call the endpoint, and is told of nobody else. It costs as much as any call that answers at
/// once; rates count it.
pub fn gateway() -> impl Gateway {
    SessionGateway::new(OfCaller)
}

/// Tells callers of their own sessions.
struct OfCaller;

impl Session for OfCaller {
    async fn info(&self, cx: &Context, _request: InfoRequest) -> Result<InfoResponse, Status> {
        let session = cx.session();
        let identity = session.identity();
        let limits = &session.endpoint.limits;
        Ok(InfoResponse {
            client_id: session.id().to_string(),
            user_id: identity.as_ref().map(|identity| identity.user().to_owned()),
            state: session.state().into(),
            authentication_required: session.endpoint.auth_required,
            identity_expires: identity.and_then(|identity| identity.expires()),
            limits: limits.into(),
            heartbeat_interval: limits.ping_interval,
            heartbeat_timeout: limits.pong_timeout,
            server_time: SystemTime::now(),
            started: session.started(),
            peer_address: session.info().client_addr().map(|address| address.to_string()),
            path: session.info().path().to_owned(),
            round_trip_time: session.round_trip_time(),
        })
    }
}

impl From<SessionState> for State {
    fn from(state: SessionState) -> Self {
        match state {
            SessionState::Connecting => Self::Connecting,
            SessionState::Anonymous => Self::Anonymous,
            SessionState::Authenticating => Self::Authenticating,
            SessionState::Authenticated => Self::Authenticated,
            SessionState::Draining => Self::Draining,
            SessionState::Detached => Self::Detached,
            SessionState::Closed => Self::Closed,
        }
    }
}

impl From<&Limits> for SessionLimits {
    fn from(limits: &Limits) -> Self {
        Self {
            message_bytes: limits.message_bytes as u64,
            body_bytes: limits.body_bytes as u64,
            streams: limits.streams as u64,
            stream_window_bytes: limits.stream_window as u64,
            connection_window_bytes: limits.connection_window as u64,
            metadata_entries: limits.metadata_entries as u64,
            metadata_bytes: limits.metadata_bytes as u64,
        }
    }
}
