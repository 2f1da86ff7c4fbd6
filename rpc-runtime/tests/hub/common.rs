//! A server whose users are known by what they say, and a client that speaks frames by hand.

#![allow(dead_code, reason = "each topic uses what it needs")]

use std::{collections::VecDeque, time::Duration};

use futures_util::{SinkExt, StreamExt};
use rpc_protocol::{
    Frame, FrameKind,
    frame::{
        AnnouncedLimits, Authenticate, AuthenticationPurpose, End, Event as EventFrame, Greeting, Identity,
        Ping, Pong, Request, Reset, Response,
    },
};
use rpc_runtime::{
    Client, Code, ConnectInfo, Contract, Server, ServerBuilder, Status,
    auth::{Attempt, AuthError, Authenticator, Credential, Identity as User},
    contract,
    hub::{Event, Hub, Namespace, Retention, Users},
    prost,
    services::hub::{
        ChannelPosition, HubClient, PublishRequest, PublishResponse, SubscribeAnswer, SubscribeChannel,
        SubscribeRequest, SubscribeResponse, TypedMessage, UnsubscribeRequest, UnsubscribeResponse, gateway,
    },
};
use tokio::{io::DuplexStream, task::JoinHandle};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};

/// Someone said something.
#[contract(package = "hubtest", detached)]
pub struct Said {
    pub text: String,
}

impl Event for Said {}

/// Another event.
#[contract(package = "hubtest", detached)]
pub struct Moved {
    pub to: i32,
}

impl Event for Moved {}

pub fn said(text: &str) -> Said {
    Said {
        text: text.to_owned(),
    }
}

/// An event as clients publish it.
pub fn typed<E: Contract>(event: &E) -> TypedMessage {
    TypedMessage {
        type_name: E::FULL_NAME.to_owned(),
        body: event.encode_to_vec().into(),
    }
}

/// Takes a token for the user's id and roles: `ali`, `ali admin`. `wrong` is refused.
pub struct Named;

impl Authenticator for Named {
    async fn authenticate(&self, attempt: &Attempt<'_>) -> Result<User, AuthError> {
        let text = attempt.credential().text().unwrap_or_default().to_owned();
        let mut words = text.split(' ');
        match words.next() {
            None | Some("" | "wrong") => Err(AuthError::invalid("nobody")),
            Some(name) => Ok(words.fold(User::new(name), User::with_role)),
        }
    }
}

/// A server of this hub, with its service.
pub fn builder(hub: &Hub) -> ServerBuilder {
    Server::builder()
        .hub(hub.clone())
        .service(gateway())
        .authenticator(Named)
}

pub fn serve(hub: &Hub) -> Server {
    builder(hub).build().unwrap()
}

/// Rooms in which users may do everything, with a history of 100 events.
pub fn rooms() -> Namespace<(u64,)> {
    Namespace::new("room:{id}")
        .subscribe(Users)
        .publish(Users)
        .presence(Users)
        .history(Users)
        .tell_reached()
        .keep(Retention::of(100, Duration::from_secs(3_600)))
}

pub fn info(query: &str) -> ConnectInfo {
    let request = http::Request::get(format!("/rpc{query}")).body(()).unwrap();
    ConnectInfo::from_request(&request).with_remote_addr(([127, 0, 0, 1], 4_321).into())
}

/// A client that speaks frames by hand.
pub struct Peer {
    pub socket: WebSocketStream<DuplexStream>,
    pub serving: JoinHandle<()>,
    pub greeting: Greeting,
    /// Events that came while something else was waited for.
    pub events: VecDeque<EventFrame>,
    next_stream: u64,
}

impl Peer {
    /// Connects; nobody is known.
    pub async fn connect(server: &Server) -> Self {
        Self::connect_with(server, info("")).await
    }

    pub async fn connect_with(server: &Server, info: ConnectInfo) -> Self {
        Self::connect_through(server, info, 256 * 1024).await
    }

    /// Connects by a pipe that holds so many bytes which were not read.
    pub async fn connect_through(server: &Server, info: ConnectInfo, pipe: usize) -> Self {
        let (near, far) = tokio::io::duplex(pipe);
        Self::greeted(near, tokio::spawn(server.serve_connection(far, info))).await
    }

    /// Connects by a pipe to what is served already.
    pub async fn greeted(near: DuplexStream, serving: JoinHandle<()>) -> Self {
        let socket = WebSocketStream::from_raw_socket(near, Role::Client, None).await;
        let mut peer = Self {
            socket,
            serving,
            greeting: Greeting::default(),
            events: VecDeque::new(),
            next_stream: 1,
        };
        match peer.frame().await.kind {
            FrameKind::Greeting(greeting) => peer.greeting = *greeting,
            other => panic!("not a greeting: {other:?}"),
        }
        peer
    }

