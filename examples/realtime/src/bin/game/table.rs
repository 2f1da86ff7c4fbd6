//! The rules: a board, and two who put their marks on it in turn. It knows neither calls nor channels.

use rpc_runtime::{ClientId, Status};

use crate::contracts::{GameState, Mark};

/// Where three in a row can be.
const ROWS: [[usize; 3]; 8] = [
    [0, 1, 2],
    [3, 4, 5],
    [6, 7, 8],
    [0, 3, 6],
    [1, 4, 7],
    [2, 5, 8],
    [0, 4, 8],
    [2, 4, 6],
];

/// One game.
#[derive(Debug, Default)]
pub(crate) struct Table {
    cells: [Mark; 9],
    /// Crosses, who begins, and noughts.
    players: [Option<ClientId>; 2],
}

impl Table {
    /// Gives a client the next seat.
    ///
    /// # Errors
    ///
    /// Both are taken.
    pub(crate) fn sit_down(&mut self, client: ClientId) -> Result<Mark, Status> {
        if let Some(mark) = self.mark_of(client) {
            return Ok(mark);
        }
        let seat = self.players.iter_mut().find(|seat| seat.is_none());
        let seat =
            seat.ok_or_else(|| Status::failed_precondition("both seats are taken; subscribe and watch"))?;
        *seat = Some(client);
        Ok(self.mark_of(client).unwrap_or_default())
    }

    /// Puts a client's mark into a cell.
    ///
    /// # Errors
    ///
    /// The client does not play, it is not its turn, the cell is taken, or the game is over.
    pub(crate) fn play(&mut self, client: ClientId, cell: u32) -> Result<(), Status> {
        let refuse = |why| Err(Status::failed_precondition(why));
        let Some(mark) = self.mark_of(client) else {
            return refuse("you do not play here; sit down first");
        };
        if self.players.contains(&None) {
            return refuse("nobody plays against you yet");
        }
        let state = self.state();
        if state.next == Mark::Empty {
            return refuse("the game is over");
        }
        if state.next != mark {
            return refuse("it is not your turn");
        }
        match self.cells.get_mut(cell as usize) {
            Some(cell @ Mark::Empty) => *cell = mark,
            Some(_) => return refuse("the cell is taken"),
            None => return Err(Status::invalid_argument("there are nine cells, from 0 to 8")),
        }
        Ok(())
    }

    /// What a client plays.
    pub(crate) fn mark_of(&self, client: ClientId) -> Option<Mark> {
        let seat = self.players.iter().position(|player| *player == Some(client))?;
        Some([Mark::Cross, Mark::Nought][seat])
    }

    /// How the game stands.
    pub(crate) fn state(&self) -> GameState {
        let count = |mark| self.cells.iter().filter(|cell| **cell == mark).count();
        let won = |row: &&[usize; 3]| {
            let [a, b, c] = row.map(|cell| self.cells[cell]);
            a != Mark::Empty && a == b && b == c
        };
        let winner = ROWS
            .iter()
            .find(won)
            .map_or(Mark::Empty, |row| self.cells[row[0]]);
        let is_over = winner != Mark::Empty || count(Mark::Empty) == 0;
        GameState {
            cells: self.cells.to_vec(),
            players: self.players.iter().flatten().map(|_| 1).sum(),
            next: match count(Mark::Cross) > count(Mark::Nought) {
                _ if is_over => Mark::Empty,
                true => Mark::Nought,
                false => Mark::Cross,
            },
            winner,
        }
    }
}
