//! What a program wants to do when clients come, become known, and go.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use rpc_protocol::{CloseCode, ConnectionError};

use super::{Session, SessionState};
use crate::{CallId, Code, auth::Identity};

/// What a program does when clients come, become known, and go. Several sets of hooks run in the order in which they are
/// registered; everything has a default that does nothing.
///
/// ```
/// use std::sync::Arc;
/// use rpc_runtime::{CloseCode, Hooks, Refusal, Server, Session, auth::Identity};
///
/// struct Audit;
///
/// impl Hooks for Audit {
///     async fn on_connect(&self, session: &Arc<Session>) -> Result<(), Refusal> {
///         println!("{} from {:?}", session.id(), session.info().remote_addr());
///         Ok(())
///     }
///
///     async fn on_disconnect(&self, session: &Arc<Session>, code: CloseCode, reason: &str) {
///         println!("{} left with {code}: {reason}", session.id());
///     }
/// }
///
/// let server = Server::builder().hooks(Audit);
/// # let _ = server;
/// ```
pub trait Hooks: Send + Sync + 'static {
    /// A client has connected; it is greeted, and its calls begin, when all hooks have let it in. Within
    /// [`Limits::authentication_time`](crate::Limits::authentication_time), or it is closed with 1013.
    ///
    /// # Errors
    ///
    /// A refusal closes the connection; hooks after this one are not run, not even when it disconnects.
    fn on_connect(&self, session: &Arc<Session>) -> impl Future<Output = Result<(), Refusal>> + Send {
        let _ = session;
        async { Ok(()) }
    }

    /// A client has become known, at the handshake or later, or has become another user. The session has the identity
    /// already; calls that come after the credential begin when all hooks are done. Not called for a refresh.
    ///
    /// # Errors
    ///
    /// A refusal closes the connection.
    fn on_authenticated(
        &self,
        session: &Arc<Session>,
        identity: &Identity,
    ) -> impl Future<Output = Result<(), Refusal>> + Send {
        let _ = (session, identity);
        async { Ok(()) }
    }

    /// The connection of a client is lost, and its session waits for it: its calls are cancelled, unless they go on over a resume.
    /// Called on the connection's task, after `on_state`; it should not compute for long. Either `on_resume` or `on_disconnect`
    /// follows.
    fn on_detach(&self, session: &Arc<Session>) {
        let _ = session;
    }

    /// A client has come back to its session, on another connection; neither `on_connect` nor `on_disconnect` is called for
    /// that. It is greeted next. Called on the connection's task; it should not compute for long. [`Session::info`] is that of the
    /// first connection.
    fn on_resume(&self, session: &Arc<Session>) {
        let _ = session;
    }

    /// A client has gone, or was closed: its calls are cancelled. Runs on a task of its own, which a server that stops waits
    /// for. `code` is 1006 where the connection broke without a close frame. Where the session waited for its client to come back
    /// ([`Limits::resume_window`](crate::Limits::resume_window)), that is over, and `code` is how its last connection was lost.
    ///
    /// Called exactly once for each client whose `on_connect` let it in.
    fn on_disconnect(
        &self,
        session: &Arc<Session>,
        code: CloseCode,
        reason: &str,
    ) -> impl Future<Output = ()> + Send {
        let _ = (session, code, reason);
        async {}
    }

    /// Something went wrong: see [`SessionError`]. Called on the connection's task; it should not compute for long.
    fn on_error(&self, session: &Arc<Session>, error: &SessionError<'_>) {
        let _ = (session, error);
    }

    /// The session has changed its state. Called on the connection's task; it should not compute for long.
    fn on_state(&self, session: &Arc<Session>, from: SessionState, to: SessionState) {
        let _ = (session, from, to);
    }
}

/// Why a client is not let in: a close code and a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub(crate) code: CloseCode,
    pub(crate) reason: String,
}

