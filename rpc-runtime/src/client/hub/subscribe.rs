//! Subscribing: what a program says of it, and how it waits for the answer.

use std::{
    fmt,
    future::{Future, IntoFuture},
    marker::PhantomData,
    pin::Pin,
};

use futures_util::future::join_all;
use tokio::sync::oneshot;

use super::{ClientHub, Subscription, keeper};
use crate::{
    CallError, Contract, Status,
    hub::{ChannelName, Events, Position},
    services::hub::TypedMessage,
};

type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A subscription that is made when it is awaited. Made by [`ClientHub::subscribe`].
///
/// It waits for the connection, for as long as the client's [timeout](crate::ClientBuilder::timeout) allows. Dropped before it has
/// answered, nothing is subscribed to.
///
/// # Errors
///
/// [`CallError::Status`]: the name is none; PERMISSION_DENIED where the client has no right to hear the channel or there is no such
/// channel, UNAUTHENTICATED for both while it is anonymous; RESOURCE_EXHAUSTED where the client hears as many channels as it may, or
/// the server has no room for one more; INVALID_ARGUMENT where none of the events may be published in the channel; UNIMPLEMENTED
/// where the server does not serve the hub. The others as for a call, where there is no hope of a connection.
#[must_use = "nothing is subscribed to until it is awaited"]
pub struct Subscribe<E> {
    hub: ClientHub,
    channel: String,
    options: Options,
    events: PhantomData<fn() -> E>,
}

/// Subscriptions to several channels, which are made when it is awaited. Made by [`ClientHub::subscribe_all`].
///
/// Each is answered for itself, in the order in which they were named; else as [`Subscribe`].
#[must_use = "nothing is subscribed to until it is awaited"]
pub struct SubscribeAll<E> {
    hub: ClientHub,
    channels: Vec<String>,
    options: Options,
    events: PhantomData<fn() -> E>,
}

#[derive(Debug, Clone, Default)]
struct Options {
    since: Option<Position>,
    presence: Option<TypedMessage>,
}

impl<E: Events> Subscribe<E> {
    pub(super) fn new(hub: ClientHub, channel: String) -> Self {
        Self {
            hub,
            channel,
            options: Options::default(),
            events: PhantomData,
        }
    }

    /// Goes on behind a position that the program knows, such as that of an earlier [`Subscription::position`]: what was published
    /// since comes first. Where that cannot be had any more, a gap comes first.
    pub fn since(mut self, position: Position) -> Self {
        self.options.since = Some(position);
        self
    }

    /// Says what presence tells others of this client, where the channel has presence. At most 4 KiB. It holds for the client: of
    /// several subscriptions of one channel, the last one's counts. Where the server names its types, other data, and such that
    /// breaks the rules of its fields, is refused with INVALID_ARGUMENT, and with it the subscription.
    pub fn presence(mut self, message: &impl Contract) -> Self {
        self.options.presence = Some(typed(message));
        self
    }
}

impl<E: Events> SubscribeAll<E> {
    pub(super) fn new(hub: ClientHub, channels: Vec<String>) -> Self {
        Self {
            hub,
            channels,
            options: Options::default(),
            events: PhantomData,
        }
    }

    /// As [`Subscribe::presence`], in all of them.
    pub fn presence(mut self, message: &impl Contract) -> Self {
        self.options.presence = Some(typed(message));
        self
    }
}

/// A message of any type, as the hub's contract has it.
pub(super) fn typed<M: Contract>(message: &M) -> TypedMessage {
    TypedMessage {
        type_name: M::FULL_NAME.to_owned(),
        body: message.encode_to_vec().into(),
    }
}

/// Begins a subscription; the outcome is its first answer.
fn begin<E: Events>(
    hub: &ClientHub,
    channel: &str,
    options: Options,
) -> impl Future<Output = Result<Subscription<E>, CallError>> + Send + use<E> {
    let name = ChannelName::new(channel).map_err(|error| Status::invalid_argument(error.to_string()));
    let begun = name.map(|name| {
        let (first, told) = oneshot::channel();
        let Options { since, presence } = options;
        let (id, inbox) = hub.core.add(name.as_str(), since, presence, E::NAMES, first);
        let name = name.as_str().into();
        // Dropped before the answer, it unsubscribes.
        let subscription = Subscription::new(hub.client.clone(), hub.core.clone(), name, id, inbox);
        (subscription, told)
    });
    async move {
        let (subscription, told) = begun?;
        match told.await {
            Ok(Ok(())) => Ok(subscription),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(Status::cancelled("the client is gone").into()),
        }
    }
}

/// No longer than calls may take.
async fn in_time<T>(hub: &ClientHub, work: impl Future<Output = T>) -> Result<T, CallError> {
    match hub.client.channel().config.timeout {
        None => Ok(work.await),
        Some(timeout) => tokio::time::timeout(timeout, work)
            .await
            .map_err(|_| CallError::TimedOut(timeout)),
    }
}

impl<E: Events> IntoFuture for Subscribe<E> {
    type Output = Result<Subscription<E>, CallError>;
    type IntoFuture = Later<Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let begun = begin(&self.hub, &self.channel, self.options);
            keeper::ensure(&self.hub.core, &self.hub.client);
            in_time(&self.hub, begun).await?
        })
    }
}

impl<E: Events> IntoFuture for SubscribeAll<E> {
    type Output = Vec<Result<Subscription<E>, CallError>>;
    type IntoFuture = Later<Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let hub = &self.hub;
            let begun: Vec<_> = self
                .channels
                .iter()
                .map(|channel| begin(hub, channel, self.options.clone()))
                .collect();
            keeper::ensure(&hub.core, &hub.client);
            let begun = begun.into_iter().map(|begun| async {
                let outcome: Result<_, CallError> = in_time(hub, begun).await;
                outcome?
            });
            join_all(begun).await
        })
    }
}

impl<E> fmt::Debug for Subscribe<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscribe")
            .field("channel", &self.channel)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl<E> fmt::Debug for SubscribeAll<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscribeAll")
            .field("channels", &self.channels)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