    /// Connects as a user, with the roles behind the name.
    pub async fn connect_as(server: &Server, user: &str) -> Self {
        let mut peer = Self::connect(server).await;
        peer.become_user(user).await;
        peer
    }

    /// Is another user from now on.
    pub async fn become_user(&mut self, user: &str) -> Identity {
        self.authenticate(AuthenticationPurpose::ChangeUser, user).await
    }

    pub async fn authenticate(&mut self, purpose: AuthenticationPurpose, token: &str) -> Identity {
        let authenticate = Authenticate {
            request_id: 7,
            scheme: "bearer".to_owned(),
            credential: token.to_owned().into(),
            purpose: purpose as i32,
            ..Authenticate::default()
        };
        self.send(0, FrameKind::Authenticate(Box::new(authenticate)))
            .await;
        loop {
            match self.frame().await.kind {
                FrameKind::Identity(identity) => {
                    assert_eq!(identity.request_id, 7);
                    return *identity;
                }
                FrameKind::Event(event) => self.events.push_back(*event),
                other => panic!("not an identity: {other:?}"),
            }
        }
    }

    /// Says how long bodies may be.
    pub async fn announce(&mut self, max_body_bytes: usize) {
        let limits = AnnouncedLimits {
            max_body_bytes: max_body_bytes as u64,
            ..AnnouncedLimits::default()
        };
        let greeting = Greeting {
            limits: Some(limits),
            ..Greeting::default()
        };
        self.send(0, FrameKind::Greeting(Box::new(greeting))).await;
    }

    /// Takes answers of 16 MiB at once.
    pub async fn announce_wide_windows(&mut self) {
        let limits = AnnouncedLimits {
            max_body_bytes: 16 << 20,
            max_frame_body_bytes: 16 << 20,
            max_message_bytes: 17 << 20,
            connection_window_bytes: 16 << 20,
            stream_window_bytes: 16 << 20,
            ..AnnouncedLimits::default()
        };
        let greeting = Greeting {
            limits: Some(limits),
            ..Greeting::default()
        };
        self.send(0, FrameKind::Greeting(Box::new(greeting))).await;
    }

    pub fn id(&self) -> rpc_runtime::ClientId {
        self.greeting.client_id.parse().unwrap()
    }

    pub async fn send(&mut self, stream_id: u64, kind: FrameKind) {
        let frame = Frame { stream_id, kind };
        let sent = self.socket.send(Message::Binary(frame.to_bytes())).await;
        sent.expect("is sent");
    }

    /// The next frame; pings on the way to it are answered.
    pub async fn frame(&mut self) -> Frame {
        loop {
            let frame = match self.socket.next().await {
                Some(Ok(Message::Binary(message))) => Frame::decode(message).expect("a frame"),
                other => panic!("not a frame: {other:?}"),
            };
            match frame.kind {
                FrameKind::Ping(Ping { payload }) => self.send(0, FrameKind::Pong(Pong { payload })).await,
                FrameKind::Credit(_) => {}
                _ => return frame,
            }
        }
    }

    /// Begins a call of the hub's service.
    pub async fn begin(&mut self, method: &str, request: &impl prost::Message) -> u64 {
        self.begin_with(method, request.encode_to_vec().into()).await
    }

    /// Begins to subscribe to a channel.
    pub async fn begin_to_subscribe(&mut self, channel: SubscribeChannel) -> u64 {
        let channels = vec![channel];
        let stream_id = self.begin("Subscribe", &SubscribeRequest { channels }).await;
        settle().await;
        stream_id
    }

    /// What has come of that.
    pub async fn subscribed(&mut self, stream_id: u64) -> SubscribeAnswer {
        let body = self.answer(stream_id).await.unwrap();
        <SubscribeResponse as prost::Message>::decode(body)
            .unwrap()
            .answers
            .remove(0)
    }

    pub async fn begin_with(&mut self, method: &str, body: prost::bytes::Bytes) -> u64 {
        let stream_id = self.next_stream;
        self.next_stream += 1;
        let request = Request {
            method_name: format!("rpc.hub.v1.HubService/{method}"),
            body,
            ..Request::default()
        };
        self.send(stream_id, FrameKind::Request(request)).await;
        stream_id
    }

    /// Gives a call up.
    pub async fn cancel(&mut self, stream_id: u64) {
        let code = Code::Cancelled as i32;
        self.send(stream_id, FrameKind::Reset(Reset { code })).await;
    }

