//! From what the hub's contract says to what a client holds, and back.

use crate::{
    Status,
    hub::Position,
    services::hub::{ChannelPosition, Refused},
};

/// A refusal as a status.
pub(super) fn status_of(refused: Refused) -> Status {
    Status::new(crate::Code::from_i32(refused.code), refused.message)
}

pub(super) fn position_of(position: ChannelPosition) -> Position {
    let ChannelPosition { epoch, offset } = position;
    Position { epoch, offset }
}

pub(super) fn told_position(position: Position) -> ChannelPosition {
    let Position { epoch, offset } = position;
    ChannelPosition { epoch, offset }
}
