//! Noughts and crosses: two play, whoever else comes watches.
//!
//!     cargo run -p realtime --bin game
//!
//! Each game has a path of its own, `/game/{session_id}`: who connects there is at that table, and hears of no other. Moves
//! are calls, which the server looks at; how the game stands after each is published to all at the table, in the channel
//! `game:{session_id}`. Who comes late sees how it stands first.

pub mod contracts;
mod table;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;

use rpc_runtime::hub::client::Subscription;
use rpc_runtime::hub::{Asks, Hub, HubError, Namespace, OnSubscribe, SlowConsumer, Snapshot};
use rpc_runtime::{Client, CloseCode, Context, Endpoint, Hooks, Server, Session, Status, services};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use contracts::{Game, GameState, Mark, PlayRequest, Seat};
use table::Table;

rpc_runtime::include_gateway!("game");

type Error = Box<dyn std::error::Error + Send + Sync>;

/// All games. One is there while somebody plays it, so there are no more than clients.
#[derive(Clone, Default)]
struct Games(Arc<Mutex<HashMap<String, Table>>>);

/// The game that a client has connected to: what the path says.
fn game_of(session: &Session) -> &str {
    session.info().param("session_id").unwrap_or_default()
}

/// Tells everybody at a table how the game stands.
async fn tell(hub: &Hub, game: &str, table: &Table) -> Result<(), HubError> {
    let channel = hub.channel(format!("game:{game}"));
    channel.publish(&table.state()).await.map(drop)
}

impl Game for Games {
    async fn sit_down(&self, cx: &Context) -> Result<Seat, Status> {
        let game = game_of(cx.session());
        let mut games = self.0.lock().await;
        let table = games.entry(game.to_owned()).or_default();
        let mark = table.sit_down(cx.session().id())?;
        tell(&cx.hub(), game, table).await?;
        Ok(Seat { mark })
    }

    async fn play(&self, cx: &Context, request: PlayRequest) -> Result<(), Status> {
        let game = game_of(cx.session());
        // Held until the move is told, so that moves are told in the order in which they are made.
        let mut games = self.0.lock().await;
        let table = games.entry(game.to_owned()).or_default();
        table.play(cx.session().id(), request.cell)?;
        Ok(tell(&cx.hub(), game, table).await?)
    }
}

impl Hooks for Games {
    /// When a player goes, the game is over: whoever is still there may begin another.
    async fn on_disconnect(&self, session: &Arc<Session>, _: CloseCode, _: &str) {
        let game = game_of(session);
        let mut games = self.0.lock().await;
        let played = |table: &&mut Table| table.mark_of(session.id()).is_some();
        if let Some(table) = games.get_mut(game).filter(played) {
            *table = Table::default();
            // There is nobody left to hear of it, where it cannot be told.
            let _ = tell(&session.hub(), game, table).await;
            games.remove(game);
        }
    }
}

/// Each event says how the whole game stands, so it does no harm where one comes again that the snapshot has seen.
impl OnSubscribe<(String,)> for Games {
    async fn snapshot(&self, _: &Asks, (game,): &(String,)) -> Result<Snapshot, Status> {
        let games = self.0.lock().await;
        let state = games
            .get(game)
            .map_or_else(|| Table::default().state(), Table::state);
        Ok(Snapshot::now(&state))
    }
}

fn server() -> Result<Server, Error> {
    let games = Games::default();
    let namespace = Namespace::<(String,)>::of::<GameState>()
        .subscribe(
            |asks: &Asks, (game,): &(String,)| match game_of(asks.session()) == game {
                true => Ok(()),
                false => Err(Status::permission_denied("another table")),
            },
        )
        // How it stood before is of no use to a client that reads slowly.
        .slow(SlowConsumer::KeepLatest)
        .on_subscribe(games.clone());
    let endpoint = Endpoint::new()
        .service(GameGateway::new(games.clone()))
        .service(services::hub::gateway())
        .hooks(games);
    let hub = Hub::builder().namespace(namespace).build()?;
    Ok(Server::builder()
        .hub(hub)
        .endpoint("/game/{session_id}", endpoint)
        .build()?)
}

/// The board in three lines, and what is to be done.
fn shown(state: &GameState) -> String {
    let mark = |mark: &Mark| match mark {
        Mark::Empty => '.',
        Mark::Cross => 'x',
        Mark::Nought => 'o',
    };
    let rows = state
        .cells
        .chunks(3)
        .map(|row| row.iter().map(mark).collect::<String>());
    let what = match (state.winner, state.next) {
        (Mark::Empty, Mark::Empty) => "a draw".to_owned(),
        (Mark::Empty, next) => format!("{} is next", mark(&next)),
        (winner, _) => format!("{} wins", mark(&winner)),
    };
    rows.chain([what]).collect::<Vec<_>>().join("\n")
}

/// How the game stands now.
async fn heard(states: &mut Subscription<GameState>) -> Result<GameState, Error> {
    let received = states.next().await.ok_or("the table is gone")??;
    Ok(received.event)
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/game/42", listener.local_addr()?);
    let server = server()?;
    tokio::spawn(async move { server.serve_with_listener(listener, pending()).await });

    let crosses = GameClient::connect(&url).await?;
    let noughts = GameClient::connect(&url).await?;
    let watcher = Client::connect(&url).await?;
    crosses.sit_down().await?;
    noughts.sit_down().await?;
    let refused = GameClient::new(watcher.clone()).sit_down().await;
    println!("the third: {}", refused.expect_err("there are two seats"));

    let mut states = watcher.hub().subscribe::<GameState>("game:42").await?;
    println!("\n{}", shown(&heard(&mut states).await?));
    for (player, cell) in [
        (&crosses, 4),
        (&noughts, 0),
        (&crosses, 2),
        (&noughts, 8),
        (&crosses, 6),
    ] {
        player.play(PlayRequest { cell }).await?;
        println!("\n{}", shown(&heard(&mut states).await?));
    }
    Ok(())
}
