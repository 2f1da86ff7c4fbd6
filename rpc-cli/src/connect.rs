//! From the options of the command line to a client.

use rpc_runtime::auth::Credential;
use rpc_runtime::middleware::{Head, Outbound};
use rpc_runtime::{Client, ClientBuilder, CloseCode, Reconnect, TlsCertificate, TlsError, TlsRoots};

use crate::cli::ServerArgs;
use crate::failure::{Exit, Failure};
use crate::metadata;

/// A client for a call or two: where its connection is lost, they fail.
pub(crate) async fn client(args: &ServerArgs) -> Result<Client, Failure> {
    Ok(builder(args)?.reconnect(Reconnect::never()).connect().await?)
}

/// A client that comes back when its connection is lost.
pub(crate) async fn lasting(args: &ServerArgs) -> Result<Client, Failure> {
    Ok(builder(args)?.connect().await?)
}

fn builder(args: &ServerArgs) -> Result<ClientBuilder, Failure> {
    let mut builder = Client::builder(&args.server).connect_timeout(args.connect_timeout);
    if let Some(deadline) = args.deadline {
        builder = builder.timeout(deadline);
    }
    if let Some(token) = &args.token {
        builder = builder.credential(Credential::bearer(token.as_str()));
    }
    if let Some(path) = &args.ca {
        let roots = std::fs::read(path).map_err(|error| Failure::unreadable(path, &error))?;
        if !may_be_certificates(&roots) {
            let text = format!("{} has no certificate, in PEM or DER", path.display());
            return Err(Failure::new(Exit::BadData, text));
        }
        builder = builder.tls_roots(TlsRoots::Given(vec![roots]));
    }
    if let (Some(certificate), Some(key)) = (&args.cert, &args.cert_key) {
        let certificate = TlsCertificate::from_pem_files(certificate, key);
        certificate.check().map_err(unusable)?;
        builder = builder.tls_certificate(certificate);
    }
    let metadata = metadata::parse(&args.metadata)?;
    if !metadata.is_empty() {
        builder = builder.interceptor(move |call: &mut Outbound| {
            call.metadata_mut().extend(metadata.clone());
            Ok(())
        });
    }
    Ok(builder)
}

/// Whether there may be certificates in a file: those that are none after all are told when one connects.
fn may_be_certificates(file: &[u8]) -> bool {
    const PEM: &[u8] = b"-----BEGIN CERTIFICATE-----";
    // With which each sequence of DER begins, such as a certificate.
    const SEQUENCE: u8 = 0x30;
    file.first() == Some(&SEQUENCE) || file.windows(PEM.len()).any(|window| window == PEM)
}

fn unusable(error: TlsError) -> Failure {
    let exit = match error {
        TlsError::Read { .. } => Exit::NoInput,
        _ => Exit::BadData,
    };
    Failure::new(exit, error.to_string())
}

/// Ends the connection as one should. What was sent and is not answered has gone out then.
pub(crate) async fn close(client: &Client) {
    client.close(CloseCode::Normal, "");
    client.closed().await;
}
