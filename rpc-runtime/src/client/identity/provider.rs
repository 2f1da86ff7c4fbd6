//! Where a client's credentials come from, if the program does not give one once and for all.

use std::{future::Future, pin::Pin};

use crate::{auth::Credential, status::BoxError};

/// Gives a client its credentials: a fresh one for each connection, and when the server warns that the identity ends.
///
/// A closure that gives a future is one:
///
/// ```
/// use rpc_runtime::{Client, auth::Credential};
/// use std::io;
///
/// # fn client() -> Result<Client, rpc_runtime::CallError> {
/// let client = Client::builder("ws://127.0.0.1:3000/rpc")
///     // Wherever tokens come from: a file that something else keeps fresh, an identity provider.
///     .credentials(|| async {
///         let token = tokio::task::spawn_blocking(|| std::fs::read_to_string("/run/token"));
///         let token = token.await.map_err(io::Error::other)??;
///         Ok::<_, io::Error>(Credential::bearer(token.trim()))
///     })
///     .lazy()?;
/// # Ok(client)
/// # }
/// # client().expect("is put together");
/// ```
pub trait CredentialProvider: Send + Sync + 'static {
    /// A credential for the next connection, or to stay known on this one.
    ///
    /// The future is dropped when it takes longer than the client's
    /// [connect timeout](crate::ClientBuilder::connect_timeout), when the client is closed, and, on a live connection, when
    /// that is lost. A client asks for one credential at a time.
    ///
    /// # Errors
    ///
    /// Why there is none now. The client asks again, after a wait that grows. The error's text is shown by
    /// [`CallError`](crate::CallError) and goes to the log: it must not hold a secret.
    fn credential(&self) -> impl Future<Output = Result<Credential, BoxError>> + Send;
}

impl<F, Fut, E> CredentialProvider for F
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Credential, E>> + Send,
    E: Into<BoxError>,
{
    async fn credential(&self) -> Result<Credential, BoxError> {
        self().await.map_err(Into::into)
    }
}

type Asking<'a> = Pin<Box<dyn Future<Output = Result<Credential, BoxError>> + Send + 'a>>;

/// A provider, whatever it is.
pub(in crate::client) trait Provide: Send + Sync {
    fn ask(&self) -> Asking<'_>;
}

impl<P: CredentialProvider> Provide for P {
    fn ask(&self) -> Asking<'_> {
        Box::pin(self.credential())
    }
}
