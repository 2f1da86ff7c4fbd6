//! Keeps a client known on a live connection: asks for a fresh credential when the server warns.

use std::{convert::Infallible, future, time::Duration};

use super::{Proof, Standing, Why};
use crate::client::link::{Link, NotOpened};

/// The wait after a refresh that failed, and between two of them in any case ...
const FIRST: Duration = Duration::from_secs(1);

/// ... which doubles up to this, as long as the connection lives.
const LONGEST: Duration = Duration::from_secs(30);

/// Refreshes whenever the server warns, until it is dropped with the connection. `timeout`: for the provider.
pub(in crate::client) async fn keep_fresh(standing: &Standing, link: &Link, timeout: Duration) -> Infallible {
    if !standing.has_provider() {
        return future::pending().await;
    }
    loop {
        link.expires_soon().await;
        let mut wait = FIRST;
        while let Err(why) = refresh(standing, link, timeout).await {
            tracing::warn!("the identity ends soon, and there is no fresh one: {why:.200}");
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST);
        }
        // A server that warns without end is not answered without end.
        tokio::time::sleep(FIRST).await;
    }
}

async fn refresh(standing: &Standing, link: &Link, timeout: Duration) -> Result<(), String> {
    let fresh = standing.fresh(timeout).await;
    let Some(credential) = fresh.map_err(|error| error.to_string())? else {
        return Ok(());
    };
    match link.authenticate(Proof::new(Why::Refresh, credential)) {
        Ok(answer) => match answer.await {
            Ok(_) => Ok(()),
            Err(failure) => Err(failure.into_status().to_string()),
        },
        Err(NotOpened::Refused(status)) => Err(status.to_string()),
        Err(NotOpened::Full | NotOpened::Gone) => Err("the connection is gone".to_owned()),
    }
}
