//! What the hooks are told of a session that has let them in: what goes wrong, and that it has gone.

use std::{future::poll_fn, pin::pin, sync::atomic::Ordering};

use rpc_protocol::CloseCode;
use tokio::runtime::Handle;

use super::Connection;
use crate::{SessionError, dispatch::panics};

/// What the end of a session needs, where there are hooks.
pub(super) struct Leaving {
    /// Where the hooks run: who drops a connection may be outside of any runtime.
    runtime: Handle,
    /// How the connection has ended; the first that is known.
    end: Option<(CloseCode, String)>,
}

impl<S> Connection<S> {
    /// Remembers where hooks are to run.
    pub(super) fn prepare_leaving(&mut self) {
        if !self.endpoint.hooks.is_empty()
            && let Ok(runtime) = Handle::try_current()
        {
            self.leaving = Some(Box::new(Leaving { runtime, end: None }));
        }
    }

    /// Remembers how the connection ends, unless that is known.
    pub(super) fn ends_with(&mut self, code: CloseCode, reason: &str) {
        if let Some(leaving) = &mut self.leaving {
            leaving.end.get_or_insert_with(|| (code, reason.to_owned()));
        }
    }

    /// The session goes on: how its connection before has ended is not how it ends.
    pub(super) fn goes_on(&mut self) {
        if let Some(leaving) = &mut self.leaving {
            leaving.end = None;
        }
    }

    /// Tells the hooks what went wrong.
    #[cold]
    pub(super) fn tell_hooks(&self, error: &SessionError<'_>) {
        for hooks in self.endpoint.hooks.iter() {
            if let Err(panic) = panics::catch(|| hooks.on_error(&self.session, error)) {
                tracing::error!(client = %self.session.id(), panic, "a hook panicked");
            }
        }
    }

    /// Tells the hooks which have let the session in that it has gone, on a task of its own.
    pub(super) fn leave(&mut self) {
        let let_in = self.session.let_in.swap(0, Ordering::Relaxed);
        let Some(leaving) = self.leaving.take().filter(|_| let_in > 0) else {
            return;
        };
        let Leaving { runtime, end } = *leaving;
        let (code, reason) = end.unwrap_or_else(|| (CloseCode::Abnormal, String::new()));
        let session = self.session.clone();
        let place = session.afterwards().begin();
        runtime.spawn(async move {
            for hooks in session.endpoint.hooks.iter().take(let_in.into()) {
                let mut hook = pin!(hooks.on_disconnect(&session, code, &reason));
                let told = poll_fn(|cx| match panics::catch(|| hook.as_mut().poll(cx)) {
                    Ok(polled) => polled.map(Ok),
                    Err(panic) => std::task::Poll::Ready(Err(panic)),
                });
                if let Err(panic) = told.await {
                    tracing::error!(client = %session.id(), panic, "a hook panicked");
                }
            }
            drop(place);
        });
    }
}