    /// The answer of a call: its body, or its end's status as the bytes that came.
    pub async fn answer(
        &mut self,
        stream_id: u64,
    ) -> Result<prost::bytes::Bytes, rpc_protocol::frame::Status> {
        let mut whole = Vec::new();
        loop {
            let frame = self.frame().await;
            let more = match frame.kind {
                FrameKind::Event(event) => {
                    self.events.push_back(*event);
                    continue;
                }
                FrameKind::Response(Response { body, more, .. }) if frame.stream_id == stream_id => {
                    whole.extend_from_slice(&body);
                    more
                }
                FrameKind::Data(data) if frame.stream_id == stream_id => {
                    whole.extend_from_slice(&data.body);
                    data.more
                }
                FrameKind::End(End { status, .. }) if frame.stream_id == stream_id => {
                    return Err(status.unwrap_or_default());
                }
                other => panic!("not an answer of {stream_id}: {other:?}"),
            };
            if !more {
                return Ok(whole.into());
            }
        }
    }

    /// Calls a method of the hub's service.
    pub async fn call<A: prost::Message + Default>(
        &mut self,
        method: &str,
        request: &impl prost::Message,
    ) -> Result<A, rpc_protocol::frame::Status> {
        let stream_id = self.begin(method, request).await;
        let body = self.answer(stream_id).await?;
        Ok(A::decode(body).expect("a response"))
    }

    /// Asks to subscribe to one channel.
    pub async fn ask(&mut self, channel: SubscribeChannel) -> SubscribeAnswer {
        let request = SubscribeRequest {
            channels: vec![channel],
        };
        let response: SubscribeResponse = self.call("Subscribe", &request).await.unwrap();
        let [answer] = response.answers.try_into().unwrap();
        answer
    }

    pub async fn try_subscribe(&mut self, channel: &str) -> SubscribeAnswer {
        self.ask(to(channel)).await
    }

    /// Subscribes to a channel.
    pub async fn subscribe(&mut self, channel: &str) -> SubscribeAnswer {
        let answer = self.try_subscribe(channel).await;
        assert_eq!(answer.refused, None, "{channel}");
        answer
    }

    /// Comes back to a channel.
    pub async fn recover(&mut self, channel: &str, since: ChannelPosition) -> SubscribeAnswer {
        let asked = SubscribeChannel {
            since: Some(since),
            ..to(channel)
        };
        self.ask(asked).await
    }

    /// Whether it had subscribed.
    pub async fn unsubscribe(&mut self, channel: &str) -> bool {
        let request = UnsubscribeRequest {
            channels: vec![channel.to_owned()],
        };
        let response: UnsubscribeResponse = self.call("Unsubscribe", &request).await.unwrap();
        response.answers[0].was_subscribed
    }

    pub async fn publish<E: Contract>(
        &mut self,
        channel: &str,
        event: &E,
    ) -> Result<PublishResponse, rpc_protocol::frame::Status> {
        let request = PublishRequest {
            channel: channel.to_owned(),
            event: typed(event),
            ..PublishRequest::default()
        };
        self.call("Publish", &request).await
    }

    /// The next event.
    pub async fn event(&mut self) -> EventFrame {
        if let Some(event) = self.events.pop_front() {
            return event;
        }
        match self.frame().await.kind {
            FrameKind::Event(event) => *event,
            other => panic!("not an event: {other:?}"),
        }
    }

    /// The next event, which is of this type.
    pub async fn hears<E: Contract>(&mut self) -> E {
        let event = self.event().await;
        assert_eq!(event.type_name, E::FULL_NAME);
        E::decode(event.body).unwrap()
    }

    /// Nothing comes.
    pub async fn hears_nothing(&mut self) {
        assert!(self.events.is_empty(), "{:?}", self.events);
        tokio::select! {
            biased;
            frame = self.frame() => panic!("something came: {frame:?}"),
            () = settle() => {}
        }
    }

    /// The close frame, behind whatever comes before it.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Close(Some(frame)))) => {
                    return (frame.code.into(), frame.reason.as_str().to_owned());
                }
                Some(Ok(_)) => {}
                other => panic!("no close frame: {other:?}"),
            }
        }
    }

    /// Breaks the connection without a close frame, and waits until the server has noticed.
    pub async fn vanish(self) {
        drop(self.socket);
        let _ = self.serving.await;
        settle().await;
    }
}

/// A channel to subscribe to.
pub fn to(channel: &str) -> SubscribeChannel {
    SubscribeChannel {
        channel: channel.to_owned(),
        ..SubscribeChannel::default()
    }
}

/// The typed client of the hub's service, for a user.
pub async fn client_as(server: &Server, user: &str) -> HubClient {
    let (near, far) = tokio::io::duplex(256 * 1024);
    tokio::spawn(server.serve_connection(far, info("")));
    let client = Client::from_io(near);
    client.authenticate(Credential::bearer(user)).await.unwrap();
    HubClient::new(client)
}

/// Refuses.
pub fn no() -> Result<(), Status> {
    Err(Status::permission_denied("a secret reason"))
}

/// Lets everything happen that needs no time.
pub async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}
