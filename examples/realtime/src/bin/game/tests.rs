//! Games, in one process and without sockets.

use rpc_runtime::testing::{self, TestServer};
use rpc_runtime::{CallError, Code};

use super::*;

fn client(server: &TestServer, path: &str) -> Client {
    Client::from_connector(server.connector().at(path))
        .lazy()
        .unwrap()
}

fn refusal(outcome: Result<impl Sized, CallError>) -> String {
    outcome.err().expect("this is refused").to_string()
}

#[tokio::test(start_paused = true)]
async fn two_play_in_turn_and_a_third_watches_it_all() {
    let server = testing::serve(server().unwrap());
    let watcher = client(&server, "/game/42");
    let mut states = watcher.hub().subscribe::<GameState>("game:42").await.unwrap();
    assert_eq!(heard(&mut states).await.unwrap(), Table::default().state());

    let [crosses, noughts] = [0, 1].map(|_| GameClient::new(client(&server, "/game/42")));
    assert_eq!(crosses.sit_down().await.unwrap().mark, Mark::Cross);
    assert_eq!(heard(&mut states).await.unwrap().players, 1);
    let alone = refusal(crosses.play(PlayRequest { cell: 4 }).await);
    assert_eq!(alone, "FAILED_PRECONDITION: nobody plays against you yet");
    assert_eq!(noughts.sit_down().await.unwrap().mark, Mark::Nought);
    assert_eq!(heard(&mut states).await.unwrap().players, 2);

    let third = GameClient::new(watcher);
    let refused = refusal(third.sit_down().await);
    assert_eq!(
        refused,
        "FAILED_PRECONDITION: both seats are taken; subscribe and watch"
    );
    let refused = refusal(third.play(PlayRequest { cell: 4 }).await);
    assert_eq!(
        refused,
        "FAILED_PRECONDITION: you do not play here; sit down first"
    );

    for (player, cell, shown_as) in [
        (&crosses, 4, "...\n.x.\n...\no is next"),
        (&noughts, 0, "o..\n.x.\n...\nx is next"),
        (&crosses, 2, "o.x\n.x.\n...\no is next"),
        (&noughts, 8, "o.x\n.x.\n..o\nx is next"),
        (&crosses, 6, "o.x\n.x.\nx.o\nx wins"),
    ] {
        player.play(PlayRequest { cell }).await.unwrap();
        assert_eq!(shown(&heard(&mut states).await.unwrap()), shown_as);
    }
    let refused = refusal(noughts.play(PlayRequest { cell: 1 }).await);
    assert_eq!(refused, "FAILED_PRECONDITION: the game is over");
}

#[tokio::test(start_paused = true)]
async fn moves_against_the_rules_are_refused_and_told_to_nobody() {
    let server = testing::serve(server().unwrap());
    let clients = [0, 1].map(|_| client(&server, "/game/7"));
    let [crosses, noughts] = clients.clone().map(GameClient::new);
    crosses.sit_down().await.unwrap();
    noughts.sit_down().await.unwrap();
    let mut states = clients[0].hub().subscribe::<GameState>("game:7").await.unwrap();
    assert_eq!(
        heard(&mut states).await.unwrap().players,
        2,
        "who comes late sees how it stands"
    );

    let refused = refusal(noughts.play(PlayRequest { cell: 4 }).await);
    assert_eq!(refused, "FAILED_PRECONDITION: it is not your turn");
    crosses.play(PlayRequest { cell: 4 }).await.unwrap();
    let refused = refusal(noughts.play(PlayRequest { cell: 4 }).await);
    assert_eq!(refused, "FAILED_PRECONDITION: the cell is taken");
    let refused = noughts.play(PlayRequest { cell: 9 }).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::InvalidArgument));
    noughts.play(PlayRequest { cell: 0 }).await.unwrap();
    assert_eq!(
        shown(&heard(&mut states).await.unwrap()),
        "...\n.x.\n...\no is next"
    );
    assert_eq!(
        shown(&heard(&mut states).await.unwrap()),
        "o..\n.x.\n...\nx is next"
    );
}

#[tokio::test(start_paused = true)]
async fn a_table_hears_of_no_other() {
    let server = testing::serve(server().unwrap());
    let other = client(&server, "/game/8")
        .hub()
        .subscribe::<GameState>("game:7")
        .await;
    let refused = refusal(other);
    let none = client(&server, "/game/8")
        .hub()
        .subscribe::<GameState>("games:7")
        .await;
    assert_eq!(refused, refusal(none), "as if there were no such table");

    // That two play at one table takes no seat at the other.
    let mut players = Vec::new();
    for path in ["/game/7", "/game/7", "/game/8", "/game/8"] {
        let player = client(&server, path);
        GameClient::new(player.clone()).sit_down().await.unwrap();
        players.push(player);
    }
}

#[tokio::test(start_paused = true)]
async fn when_a_player_goes_the_others_may_begin_anew() {
    let server = testing::serve(server().unwrap());
    let [crosses, noughts] = [0, 1].map(|_| client(&server, "/game/7"));
    let mut states = noughts.hub().subscribe::<GameState>("game:7").await.unwrap();
    heard(&mut states).await.unwrap();
    for player in [&crosses, &noughts] {
        GameClient::new(player.clone()).sit_down().await.unwrap();
        heard(&mut states).await.unwrap();
    }
    crosses.close(CloseCode::Normal, "");
    assert_eq!(heard(&mut states).await.unwrap().players, 0);
    let mark = GameClient::new(noughts).sit_down().await.unwrap().mark;
    assert_eq!(mark, Mark::Cross, "who stays begins this time");
}
