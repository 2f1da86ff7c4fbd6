//! This project's streams: each subscriber calls a method whose stream relays a broadcast. An event is encoded for each,
//! behind a header with the number of its stream: what the hub is measured against.

use crate::FeedGateway;
use crate::contracts::{Feed, Tick, Watch};
use crate::publisher::Publish;
use futures_util::stream::{self, Stream};
use rpc_bench_measure::text;
use rpc_runtime::{Rate, Server, ServerLimits, Status};
use std::future::pending;
use tokio::net::TcpListener;
use tokio::sync::broadcast;

/// Where events go.
pub(super) struct Ticks(pub(super) broadcast::Sender<Tick>);

impl Publish for Ticks {
    async fn publish(&self, tick: Tick) -> Result<(), String> {
        self.0.send(tick).map(drop).map_err(text)
    }

    fn subscribers(&self) -> usize {
        self.0.receiver_count()
    }
}

struct Relay(broadcast::Sender<Tick>);

impl Feed for Relay {
    async fn watch(&self, _: Watch) -> Result<impl Stream<Item = Result<Tick, Status>>, Status> {
        let next = async |mut events: broadcast::Receiver<Tick>| {
            // One that misses an event is noticed where events are counted.
            let tick = events.recv().await.ok()?;
            Some((Ok(tick), events))
        };
        Ok(stream::unfold(self.0.subscribe(), next))
    }
}

/// Limits that no benchmark reaches: all subscribers come from one address.
pub(super) fn limits() -> ServerLimits {
    ServerLimits {
        handshakes: 10_000,
        handshakes_per_address: 10_000,
        connections_per_address: 1_000_000,
        connects_per_address: Rate::per_second(1_000_000),
        connects: Rate::per_second(1_000_000),
        ..ServerLimits::default()
    }
}

/// Serves subscribers until the process ends.
pub(super) async fn serve(listener: TcpListener, events: broadcast::Sender<Tick>) -> Result<(), String> {
    let server = Server::builder()
        .service(FeedGateway::new(Relay(events)))
        .server_limits(limits())
        .build()
        .map_err(text)?;
    server.serve_with_listener(listener, pending()).await;
    Ok(())
}
