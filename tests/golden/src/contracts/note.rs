//! A contract whose changes are published, and what else comes on their channel.

use crate::note::NoteChanged;
use futures_core::Stream;
use rpc_runtime::{Events, Status, contract};

/// Something to remember.
#[contract(package = "note", controller = "Note", changes = "notes")]
pub struct NotesContract {
    /// Assigned by the service.
    #[field(id)]
    pub number: u64,
    /// What is to be remembered.
    #[field(max_len = 200)]
    pub text: String,
}

/// Somebody looks at the notes.
#[contract(package = "note", event, channels = "notes")]
pub struct Looked {
    /// Who.
    pub user: String,
}

/// What comes on the channel of the notes.
#[derive(Debug, PartialEq, Events)]
pub enum NoteEvent {
    /// A note is there, is another, or is gone.
    Changed(NoteChanged),
    /// Somebody looks.
    Looked(Looked),
}

/// The last changes.
#[contract(package = "note")]
pub struct Journal {
    /// The latest first.
    pub changes: Vec<NoteChanged>,
}

/// Tells of changes by calls.
#[contract(package = "note")]
pub trait Journals {
    /// The last changes.
    async fn last(&self, count: u32) -> Result<Journal, Status>;

    /// Every change from now on.
    async fn watch(&self) -> Result<impl Stream<Item = Result<NoteChanged, Status>>, Status>;
}
