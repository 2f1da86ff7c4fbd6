//! The text, as the server has it: edits one after the other, each moved behind those that its author had not seen.

use std::collections::VecDeque;
use std::sync::Arc;

use rpc_runtime::hub::{Asks, OnSubscribe, Position, Snapshot};
use rpc_runtime::{Context, Status};
use tokio::sync::Mutex;

use crate::contracts::{Edit, EditRequest, Editing, Text};

/// Of the one text of this program. `text:{id}` would make it many.
pub(crate) const CHANNEL: &str = "text";

/// So many edits are kept: an edit has to be based on one of them.
pub(crate) const KEPT: usize = 1_000;

/// The longest text, in bytes: it has to fit into one event.
const LONGEST: usize = 60_000;

/// The text, as the server has it.
#[derive(Clone, Default)]
pub(crate) struct Document(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    text: String,
    /// The position of the last edit; `None` before the first.
    position: Option<Position>,
    /// The last edits; the offsets of their events have no gaps.
    edits: VecDeque<Edit>,
}

impl State {
    /// The edits that came after a base.
    fn after(&self, epoch: u64, offset: u64) -> Option<impl Iterator<Item = &Edit>> {
        let last = self.position.unwrap_or(Position { epoch, offset: 0 });
        let missed = usize::try_from(last.offset.checked_sub(offset)?).ok()?;
        let known = offset == 0 || epoch == last.epoch;
        let from = self.edits.len().checked_sub(missed).filter(|_| known)?;
        Some(self.edits.range(from..))
    }
}

impl Editing for Document {
    async fn edit(&self, cx: &Context, request: EditRequest) -> Result<(), Status> {
        let EditRequest {
            mut edit,
            base_offset,
            base_epoch,
        } = request;
        // One at a time: what is rebased on the last edit is published behind it.
        let mut state = self.0.lock().await;
        let missed = state.after(base_epoch, base_offset);
        let missed =
            missed.ok_or_else(|| Status::out_of_range("this is based on an edit that is not known"))?;
        missed.for_each(|earlier| edit.rebase(earlier));
        let mut text = state.text.clone();
        edit.apply(&mut text)?;
        let receipt = cx.hub().channel(CHANNEL).publish(&edit).await?;
        state.position = receipt.position;
        state.text = text;
        state.edits.push_back(edit);
        if state.edits.len() > KEPT {
            state.edits.pop_front();
        }
        Ok(())
    }
}

/// A new subscriber has the text and the position of the same moment, and so each edit once: in the text, or behind it.
impl OnSubscribe<()> for Document {
    async fn snapshot(&self, _: &Asks, (): &()) -> Result<Snapshot, Status> {
        let state = self.0.lock().await;
        let text = Text {
            text: state.text.clone(),
        };
        Ok(match state.position {
            Some(position) => Snapshot::at(position, &text),
            None => Snapshot::now(&text),
        })
    }
}

impl Edit {
    /// Moves an edit, that knew nothing of an earlier one, behind it.
    pub(crate) fn rebase(&mut self, earlier: &Edit) {
        let inserted = count(&earlier.inserted);
        let (start, end) = (earlier.at, earlier.at + earlier.removed);
        let moved = |place: u32, inside: u32| match place >= end {
            true => place - earlier.removed + inserted,
            false => inside,
        };
        let my_end = self.at.saturating_add(self.removed);
        // Of two that type in one place, who came first stands first.
        self.at = if self.at < start {
            self.at
        } else {
            moved(self.at, start + inserted)
        };
        let my_end = if my_end <= start {
            my_end
        } else {
            moved(my_end, start)
        };
        self.removed = my_end.saturating_sub(self.at);
    }

    /// Does to a text what the edit says.
    pub(crate) fn apply(&self, text: &mut String) -> Result<(), Status> {
        let byte = |place: u32| {
            let mut places = text.char_indices().map(|(byte, _)| byte).chain([text.len()]);
            places.nth(place as usize)
        };
        let range = byte(self.at).zip(byte(self.at.saturating_add(self.removed)));
        let (start, end) = range.ok_or_else(|| Status::out_of_range("the text is not as long as that"))?;
        if text.len() - (end - start) + self.inserted.len() > LONGEST {
            return Err(Status::resource_exhausted("a text has at most 60,000 bytes"));
        }
        text.replace_range(start..end, &self.inserted);
        Ok(())
    }
}

/// How many characters a text has: fewer than [`LONGEST`], or nobody could have inserted it.
fn count(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}
