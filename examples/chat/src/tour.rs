//! Everything in one run: a server, and several clients whose screens are shown one after the other.

mod cable;
mod guest;

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::accounts::{AccountError, Users};
use crate::failure::{Exit, Failure};
use crate::rooms::{RoomName, Rooms};
use crate::server;
use cable::Cable;
use guest::{Guest, line, password};

/// So little is kept of a room that the tour can fill it.
const HISTORY: usize = 8;

/// Runs it.
pub(crate) async fn run() -> Result<(), Failure> {
    let users = Users::open(None).await.map_err(failed)?;
    for name in ["ann", "bob", "eve"] {
        users.register(name, password(name)).await.map_err(failed)?;
    }
    users
        .set_admin("ann", true)
        .await
        .map_err(|error| failed(error.into()))?;
    let listener = server::bind("127.0.0.1:0").await?;
    let address = listener.local_addr().map_err(|error| failed(error.into()))?;
    let url = format!("ws://{address}{}", server::PATH);
    let serving = Serving::start(&users, listener).await?;
    line(&format!(
        "A server on {url}, and clients in the same process. ann is an administrator."
    ));

    let mut ann = coming_and_talking(&url).await?;
    let cable = Cable::to(&url).await?;
    let mut bob = talking_to_one(&cable.url, &mut ann).await?;
    kicking(&url, &mut ann, &mut bob).await?;
    losing_the_connection(&cable, &mut ann, &mut bob).await?;
    bob.leaves().await?;
    ann.sees(1).await?;
    replacing_the_server(serving, &users, &address.to_string(), &mut ann).await?;
    ann.leaves().await
}

/// Presence, history, something said, and somebody who types.
async fn coming_and_talking(url: &str) -> Result<Guest, Failure> {
    title("rooms: who comes sees who is there, and what was said before");
    let mut ann = Guest::comes(url, "ann", "kitchen", "making tea")?;
    ann.sees(2).await?;
    ann.types("Hello?").await?;
    ann.sees(1).await?;
    let mut bob = Guest::comes(url, "bob", "kitchen", "")?;
    bob.sees(4).await?;
    ann.sees(1).await?;

    title("talking: in several lines, and others see that somebody is typing");
    bob.types("I am here.\\").await?;
    ann.sees(1).await?;
    bob.types("Is there any tea left?").await?;
    ann.sees(1).await?;
    ann.types("/who").await?;
    ann.sees(1).await?;
    bob.leaves().await?;
    ann.sees(1).await?;
    Ok(ann)
}

/// Messages to one user, also to one who is not there.
async fn talking_to_one(url: &str, ann: &mut Guest) -> Result<Guest, Failure> {
    title("direct messages: to one user alone, also to one who comes later");
    ann.types("/msg bob The tea is under the sink.").await?;
    ann.sees(1).await?;
    let mut bob = Guest::comes(url, "bob", "garden", "")?;
    bob.sees(4).await?;
    bob.types("/msg ann Found it.").await?;
    ann.sees(1).await?;
    ann.types("/msg zoe Are you there?").await?;
    ann.sees(1).await?;

    title("rooms: which there are, and going to another");
    bob.types("/rooms").await?;
    bob.sees(3).await?;
    bob.types("/join kitchen").await?;
    bob.sees(5).await?;
    ann.sees(1).await?;
    Ok(bob)
}

/// An administrator puts somebody out.
async fn kicking(url: &str, ann: &mut Guest, bob: &mut Guest) -> Result<(), Failure> {
    title("kicking: for administrators");
    let mut eve = Guest::comes(url, "eve", "kitchen", "")?;
    eve.sees(5).await?;
    ann.sees(1).await?;
    bob.sees(1).await?;
    eve.types("/kick ann").await?;
    eve.sees(1).await?;
    eve.types("BUY CHEAP TEA\u{1b}[2J").await?;
    ann.sees(1).await?;
    bob.sees(1).await?;
    ann.types("/kick eve for advertising").await?;
    ann.sees(2).await?;
    bob.sees(2).await?;
    eve.sees(1).await?;
    eve.types("/join kitchen").await?;
    eve.sees(1).await?;
    eve.leaves().await
}

/// The connection breaks, once for a short and once for a long time.
async fn losing_the_connection(cable: &Cable, ann: &mut Guest, bob: &mut Guest) -> Result<(), Failure> {
    title("a lost connection: what was said meanwhile comes after all");
    line("  bob's cable is pulled");
    cable.pull();
    bob.sees(1).await?;
    ann.sees(1).await?;
    for text in ["Now he misses something.", "Two things, even."] {
        ann.types(text).await?;
        ann.sees(1).await?;
    }
    line("  bob's cable is back");
    cable.plug();
    bob.sees(3).await?;
    ann.sees(1).await?;

    title("a connection that is lost for longer than the server keeps what was said: it is told");
    line("  bob's cable is pulled");
    cable.pull();
    bob.sees(1).await?;
    ann.sees(1).await?;
    for count in 1..=HISTORY {
        ann.types(&format!("Bottle {count} is green.")).await?;
        ann.sees(1).await?;
    }
    line("  bob's cable is back");
    cable.plug();
    bob.sees(2).await?;
    ann.sees(1).await?;
    ann.types("Welcome back.").await?;
    bob.sees(1).await
}

/// The server stops, and another takes its place.
async fn replacing_the_server(
    serving: Serving,
    users: &Users,
    address: &str,
    ann: &mut Guest,
) -> Result<(), Failure> {
    title("a server that is replaced: clients come back by themselves");
    serving.stop().await?;
    ann.sees(2).await?;
    let serving = Serving::start(users, server::bind(address).await?).await?;
    ann.sees(3).await?;
    ann.types("/who").await?;
    ann.sees(1).await?;
    serving.stop().await?;
    ann.sees(2).await
}

/// A server that runs.
struct Serving {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Serving {
    async fn start(users: &Users, listener: TcpListener) -> Result<Self, Failure> {
        let names = ["garden", "kitchen", "library"].into_iter().map(room);
        let rooms = Arc::new(Rooms::new(names.collect::<Result<Vec<_>, _>>()?));
        let server = server::build(users.clone(), rooms, HISTORY).await?;
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(server::run(server, listener, async {
            let _ = stopped.await;
        }));
        Ok(Serving { stop, task })
    }

    async fn stop(self) -> Result<(), Failure> {
        let _ = self.stop.send(());
        self.task
            .await
            .map_err(|error| Failure::new(Exit::Failed, error.to_string()))
    }
}

/// A room's name.
fn room(name: &str) -> Result<RoomName, Failure> {
    let name = name.parse::<RoomName>();
    name.map_err(|error| Failure::new(Exit::Failed, error.to_string()))
}

fn title(text: &str) {
    line(&format!("\n{text}"));
}

fn failed(error: AccountError) -> Failure {
    Failure::new(Exit::Failed, error.to_string())
}
