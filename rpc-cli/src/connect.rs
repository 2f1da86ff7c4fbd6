//! From the options of the command line to a client.

use rpc_runtime::auth::Credential;
use rpc_runtime::{Client, CloseCode, Reconnect, TlsRoots};

use crate::cli::ServerArgs;
use crate::failure::Failure;

/// Connects.
pub(crate) async fn client(args: &ServerArgs) -> Result<Client, Failure> {
    let mut builder = Client::builder(&args.server)
        .connect_timeout(args.connect_timeout)
        .reconnect(Reconnect::never());
    if let Some(token) = &args.token {
        builder = builder.credential(Credential::bearer(token.as_str()));
    }
    if let Some(path) = &args.ca {
        let pem = std::fs::read(path).map_err(|error| Failure::unreadable(path, &error))?;
        builder = builder.tls_roots(TlsRoots::Given(vec![pem]));
    }
    Ok(builder.connect().await?)
}

/// Ends the connection as one should. What was sent and is not answered has gone out then.
pub(crate) async fn close(client: &Client) {
    client.close(CloseCode::Normal, "");
    client.closed().await;
}
