//! The connection behind a client: one at a time, made when it is needed and made again when it is lost.
//!
//! Owns which link calls go to (`publishing`), what is seen of it from outside, and when it ends for good. How bytes move is the
//! link's and its driver's; what becomes of a call that lost its link is the call's.

mod backoff;
mod dialling;
mod publishing;
mod state;
mod supervisor;

use std::{
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use arc_swap::{ArcSwapOption, Guard};
use futures_util::stream;
use rpc_protocol::CloseCode;
use tokio::sync::{Notify, broadcast};

pub use backoff::Reconnect;
use dialling::Dialled;
pub use state::ConnectionState;

use super::{
    ClientLimits, changes,
    connect::{Dial, Established},
    error::{CallError, Closed, Refused, RefusedKind},
    hub::HubCell,
    identity::Standing,
    link::{Answer, Link},
    resume::Resumption,
};
use crate::middleware::{Middleware, Outbound};

/// So many changes of state are kept for a slow observer; it then misses the oldest.
const STATES_KEPT: usize = 32;

/// What the program chose for a client.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) connect_timeout: Duration,
    pub(super) reconnect: Reconnect,
    /// For calls that set none.
    pub(super) timeout: Option<Duration>,
    pub(super) limits: Arc<ClientLimits>,
    /// Longer requests are compressed, where the server reads that.
    pub(super) compress_above: Option<usize>,
    /// What stands around every call, if anything does.
    pub(super) middleware: Option<Arc<Middleware<Outbound>>>,
    /// Who the client is.
    pub(super) standing: Arc<Standing>,
    /// What it hears of the server's hub.
    pub(super) hub: Arc<HubCell>,
    /// By what it comes back to its session.
    pub(super) resumption: Arc<Resumption>,
}

/// The connection behind a client, over all its reconnects.
pub(super) struct Channel {
    pub(super) config: Config,
    /// `None`: the one connection was made elsewhere, and cannot be made again.
    dial: Option<Box<dyn Dial>>,
    /// Where calls go. It may be closed already, until the supervisor has seen it.
    current: ArcSwapOption<Link>,
    control: Mutex<Control>,
    /// Told whenever something in `control` or `current` changed.
    changed: Notify,
    states: broadcast::Sender<ConnectionState>,
}

struct Control {
    state: ConnectionState,
    /// Why there is no connection, and whether calls wait all the same: the server has announced that it goes away.
    absence: Option<(Refused, bool)>,
    end: Option<End>,
    /// The supervisor's task was spawned.
    started: bool,
    /// No handle is left.
    abandoned: bool,
    /// The current link, and old ones that finish their calls.
    links: Vec<Weak<Link>>,
}

/// Why a client is closed for good.
#[derive(Debug, Clone)]
enum End {
    Closed(Closed),
    Refused(Refused),
}

impl End {
    /// The same for a call that comes later.
    fn error(&self) -> CallError {
        match self {
            Self::Closed(closed) => CallError::Closed(closed.clone().before_sending()),
            Self::Refused(refused) => CallError::Refused(refused.clone()),
        }
    }
}

impl Channel {
    /// A channel that connects when it is first called.
    pub(super) fn lazy(config: Config, dial: Box<dyn Dial>) -> Arc<Self> {
        Self::new(config, Some(dial))
    }

    /// A channel whose first connection is there already, and whose credential, if it shows one, was accepted.
    ///
    /// # Errors
    ///
    /// When the first connection does not come about.
    pub(super) async fn connected(config: Config, dial: Box<dyn Dial>) -> Result<Handle, CallError> {
        let channel = Self::new(config, Some(dial));
        let dialled = channel.dial().await.map_err(CallError::Refused)?;
        // Dropped before it is given away, it closes the connection.
        let handle = Handle(channel);
        if let Some(answer) = handle.0.begin(dialled) {
            handle.0.let_in(answer).await?;
        }
        Ok(handle)
    }

    /// A channel over one connection, which cannot be made again.
    pub(super) fn over(config: Config, established: Established) -> Arc<Self> {
        let channel = Self::new(config, None);
        channel.begin(Dialled {
            established,
            in_band: None,
            back_to: None,
        });
        channel
    }

    fn new(config: Config, dial: Option<Box<dyn Dial>>) -> Arc<Self> {
        Arc::new(Self {
            config,
            dial,
            current: ArcSwapOption::empty(),
            control: Mutex::new(Control {
                state: ConnectionState::Idle,
                absence: None,
                end: None,
                started: false,
                abandoned: false,
                links: Vec::new(),
            }),
            changed: Notify::new(),
            states: broadcast::Sender::new(STATES_KEPT),
        })
    }

    /// Begins with a connection that was made.
    fn begin(self: &Arc<Self>, dialled: Dialled) -> Option<Answer> {
        self.lock().started = true;
        let (link, answer) = self.publish(dialled);
        tokio::spawn(supervisor::supervise(self.clone(), Some(link)));
        answer
    }

    /// The link to which calls go now, if any. It may have ended a moment ago.
    #[inline]
    pub(super) fn current(&self) -> Guard<Option<Arc<Link>>> {
        self.current.load()
    }

