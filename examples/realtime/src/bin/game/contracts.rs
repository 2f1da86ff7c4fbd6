//! What goes over the wire: how a game stands, and how it is played.

use rpc_runtime::{Context, Status, contract};

/// What is in a cell, and who plays.
#[contract(package = "game")]
#[derive(Copy, Eq)]
pub enum Mark {
    /// Nothing, and nobody.
    Empty,
    /// Who sits down first, and begins.
    Cross,
    /// Who sits down second.
    Nought,
}

/// How a game stands.
#[contract(package = "game", event, channels = "game:{session_id}")]
pub struct GameState {
    /// The nine cells, row by row.
    pub cells: Vec<Mark>,
    /// How many have sat down to play.
    pub players: u32,
    /// Whose turn it is; empty when the game is over.
    pub next: Mark,
    /// Who has three in a row.
    pub winner: Mark,
}

/// A move.
#[contract(package = "game")]
pub struct PlayRequest {
    /// Which cell, counted row by row from 0.
    #[field(range = 0..=8)]
    pub cell: u32,
}

/// What can be done at a table.
#[contract(package = "game")]
pub trait Game {
    /// Sits down to play, and tells with which mark. Two can; who only watches does not ask.
    async fn sit_down(&self, cx: &Context) -> Result<Seat, Status>;

    /// Puts the caller's mark into a cell. What it comes to is told to all by the channel.
    async fn play(&self, cx: &Context, request: PlayRequest) -> Result<(), Status>;
}

/// A seat at the table.
#[contract(package = "game")]
pub struct Seat {
    /// What its owner plays.
    pub mark: Mark,
}
