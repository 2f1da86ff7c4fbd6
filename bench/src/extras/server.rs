//! The servers: the one service of the other tables, and its twins that ask more of their callers.

use super::Extra;
use crate::contracts::{FullTask, GuardedTask, KnownTask, TasksContract};
use crate::messages::ID;
use crate::peers::rpc::limits;
use crate::peers::text;
use crate::{TaskGateway, TaskService};
use metrics_exporter_prometheus::PrometheusBuilder;
use rpc_runtime::auth::{Attempt, AuthError, Authenticator, Identity};
use rpc_runtime::{Context, Rate, RateLimit, Server, Status};
use std::future::pending;
use tokio::net::TcpListener;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

#[allow(dead_code, unreachable_pub, reason = "nobody calls by these clients")]
mod known {
    rpc_runtime::include_gateway!("known");
}

#[allow(dead_code, unreachable_pub, reason = "nobody calls by these clients")]
mod guarded {
    rpc_runtime::include_gateway!("guarded");
}

#[allow(dead_code, unreachable_pub, reason = "nobody calls by these clients")]
mod full {
    rpc_runtime::include_gateway!("full");
}

struct Tasks;

/// The handler of the other tables, for each of the twins.
macro_rules! serve_tasks {
    ($($service:path: $task:ty,)*) => {$(
        impl $service for Tasks {
            async fn add(&self, _: &Context, mut item: $task) -> Result<$task, Status> {
                item.id = ID.to_owned();
                Ok(item)
            }
        }
    )*};
}

serve_tasks! {
    TaskService: TasksContract,
    known::TaskService: KnownTask,
    guarded::TaskService: GuardedTask,
    full::TaskService: FullTask,
}

/// Knows whoever shows a token.
struct Tokens;

impl Authenticator for Tokens {
    async fn authenticate(&self, attempt: &Attempt<'_>) -> Result<Identity, AuthError> {
        let user = String::from_utf8_lossy(attempt.credential().secret()).into_owned();
        Ok(Identity::new(user).with_role("member"))
    }
}

/// What guards ask as a rule: something of the identity, where there is one.
fn is_member(cx: &Context) -> Result<(), Status> {
    match cx.identity() {
        None => Ok(()),
        Some(identity) if identity.has_role("member") => Ok(()),
        Some(_) => Err(Status::permission_denied("this is for members")),
    }
}

/// Or something of the call.
fn is_not_debugged(cx: &Context) -> Result<(), Status> {
    match cx.metadata().get("debug") {
        None => Ok(()),
        Some(_) => Err(Status::permission_denied("this is not for debugging")),
    }
}

impl Extra {
    /// Serves until the process ends.
    pub(crate) async fn serve(self, listener: TcpListener) -> Result<(), String> {
        match self {
            Self::SpanDisabled | Self::All => {
                tracing_subscriber::registry().with(LevelFilter::INFO).init();
            }
            Self::SpanEnabled => tracing_subscriber::registry().with(LevelFilter::DEBUG).init(),
            _ => {}
        }
        let mut server = Server::builder().server_limits(limits());
        if let Self::Metrics | Self::All | Self::SpanEnabled = self {
            let recorder = PrometheusBuilder::new().build_recorder();
            metrics::set_global_recorder(recorder).map_err(text)?;
            server = server.metrics();
        }
        let a_rate = RateLimit::messages(Rate::per_second(100_000_000)).each_session();
        let server = match self {
            Self::Nothing | Self::Again | Self::Metrics | Self::SpanDisabled => {
                server.service(TaskGateway::new(Tasks))
            }
            Self::Rate => server.service(TaskGateway::new(Tasks)).rate_limit(a_rate),
            Self::Authentication => server
                .service(known::TaskGateway::new(Tasks))
                .authenticator(Tokens),
            Self::Guards => server
                .service(guarded::TaskGateway::new(Tasks))
                .guard("first", is_member)
                .guard("second", is_not_debugged),
            Self::All | Self::SpanEnabled => server
                .service(full::TaskGateway::new(Tasks))
                .authenticator(Tokens)
                .guard("first", is_member)
                .guard("second", is_not_debugged)
                .rate_limit(a_rate),
        };
        let server = server.build().map_err(text)?;
        server.serve_with_listener(listener, pending()).await;
        Ok(())
    }
}
