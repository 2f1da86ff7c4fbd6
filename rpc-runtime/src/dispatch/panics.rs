//! Panics of handlers, which end their call and nothing else.

use std::{
    any::Any,
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

/// Runs what may panic; the error is what the panic said.
///
/// What `run` had in its hands is not looked at again afterwards, which is what unwind safety asks.
#[inline]
pub(crate) fn catch<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| text(&*payload))
}

/// Polls what may panic; the error is what the panic said.
pub(crate) async fn caught<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let mut future = pin!(future);
    poll_fn(|cx| match catch(|| future.as_mut().poll(cx)) {
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

/// Drops a handler's future; what its destructors may panic with is logged.
pub(crate) fn drop_quietly<T>(value: T) {
    if let Err(panic) = catch(|| drop(value)) {
        tracing::error!(panic, "a cancelled handler panicked while it was dropped");
    }
}

fn text(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a text".to_owned()
    }
}

/// What a panic that ended a task said.
pub(crate) fn of_task(error: tokio::task::JoinError) -> String {
    match error.try_into_panic() {
        Ok(payload) => text(&*payload),
        Err(_) => "the task was cancelled because the runtime is shutting down".to_owned(),
    }
}
