//! Buffers that belong to a thread, not to a connection.
//!
//! A connection needs a large read buffer and a large output only while it is being polled. Lending both from the
//! worker thread keeps them warm in its cache and leaves an idle connection with nothing.

use std::cell::Cell;

/// One read from a socket takes at most this much. It covers a whole burst of small requests, and a partial read
/// tells tokio that the socket is empty, which saves the system call that would find out.
pub(crate) const READ_SIZE: usize = 64 * 1024;

/// An output that grew beyond this in one batch is given back to the allocator instead of to the thread.
const KEPT_OUTPUT: usize = 512 * 1024;

thread_local! {
    static READ: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
    static OUTPUT: Cell<Option<Vec<u8>>> = const { Cell::new(None) };
}

/// Takes this thread's read buffer, of [`READ_SIZE`] bytes.
///
/// It is taken, not borrowed: a handler polled while it is lent may itself drive a connection (the in-memory
/// transport does), which then gets a buffer of its own.
pub(crate) fn take_read() -> Box<[u8]> {
    // The cell is gone only while the thread is being torn down.
    READ.try_with(Cell::take)
        .ok()
        .flatten()
        .unwrap_or_else(|| vec![0; READ_SIZE].into_boxed_slice())
}

/// Gives the read buffer back to the thread that polls now, which need not be the one it came from.
pub(crate) fn give_read(buffer: Box<[u8]>) {
    if buffer.len() == READ_SIZE {
        let _ = READ.try_with(|cell| cell.set(Some(buffer)));
    }
}

/// Takes this thread's output buffer; empty, with whatever room it has.
pub(crate) fn take_output() -> Vec<u8> {
    OUTPUT.try_with(Cell::take).ok().flatten().unwrap_or_default()
}

/// Gives an output buffer back. Its contents are discarded.
pub(crate) fn give_output(mut buffer: Vec<u8>) {
    buffer.clear();
    if (1..=KEPT_OUTPUT).contains(&buffer.capacity()) {
        let _ = OUTPUT.try_with(|cell| cell.set(Some(buffer)));
    }
}
