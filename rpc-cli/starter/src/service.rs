//! The service: what each method of the contract does.

use std::time::Duration;

use futures_util::{Stream, stream};
use rpc_runtime::hub::{Anyone, Hub, Namespace, Retention};
use rpc_runtime::{Context, Server, Status, services};
use tokio::sync::Mutex;

use crate::GuestBookGateway;
use crate::contracts::{Entry, GuestBook, SignRequest};

/// A book that is kept for as long as the server runs.
#[derive(Default)]
struct Book(Mutex<Vec<Entry>>);

impl GuestBook for Book {
    async fn sign(&self, cx: &Context, request: SignRequest) -> Result<Entry, Status> {
        let SignRequest { name, text } = request;
        // Held until it is told, so that all are told of entries in the order of the book.
        let mut entries = self.0.lock().await;
        let number = entries.len() as u64 + 1;
        let entry = Entry { number, name, text };
        cx.hub().channel("entries").publish(&entry).await?;
        entries.push(entry.clone());
        Ok(entry)
    }

    async fn read(&self) -> Result<impl Stream<Item = Result<Entry, Status>>, Status> {
        let entries = self.0.lock().await.clone();
        Ok(stream::iter(entries.into_iter().map(Ok)))
    }
}

/// A server with an empty book.
pub fn server() -> Result<Server, Box<dyn std::error::Error>> {
    let entries = Namespace::<()>::of::<Entry>()
        .subscribe(Anyone)
        // For who loses the connection and comes back.
        .keep(Retention::of(100, Duration::from_secs(600)));
    let hub = Hub::builder().namespace(entries).build()?;
    let mut server = Server::builder()
        .service(GuestBookGateway::new(Book::default()))
        .service(services::hub::gateway())
        .hub(hub);
    // A page to look into the server and to call it, which tells nobody on another machine what there is.
    if cfg!(debug_assertions) {
        server = server.explorer("/explorer");
    }
    Ok(server.build()?)
}
