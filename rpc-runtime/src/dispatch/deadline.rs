//! The deadline of the handler that this thread is polling, which calls made inside it take over.
//!
//! Entered around polls of handlers that have a deadline, and only those: others leave what is there, which is nothing.

use std::{
    cell::Cell,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use tokio::time::Instant;

thread_local! {
    static CURRENT: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// When the time of the call is over in whose handler this is asked; `None` outside of handlers, and in tasks that they
/// have spawned.
pub(crate) fn current() -> Option<Instant> {
    CURRENT.get()
}

/// Makes a deadline the current one until what is returned is dropped.
pub(crate) fn enter(deadline: Instant) -> Entered {
    Entered(CURRENT.replace(Some(deadline)))
}

/// While it lives, a deadline is the current one. Handlers may be polled inside of others, over connections in memory:
/// what was current before comes back.
pub(crate) struct Entered(Option<Instant>);

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

pin_project! {
    /// A handler, whose deadline is the current one while it is polled. Without a deadline it costs one comparison.
    pub(crate) struct Within<F> {
        deadline: Option<Instant>,
        #[pin]
        future: F,
    }
}

/// Polls `future` with its own deadline as the current one.
pub(crate) fn within<F>(deadline: Option<Instant>, future: F) -> Within<F> {
    Within { deadline, future }
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = this.deadline.map(enter);
        this.future.poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_deadline_is_current_while_it_is_entered_and_the_one_around_it_comes_back() {
        let first = Instant::now();
        let second = first + Duration::from_secs(1);
        assert_eq!(current(), None);
        let outer = enter(first);
        {
            let _inner = enter(second);
            assert_eq!(current(), Some(second));
        }
        assert_eq!(current(), Some(first));
        drop(outer);
        assert_eq!(current(), None);
    }
}
