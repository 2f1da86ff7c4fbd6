//! The requests of a call that streams them: a task of its own takes them from the program as the server takes them.

use std::{marker::PhantomData, pin::Pin, sync::Arc};

use futures_core::Stream;
use futures_util::{StreamExt, stream::Fuse};
use prost::Message;
use tokio::task::JoinHandle;

use crate::{
    Outgoing,
    client::link::StreamSink,
    contract::ContractField,
    middleware::{Encoded, Messages},
    trace::Followed,
};

/// A stream of requests, whatever their type.
pub(super) struct Requests(Box<dyn Source>);

trait Source: Send {
    fn start(self: Box<Self>, sink: Arc<StreamSink>) -> JoinHandle<Option<Requests>>;
    fn encoded(self: Box<Self>) -> Messages;
    fn follow(&mut self, followed: Option<Arc<Followed>>);
}

struct Layered(Messages);

impl Source for Layered {
    fn start(self: Box<Self>, sink: Arc<StreamSink>) -> JoinHandle<Option<Requests>> {
        let mut messages = self.0;
        tokio::spawn(async move {
            let outgoing = Outgoing::<Encoded>::to_wire(sink);
            loop {
                let next = tokio::select! {
                    biased;
                    next = messages.next() => next,
                    () = outgoing.closed() => None,
                };
                let sent = match next {
                    None => break,
                    Some(Ok(message)) => outgoing.send(Encoded(message)).await,
                    Some(Err(status)) => Err(status),
                };
                if let Err(status) = sent {
                    if !outgoing.is_closed() {
                        let _ = outgoing.fail(status).await;
                    }
                    break;
                }
            }
            None
        })
    }

    fn encoded(self: Box<Self>) -> Messages {
        self.0
    }

    /// What comes out of layers was counted in front of them.
    fn follow(&mut self, _: Option<Arc<Followed>>) {}
}

struct Typed<Q, S> {
    stream: Pin<Box<Fuse<S>>>,
    followed: Option<Arc<Followed>>,
    request: PhantomData<fn() -> Q>,
}

impl Requests {
    pub(super) fn new<Q>(stream: impl Stream<Item = Q> + Send + 'static) -> Self
    where
        Q: Message + ContractField + 'static,
    {
        Self(Box::new(Typed {
            stream: Box::pin(stream.fuse()),
            followed: None,
            request: PhantomData,
        }))
    }

    /// What came through layers. A failure among them cancels the call.
    pub(super) fn layered(messages: Messages) -> Self {
        Self(Box::new(Layered(messages)))
    }

    /// Counts them where their call is followed.
    pub(super) fn followed(mut self, followed: Option<Arc<Followed>>) -> Self {
        self.0.follow(followed);
        self
    }

    /// Encoded, on their way into layers.
    pub(super) fn encoded(self) -> Messages {
        self.0.encoded()
    }

    /// Sends them, until they end or the call does. Gives them back where none was taken, so that they can be sent with
    /// another call.
    pub(super) fn start(self, sink: Arc<StreamSink>) -> JoinHandle<Option<Self>> {
        self.0.start(sink)
    }
}

impl<Q, S> Source for Typed<Q, S>
where
    Q: Message + ContractField + 'static,
    S: Stream<Item = Q> + Send + 'static,
{
    fn start(self: Box<Self>, sink: Arc<StreamSink>) -> JoinHandle<Option<Requests>> {
        tokio::spawn(async move {
            let untouched = self.pump(Outgoing::to_wire(sink)).await;
            untouched.map(|source| Requests(source))
        })
    }

    fn encoded(self: Box<Self>) -> Messages {
        let followed = self.followed;
        Messages::new(self.stream.map(move |request| {
            let encoded = request.encode_to_vec();
            if let Some(followed) = &followed {
                followed.request(encoded.len());
            }
            Ok(encoded.into())
        }))
    }

    fn follow(&mut self, followed: Option<Arc<Followed>>) {
        self.followed = followed;
    }
}

impl<Q, S> Typed<Q, S>
where
    Q: Message + ContractField + 'static,
    S: Stream<Item = Q> + Send + 'static,
{
    /// Its end, which drops `outgoing`, half-closes the call.
    async fn pump(mut self: Box<Self>, outgoing: Outgoing<Q>) -> Option<Box<Self>> {
        let mut touched = false;
        loop {
            let next = tokio::select! {
                biased;
                next = self.stream.next() => next,
                () = outgoing.closed() => None,
            };
            let Some(request) = next else { break };
            touched = true;
            if let Some(followed) = &self.followed {
                followed.request(request.encoded_len());
            }
            if let Err(status) = outgoing.send(request).await {
                if !outgoing.is_closed() {
                    // One that cannot be sent must not be missing without anybody noticing.
                    let _ = outgoing.fail(status).await;
                }
                break;
            }
        }
        (!touched).then_some(self)
    }
}
