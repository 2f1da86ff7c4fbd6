//! Sessions and channels, for those who administer a server: who is connected, who hears what, and away with them.
//!
//! Every method names the guard `admin`. A server that adds the service says what that is, or does not start; see
//! [`services`](super) for an example.
//!
//! ```
//! # async fn disconnect(client: rpc_runtime::Client) -> Result<(), rpc_runtime::CallError> {
//! use rpc_runtime::services::admin::{AdminClient, DisconnectRequest, Target};
//!
//! let gone = AdminClient::new(client)
//!     .disconnect(DisconnectRequest {
//!         target: Target::UserId("ali".to_owned()),
//!         code: 1008,
//!         reason: "the account is closed".to_owned(),
//!     })
//!     .await?;
//! println!("{} connections", gone.count);
//! # Ok(()) }
//! ```

mod channels;
mod contract;
mod listing;

pub use contract::{
    Admin, ChannelDetails, DisconnectRequest, DisconnectResponse, GetSessionRequest, GetSessionResponse,
    ListChannelsRequest, ListChannelsResponse, ListSessionsRequest, ListSessionsResponse,
    ListSubscribersRequest, ListSubscribersResponse, SessionDetails, StatsRequest, StatsResponse,
    SubscriberDetails, Target, UnsubscribeRequest, UnsubscribeResponse,
};

use crate::{
    ClientId, CloseCode, Context, Session, SessionState, Status, dispatch::Gateway, hub::Subscriber,
};

crate::include_gateway!("rpc.admin.v1");

/// The service, to be added to an endpoint. It speaks of the sessions of all endpoints of its server.
///
/// Listing and counting go over all sessions, on a task of their own and without holding up those who connect; a page holds
/// 1,000 at most.
pub fn gateway() -> impl Gateway {
    AdminGateway::new(OfServer)
}

/// Administers the server that it is called on.
struct OfServer;

impl Admin for OfServer {
    async fn list_sessions(
        &self,
        cx: &Context,
        request: ListSessionsRequest,
    ) -> Result<ListSessionsResponse, Status> {
        listing::list(&cx.server(), &request)
    }

    async fn get_session(
        &self,
        cx: &Context,
        request: GetSessionRequest,
    ) -> Result<GetSessionResponse, Status> {
        let session = cx.server().session(client_id(&request.client_id)?);
        let session = session.ok_or_else(|| Status::not_found("no such client is connected"))?;
        Ok(GetSessionResponse {
            session: details(&session),
        })
    }

    async fn disconnect(
        &self,
        cx: &Context,
        request: DisconnectRequest,
    ) -> Result<DisconnectResponse, Status> {
        let DisconnectRequest { target, code, reason } = request;
        let code = close_code(code)?;
        let server = cx.server();
        let count = match &target {
            Target::Nobody => {
                return Err(Status::invalid_argument(
                    "say whom to disconnect: a client's id, or a user's",
                ));
            }
            Target::ClientId(client) => usize::from(server.disconnect(client_id(client)?, code, &reason)),
            Target::UserId(user) => server.disconnect_user(user, code, &reason),
        };
        // What users are called and what is said to them is data, which `Debug` escapes.
        tracing::info!(by = ?cx.user(), ?target, %code, ?reason, count, "disconnected by an administrator");
        Ok(DisconnectResponse { count: count as u64 })
    }

    async fn list_channels(
        &self,
        cx: &Context,
        request: ListChannelsRequest,
    ) -> Result<ListChannelsResponse, Status> {
        channels::list(&cx.hub(), &request).await
    }

    async fn list_subscribers(
        &self,
        cx: &Context,
        request: ListSubscribersRequest,
    ) -> Result<ListSubscribersResponse, Status> {
        channels::subscribers(&cx.hub(), &request)
    }

    async fn unsubscribe(
        &self,
        cx: &Context,
        request: UnsubscribeRequest,
    ) -> Result<UnsubscribeResponse, Status> {
        let UnsubscribeRequest {
            target,
            channel,
            reason,
        } = request;
        let whom: Subscriber = match &target {
            Target::Nobody => {
                return Err(Status::invalid_argument(
                    "say whom to unsubscribe: a client's id, or a user's",
                ));
            }
            Target::ClientId(client) => client_id(client)?.into(),
            Target::UserId(user) => Subscriber::user(user.as_str()),
        };
        let told = Status::permission_denied(reason.clone());
        let count = cx.hub().unsubscribe(whom, &channel, &told)?;
        // What users are called and what is said to them is data, which `Debug` escapes.
        tracing::info!(by = ?cx.user(), ?target, channel, ?reason, count, "unsubscribed by an administrator");
        Ok(UnsubscribeResponse { count: count as u64 })
    }

