//! What stands between the cases' clients and their server, so that a network can fail: connections are cut, held up and refused
//! without either end doing anything.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::Serialize;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
};

/// A proxy for one server. It ends when it is dropped, and what it has let through with it.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What was counted since the proxy was made.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Passed {
    /// Connections that came, those that were refused included.
    pub(crate) connections: u64,
    /// Bytes that were given to clients.
    pub(crate) to_clients: u64,
    /// Bytes that were given to the server.
    pub(crate) to_server: u64,
}

#[derive(Debug)]
struct Shared {
    ways: watch::Sender<Ways>,
    connections: AtomicU64,
    to_clients: AtomicU64,
    to_server: AtomicU64,
}

/// How the proxy is set.
#[derive(Debug, Clone, Copy)]
struct Ways {
    target: SocketAddr,
    /// Counted up when all connections are to be cut; a connection lives as long as this is what it began with.
    generation: u64,
    refuses: bool,
    stalls: bool,
    over: bool,
}

impl Proxy {
    /// A proxy on a free port of the loopback address, or on this one.
    pub(crate) async fn bind(port: u16, target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let ways = watch::Sender::new(Ways {
            target,
            generation: 0,
            refuses: false,
            stalls: false,
            over: false,
        });
        let shared = Arc::new(Shared {
            ways,
            connections: AtomicU64::new(0),
            to_clients: AtomicU64::new(0),
            to_server: AtomicU64::new(0),
        });
        tokio::spawn(accept(listener, shared.clone()));
        Ok(Self { address, shared })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn passed(&self) -> Passed {
        Passed {
            connections: self.shared.connections.load(Ordering::Relaxed),
            to_clients: self.shared.to_clients.load(Ordering::Relaxed),
            to_server: self.shared.to_server.load(Ordering::Relaxed),
        }
    }

    /// Connections that come from now on go to another server.
    pub(crate) fn set_target(&self, target: SocketAddr) {
        self.shared.ways.send_modify(|ways| ways.target = target);
    }

    /// Cuts all connections, without a word of WebSocket.
    pub(crate) fn cut(&self) {
        self.shared.ways.send_modify(|ways| ways.generation += 1);
    }

    /// Whether connections that come are dropped at once.
    pub(crate) fn set_refuses(&self, refuses: bool) {
        self.shared.ways.send_modify(|ways| ways.refuses = refuses);
    }

    /// Whether nothing passes, though connections stay open.
    pub(crate) fn set_stalls(&self, stalls: bool) {
        self.shared.ways.send_modify(|ways| ways.stalls = stalls);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ways.send_modify(|ways| ways.over = true);
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut ways = shared.ways.subscribe();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = ways.wait_for(|ways| ways.over) => return,
        };
        // An error of accepting concerns one connection.
        let Ok((client, _)) = accepted else { continue };
        shared.connections.fetch_add(1, Ordering::Relaxed);
        let now = *shared.ways.borrow();
        if !now.refuses {
            tokio::spawn(carry(client, now, shared.clone()));
        }
    }
}

/// Connects with so small a buffer that a server whose client does not read notices soon.
async fn connect(target: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(16 << 10)?;
    socket.connect(target).await
}

/// Carries one connection until either end closes it, or it is cut.
async fn carry(client: TcpStream, begun: Ways, shared: Arc<Shared>) {
    let Ok(server) = connect(begun.target).await else {
        return;
    };
    // Nothing here may hold small frames back.
    if client.set_nodelay(true).and(server.set_nodelay(true)).is_err() {
        return;
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mut ways = shared.ways.subscribe();
    tokio::select! {
        () = async { tokio::join!(
            copy(from_client, to_server, &shared, &shared.to_server),
            copy(from_server, to_client, &shared, &shared.to_clients),
        ); } => {}
        _ = ways.wait_for(|ways| ways.over || ways.generation != begun.generation) => {}
    }
}

/// Copies until the source ends or the sink fails; then the sink is told the end.
async fn copy(
    mut source: impl AsyncRead + Unpin,
    mut sink: impl AsyncWrite + Unpin,
    shared: &Shared,
    counter: &AtomicU64,
) {
    let mut ways = shared.ways.subscribe();
    let mut bytes = vec![0; 16 << 10];
    while let Ok(length @ 1..) = source.read(&mut bytes).await {
        if ways.wait_for(|ways| !ways.stalls).await.is_err()
            || sink.write_all(&bytes[..length]).await.is_err()
        {
            break;
        }
        counter.fetch_add(length as u64, Ordering::Relaxed);
    }
    // It may be gone already.
    drop(sink.shutdown().await);
}
