//! What a call has beside its request and its answer, made when it is first used: metadata that is sent back, clean-up,
//! and those who want to know when it is over.

use std::{
    fmt,
    future::Future,
    mem,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{runtime::Handle, sync::Notify};

use crate::{
    Metadata,
    session::{Session, afterwards},
};

type CleanUp = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Default)]
pub(super) struct Aside {
    state: Mutex<State>,
    over: OnceLock<Arc<Over>>,
}

#[derive(Default)]
struct State {
    sent: Option<Box<Sent>>,
    clean_up: Vec<CleanUp>,
}

/// Metadata that is sent back.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) metadata: Metadata,
    pub(crate) trailers: Metadata,
}

impl Sent {
    /// All of it, where nothing can be sent ahead any more.
    pub(crate) fn into_trailers(self) -> Metadata {
        let mut all = self.metadata;
        all.extend(self.trailers);
        all
    }
}

/// Whether a call is over, for those who may outlive it.
#[derive(Default)]
struct Over {
    is_over: AtomicBool,
    told: Notify,
}

impl Aside {
    /// Changes what is sent back.
    pub(super) fn tell(&self, change: impl FnOnce(&mut Sent)) {
        change(self.lock().sent.get_or_insert_default());
    }

    pub(super) fn take_sent(&self) -> Option<Box<Sent>> {
        self.lock().sent.take()
    }

    pub(super) fn on_close(&self, clean_up: CleanUp) {
        self.lock().clean_up.push(clean_up);
    }

    pub(super) fn over(&self) -> impl Future<Output = ()> + Send + use<> {
        let over = self.over.get_or_init(Arc::default).clone();
        async move {
            let mut told = pin!(over.told.notified());
            // Before the look, so that nothing is missed between the two.
            told.as_mut().enable();
            if !over.is_over.load(Ordering::Acquire) {
                told.await;
            }
        }
    }

    /// The call is over.
    pub(super) fn close(&self, session: &Arc<Session>) {
        if let Some(over) = self.over.get() {
            over.is_over.store(true, Ordering::Release);
            over.told.notify_waiters();
        }
        let clean_up = mem::take(&mut self.lock().clean_up);
        if clean_up.is_empty() {
            return;
        }
        let Ok(runtime) = Handle::try_current() else {
            tracing::warn!("a call's clean-up is not run: the runtime is gone");
            return;
        };
        for clean_up in clean_up {
            let place = afterwards::CleanUp::begin(session);
            runtime.spawn(async move {
                clean_up.await;
                drop(place);
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Aside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aside").finish_non_exhaustive()
    }
}
