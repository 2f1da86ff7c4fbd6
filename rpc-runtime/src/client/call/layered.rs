//! A call that goes through the layers of its client: from its options to what the layers see, and what is behind them.
//!
//! Behind them is a call like any other, whose messages are encoded already and which passes no layers: so connecting,
//! waiting for a free stream and sending again are as without.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;
use futures_util::StreamExt;
use prost::Message;
use rpc_protocol::frame::Response;
use tokio::{sync::mpsc, time::Instant};

use super::{
    ClientStreamingCall, Options, StreamingCall, UnaryCall,
    attempts::{Attempts, until},
    opening,
    requests::Requests,
};
use crate::{
    CallError, Client, Status, Streaming,
    client::link::{CallEnd, Failure},
    contract::{ContractField, MethodKind},
    middleware::{Body, Call, Encoded, Messages, Next, Outbound, Outcome, Reply, Side, Trailers, status_of},
    status::BoxError,
    streaming::Decoder,
};

/// The way of a client's call to its connection.
#[derive(Debug, Clone)]
pub struct ToServer {
    client: Client,
    /// Of a session's call.
    end: Option<Arc<SessionEnd>>,
}

/// The end of a session's call, which is told apart from what its layers make of it.
#[derive(Default)]
struct SessionEnd {
    end: Mutex<Option<CallEnd>>,
    /// The call's own messages have ended.
    is_over: AtomicBool,
}

impl Side for Outbound {
    type Error = CallError;
    type Route = ToServer;

    fn error_of(error: BoxError) -> CallError {
        match error.downcast::<CallError>() {
            Ok(error) => *error,
            Err(error) => CallError::Status(status_of(error)),
        }
    }

    fn serve(call: Call<Self>) -> Outcome<Self> {
        Box::pin(serve(call))
    }
}

/// Makes the call that came through the layers.
async fn serve(call: Call<Outbound>) -> Result<Reply, CallError> {
    let Call { head, body, route } = call;
    let ToServer { client, end } = route;
    let options = Options::behind_layers(head);
    match (options.method.kind, body) {
        (MethodKind::Unary, Body::Message(body)) => {
            let call = UnaryCall::<Encoded>::with_options(client, options, body);
            Ok(whole(call.with_metadata().await?))
        }
        (MethodKind::ClientStreaming, Body::Stream(messages)) => {
            let requests = Requests::layered(messages);
            let call = ClientStreamingCall::<Encoded>::with_options(client, options, requests);
            Ok(whole(call.with_metadata().await?))
        }
        (MethodKind::ServerStreaming, Body::Message(body)) => {
            let call = StreamingCall::<Encoded>::with_options(client, options, body, None);
            Ok(opened(call.await?))
        }
        (MethodKind::Bidirectional, Body::Stream(messages)) => {
            let requests = Requests::layered(messages);
            if let Some(end) = end {
                return open_session(client, options, requests, end).await;
            }
            let call = StreamingCall::<Encoded>::with_options(client, options, Bytes::new(), Some(requests));
            Ok(opened(call.await?))
        }
        _ => Err(Status::internal("a layer has changed whether the request is a stream").into()),
    }
}

fn whole(reply: super::Reply<Encoded>) -> Reply {
    let mut whole = Reply::new(Body::Message(reply.value.0));
    whole.metadata = reply.metadata;
    whole.trailers.extend(reply.trailers);
    whole
}

fn opened(messages: Streaming<Encoded>) -> Reply {
    let trailers = Trailers::default();
    Reply {
        metadata: messages.metadata().clone(),
        trailers: trailers.clone(),
        body: Body::Stream(Messages::new(Received {
            messages,
            trailers,
            end: None,
        })),
    }
}

async fn open_session(
    client: Client,
    options: Options,
    requests: Requests,
    end: Arc<SessionEnd>,
) -> Result<Reply, CallError> {
    let (attempts, opened) = opening::send(Attempts::new(client, options)).await;
    let opened = opened?;
    let (Some(sink), Some(inbox)) = (opened.sink, opened.inbox) else {
        // Not reached: the call streams both ways.
        return Err(Status::internal("the call has no ends").into());
    };
    opened.in_flight.forget();
    end.put(sink.end());
    requests.start(sink);
    let trailers = Trailers::default();
    Ok(Reply {
        metadata: crate::Metadata::new(),
        trailers: trailers.clone(),
        body: Body::Stream(Messages::new(Received {
            messages: Streaming::from_wire(inbox, decoder(&attempts.client)),
            trailers,
            end: Some(end),
        })),
    })
}

/// How the responses of a client's calls are read.
pub(super) fn decoder<R>(client: &Client) -> Decoder<R>
where
    R: Message + Default + ContractField + 'static,
{
    let limits = &client.channel().config.limits;
    Decoder::of_responses()
        .inflating(limits.body_bytes)
        .within(limits.decode_bytes)
}

