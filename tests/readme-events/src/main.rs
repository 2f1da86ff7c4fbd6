//! A library that tells its readers what comes back.

pub mod contracts;

use std::future::pending;
use std::time::Duration;

use contracts::{BookReturned, Returns};
use rpc_runtime::auth::{Attempt, AuthError, Authenticator, Credential, Identity};
use rpc_runtime::hub::{Hub, Namespace, Notification, Retention, Users};
use rpc_runtime::{Client, Context, Server, Status, services};
use tokio::net::TcpListener;

rpc_runtime::include_gateway!("shelves");

/// Believes everyone who says a name.
struct Names;

impl Authenticator for Names {
    async fn authenticate(&self, attempt: &Attempt<'_>) -> Result<Identity, AuthError> {
        let name = attempt.credential().text();
        Ok(Identity::new(name.ok_or_else(|| AuthError::invalid("no name"))?))
    }
}

struct Desk;

impl Returns for Desk {
    async fn give_back(&self, cx: &Context, title: String) -> Result<(), Status> {
        let shelf = cx.hub().channel("shelf:novels").from(cx);
        shelf.publish(&BookReturned { title }).await?;
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let hub = Hub::builder()
        .namespace(
            Namespace::<(String,)>::of::<BookReturned>()
                .subscribe(Users)
                .presence(Users)
                .history(Users)
                .tell_publisher()
                .keep(Retention::of(100, Duration::from_secs(600))),
        )
        .build()?;
    let server = Server::builder()
        .service(ReturnsGateway::new(Desk))
        .service(services::hub::gateway())
        .hub(hub.clone())
        .authenticator(Names)
        .build()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/rpc", listener.local_addr()?);
    tokio::spawn(async move { server.serve_with_listener(listener, pending()).await });
    let connect = |name| {
        Client::builder(&url)
            .credential(Credential::bearer(name))
            .connect()
    };

    let ann = connect("ann").await?;
    let mut returned = ann.hub().subscribe::<BookReturned>("shelf:novels").await?;
    let mut notices = ann.events::<Notification>();

    // By a call: its handler publishes.
    let bob = ReturnsClient::new(connect("bob").await?);
    bob.give_back("The Rust Book".into()).await?;
    if let Some(received) = returned.next().await {
        let received = received?;
        let who = received.user.unwrap_or_default();
        println!("{who} has brought {:?} back", received.event.title);
    }

    // From anywhere else: to the subscribers of a channel, and to a user.
    let title = "Dune".to_owned();
    hub.channel("shelf:novels")
        .publish(&BookReturned { title })
        .await?;
    if let Some(received) = returned.next().await {
        println!("{:?} is back", received?.event.title);
    }
    let notice = Notification::info("Closing time", "The library closes in ten minutes.");
    let receipt = hub.user("ann").publish(&notice).await?;
    println!("clients told: {}", receipt.reached.unwrap_or_default());
    if let Some(received) = notices.next().await {
        println!("{}", received?.event.message);
    }

    let presence = ann.hub().presence("shelf:novels").await?;
    println!("readers at the shelf: {}", presence.users);
    let history = ann.hub().history::<BookReturned>("shelf:novels").await?;
    println!("books that came back: {}", history.events.len());
    Ok(())
}
