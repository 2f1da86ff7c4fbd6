//! Which requests leave together.

/// The calls since the last flush. Whoever was answered often calls again at once, and the requests of all of them
/// are to leave in one piece.
#[derive(Debug, Default)]
pub(super) struct Burst {
    pub(super) answered: usize,
    pub(super) opened: usize,
}

/// For so many of its turns the connection's task lets others go first, while those who were answered have not all
/// called again.
const PATIENCE: u8 = 3;

impl Burst {
    /// Whether the requests may leave, after the connection's task has let others go first for so many turns.
    pub(super) fn is_whole(&self, turns: u8) -> bool {
        match self.answered {
            // The first call after a silence: others may be about to begin as well.
            0 => turns >= 1,
            answered => self.opened >= answered || turns >= PATIENCE,
        }
    }
}
