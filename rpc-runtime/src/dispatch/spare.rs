//! Places for handlers' futures, kept by each thread for the next call of the same method.
//!
//! A handler that is ready at once would otherwise cost an allocation that is freed a moment later. What a thread keeps
//! is bounded by the number of places, not of methods.

use std::{any::Any, cell::RefCell, pin::Pin};

use super::call::Call;

/// Methods whose place among all differs by a multiple of this share one.
const PLACES: usize = 64;

/// The outer box makes the inner one, whose contents may not move, something that can be taken and given by type.
pub(super) type Place<F, R> = Box<Pin<Box<Call<F, R>>>>;

thread_local! {
    static SPARE: RefCell<[Option<Box<dyn Any>>; PLACES]> = const { RefCell::new([const { None }; PLACES]) };
}

/// A place that a call of this method has left, if this thread has one.
#[inline]
pub(super) fn take<F: 'static, R: 'static>(method: usize) -> Option<Place<F, R>> {
    // Another method's, or another server's, is dropped: it is empty.
    SPARE
        .with_borrow_mut(|spare| spare[method % PLACES].take())?
        .downcast()
        .ok()
}

/// Leaves an empty place to the next call.
#[inline]
pub(super) fn give<F: 'static, R: 'static>(method: usize, place: Place<F, R>) {
    SPARE.with_borrow_mut(|spare| spare[method % PLACES] = Some(place));
}
