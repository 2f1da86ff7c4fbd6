//! Making one connection: with a credential, where the client shows one, and with what the server makes of it.

use super::Channel;
use crate::client::{
    connect::Established,
    error::{CallError, Refused, RefusedKind},
    identity::Shown,
    link::{Answer, Failure},
};

/// A connection that was made, and what it is yet to show.
pub(super) struct Dialled {
    pub(super) established: Established,
    /// Shown in band, because the handshake could not, or there was none.
    pub(super) in_band: Option<Shown>,
}

impl Channel {
    /// Makes a connection.
    pub(super) async fn dial(&self) -> Result<Dialled, Refused> {
        let Some(dial) = &self.dial else {
            let text = "the connection was made elsewhere, and is not made again";
            return Err(Refused::new(RefusedKind::Disconnected, "", text));
        };
        let timeout = self.config.connect_timeout;
        let shown = self.standing().show(timeout).await.map_err(|error| {
            let text = format!("no credential: {error}");
            Refused::because(RefusedKind::NoCredential, dial.url(), text, error)
        })?;
        let in_header = shown.as_ref().filter(|_| dial.has_headers());
        let authorization = in_header.and_then(Shown::authorization);
        let in_band = shown.filter(|_| authorization.is_none());
        match tokio::time::timeout(timeout, dial.dial(authorization)).await {
            Ok(established) => Ok(Dialled {
                established: established?,
                in_band,
            }),
            Err(_) => Err(self.no_answer()),
        }
    }

    fn no_answer(&self) -> Refused {
        let text = format!("no answer within {:?}", self.config.connect_timeout);
        self.absent(RefusedKind::TimedOut, None, text)
    }

    /// Waits for what the server makes of the credential that a new connection shows.
    pub(super) async fn let_in(&self, answer: Answer) -> Result<(), CallError> {
        match tokio::time::timeout(self.config.connect_timeout, answer).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(Failure::Closed(closed))) => Err(CallError::Closed(closed)),
            Ok(Err(failure)) => Err(failure.into_status().into()),
            Err(_) => Err(CallError::Refused(self.no_answer())),
        }
    }
}
