//! What hands one event to many: a server each, of subscribers over WebSockets.

mod axum_ws;
mod floor;
mod hub;
mod relay;

pub(crate) use hub::QUEUE;

use crate::publisher;
use clap::ValueEnum;
use rpc_bench_measure::text;
use tokio::net::TcpListener;
use tokio::sync::broadcast;

/// Events that may wait for one subscriber in a broadcast: more than are ever under way, so that none is skipped.
const CAPACITY: usize = 256;

/// One row of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Peer {
    /// tokio-tungstenite, one task and a small read buffer for each, one shared message.
    Floor,
    /// This project's hub: a channel without history.
    Hub,
    /// The same, with history.
    HubKept,
    /// This project's hub: sent to all clients.
    All,
    /// This project: a stream of each subscriber's, which relays a broadcast.
    Stream,
    /// axum's WebSocket, one task for each, which receives and sends.
    Axum,
    /// axum's WebSocket, split as in its chat example: two tasks for each.
    AxumSplit,
}

/// What a subscriber says once its connection is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaks {
    /// Nothing: whoever is connected has subscribed.
    Nothing,
    /// The project's frames: whoever is let in gets what is sent to all.
    Greeting,
    /// The project's frames: a call to subscribe to a channel.
    Channel(&'static str),
    /// The project's frames: a call of the stream.
    Stream,
}

impl Peer {
    /// All of them, in the order in which a round measures them.
    pub(crate) const ALL: [Self; 7] = [
        Self::Floor,
        Self::Hub,
        Self::HubKept,
        Self::All,
        Self::Stream,
        Self::Axum,
        Self::AxumSplit,
    ];

    /// The rows for which there are targets.
    pub(crate) const HUB: [Self; 3] = [Self::Hub, Self::HubKept, Self::All];

    /// The name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Hub => "hub",
            Self::HubKept => "hub-kept",
            Self::All => "all",
            Self::Stream => "stream",
            Self::Axum => "axum",
            Self::AxumSplit => "axum-split",
        }
    }

    /// The name in the tables.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Floor => "floor (tokio-tungstenite)",
            Self::Hub => "rpc, a channel",
            Self::HubKept => "rpc, a channel with history",
            Self::All => "rpc, to all clients",
            Self::Stream => "rpc, a stream of each",
            Self::Axum => "axum ws + broadcast",
            Self::AxumSplit => "axum ws + broadcast, split",
        }
    }

    /// What its subscribers say.
    pub(crate) fn speaks(self) -> Speaks {
        match self {
            Self::Floor | Self::Axum | Self::AxumSplit => Speaks::Nothing,
            Self::Hub => Speaks::Channel(hub::LIVE),
            Self::HubKept => Speaks::Channel(hub::KEPT),
            Self::All => Speaks::Greeting,
            Self::Stream => Speaks::Stream,
        }
    }

    /// Serves and publishes, until whoever publishes is done.
    pub(crate) async fn serve(self, listener: TcpListener, control: TcpListener) -> Result<(), String> {
        match self {
            Self::Floor => {
                let events = broadcast::Sender::new(CAPACITY);
                tokio::spawn(floor::serve(listener, events.clone()));
                publish(control, floor::Messages(events)).await
            }
            Self::Axum | Self::AxumSplit => {
                let events = broadcast::Sender::new(CAPACITY);
                tokio::spawn(axum_ws::serve(listener, events.clone(), self == Self::AxumSplit));
                publish(control, axum_ws::Messages(events)).await
            }
            Self::Hub => publish(control, hub::serve(listener, hub::Whom::Channel(hub::LIVE))?).await,
            Self::HubKept => publish(control, hub::serve(listener, hub::Whom::Channel(hub::KEPT))?).await,
            Self::All => publish(control, hub::serve(listener, hub::Whom::All)?).await,
            Self::Stream => {
                let events = broadcast::Sender::new(CAPACITY);
                tokio::spawn(relay::serve(listener, events.clone()));
                publish(control, relay::Ticks(events)).await
            }
        }
    }
}

/// Publishes on a task of the runtime's, as a handler would.
async fn publish(control: TcpListener, to: impl publisher::Publish) -> Result<(), String> {
    tokio::spawn(publisher::run(control, to)).await.map_err(text)?
}