    async fn stats(&self, cx: &Context, _request: StatsRequest) -> Result<StatsResponse, Status> {
        let server = cx.server();
        let mut stats = StatsResponse {
            one_way_failures: server.counters().one_way_failures,
            ..StatsResponse::default()
        };
        let hub = server.hub();
        let counts = hub.counts();
        stats.channels = hub.inner.channels.iter().count() as u64;
        stats.subscriptions = counts.subscriptions as u64;
        stats.published_events = counts.published;
        stats.delivered_events = counts.delivered;
        stats.dropped_events = counts.dropped;
        stats.recoveries = counts.recovered;
        stats.failed_recoveries = counts.not_recovered;
        let departed = server.departed();
        stats.connections_made = departed.connections;
        add(&mut stats, &departed.stats);
        for session in server.sessions() {
            stats.connections += 1;
            stats.connections_made += 1;
            stats.authenticated += u64::from(session.state() == SessionState::Authenticated);
            add(&mut stats, &session.stats());
            if let Some(events) = session.events() {
                stats.queued_events += events.len() as u64;
                stats.queued_event_bytes += events.bytes() as u64;
            }
        }
        Ok(stats)
    }
}

fn add(sum: &mut StatsResponse, stats: &crate::SessionStats) {
    sum.calls += stats.calls;
    sum.failed_calls += stats.failed_calls;
    sum.open_calls += u64::from(stats.open_calls);
    sum.messages_received += stats.messages_received;
    sum.bytes_received += stats.bytes_received;
    sum.bytes_sent += stats.bytes_sent;
    sum.queued_bytes += stats.queued_bytes;
}

fn client_id(text: &str) -> Result<ClientId, Status> {
    text.parse()
        .map_err(|error: crate::ClientIdError| Status::invalid_argument(error.to_string()))
}

/// What an application may close with: RFC 6455, section 7.4, leaves it those codes, and some others are the protocol's own.
fn close_code(code: u32) -> Result<CloseCode, Status> {
    match u16::try_from(code) {
        Ok(code @ (1000 | 1001 | 1008 | 1012 | 1013 | 3000..=4999)) => Ok(CloseCode::from_u16(code)),
        _ => Err(Status::invalid_argument(format!(
            "{code} is no close code to disconnect with: use 1000, 1001, 1008, 1012, 1013, or one from 3000 to 4999"
        ))),
    }
}

fn details(session: &Session) -> SessionDetails {
    let (identity, stats) = (session.identity(), session.stats());
    SessionDetails {
        client_id: session.id().to_string(),
        user_id: identity.as_ref().map(|identity| identity.user().to_owned()),
        state: session.state().into(),
        identity_expires: identity.and_then(|identity| identity.expires()),
        peer_address: session.info().client_addr().map(|address| address.to_string()),
        path: session.info().path().to_owned(),
        started: session.started(),
        round_trip_time: session.round_trip_time(),
        calls: stats.calls,
        failed_calls: stats.failed_calls,
        open_calls: u64::from(stats.open_calls),
        messages_received: stats.messages_received,
        bytes_received: stats.bytes_received,
        bytes_sent: stats.bytes_sent,
        queued_bytes: stats.queued_bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_codes_that_an_application_may_send_are_accepted() {
        for code in [1000, 1001, 1008, 1012, 1013, 3000, 4000, 4401, 4999] {
            assert_eq!(u32::from(close_code(code).unwrap().as_u16()), code);
        }
        for code in [
            0,
            999,
            1002,
            1003,
            1004,
            1005,
            1006,
            1007,
            1009,
            1010,
            1011,
            1014,
            1015,
            2999,
            5000,
            66_536,
            u32::MAX,
        ] {
            let status = close_code(code).unwrap_err();
            assert_eq!(status.code(), crate::Code::InvalidArgument, "{code}");
        }
    }
}
