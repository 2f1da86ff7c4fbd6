//! This project's hub: events published to a channel, or sent to all clients.

use super::relay::limits;
use crate::contracts::Tick;
use crate::publisher::Publish;
use rpc_bench_measure::text;
use rpc_runtime::hub::{Anyone, Hub, Namespace, Retention, SlowConsumer};
use rpc_runtime::services::hub;
use rpc_runtime::{Limits, Server};
use std::future::pending;
use std::time::Duration;
use tokio::net::TcpListener;

/// A channel without history, in which the oldest events of a subscriber that does not read are dropped.
pub(crate) const LIVE: &str = "live";
/// A channel of which more is kept than any subscriber misses.
pub(crate) const KEPT: &str = "kept";
/// Bytes of events that wait for one subscriber at most: fewer than the default, so that it is full sooner.
pub(crate) const QUEUE: usize = 256 << 10;
/// As much of it is kept.
const KEEP: usize = 1_000;
/// For so long.
const KEEP_FOR: Duration = Duration::from_secs(600);

/// Whom events go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whom {
    Channel(&'static str),
    All,
}

/// Where events go.
pub(super) struct Published {
    server: Server,
    whom: Whom,
}

impl Publish for Published {
    async fn publish(&self, tick: Tick) -> Result<(), String> {
        let hub = self.server.hub();
        let to = match self.whom {
            Whom::Channel(name) => hub.channel(name),
            Whom::All => hub.all(),
        };
        to.publish(&tick).await.map(drop).map_err(text)
    }

    fn subscribers(&self) -> usize {
        // Those of a channel know that they have subscribed.
        self.server.connections()
    }
}

/// Serves subscribers on a task of its own; gives what to publish by.
pub(super) fn serve(listener: TcpListener, whom: Whom) -> Result<Published, String> {
    let channels = Hub::builder()
        .namespace(
            Namespace::<()>::new(LIVE)
                .subscribe(Anyone)
                .slow(SlowConsumer::DropOldest),
        )
        .namespace(
            Namespace::<()>::new(KEPT)
                .subscribe(Anyone)
                .keep(Retention::of(KEEP, KEEP_FOR)),
        )
        .build()
        .map_err(text)?;
    let server = Server::builder()
        .hub(channels)
        .service(hub::gateway())
        .server_limits(limits())
        .limits(Limits {
            event_queue_bytes: QUEUE,
            ..Limits::default()
        })
        .build()
        .map_err(text)?;
    let serving = server.clone();
    tokio::spawn(async move { serving.serve_with_listener(listener, pending()).await });
    Ok(Published { server, whom })
}
