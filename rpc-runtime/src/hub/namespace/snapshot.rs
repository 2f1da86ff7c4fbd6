//! Snapshots: the state of what a channel is about, which a new subscriber is given first.

use std::future::Future;

use bytes::Bytes;

use crate::{
    Status,
    hub::{
        Event, Position,
        pattern::ChannelParams,
        rights::{Asks, Later, Typed, denied},
    },
};

/// Makes the snapshot that a new subscriber has first.
///
/// A closure over nothing that has to be waited for is one, too: `|asks: &Asks, params: &P| -> Result<Snapshot, Status>`.
pub trait OnSubscribe<P>: Send + Sync + 'static {
    /// Makes a snapshot for a client that subscribes; [`Snapshot::none`] gives none.
    ///
    /// # Errors
    ///
    /// The client is not subscribed, and is told the status.
    fn snapshot(&self, asks: &Asks, params: &P) -> impl Future<Output = Result<Snapshot, Status>> + Send;
}

impl<P, F> OnSubscribe<P> for F
where
    P: Sync,
    F: Fn(&Asks, &P) -> Result<Snapshot, Status> + Send + Sync + 'static,
{
    async fn snapshot(&self, asks: &Asks, params: &P) -> Result<Snapshot, Status> {
        self(asks, params)
    }
}

/// The state of what a channel is about, at a position of the channel.
///
/// The subscriber has it first, and then every event after the position. So that none is missed and none is counted twice, the
/// state and the position have to be of the same moment: keep the position that publishing a change gave
/// ([`Receipt::position`](crate::hub::Receipt::position)) beside the state, under the same lock, and give both by
/// [`Snapshot::at`].
#[derive(Debug, Clone)]
pub struct Snapshot(pub(crate) Option<Taken>);

#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) type_name: &'static str,
    pub(crate) body: Bytes,
    /// `None`: where the channel was when the snapshot was asked for.
    pub(crate) position: Option<Position>,
}

impl Snapshot {
    /// The state as it was at `position`.
    pub fn at<E: Event>(position: Position, state: &E) -> Self {
        Self::taken(state, Some(position))
    }

    /// The state as it is now. Events that were published while it was taken come after it, though it may contain what they
    /// say: for state that such events only set again.
    pub fn now<E: Event>(state: &E) -> Self {
        Self::taken(state, None)
    }

    /// No snapshot.
    pub fn none() -> Self {
        Self(None)
    }

    fn taken<E: Event>(state: &E, position: Option<Position>) -> Self {
        Self(Some(Taken {
            type_name: E::FULL_NAME,
            body: state.encode_to_vec().into(),
            position,
        }))
    }
}

pub(super) trait ErasedSnapshot: Send + Sync {
    fn snapshot<'a>(&'a self, asks: &'a Asks, values: &'a [&'a str]) -> Later<'a, Result<Snapshot, Status>>;
}

impl<P: ChannelParams, S: OnSubscribe<P>> ErasedSnapshot for Typed<S, P> {
    fn snapshot<'a>(&'a self, asks: &'a Asks, values: &'a [&'a str]) -> Later<'a, Result<Snapshot, Status>> {
        Box::pin(async move {
            let params = P::read(values).ok_or_else(|| denied(asks))?;
            self.right().snapshot(asks, &params).await
        })
    }
}
