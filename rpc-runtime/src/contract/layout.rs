//! What fields take in memory, as facts for the bound on decoding.

use crate::codec::ValueCodec;

/// What a field takes in memory, for the bound on decoding.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Layout {
    /// What holds the values.
    pub holder: Holder,
    /// Bytes of one value inside its holder; of a map, of one key and its value.
    pub slot: usize,
    /// Bytes of the box around each value, 0 where there is none.
    pub boxed: usize,
    /// Whether the bytes of a `string` or `bytes` value are copied; a slice of the received buffer is not.
    pub copied: bool,
}

impl Layout {
    /// The layout of values of `C` in `holder`.
    #[must_use]
    pub const fn of_value<C: ValueCodec>(holder: Holder, slot: usize) -> Self {
        Layout {
            holder,
            slot,
            boxed: C::BOXED,
            copied: C::COPIED,
        }
    }
}

/// What holds a field's values in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// The message itself.
    Inline,
    /// A `Vec`.
    List,
    /// A `HashMap`.
    HashMap,
    /// A `BTreeMap`.
    BTreeMap,
}
