//! A text that several people edit at once.
//!
//!     cargo run -p realtime --bin coedit
//!
//! An editor sends what its user has typed, with the position in the channel up to which it has seen what others typed. The
//! server *rebases* the edit, moving it to where it belongs behind what was typed meanwhile, and publishes it. Everybody,
//! its author too, applies the edits of the channel in the channel's order, so all texts are the same. Who comes late gets
//! the text as it is, bound to its position, and the edits after it.

pub mod contracts;
mod document;
#[cfg(test)]
mod tests;

use std::future::pending;
use std::time::Duration;

use rpc_runtime::hub::client::Subscription;
use rpc_runtime::hub::{Anyone, Hub, Namespace, Position, Retention};
use rpc_runtime::{Client, Server, services};
use tokio::net::TcpListener;

use contracts::{Edit, EditRequest, TextEvent};
use document::{CHANNEL, Document, KEPT};

rpc_runtime::include_gateway!("coedit");

type Error = Box<dyn std::error::Error + Send + Sync>;

fn server() -> Result<Server, Error> {
    let document = Document::default();
    let namespace = Namespace::<()>::of::<TextEvent>()
        .subscribe(Anyone)
        .keep(Retention::of(KEPT, Duration::from_secs(3600)))
        .on_subscribe(document.clone());
    let server = Server::builder()
        .service(EditingGateway::new(document))
        .service(services::hub::gateway())
        .hub(Hub::builder().namespace(namespace).build()?);
    Ok(server.build()?)
}

/// Somebody who edits.
struct Editor {
    editing: EditingClient,
    events: Subscription<TextEvent>,
    text: String,
    /// What was seen last.
    seen: Option<Position>,
}

impl Editor {
    /// Opens the text.
    async fn open(client: &Client) -> Result<Self, Error> {
        let mut editor = Editor {
            editing: EditingClient::new(client.clone()),
            events: client.hub().subscribe(CHANNEL).await?,
            text: String::new(),
            seen: None,
        };
        editor.hear().await?;
        Ok(editor)
    }

    /// Takes in the next thing that happens to the text.
    async fn hear(&mut self) -> Result<(), Error> {
        let received = self.events.next().await.ok_or("the text is closed")??;
        match received.event {
            TextEvent::Text(all) => self.text = all.text,
            TextEvent::Edit(edit) => edit.apply(&mut self.text)?,
        }
        self.seen = received.position;
        Ok(())
    }

    /// Types. What it comes to is heard like everything else.
    async fn edit(&self, at: u32, removed: u32, inserted: &str) -> Result<(), Error> {
        let edit = Edit {
            at,
            removed,
            inserted: inserted.into(),
        };
        let (base_epoch, base_offset) = self.seen.map_or((0, 0), |seen| (seen.epoch, seen.offset));
        let request = EditRequest {
            edit,
            base_offset,
            base_epoch,
        };
        Ok(self.editing.edit(request).await?)
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/rpc", listener.local_addr()?);
    let server = server()?;
    tokio::spawn(async move { server.serve_with_listener(listener, pending()).await });

    let mut ann = Editor::open(&Client::connect(&url).await?).await?;
    let mut bob = Editor::open(&Client::connect(&url).await?).await?;
    ann.edit(0, 0, "The cat sat.").await?;
    ann.hear().await?;
    bob.hear().await?;
    // At the same time: neither has seen what the other types.
    ann.edit(4, 3, "dog").await?;
    bob.edit(11, 0, " on the mat").await?;
    for _ in 0..2 {
        ann.hear().await?;
        bob.hear().await?;
    }
    println!("ann has  {:?}", ann.text);
    println!("bob has  {:?}", bob.text);
    let late = Editor::open(&Client::connect(&url).await?).await?;
    println!("late has {:?}", late.text);
    Ok(())
}
