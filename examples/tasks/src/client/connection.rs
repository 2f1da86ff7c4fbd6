//! Connections to a server: which, with whose login, and how long they are waited for.

use std::time::Duration;

use rpc_runtime::auth::Credential;
use rpc_runtime::{CallError, Client, ClientBuilder, TlsRoots};
use tokio::time::Instant;

use super::logins::LoginFile;
use super::url::Url;
use crate::cli::ClientOptions;
use crate::failure::{Exit, Failure};

/// A server that may be called.
pub(super) struct Server<'a> {
    options: &'a ClientOptions,
    url: Url<'a>,
    /// For each connection, and each call.
    pub(super) timeout: Duration,
}

impl<'a> Server<'a> {
    /// The server that the command line names. Nothing is sent to it yet.
    pub(super) fn of(options: &'a ClientOptions) -> Result<Self, Failure> {
        Ok(Server {
            options,
            url: Url::parse(&options.server)?,
            timeout: Duration::from_secs(options.timeout.into()),
        })
    }

    /// Connects to the tasks, as the user who is logged in, else anonymously.
    pub(super) async fn tasks(&self) -> Result<Client, Failure> {
        let token = LoginFile::of(self.options)?.read()?;
        self.connect(self.url.text(), token.as_deref()).await
    }

    /// Connects to where users become known.
    pub(super) async fn auth(&self, token: Option<&str>) -> Result<Client, Failure> {
        if self.url.is_open_to_others() {
            tracing::warn!(
                "whoever is on the way to the server can read the password and the login: wss:// hides them"
            );
        }
        self.connect(&self.url.auth(), token).await
    }

    /// A server that asks for patience gets it, as far as the time goes.
    async fn connect(&self, url: &str, token: Option<&str>) -> Result<Client, Failure> {
        let end = Instant::now() + self.timeout;
        let too_late = |_| {
            let text = format!("{} did not answer within {:?}", self.options.server, self.timeout);
            Failure::new(Exit::TimedOut, text)
        };
        loop {
            let connecting = self.builder(url, token)?.connect();
            let refused = match tokio::time::timeout_at(end, connecting).await.map_err(too_late)? {
                Ok(client) => return Ok(client),
                Err(CallError::Refused(refused)) => refused,
                Err(error) => return Err(error.into()),
            };
            match refused.retry_after() {
                Some(pause) if Instant::now() + pause < end => tokio::time::sleep(pause).await,
                _ => return Err(CallError::Refused(refused).into()),
            }
        }
    }

    fn builder(&self, url: &str, token: Option<&str>) -> Result<ClientBuilder, Failure> {
        let mut builder = Client::builder(url).timeout(self.timeout);
        if let Some(path) = &self.options.ca {
            let roots = std::fs::read(path).map_err(|error| {
                Failure::new(
                    Exit::Config,
                    format!("--ca: cannot read {}: {error}", path.display()),
                )
            })?;
            builder = builder.tls_roots(TlsRoots::Given(vec![roots]));
        }
        if let Some(token) = token {
            builder = builder.credential(Credential::bearer(token));
        }
        Ok(builder)
    }
}
