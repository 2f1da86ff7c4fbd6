//! A server and its clients in one process, without sockets: for tests of programs that serve or call.
//!
//! Everything runs over pipes in memory, in the order in which the runtime polls, and time is tokio's: with a paused clock
//! a test of deadlines, retries and reconnects takes no time, and never fails because a machine is busy. Connections can
//! be cut, and servers stopped and replaced, as a network and a deployment would.
//!
//! ```
//! use rpc_runtime::{ConnectionState, Server, testing};
//!
//! # fn main() { tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(async {
//! // In a test: `#[tokio::test(start_paused = true)]`, with the feature `test-util` of tokio. The server has services:
//! // `Server::builder().service(TaskGateway::new(Tasks::default()))`.
//! let server = testing::serve(Server::builder().build().unwrap());
//!
//! // A client as any other: it connects when it is first called, and comes back when its connection is lost.
//! // Generated clients wrap it: `TaskClient::new(server.client())`.
//! let client = server.client();
//! assert_eq!(client.state(), ConnectionState::Idle);
//! client.ready().await.unwrap();
//! assert_eq!(server.connections(), 1);
//!
//! // What a train in a tunnel does. The client comes back by itself.
//! server.disconnect_all().await;
//! client.ready().await.unwrap();
//!
//! // What a deployment does: running calls finish, and clients go to the next server.
//! server.stop().await;
//! server.restart(Server::builder().build().unwrap());
//! client.ready().await.unwrap();
//! assert_eq!(server.connections(), 3);
//! # }); }
//! ```

mod io;

use std::{
    fmt, io as std_io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

pub use io::TestIo;

use crate::{Client, ClientBuilder, ConnectInfo, Connector, Server};
use io::Cut;

/// How many bytes a pipe holds that the other end has not read, as a socket's buffers do.
const PIPE: usize = 64 << 10;

/// Serves in this process. The server serves until it is [stopped](TestServer::stop), cut off, or its runtime ends.
pub fn serve(server: Server) -> TestServer {
    TestServer(Arc::new(Inner {
        server: Mutex::new(Some(server)),
        cuts: Mutex::default(),
        made: AtomicUsize::new(0),
    }))
}

/// A server that is reached in memory. Clones are the same one.
#[derive(Clone)]
pub struct TestServer(Arc<Inner>);

struct Inner {
    /// `None`: nobody listens.
    server: Mutex<Option<Server>>,
    cuts: Mutex<Vec<Arc<Cut>>>,
    made: AtomicUsize,
}

impl TestServer {
    /// A client of this server, which connects when it is first called.
    ///
    /// # Panics
    ///
    /// Never: there is no URL that could be wrong.
    #[allow(clippy::expect_used, reason = "a connector cannot be put together wrongly")]
    pub fn client(&self) -> Client {
        self.builder()
            .lazy()
            .expect("there is no URL that could be wrong")
    }

    /// Begins a client of this server with options.
    pub fn builder(&self) -> ClientBuilder {
        Client::from_connector(self.connector())
    }

    /// What makes connections to this server, for clients that are put together elsewhere.
    pub fn connector(&self) -> TestConnector {
        TestConnector {
            server: self.clone(),
            info: ConnectInfo::new(),
        }
    }

    /// How many connections were made so far.
    pub fn connections(&self) -> usize {
        self.0.made.load(Ordering::SeqCst)
    }

    /// Cuts every connection as a broken network does: both ends see its end, and no close frame. Returns when the
    /// clients have seen it.
    pub async fn disconnect_all(&self) {
        let cuts = std::mem::take(&mut *lock(&self.0.cuts));
        for cut in &cuts {
            cut.cut();
        }
        for cut in &cuts {
            cut.gone().await;
        }
    }

    /// Cuts every connection and lets nobody in any more, as a process that is killed.
    pub async fn kill(&self) {
        *lock(&self.0.server) = None;
        self.disconnect_all().await;
    }

    /// Stops in order, as [`Server::shutdown`] does: nobody is let in any more, running calls may finish. Returns when no
    /// connection is left.
    pub async fn stop(&self) {
        let server = lock(&self.0.server).take();
        if let Some(server) = server {
            server.shutdown().await;
        }
    }

    /// Lets this server answer from now on. Connections to the one before stay until that one is stopped or cut off.
    pub fn restart(&self, server: Server) {
        *lock(&self.0.server) = Some(server);
    }
}

/// Makes connections in memory; see [`TestServer::connector`].
#[derive(Debug, Clone)]
pub struct TestConnector {
    server: TestServer,
    info: ConnectInfo,
}

impl TestConnector {
    /// The same, to the endpoint that has a path, which may have a query: `/game/42?side=x`.
    ///
    /// ```
    /// use rpc_runtime::{Client, Endpoint, Server, testing};
    ///
    /// let server = Server::builder().endpoint("/game/{session_id}", Endpoint::new());
    /// let server = testing::serve(server.build().unwrap());
    /// let client = Client::from_connector(server.connector().at("/game/42")).lazy();
    /// # let _ = client;
    /// ```
    ///
    /// # Panics
    ///
    /// Where it is no path.
    #[must_use]
    #[allow(clippy::expect_used, reason = "documented; a test's own mistake")]
    pub fn at(mut self, path: &str) -> Self {
        let request = http::Request::builder().uri(path).body(());
        self.info = ConnectInfo::from_request(&request.expect("a path begins with a slash"));
        self
    }
}

impl Connector for TestConnector {
    type Io = TestIo;

    async fn connect(&self) -> std_io::Result<TestIo> {
        self.make(self.info.clone())
    }

    async fn connect_again(&self) -> std_io::Result<Option<TestIo>> {
        self.make(self.info.clone().with_client_coming_back()).map(Some)
    }
}

impl TestConnector {
    fn make(&self, info: ConnectInfo) -> std_io::Result<TestIo> {
        let inner = &*self.server.0;
        let server = lock(&inner.server).clone();
        let Some(server) = server else {
            return Err(std_io::ErrorKind::ConnectionRefused.into());
        };
        let (near, far) = tokio::io::duplex(PIPE);
        let (near, cut) = TestIo::new(near);
        inner.made.fetch_add(1, Ordering::SeqCst);
        let mut cuts = lock(&inner.cuts);
        cuts.retain(|cut| !cut.is_gone());
        cuts.push(cut);
        drop(cuts);
        tokio::spawn(server.serve_connection(far, info));
        Ok(near)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while the lock is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for TestServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestServer")
            .field("connections", &self.connections())
            .finish_non_exhaustive()
    }
}
