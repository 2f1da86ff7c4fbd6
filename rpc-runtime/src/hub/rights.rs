//! Who may do what in a namespace: rights, and the ready ones.

use std::{future::Future, marker::PhantomData, pin::Pin, sync::Arc};

use super::pattern::ChannelParams;
use crate::{ClientId, Session, Status, auth::Identity};

/// Who asks for a right: a client, as it was when it asked.
#[derive(Debug, Clone)]
pub struct Asks {
    session: Arc<Session>,
    identity: Option<Identity>,
}

impl Asks {
    pub(crate) fn new(session: Arc<Session>, identity: Option<Identity>) -> Self {
        Self { session, identity }
    }

    /// As the session is known now.
    pub(crate) fn now(session: &Arc<Session>) -> Self {
        Self::new(session.clone(), session.identity())
    }

    /// Whether the session is known as it was when this was asked, to the last role.
    pub(crate) fn is_still_known(&self, session: &Session) -> bool {
        match (&self.identity, session.identity()) {
            (Some(was), Some(is)) => was.is_same(&is),
            (was, is) => was.is_none() && is.is_none(),
        }
    }

    /// The client's session.
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// The client's id.
    pub fn client(&self) -> ClientId {
        self.session.id()
    }

    /// Who it is known as; `None` while anonymous.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// The id of the user that it is known as.
    pub fn user(&self) -> Option<&str> {
        self.identity.as_ref().map(Identity::user)
    }
}

/// Who may do one thing in the channels of a namespace. Nobody may do what no right is given for.
///
/// A closure is one, which answers at once; so are [`Anyone`], [`Users`], [`HasRole`] and [`Nobody`]. What has to be looked up is
/// written as an implementation:
///
/// ```
/// use rpc_runtime::{Status, hub::{Asks, Namespace, Right, Users}};
///
/// struct MembersOf;
///
/// impl Right<(u64,)> for MembersOf {
///     async fn check(&self, asks: &Asks, (room,): &(u64,)) -> Result<(), Status> {
///         // ... a database is asked whether `asks.user()` is a member of `room`.
///         # let _ = (asks, room);
///         Ok(())
///     }
/// }
///
/// let rooms = Namespace::<(u64,)>::new("room:{id}").subscribe(MembersOf).publish(Users);
/// # let _ = rooms;
/// ```
///
/// `P` is what the parameters of the namespace's pattern are read as. A right is asked again when a client recovers a
/// subscription, and when the client becomes another user: what it has no right to any more ends.
pub trait Right<P>: Send + Sync + 'static {
    /// Whether the client may.
    ///
    /// # Errors
    ///
    /// Any status refuses. UNAVAILABLE and RESOURCE_EXHAUSTED are told as they are, and so give away that there is such a channel.
    /// For all others clients are told PERMISSION_DENIED, or UNAUTHENTICATED while they are anonymous, with one text, which
    /// is that of channels that do not exist: nobody learns which do.
    fn check(&self, asks: &Asks, params: &P) -> impl Future<Output = Result<(), Status>> + Send;
}

impl<P, F> Right<P> for F
where
    P: Sync,
    F: Fn(&Asks, &P) -> Result<(), Status> + Send + Sync + 'static,
{
    async fn check(&self, asks: &Asks, params: &P) -> Result<(), Status> {
        self(asks, params)
    }
}

/// Every client, anonymous ones too.
#[derive(Debug, Clone, Copy)]
pub struct Anyone;

/// Every client that is known as a user.
#[derive(Debug, Clone, Copy)]
pub struct Users;

/// No client; the default. The server itself may do everything.
#[derive(Debug, Clone, Copy)]
pub struct Nobody;

/// Every client whose user has this role.
#[derive(Debug, Clone)]
pub struct HasRole(pub String);

impl<P: Sync> Right<P> for Anyone {
    async fn check(&self, _: &Asks, _: &P) -> Result<(), Status> {
        Ok(())
    }
}

impl<P: Sync> Right<P> for Users {
    async fn check(&self, asks: &Asks, _: &P) -> Result<(), Status> {
        match asks.user() {
            Some(_) => Ok(()),
            None => Err(denied(asks)),
        }
    }
}

impl<P: Sync> Right<P> for Nobody {
    async fn check(&self, asks: &Asks, _: &P) -> Result<(), Status> {
        Err(denied(asks))
    }
}

impl<P: Sync> Right<P> for HasRole {
    async fn check(&self, asks: &Asks, _: &P) -> Result<(), Status> {
        match asks.identity() {
            Some(identity) if identity.has_role(&self.0) => Ok(()),
            _ => Err(denied(asks)),
        }
    }
}

/// What is told to whom has no right: the same bytes whether there is such a channel or not. Who is anonymous might have it as
/// a user.
#[cold]
pub(crate) fn denied(asks: &Asks) -> Status {
    match asks.identity() {
        Some(_) => Status::permission_denied("there is no such channel, or you may not do that in it"),
        None => Status::unauthenticated(
            "there is no such channel, or you may not do that in it without logging in",
        ),
    }
}

pub(crate) type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A right over parameters that are still text.
pub(crate) trait ErasedRight: Send + Sync {
    fn check<'a>(&'a self, asks: &'a Asks, values: &'a [&'a str]) -> Later<'a, Result<(), Status>>;
}

/// A right of a namespace whose parameters are `P`.
pub(crate) struct Typed<R, P> {
    right: R,
    params: PhantomData<fn() -> P>,
}

impl<R, P> Typed<R, P> {
    pub(crate) fn new(right: R) -> Self {
        Self {
            right,
            params: PhantomData,
        }
    }
}

impl<P: ChannelParams, R: Right<P>> ErasedRight for Typed<R, P> {
    fn check<'a>(&'a self, asks: &'a Asks, values: &'a [&'a str]) -> Later<'a, Result<(), Status>> {
        Box::pin(async move {
            let params = P::read(values).ok_or_else(|| denied(asks))?;
            let checked = self.right.check(asks, &params).await;
            checked.map_err(|refused| told(refused, asks))
        })
    }
}

/// What a client is told of a refusal.
pub(crate) fn told(status: Status, asks: &Asks) -> Status {
    match status.code() {
        crate::Code::Unavailable | crate::Code::ResourceExhausted => status,
        _ => denied(asks),
    }
}

impl<R, P> Typed<R, P> {
    pub(crate) fn right(&self) -> &R {
        &self.right
    }
}