/// What a server sends, on its way into layers.
struct Received {
    messages: Streaming<Encoded>,
    trailers: Trailers,
    end: Option<Arc<SessionEnd>>,
}

impl Stream for Received {
    type Item = Result<Bytes, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(Pin::new(&mut self.messages).poll_next(cx));
        if !matches!(item, Some(Ok(_)))
            && let Some(end) = &self.end
        {
            end.is_over.store(true, Ordering::Release);
        }
        if item.is_none() {
            self.trailers.extend(self.messages.trailers().clone());
        }
        Poll::Ready(item.map(|item| item.map(|message| message.0)))
    }
}

/// Sends a call through layers; ready with their reply, or when its time is over.
async fn run(
    next: Next<Outbound>,
    client: Client,
    mut options: Options,
    body: Body,
    end: Option<Arc<SessionEnd>>,
) -> Result<Reply, CallError> {
    let began = Instant::now();
    // From here, and not from when the layers let it go.
    options.until = options.deadline(began);
    let deadline = options.until;
    let call = Call {
        head: options.into_outbound(),
        body,
        route: ToServer { client, end },
    };
    match until(deadline, next.run(call)).await {
        Some(reply) => reply,
        None => Err(CallError::TimedOut(began.elapsed())),
    }
}

/// A call that is answered once, through layers.
pub(super) async fn once(
    next: Next<Outbound>,
    client: Client,
    options: Options,
    body: Body,
) -> Result<Response, CallError> {
    let reply = run(next, client, options, body, None).await?;
    let Body::Message(body) = reply.body else {
        return Err(Status::internal("a layer has made a stream of the response").into());
    };
    Ok(Response {
        metadata: reply.metadata.into_pairs(),
        body,
        trailers: reply.trailers.take().into_pairs(),
        ..Response::default()
    })
}

/// A call that is answered with a stream, through layers.
pub(super) async fn stream<R>(
    next: Next<Outbound>,
    client: Client,
    options: Options,
    body: Body,
) -> Result<Streaming<R>, CallError>
where
    R: Message + Default + ContractField + 'static,
{
    let decoder = decoder(&client);
    let reply = run(next, client, options, body, None).await?;
    let Body::Stream(messages) = reply.body else {
        return Err(Status::internal("a layer has made one message of the response").into());
    };
    Ok(Streaming::from_layers(messages, reply.trailers, None, decoder).with_metadata(reply.metadata))
}

/// Where the responses of a session come from, and how its call ends.
pub(super) struct Session<F> {
    pub(super) input: Messages,
    pub(super) trailers: Trailers,
    pub(super) ending: F,
}

/// A session's call, through layers. Its end is what moves its messages.
pub(super) fn session(
    next: Next<Outbound>,
    client: Client,
    options: Options,
    requests: Messages,
) -> Session<impl Future<Output = Result<(), Failure>> + Send + 'static> {
    let (to, mut from) = mpsc::channel(1);
    let trailers = Trailers::default();
    let ending = drive(next, client, options, requests, to, trailers.clone());
    Session {
        input: Messages::new(futures_util::stream::poll_fn(move |cx| from.poll_recv(cx))),
        trailers,
        ending,
    }
}

async fn drive(
    next: Next<Outbound>,
    client: Client,
    options: Options,
    requests: Messages,
    to: mpsc::Sender<Result<Bytes, Status>>,
    trailers: Trailers,
) -> Result<(), Failure> {
    let end = Arc::<SessionEnd>::default();
    let result = async {
        let reply = run(next, client, options, Body::Stream(requests), Some(end.clone()))
            .await
            .map_err(failure)?;
        let Body::Stream(mut messages) = reply.body else {
            let status = Status::internal("a layer has made one message of the response");
            return Err(Failure::Status(status));
        };
        let mut result = Ok(());
        while let Some(message) = messages.next().await {
            match message {
                // Thrown away where the closure has dropped its input.
                Ok(message) => drop(to.send(Ok(message)).await),
                Err(status) => result = Err(Failure::Status(status)),
            }
        }
        if end.is_over.load(Ordering::Acquire)
            && let Some(end) = end.take()
        {
            // It says more than a status: whether the connection was lost.
            end.wait().await?;
        }
        trailers.extend(reply.trailers.take());
        result
    };
    let result = result.await;
    if let Err(failure) = &result {
        let _ = to.send(Err(failure.clone().into_status())).await;
    }
    result
}

fn failure(error: CallError) -> Failure {
    match error {
        CallError::Status(status) => Failure::Status(status),
        CallError::Closed(closed) => Failure::Closed(closed),
        CallError::TimedOut(_) => Failure::TimedOut,
        refused @ CallError::Refused(_) => Failure::Status(refused.into_status()),
    }
}

impl SessionEnd {
    fn put(&self, end: CallEnd) {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
    }

    fn take(&self) -> Option<CallEnd> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl std::fmt::Debug for SessionEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionEnd").finish_non_exhaustive()
    }
}
