//! A dashboard that operators may see, and nobody else: first how everything is, then what changes.
//!
//!     cargo run -p realtime --bin dashboard
//!
//! The program measures things, and publishes what has changed, from outside of any call. Who subscribes gets all gauges as
//! they are, bound to a position of the channel, and then each change after it: none is missed, none comes twice.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use rpc_runtime::auth::{Attempt, AuthError, Authenticator, Credential, Identity};
use rpc_runtime::hub::{Asks, HasRole, Hub, HubError, Namespace, OnSubscribe, Position, Retention, Snapshot};
use rpc_runtime::{Client, Events, Server, Status, contract, services};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Something that is measured has changed.
#[contract(package = "dashboard", event, channels = "dashboard")]
pub struct GaugeChanged {
    /// What is measured.
    pub name: String,
    /// How much it is now.
    pub value: i64,
}

/// Everything that is measured.
#[contract(package = "dashboard", event, channels = "dashboard")]
pub struct AllGauges {
    /// How much each is.
    pub values: BTreeMap<String, i64>,
}

/// What a dashboard shows.
#[derive(Debug, PartialEq, Events)]
pub enum DashboardEvent {
    /// First.
    All(AllGauges),
    /// Then.
    Changed(GaugeChanged),
}

/// What is measured. Cloning is cheap.
#[derive(Clone, Default)]
struct Gauges(Arc<Mutex<Measured>>);

#[derive(Default)]
struct Measured {
    values: BTreeMap<String, i64>,
    /// The position of the last change; `None` before the first.
    position: Option<Position>,
}

impl Gauges {
    /// Takes a measurement in, and publishes it where it is another than before.
    async fn set(&self, hub: &Hub, name: &str, value: i64) -> Result<(), HubError> {
        // Held until it is published: the values and the position are always of one moment.
        let mut measured = self.0.lock().await;
        if measured.values.insert(name.to_owned(), value) == Some(value) {
            return Ok(());
        }
        let name = name.to_owned();
        let changed = GaugeChanged { name, value };
        let receipt = hub.channel("dashboard").publish(&changed).await?;
        measured.position = receipt.position;
        Ok(())
    }
}

impl OnSubscribe<()> for Gauges {
    async fn snapshot(&self, _: &Asks, (): &()) -> Result<Snapshot, Status> {
        let measured = self.0.lock().await;
        let values = measured.values.clone();
        let all = AllGauges { values };
        Ok(match measured.position {
            Some(position) => Snapshot::at(position, &all),
            None => Snapshot::now(&all),
        })
    }
}

/// Knows who works here by their badges.
struct Badges;

impl Authenticator for Badges {
    async fn authenticate(&self, attempt: &Attempt<'_>) -> Result<Identity, AuthError> {
        match attempt.credential().secret() {
            b"badge of ann" => Ok(Identity::new("ann").with_role("operator")),
            b"badge of bob" => Ok(Identity::new("bob")),
            _ => Err(AuthError::invalid("there is no such badge")),
        }
    }
}

fn server(gauges: Gauges) -> Result<Server, Error> {
    let namespace = Namespace::<()>::of::<DashboardEvent>()
        .subscribe(HasRole("operator".to_owned()))
        .keep(Retention::of(1_000, Duration::from_secs(600)))
        .on_subscribe(gauges);
    let server = Server::builder()
        .service(services::hub::gateway())
        .hub(Hub::builder().namespace(namespace).build()?)
        .authenticator(Badges);
    Ok(server.build()?)
}

/// A line for what a dashboard is told.
fn shown(event: &DashboardEvent) -> String {
    match event {
        DashboardEvent::All(all) => format!("all gauges: {:?}", all.values),
        DashboardEvent::Changed(changed) => format!("{} is {}", changed.name, changed.value),
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/rpc", listener.local_addr()?);
    let gauges = Gauges::default();
    let server = server(gauges.clone())?;
    let hub = server.hub();
    tokio::spawn(async move { server.serve_with_listener(listener, pending()).await });

    gauges.set(&hub, "queue", 3).await?;
    gauges.set(&hub, "workers", 8).await?;
    for badge in ["badge of bob", "badge of ann"] {
        let client = Client::builder(&url).credential(Credential::bearer(badge));
        let client = client.connect().await?;
        let mut events = match client.hub().subscribe::<DashboardEvent>("dashboard").await {
            Ok(events) => events,
            Err(error) => {
                println!("{badge}: {error}");
                continue;
            }
        };
        gauges.set(&hub, "queue", 5).await?;
        gauges.set(&hub, "queue", 2).await?;
        for _ in 0..3 {
            let received = events.next().await.ok_or("the dashboard is closed")??;
            println!("{badge}: {}", shown(&received.event));
        }
    }
    Ok(())
}
