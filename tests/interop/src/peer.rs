//! A client and its server, over one transport or another.

use crate::{TestClient, TestGateway, UnimplementedClient, service::TestServer, traffic::Traffic};
use rpc_runtime::{Client, ConnectInfo, Connector, Limits, Server};
use std::{future::pending, io};
use tokio::{
    io::{DuplexStream, duplex},
    net::TcpListener,
};

/// So many bytes wait in a pipe.
const PIPE: usize = 64 << 10;

/// Bodies above so many bytes are compressed, where that is asked for: all but empty ones.
const COMPRESSED_ABOVE: usize = 8;

/// A client that is connected to a test server.
#[derive(Debug)]
pub struct Peer {
    /// The connection.
    pub client: Client,
    /// Calls of the test service.
    pub test: TestClient,
    /// Calls of a service that the server does not have.
    pub unimplemented: UnimplementedClient,
    /// The server's side of the service.
    pub service: TestServer,
    /// What went over the connection, where that is counted: with compression.
    pub traffic: Traffic,
}

impl Peer {
    /// Over a TCP socket of the loopback address, through a real upgrade.
    pub async fn over_a_socket() -> Self {
        let service = TestServer::default();
        let server = server(&service, Limits::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("ws://{}/rpc", listener.local_addr().expect("an address"));
        tokio::spawn(async move { server.serve_with_listener(listener, pending()).await });
        let client = Client::connect(&url).await.expect("the server answers");
        Self::new(client, service, Traffic::default())
    }

    /// Over a pipe in this process.
    pub async fn in_memory() -> Self {
        let service = TestServer::default();
        let client = Client::from_io(pipe(&server(&service, Limits::default())));
        Self::new(client, service, Traffic::default())
    }

    /// The same, with bodies compressed both ways.
    pub async fn with_compression() -> Self {
        let service = TestServer::default();
        let limits = Limits {
            compress_above: Some(COMPRESSED_ABOVE),
            ..Limits::default()
        };
        let traffic = Traffic::default();
        let connector = Counted {
            server: server(&service, limits),
            traffic: traffic.clone(),
        };
        let client = Client::from_connector(connector)
            .compress_above(COMPRESSED_ABOVE)
            .connect()
            .await
            .expect("a pipe is a connection");
        Self::new(client, service, traffic)
    }

    fn new(client: Client, service: TestServer, traffic: Traffic) -> Self {
        Self {
            test: TestClient::new(client.clone()),
            unimplemented: UnimplementedClient::new(client.clone()),
            client,
            service,
            traffic,
        }
    }
}

fn server(service: &TestServer, limits: Limits) -> Server {
    Server::builder()
        .limits(limits)
        .service(TestGateway::new(service.clone()))
        .build()
        .expect("the server is put together rightly")
}

/// The client's end of a connection in memory.
fn pipe(server: &Server) -> DuplexStream {
    let (near, far) = duplex(PIPE);
    tokio::spawn(server.serve_connection(far, ConnectInfo::new()));
    near
}

/// Connects in memory, and counts.
struct Counted {
    server: Server,
    traffic: Traffic,
}

impl Connector for Counted {
    type Io = crate::traffic::Counting<DuplexStream>;

    async fn connect(&self) -> io::Result<Self::Io> {
        Ok(self.traffic.count(pipe(&self.server)))
    }
}
