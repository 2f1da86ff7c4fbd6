//! What goes over the wire: the text, and what is typed in it.

use rpc_runtime::{Context, Events, Status, contract};

/// Something was typed: at a place, some characters were replaced by others. Characters are Unicode's scalar values.
#[contract(package = "coedit", event, channels = "text")]
pub struct Edit {
    /// In front of which character, counted from 0.
    pub at: u32,
    /// How many characters go.
    pub removed: u32,
    /// What comes in their place.
    pub inserted: String,
}

/// All of the text.
#[contract(package = "coedit", event, channels = "text")]
pub struct Text {
    /// As it is behind the edit at the event's position.
    pub text: String,
}

/// What an editor hears.
#[derive(Debug, Events)]
pub enum TextEvent {
    /// The first thing.
    Text(Text),
    /// What follows.
    Edit(Edit),
}

/// What somebody has typed.
#[contract(package = "coedit")]
pub struct EditRequest {
    /// What, in the text as its author had it.
    pub edit: Edit,
    /// Which edit that text had seen last, in which history; both 0: none.
    pub base_offset: u64,
    /// As said there.
    #[field(proto = "fixed64")]
    pub base_epoch: u64,
}

/// Takes edits.
#[contract(package = "coedit")]
pub trait Editing {
    /// Edits the text. Everybody hears of it by the channel, also who has edited.
    async fn edit(&self, cx: &Context, request: EditRequest) -> Result<(), Status>;
}