impl Refusal {
    /// Closes with this code and this reason, which the client is told (cut to 123 bytes). Whether it comes back is the
    /// code's: see [`CloseCode::may_return`]. One that cannot be sent ([`CloseCode::may_be_sent`]) is sent as 1000.
    pub fn new(code: CloseCode, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
        }
    }

    /// With what the connection is closed.
    pub fn code(&self) -> CloseCode {
        self.code
    }

    /// What the client is told.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// What went wrong on a session.
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionError<'a> {
    /// A call failed by the server's own fault: its handler panicked, or failed with an error that is no status.
    #[non_exhaustive]
    Call {
        /// The call.
        call: CallId,
        /// The method's full name.
        method: &'static str,
        /// What the client is told.
        code: Code,
        /// What the log says.
        cause: &'a str,
    },
    /// A credential that was shown on the live connection was not accepted. One of a handshake is not told here: its client
    /// has no session that hooks know. It is in the log, and among the [metrics](mod@crate::metrics).
    Authentication(&'a crate::auth::AuthError),
    /// The client broke the protocol, or a limit: the connection is closed.
    Protocol(&'a ConnectionError),
    /// The client broke WebSocket's own rules, or is too slow in sending a message that it has begun, or in taking what it
    /// is sent: the connection is closed.
    #[non_exhaustive]
    WebSocket {
        /// With what it is closed.
        code: CloseCode,
        /// What is wrong.
        reason: &'a str,
    },
    /// The socket failed.
    Socket(&'a std::io::Error),
}

impl SessionError<'_> {
    /// Whether the connection ends with it.
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Call { .. } | Self::Authentication(_))
    }
}

type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Hooks of any type.
pub(crate) trait ErasedHooks: Send + Sync {
    fn on_connect<'a>(&'a self, session: &'a Arc<Session>) -> Later<'a, Result<(), Refusal>>;
    fn on_authenticated<'a>(
        &'a self,
        session: &'a Arc<Session>,
        identity: &'a Identity,
    ) -> Later<'a, Result<(), Refusal>>;
    fn on_disconnect<'a>(
        &'a self,
        session: &'a Arc<Session>,
        code: CloseCode,
        reason: &'a str,
    ) -> Later<'a, ()>;
    fn on_detach(&self, session: &Arc<Session>);
    fn on_resume(&self, session: &Arc<Session>);
    fn on_error(&self, session: &Arc<Session>, error: &SessionError<'_>);
    fn on_state(&self, session: &Arc<Session>, from: SessionState, to: SessionState);
}

impl<H: Hooks> ErasedHooks for H {
    fn on_connect<'a>(&'a self, session: &'a Arc<Session>) -> Later<'a, Result<(), Refusal>> {
        Box::pin(Hooks::on_connect(self, session))
    }

    fn on_authenticated<'a>(
        &'a self,
        session: &'a Arc<Session>,
        identity: &'a Identity,
    ) -> Later<'a, Result<(), Refusal>> {
        Box::pin(Hooks::on_authenticated(self, session, identity))
    }

    fn on_disconnect<'a>(
        &'a self,
        session: &'a Arc<Session>,
        code: CloseCode,
        reason: &'a str,
    ) -> Later<'a, ()> {
        Box::pin(Hooks::on_disconnect(self, session, code, reason))
    }

    fn on_detach(&self, session: &Arc<Session>) {
        Hooks::on_detach(self, session);
    }

    fn on_resume(&self, session: &Arc<Session>) {
        Hooks::on_resume(self, session);
    }

    fn on_error(&self, session: &Arc<Session>, error: &SessionError<'_>) {
        Hooks::on_error(self, session, error);
    }

    fn on_state(&self, session: &Arc<Session>, from: SessionState, to: SessionState) {
        Hooks::on_state(self, session, from, to);
    }
}

/// The hooks of an endpoint, in the order of their registration.
#[derive(Clone, Default)]
pub(crate) struct HookSets(Vec<Arc<dyn ErasedHooks>>);

impl HookSets {
    pub(crate) fn add(&mut self, hooks: impl Hooks) {
        self.0.push(Arc::new(hooks));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<dyn ErasedHooks>> {
        self.0.iter()
    }
}

impl fmt::Debug for HookSets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HookSets").field(&self.0.len()).finish()
    }
}
