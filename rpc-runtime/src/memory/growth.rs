//! How the standard library's collections grow, as upper bounds on the bytes they hold at their peak.
//!
//! While a collection grows, the old and the new allocation are both held. Each function gives what one more element
//! adds to the bound; `first` says that the element may be the first of its collection. Counting an element as a first
//! one when it is not only raises the bound, so a reader of elements need not remember which collections it has seen.

/// One more element of a `Vec` that grows by pushing.
///
/// A `Vec` begins with room for 4 elements (8 of one byte, 1 of more than 1,024), doubles when it is full, and holds
/// the old half until the new one is filled: `n` elements take at most `3 (n - 1)` slots, or the first room.
pub(super) fn push(slot: u64, first: bool) -> u64 {
    let slots = match (first, slot) {
        (false, _) => 3,
        (true, 0..=1) => 8,
        (true, 2..=1024) => 4,
        (true, _) => 1,
    };
    slots * slot
}

/// A run of `values` that a `Vec` without elements takes room for at once.
pub(super) fn reserve_first(slot: u64, values: u64) -> u64 {
    if values == 0 {
        0
    } else {
        slot * values.max(if slot <= 1 { 8 } else { 4 })
    }
}

/// A run of `values` that a `Vec` with elements takes room for: it may double and hold the old room meanwhile, so that
/// all its elements, those of before too, count three times.
pub(super) fn reserve_more(slot: u64, values: u64) -> u64 {
    slot * values * 3
}

/// One more entry of a `HashMap`.
///
/// Its table has a power of two of buckets, of which at most 7/8 are filled, each with a byte of control; growing holds
/// the old table, half the size. That is less than 3.5 buckets an entry, and a constant for each table's alignment and
/// trailing group. The first table has 4 buckets, 8 or 16 of tiny ones.
pub(super) fn hash_entry(slot: u64, first: bool) -> u64 {
    let bucket = slot + 1;
    if first {
        4 * bucket + 96
    } else {
        (7 * bucket).div_ceil(2)
    }
}

/// One more entry of a `BTreeMap`.
///
/// A leaf has room for 11 entries and, apart from the root, holds at least 5. At most every sixth node is inner, with
/// 12 pointers more.
pub(super) fn tree_entry(slot: u64, first: bool) -> u64 {
    let leaf = 11 * slot + 32;
    if first {
        2 * leaf + 96
    } else {
        (leaf + 16).div_ceil(5) + 1
    }
}

/// The bytes of a `String` or `Vec<u8>`. One that is `fresh` takes what it needs, 8 bytes at least; one that held another
/// value may double and hold the old room meanwhile.
pub(super) fn text(len: u64, fresh: bool) -> u64 {
    match (len, fresh) {
        (0, _) => 0,
        (_, true) => len.max(8),
        (_, false) => 2 * len + 8,
    }
}
