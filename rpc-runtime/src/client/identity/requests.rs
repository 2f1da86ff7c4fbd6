//! What a program asks about who its client is.

use std::time::Duration;

use futures_core::Stream;
use rpc_protocol::frame::AuthenticationPurpose;

use super::{ClientIdentity, Proof, ServerGreeting};
use crate::{
    CallError, Client,
    auth::Credential,
    client::link::{Failure, NotOpened},
};

impl Client {
    /// Shows a credential on the live connection: an anonymous client becomes known, a known one stays known for longer.
    /// Gives who the client is then. Calls that are made after this was first polled run under what the server has made of
    /// it, whether or not the outcome was waited for.
    ///
    /// An accepted credential is shown again on each later connection, unless the client has a
    /// [provider](crate::ClientBuilder::credentials), which is asked instead. To become another user is
    /// [`change_user`](Self::change_user): a server closes the connection of a client that it knows and that shows another
    /// user's credential here, with 4503, which is final.
    ///
    /// It waits for the connection as a call does, and for as long as the [timeout](crate::ClientBuilder::timeout) of calls
    /// allows. Dropped after it was polled, it has been sent all the same: [`identity`](Self::identity) tells what came of it.
    ///
    /// # Errors
    ///
    /// [`CallError::Status`], mostly UNAUTHENTICATED, when the server refuses: who the client is has not changed then. The
    /// others as for a call.
    pub async fn authenticate(&self, credential: Credential) -> Result<ClientIdentity, CallError> {
        let change = self.channel().standing().changes();
        self.prove(AuthenticationPurpose::Refresh, Some(credential), change)
            .await
    }

    /// Becomes another user on the live connection. Running calls that were begun as the former user, and need one, end with
    /// UNAUTHENTICATED. Else as [`authenticate`](Self::authenticate).
    ///
    /// With a [provider](crate::ClientBuilder::credentials), see to it that it gives the new user's credentials from now on.
    ///
    /// # Errors
    ///
    /// As [`authenticate`](Self::authenticate): refused, the client stays who it was, unless the server says otherwise.
    pub async fn change_user(&self, credential: Credential) -> Result<ClientIdentity, CallError> {
        let change = self.channel().standing().changes();
        self.prove(AuthenticationPurpose::ChangeUser, Some(credential), change)
            .await
    }

    /// Goes back to being nobody, on the live connection and on all later ones: nothing is shown from now on, nor a provider
    /// asked, whatever comes of this, until [`authenticate`](Self::authenticate) or [`change_user`](Self::change_user)
    /// succeeds. Without a connection there is nothing else to do: the next one begins a session of its own. Running calls that need a user end with UNAUTHENTICATED.
    ///
    /// # Errors
    ///
    /// As [`authenticate`](Self::authenticate): the server may know the client still.
    pub async fn sign_out(&self) -> Result<(), CallError> {
        let channel = self.channel();
        let change = channel.standing().signs_out();
        let resumption = &channel.config.resumption;
        resumption.leaves();
        if !channel.may_have_shown() {
            return Ok(());
        }
        match self.prove(AuthenticationPurpose::SignOut, None, change).await {
            Ok(_) => {
                resumption.stays();
                Ok(())
            }
            // There was no connection after all, and the next will show nothing.
            Err(error) if !error.may_have_run() => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn prove(
        &self,
        purpose: AuthenticationPurpose,
        credential: Option<Credential>,
        change: u64,
    ) -> Result<ClientIdentity, CallError> {
        let proof = || Proof::asked(purpose, credential.clone(), change);
        match self.channel().config.timeout {
            None => self.prove_now(proof).await,
            Some(timeout) => tokio::time::timeout(timeout, self.prove_now(proof))
                .await
                .unwrap_or(Err(CallError::TimedOut(timeout))),
        }
    }

    async fn prove_now(&self, proof: impl Fn() -> Proof) -> Result<ClientIdentity, CallError> {
        let channel = self.channel();
        loop {
            let link = channel.ready(false).await?;
            let answer = match link.authenticate(proof()) {
                Ok(answer) => answer,
                Err(NotOpened::Refused(status)) => return Err(status.into()),
                Err(NotOpened::Full | NotOpened::Gone) => continue,
            };
            match answer.await {
                // The connection that takes its place may have been made before this was decided.
                Ok(_) if link.is_going_away() && channel.comes_back() => {}
                Ok(identity) => return Ok(identity),
                Err(Failure::Closed(closed)) => return Err(CallError::Closed(closed)),
                Err(failure) => return Err(failure.into_status().into()),
            }
        }
    }

    /// Who the client is, as the server has said last. Anonymous before it has said anything; while a lost connection is made
    /// again, and until the next server has decided, still who it was.
    pub fn identity(&self) -> ClientIdentity {
        self.channel().standing().identity()
    }

    /// Who the client is now, and each change from now on: signed in, signed out, refreshed, warned that it ends soon, refused
    /// by the server. Ends with the client. A slow reader sees the latest only. It does not keep the client open.
    pub fn identity_changes(&self) -> impl Stream<Item = ClientIdentity> + Send + Unpin + use<> {
        self.channel().standing().identities()
    }

    /// What the server said when the connection began; `None` without a connection, and before it has said it.
    pub fn greeting(&self) -> Option<ServerGreeting> {
        self.channel().standing().greeting()
    }

    /// Waits for the server's greeting, as [`ready`](Self::ready) waits for the connection.
    ///
    /// # Errors
    ///
    /// As [`ready`](Self::ready).
    pub async fn greeted(&self) -> Result<ServerGreeting, CallError> {
        self.ready().await?;
        match self.channel().standing().wait_for_greeting().await {
            Some(greeting) => Ok(greeting),
            // It is closed, which this tells.
            None => Err(CallError::Closed(self.closed().await.before_sending())),
        }
    }

    /// How long the last ping to the server that was answered took, there and back. Pings are sent in silence, and by
    /// [`ClientLimits::ping_interval`](crate::ClientLimits::ping_interval); `None` before one was answered on this connection.
    pub fn round_trip_time(&self) -> Option<Duration> {
        let link = self.channel().current();
        link.as_ref()?.round_trip_time()
    }
}
