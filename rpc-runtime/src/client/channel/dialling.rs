//! Making one connection: with a credential, where the client shows one, and with what the server makes of it.

use super::Channel;
use crate::client::{
    connect::{Established, Reached},
    error::{CallError, Refused, RefusedKind},
    identity::Shown,
    link::{Answer, Failure},
    resume::Return,
};

/// A connection that was made, and what it is yet to show.
pub(super) struct Dialled {
    pub(super) established: Established,
    /// Shown in band, because the handshake could not, or there was none.
    pub(super) in_band: Option<Shown>,
    /// The session to which the client comes back, of which the server was told.
    pub(super) back_to: Option<Return>,
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
        let back_to = self.config.resumption.to_return();
        let dialling = dial.dial(authorization, back_to.is_some());
        let Ok(reached) = tokio::time::timeout(timeout, dialling).await else {
            return Err(self.no_answer());
        };
        let Reached { established, is_told } = reached?;
        Ok(Dialled {
            established,
            in_band,
            back_to: back_to.filter(|_| is_told),
        })
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
