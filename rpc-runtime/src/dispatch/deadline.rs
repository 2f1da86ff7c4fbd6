//! The deadline of the handler that this thread is polling, which calls made inside it take over, as they do its trace.
//!
//! Entered around polls of handlers that have a deadline, and only those: others leave what is there, which is nothing.

use std::{
    cell::Cell,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

use pin_project_lite::pin_project;
use tokio::time::Instant;

use crate::{
    Context,
    trace::{Followed, Inside},
};

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

/// What is current while the handler of one call is polled: its deadline and its trace, inside of its span.
#[derive(Default)]
pub(crate) struct Current {
    deadline: Option<Instant>,
    followed: Option<Arc<Followed>>,
}

impl Current {
    #[inline]
    pub(crate) fn of(context: &Context) -> Self {
        Self {
            deadline: context.deadline(),
            followed: context.followed().cloned(),
        }
    }

    /// Lets go of the call, whose span ends with the last who holds it.
    #[inline]
    pub(crate) fn forget(&mut self) {
        if self.followed.is_some() {
            self.followed = None;
        }
    }

    /// Makes it what is current until the result is dropped. Where there is nothing it costs two comparisons.
    #[inline]
    pub(crate) fn enter(&self) -> (Option<Entered>, Option<Inside<'_>>) {
        (
            self.deadline.map(enter),
            self.followed.as_ref().map(Followed::entered),
        )
    }
}

pin_project! {
    /// A handler, and what is current while it is polled.
    pub(crate) struct Within<F> {
        current: Current,
        #[pin]
        future: F,
    }
}

/// Polls `future` with what its own call has as what is current.
pub(crate) fn within<F>(current: Current, future: F) -> Within<F> {
    Within { current, future }
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = this.current.enter();
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