    /// Waits for a link. A patient call waits for as long as it takes, another one until the attempt has failed that is
    /// being made.
    pub(super) async fn ready(self: &Arc<Self>, patient: bool) -> Result<Arc<Link>, CallError> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Before the look, so that nothing is missed between the two.
            changed.as_mut().enable();
            if let Some(link) = self.current.load_full()
                && link.is_open()
            {
                return Ok(link);
            }
            self.check(patient)?;
            changed.await;
        }
    }

    /// Whether a call that has no link may hope for one. Starts connecting where nobody did.
    fn check(self: &Arc<Self>, patient: bool) -> Result<(), CallError> {
        let mut control = self.lock();
        if let Some(end) = &control.end {
            return Err(end.error());
        }
        match (&control.absence, control.state) {
            (Some((why, planned)), state) if !matches!(state, ConnectionState::Connecting) => {
                let hope = self.comes_back() && (patient || *planned);
                if !hope {
                    return Err(CallError::Refused(why.clone()));
                }
            }
            _ => {}
        }
        if !mem::replace(&mut control.started, true) {
            drop(control);
            tokio::spawn(supervisor::supervise(self.clone(), None));
        }
        Ok(())
    }

    /// Whether a lost connection is made again.
    pub(super) fn comes_back(&self) -> bool {
        self.dial.is_some() && self.config.reconnect.attempts != Some(0)
    }

    /// Whether the client comes back after this end of a connection.
    pub(super) fn comes_back_after(&self, closed: &Closed) -> bool {
        self.comes_back() && closed.close_code().may_return() && self.lock().end.is_none()
    }

    /// Who the client is.
    pub(super) fn standing(&self) -> &Arc<Standing> {
        &self.config.standing
    }

    /// Whether there may be a connection on which a credential was shown.
    pub(super) fn may_have_shown(&self) -> bool {
        matches!(
            self.state(),
            ConnectionState::Connecting | ConnectionState::Connected
        )
    }

    /// Why there is no connection, in words.
    fn absent(&self, kind: RefusedKind, closed: Option<&Closed>, text: impl Into<String>) -> Refused {
        let url = self.dial.as_ref().map_or("", |dial| dial.url());
        match closed {
            Some(closed) => Refused::because(kind, url, text, closed.clone()),
            None => Refused::new(kind, url, text),
        }
    }

    fn set_state(&self, mut control: MutexGuard<'_, Control>, state: ConnectionState) {
        if control.state != ConnectionState::Closed && control.state != state {
            control.state = state;
            // Under the lock, so that observers see changes in their order. Nobody may observe.
            let _ = self.states.send(state);
        }
        drop(control);
        self.changed.notify_waiters();
    }

    /// Closes the client for good; the first reason stays.
    fn finish(&self, end: End) {
        let mut control = self.lock();
        let end = control.end.get_or_insert(end).clone();
        self.current.store(None);
        self.set_state(control, ConnectionState::Closed);
        self.standing().is_over();
        self.config.hub.finish(|| end.error());
        for link in self.links() {
            link.give_up_waiting();
        }
    }

    /// Why the client is closed for good, if it is.
    pub(super) fn end(&self) -> Option<CallError> {
        self.lock().end.as_ref().map(End::error)
    }

    /// Closes every connection with a close frame, and the client for good.
    pub(super) fn close(&self, code: CloseCode, reason: &str) {
        self.finish(End::Closed(Closed::new(code, reason)));
        for link in self.links() {
            link.request_close(code, reason);
        }
    }

    /// No handle is left: every connection is closed once its calls are over.
    pub(super) fn abandon(&self) {
        self.lock().abandoned = true;
        for link in self.links() {
            link.abandon();
        }
        self.changed.notify_waiters();
    }

    fn links(&self) -> Vec<Arc<Link>> {
        self.lock().links.iter().filter_map(Weak::upgrade).collect()
    }

    /// Waits until the client is closed for good and its connection with it, and says why.
    pub(super) async fn closed(&self) -> Closed {
        let closed = self
            .until(|control| match &control.end {
                None => None,
                Some(End::Closed(closed)) => Some(closed.clone()),
                Some(End::Refused(refused)) => Some(Closed::new(CloseCode::Abnormal, refused.to_string())),
            })
            .await;
        for link in self.links() {
            link.gone().await;
        }
        closed
    }

    async fn until<T>(&self, holds: impl Fn(&Control) -> Option<T>) -> T {
        changes::until(&self.changed, || holds(&self.lock())).await
    }

    pub(super) fn state(&self) -> ConnectionState {
        self.lock().state
    }

    /// The state now, and every change from now on, up to the last.
    pub(super) fn state_changes(
        &self,
    ) -> impl futures_core::Stream<Item = ConnectionState> + Send + Unpin + use<> {
        let control = self.lock();
        let (now, changes) = (control.state, self.states.subscribe());
        drop(control);
        Box::pin(stream::unfold(Some((Some(now), changes)), |seen| async {
            let (now, mut changes) = seen?;
            let state = match now {
                Some(state) => state,
                None => loop {
                    match changes.recv().await {
                        Ok(state) => break state,
                        Err(broadcast::error::RecvError::Lagged(_)) => {}
                        Err(broadcast::error::RecvError::Closed) => return None,
                    }
                },
            };
            let rest = (state != ConnectionState::Closed).then_some((None, changes));
            Some((state, rest))
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Control> {
        // Nothing panics while the lock is held.
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What all clones of a client share. When the last is dropped, nobody can call any more.
pub(super) struct Handle(pub(super) Arc<Channel>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let control = self.0.lock();
        f.debug_struct("Connection")
            .field("state", &control.state)
            .field("end", &control.end)
            .finish_non_exhaustive()
    }
}
