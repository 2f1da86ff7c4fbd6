//! A client and its server, over one transport or another.

use crate::{TestClient, TestGateway, UnimplementedClient, service::TestServer};
use rpc_runtime::{Client, ConnectInfo, Server};
use std::future::pending;
use tokio::net::TcpListener;

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
}

impl Peer {
    /// Over a TCP socket of the loopback address, through a real upgrade.
    pub async fn over_a_socket() -> Self {
        let service = TestServer::default();
        let server = server(&service);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("ws://{}/rpc", listener.local_addr().expect("an address"));
        tokio::spawn(async move { server.serve_with_listener(listener, pending()).await });
        let client = Client::connect(&url).await.expect("the server answers");
        Self::new(client, service)
    }

    /// Over a pipe in this process.
    pub async fn in_memory() -> Self {
        let service = TestServer::default();
        let (near, far) = tokio::io::duplex(64 << 10);
        tokio::spawn(server(&service).serve_connection(far, ConnectInfo::new()));
        Self::new(Client::from_io(near), service)
    }

    fn new(client: Client, service: TestServer) -> Self {
        Self {
            test: TestClient::new(client.clone()),
            unimplemented: UnimplementedClient::new(client.clone()),
            client,
            service,
        }
    }
}

fn server(service: &TestServer) -> Server {
    Server::builder()
        .service(TestGateway::new(service.clone()))
        .build()
        .expect("the server is put together rightly")
}
