//! A server whose sessions wait for a minute, and clients that come back to them.

use std::{sync::Arc, time::Duration};

use rpc_protocol::{
    FrameKind,
    frame::{Acknowledgement, Greeting},
};
use rpc_runtime::{
    ClientId, CloseCode, Context, Endpoint, Hooks, Limits, Refusal, Server, ServerLimits, Session,
    SessionState, hub::Hub,
};

use crate::{
    house::{House, Journal, Words, endpoint},
    peer::{Peer, info, settle},
};

pub const WINDOW: Duration = Duration::from_secs(60);

pub fn limits() -> Limits {
    Limits {
        resume_window: WINDOW,
        ..Limits::default()
    }
}

/// Hooks that write down who comes and goes, and nothing else.
pub struct Comings(pub Journal);

impl Hooks for Comings {
    async fn on_connect(&self, _: &Arc<Session>) -> Result<(), Refusal> {
        self.0.write("connect");
        Ok(())
    }

    async fn on_disconnect(&self, session: &Arc<Session>, code: CloseCode, reason: &str) {
        assert_eq!(session.state(), SessionState::Closed);
        assert!(session.server().session(session.id()).is_none(), "off the list");
        self.0.write(format!("disconnect {code} {reason}"));
    }

    fn on_detach(&self, session: &Arc<Session>) {
        assert_eq!(session.state(), SessionState::Detached);
        self.0.write("detach");
    }

    fn on_resume(&self, session: &Arc<Session>) {
        assert_ne!(session.state(), SessionState::Detached);
        self.0.write("resume");
    }
}

pub struct Place {
    pub server: Server,
    pub house: House,
    pub journal: Journal,
}

impl Place {
    pub fn new() -> Self {
        Self::with(limits(), ServerLimits::default(), |endpoint| endpoint)
    }

    pub fn of_hub(hub: &Hub) -> Self {
        Self::with_all(limits(), ServerLimits::default(), |endpoint| endpoint, hub)
    }

    pub fn with(
        limits: Limits,
        server_limits: ServerLimits,
        change: impl FnOnce(Endpoint) -> Endpoint,
    ) -> Self {
        Self::with_all(limits, server_limits, change, &Hub::default())
    }

    fn with_all(
        limits: Limits,
        server_limits: ServerLimits,
        change: impl FnOnce(Endpoint) -> Endpoint,
        hub: &Hub,
    ) -> Self {
        let (house, words) = (House::default(), Words::default());
        let journal = Journal::default();
        let main_limits = limits.clone();
        let endpoint = endpoint(&house, &words).limits(limits);
        let endpoint = change(endpoint.hooks(Comings(journal.clone())));
        // By hand at a path with a parameter; clients in memory come to the main endpoint.
        let server = Server::builder()
            .hub(hub.clone())
            .service(house.clone())
            .authenticator(words)
            .guard("anybody", |_: &Context| Ok(()))
            .limits(main_limits)
            .hooks(Comings(journal.clone()));
        let server = server
            .endpoint("/in/{room}", endpoint)
            .server_limits(server_limits);
        let server = server.build().unwrap();
        Self {
            server,
            house,
            journal,
        }
    }

    /// A new client, and its first token.
    pub async fn connect(&self) -> (Peer, Greeting) {
        Peer::connect_as(&self.server, info()).await
    }

    /// A client that comes back, whatever comes of it.
    pub async fn begin_return(&self, token: &str, received: u64) -> Peer {
        self.begin_return_as(info(), token, received).await
    }

    pub async fn begin_return_as(&self, info: rpc_runtime::ConnectInfo, token: &str, received: u64) -> Peer {
        let mut peer = Peer::begin(&self.server, info.with_client_coming_back()).await;
        let greeting = Greeting {
            resume_token: token.to_owned(),
            received_frames: received,
            ..Greeting::default()
        };
        peer.send(0, FrameKind::Greeting(Box::new(greeting))).await;
        peer
    }

    /// A client that comes back and is greeted.
    pub async fn come_back(&self, token: &str, received: u64) -> (Peer, Greeting) {
        let mut peer = self.begin_return(token, received).await;
        let greeting = peer.greeting().await;
        (peer, greeting)
    }

    pub fn session(&self, greeting: &Greeting) -> Option<Arc<Session>> {
        let id: ClientId = greeting.client_id.parse().expect("an id");
        self.server.session(id)
    }

    pub fn state(&self, greeting: &Greeting) -> Option<SessionState> {
        self.session(greeting).map(|session| session.state())
    }
}

/// The connection is lost, as by a network that breaks. The server has noticed it.
pub async fn cut(peer: Peer) {
    drop(peer.socket);
    peer.serving.await.expect("ends");
    settle().await;
}

/// Says that the token of the last greeting is stored.
pub async fn store_token(peer: &mut Peer, received: u64) {
    let acknowledgement = Acknowledgement {
        received_frames: received,
        resume_token: true,
        ..Acknowledgement::default()
    };
    peer.send(0, FrameKind::Acknowledgement(acknowledgement)).await;
    settle().await;
}
