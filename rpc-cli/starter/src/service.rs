//! The service: what each method of the contract does.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use futures_util::{Stream, stream};
use rpc_runtime::hub::{Anyone, Hub, Namespace, Retention};
use rpc_runtime::{Context, Server, Status, services};

use crate::GuestBookGateway;
use crate::contracts::{Entry, GuestBook, SignRequest};

/// A book that is kept for as long as the server runs.
#[derive(Default)]
struct Book(Mutex<Vec<Entry>>);

impl Book {
    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.lock().expect("no holder panics")
    }
}

impl GuestBook for Book {
    async fn sign(&self, cx: &Context, request: SignRequest) -> Result<Entry, Status> {
        let entry = {
            let SignRequest { name, text } = request;
            let mut entries = self.entries();
            let number = entries.len() as u64 + 1;
            let entry = Entry { number, name, text };
            entries.push(entry.clone());
            entry
        };
        cx.hub().channel("entries").publish(&entry).await?;
        Ok(entry)
    }

    async fn read(&self) -> Result<impl Stream<Item = Result<Entry, Status>>, Status> {
        let entries = self.entries().clone();
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
