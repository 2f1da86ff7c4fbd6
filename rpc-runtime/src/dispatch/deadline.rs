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
    trace::{self, Followed},
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

pin_project! {
    /// A handler, whose deadline and trace are the current ones while it is polled, inside of its span. Without any of
    /// them it costs two comparisons.
    pub(crate) struct Within<F> {
        deadline: Option<Instant>,
        followed: Option<Arc<Followed>>,
        #[pin]
        future: F,
    }
}

/// What is current while the handler of one call is polled.
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
}

/// Polls `future` with what its own call has as what is current.
#[inline]
pub(crate) fn within<F>(current: Current, future: F) -> Within<F> {
    let Current { deadline, followed } = current;
    Within {
        deadline,
        followed,
        future,
    }
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = this.deadline.map(enter);
        trace::enter(this.followed.as_ref(), || this.future.poll(cx))
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
