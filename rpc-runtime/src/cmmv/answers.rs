//! From the answers of a CRUD service to CMMV's.
//!
//! The numbers are the same but for two: CMMV says how many were deleted, and wraps a list once more.

use super::{
    explicit::{Explicit, Field, Fields, Unsent},
    wire::write_bytes,
};

/// The calls of a CRUD service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Add,
    Update,
    Delete,
    GetAll,
}

impl Operation {
    /// In the order in which CMMV announces their messages.
    pub(super) const ALL: [Self; 4] = [Self::Add, Self::Update, Self::Delete, Self::GetAll];

    /// What stands before the controller's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Add => "Add",
            Self::Update => "Update",
            Self::Delete => "Delete",
            Self::GetAll => "GetAll",
        }
    }
}

/// Fields 1 and 2 of a type whose values begin with their length.
const FIRST: u8 = 0x0a;
const SECOND: u8 = 0x12;
/// `bool success = 1` and `int32 affected = 2`.
const SUCCESS: u8 = 0x08;
const AFFECTED: u8 = 0x10;

/// The answer of an operation as CMMV's client reads it.
pub(super) fn answer(operation: Operation, body: &[u8], explicit: Explicit) -> Result<Vec<u8>, Unsent> {
    let answer = match operation {
        Operation::Add | Operation::Update => changed(body, explicit),
        Operation::Delete => deleted(body, explicit),
        Operation::GetAll => list(body, explicit),
    }?;
    explicit.check(&answer)?;
    Ok(answer)
}

/// `{ string id = 1; Task item = 2 }`
fn changed(body: &[u8], explicit: Explicit) -> Result<Vec<u8>, Unsent> {
    let (mut id, mut item) = (None, &b""[..]);
    for field in Fields(body) {
        match field? {
            Field { number: 1, raw, .. } => id = Some(raw),
            Field {
                number: 2, inside, ..
            } => item = inside,
            _ => {}
        }
    }
    let mut written = Vec::with_capacity(item.len() + 8);
    explicit.write_item(item, &mut written)?;
    let mut out = Vec::with_capacity(written.len() + id.map_or(0, <[u8]>::len) + 16);
    explicit.write_id(1, id, &mut out);
    write_bytes(SECOND, &written, &mut out);
    Ok(out)
}

/// `{ bool success = 1; string id = 3 }`, and on CMMV's wire `int32 affected = 2`.
fn deleted(body: &[u8], explicit: Explicit) -> Result<Vec<u8>, Unsent> {
    let (mut success, mut id) = (false, None);
    for field in Fields(body) {
        match field? {
            Field { number: 1, raw, .. } => success = !raw.ends_with(&[0]),
            Field { number: 3, raw, .. } => id = Some(raw),
            _ => {}
        }
    }
    let mut out = Vec::with_capacity(id.map_or(0, <[u8]>::len) + 16);
    out.extend_from_slice(&[SUCCESS, success.into(), AFFECTED, success.into()]);
    explicit.write_id(3, id, &mut out);
    Ok(out)
}

/// `{ repeated Task items = 1 }`, and on CMMV's wire `{ TaskList items = 1 }`.
fn list(body: &[u8], explicit: Explicit) -> Result<Vec<u8>, Unsent> {
    let mut items = Vec::with_capacity(body.len() * 2);
    let mut item = Vec::new();
    for field in Fields(body) {
        let field = field?;
        if field.number == 1 {
            item.clear();
            explicit.write_item(field.inside, &mut item)?;
            write_bytes(FIRST, &item, &mut items);
            explicit.check(&items)?;
        }
    }
    let mut out = Vec::with_capacity(items.len() + 8);
    write_bytes(FIRST, &items, &mut out);
    Ok(out)
}
