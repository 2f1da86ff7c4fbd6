//! A server that knows everybody by the name that they say.

use std::net::IpAddr;

use rpc_runtime::{
    Client, ConnectInfo, Context, Server, ServerBuilder, Status,
    auth::{Attempt, AuthError, Authenticator, Credential, Identity},
    services,
};

/// Takes a secret for the user's id; whose begins with `admin` is an administrator.
struct Named;

impl Authenticator for Named {
    async fn authenticate(&self, attempt: &Attempt<'_>) -> Result<Identity, AuthError> {
        let name = attempt.credential().text().unwrap();
        let identity = Identity::new(name);
        Ok(match name.starts_with("admin") {
            true => identity.with_role("admin"),
            false => identity,
        })
    }
}

/// Both services, without the guard.
pub fn unguarded() -> ServerBuilder {
    Server::builder()
        .authenticator(Named)
        .service(services::session::gateway())
        .service(services::admin::gateway())
}

pub fn server() -> Server {
    let admins = |cx: &Context| match cx.identity() {
        Some(identity) if identity.has_role("admin") => Ok(()),
        Some(_) => Err(Status::permission_denied("this is for administrators")),
        None => Err(Status::unauthenticated("log in first")),
    };
    unguarded().guard("admin", admins).build().unwrap()
}

/// A client that came from an address to a path.
pub fn connect_from(server: &Server, address: &str, path: &str) -> Client {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let request = http::Request::get(path).body(()).unwrap();
    let address: IpAddr = address.parse().unwrap();
    let info = ConnectInfo::from_request(&request).with_remote_addr((address, 1234).into());
    tokio::spawn(server.serve_connection(far, info));
    Client::from_io(near)
}

pub fn connect(server: &Server) -> Client {
    connect_from(server, "192.0.2.1", "/rpc")
}

/// A client whose user is known.
pub async fn connect_as(server: &Server, name: &str) -> Client {
    let client = connect(server);
    client.authenticate(Credential::bearer(name)).await.unwrap();
    client
}
