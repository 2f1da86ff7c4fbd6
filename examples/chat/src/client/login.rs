//! How the client becomes known: it logs in with its password, on each connection anew, and talks with the token that it gets.
//!
//! A token would be good for hours, but a server that was replaced meanwhile may not know it any more. The password it knows.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rpc_runtime::auth::Credential;
use rpc_runtime::{CallError, Client, Code};
use tokio::sync::mpsc;

use super::{Visit, auth_url};
use crate::AuthClient;
use crate::contracts::auth::{LoginRequest, RegisterRequest};
use crate::failure::{Exit, Failure};

/// How long a call waits for its answer, also for a connection that is lost to be back.
const PATIENCE: Duration = Duration::from_secs(30);

/// Connects as a user, who is made first where the visit says so. What comes by the second part says that the server refuses the
/// user who comes back.
pub(super) async fn connect(visit: &Visit) -> Result<(Client, mpsc::Receiver<Failure>), Failure> {
    let (refuse, refused) = mpsc::channel(1);
    let login = Arc::new(Login {
        url: auth_url(&visit.server),
        user: visit.user.clone(),
        password: visit.password.clone(),
        refuse,
    });
    if visit.register {
        login.register().await?;
    }
    // Once by hand: who is refused now is told so, and does not wait until the client gives up.
    login.token().await?;
    let client = Client::builder(&visit.server)
        .timeout(PATIENCE)
        .credentials(move || {
            let login = login.clone();
            async move { login.credential().await }
        })
        .connect()
        .await?;
    Ok((client, refused))
}

/// A user who logs in.
struct Login {
    url: String,
    user: String,
    password: String,
    /// Tells that the server refuses the user.
    refuse: mpsc::Sender<Failure>,
}

impl Login {
    async fn register(&self) -> Result<(), Failure> {
        let auth = self.auth().await?;
        let request = RegisterRequest {
            name: self.user.clone(),
            password: self.password.clone(),
        };
        Ok(auth.register(request).await.map(drop)?)
    }

    async fn token(&self) -> Result<String, Failure> {
        let request = LoginRequest {
            name: self.user.clone(),
            password: self.password.clone(),
        };
        match self.auth().await?.login(request).await {
            Ok(login) => Ok(login.token),
            Err(CallError::Status(status)) if status.code() == Code::Unauthenticated => Err(Failure::new(
                Exit::NotAllowed,
                format!("{}; --register makes a new user", status.message()),
            )),
            Err(error) => Err(error.into()),
        }
    }

    /// What the client shows on a new connection.
    async fn credential(&self) -> io::Result<Credential> {
        match self.token().await {
            Ok(token) => Ok(Credential::bearer(token)),
            Err(failure) => {
                let error = io::Error::other(failure.to_string());
                if failure.exit == Exit::NotAllowed {
                    // Once is enough.
                    let _ = self.refuse.try_send(failure);
                }
                Err(error)
            }
        }
    }

    /// A connection for one call, to where users become known.
    async fn auth(&self) -> Result<AuthClient, Failure> {
        let client = Client::builder(&self.url).timeout(PATIENCE).connect().await?;
        Ok(AuthClient::new(client))
    }
}
