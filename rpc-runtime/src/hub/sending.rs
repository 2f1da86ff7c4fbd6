//! Who of the clients may send what to users and to other clients.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::{
    AllowedEvents, Events, Hub, HubBuilder,
    namespace::{LATE, in_time},
    rights::{Asks, Later, Nobody, Right, told},
};
use crate::{ClientId, Status};

/// How long a right to send may take to be asked for.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// What clients may send, and to whom.
#[derive(Default)]
pub(super) struct Sending {
    users: Policy<Arc<str>>,
    clients: Policy<ClientId>,
}

/// Who may send to recipients of a kind, and which events.
struct Policy<P> {
    right: Box<dyn SendRight<P>>,
    /// `None`: any.
    events: Option<AllowedEvents>,
}

trait SendRight<P>: Send + Sync {
    fn check<'a>(&'a self, asks: &'a Asks, to: &'a P) -> Later<'a, Result<(), Status>>;
}

impl<P: Sync, R: Right<P>> SendRight<P> for R {
    fn check<'a>(&'a self, asks: &'a Asks, to: &'a P) -> Later<'a, Result<(), Status>> {
        Box::pin(async move {
            let checked = Right::check(self, asks, to).await;
            checked.map_err(|refused| told(refused, asks))
        })
    }
}

impl<P: Sync + 'static> Default for Policy<P> {
    fn default() -> Self {
        Self {
            right: Box::new(Nobody),
            events: None,
        }
    }
}

impl<P> Policy<P> {
    async fn check(&self, asks: &Asks, to: &P, type_name: &str) -> Result<(), Status> {
        in_time(ANSWERS_WITHIN, LATE, self.right.check(asks, to)).await?;
        match &self.events {
            Some(events) if !events.contains(type_name) => Err(Status::invalid_argument(
                "events of this type are not allowed to be sent by clients",
            )),
            _ => Ok(()),
        }
    }

    /// Validates what a client sends. Asked once it may send it.
    async fn check_event(&self, asks: &Asks, type_name: &str, body: &Bytes) -> Result<(), Status> {
        match &self.events {
            Some(events) => events.check_body(asks.session(), type_name, body).await,
            None => Ok(()),
        }
    }
}

/// # What clients may send
///
/// A server's own code sends what it wants to whom it wants. Clients send by `rpc.hub.v1.HubService`, and nobody may
/// until a right is given. A right has 5 seconds to answer; then the call is refused with UNAVAILABLE. What a client sends is sent in the
/// order of its calls, so that one waits for the rights of those before it.
impl HubBuilder {
    /// Says which clients may send to users. The right is asked with the user's id.
    ///
    /// ```
    /// use std::{sync::Arc, time::Duration};
    /// use rpc_runtime::{Status, hub::{Asks, Hub}};
    ///
    /// let hub = Hub::builder().send_to_users(|asks: &Asks, to: &Arc<str>| match asks.user() {
    ///     Some(_) if &**to != "root" => Ok(()),
    ///     _ => Err(Status::permission_denied("not to this user")),
    /// });
    /// # let _ = hub;
    /// ```
    #[must_use]
    pub fn send_to_users(mut self, right: impl Right<Arc<str>>) -> Self {
        self.sending.users.right = Box::new(right);
        self
    }

    /// Says which clients may send to other clients, and publish to their own channels. The right is asked with the client's id.
    #[must_use]
    pub fn send_to_clients(mut self, right: impl Right<ClientId>) -> Self {
        self.sending.clients.right = Box::new(right);
        self
    }

    /// Allows clients to send an event to users, or every event of a set, and from then on no other that is not allowed too.
    /// What is sent is validated, as what is [published](super::Namespace::events) is. Without, whoever may send may send any.
    #[must_use]
    pub fn events_to_users<E: Events>(mut self) -> Self {
        self.sending.users.events.get_or_insert_default().add::<E>();
        self
    }

    /// Allows clients to send an event to other clients, as [`events_to_users`](Self::events_to_users) does.
    #[must_use]
    pub fn events_to_clients<E: Events>(mut self) -> Self {
        self.sending.clients.events.get_or_insert_default().add::<E>();
        self
    }
}

impl Hub {
    /// Whether a client may send such an event to a user. The answer is the same whether there is such a user or not.
    pub(crate) async fn may_send_to_user(
        &self,
        asks: &Asks,
        to: &str,
        type_name: &str,
    ) -> Result<(), Status> {
        self.inner.sending.users.check(asks, &to.into(), type_name).await
    }

    /// Whether a client may send such an event to a client. The answer is the same whether there is such a client or not.
    pub(crate) async fn may_send_to_client(
        &self,
        asks: &Asks,
        to: &ClientId,
        type_name: &str,
    ) -> Result<(), Status> {
        self.inner.sending.clients.check(asks, to, type_name).await
    }

    /// Validates an event that a client may send to users.
    pub(crate) async fn check_for_users(
        &self,
        asks: &Asks,
        type_name: &str,
        body: &Bytes,
    ) -> Result<(), Status> {
        self.inner.sending.users.check_event(asks, type_name, body).await
    }

    /// Validates an event that a client may send to clients.
    pub(crate) async fn check_for_clients(
        &self,
        asks: &Asks,
        type_name: &str,
        body: &Bytes,
    ) -> Result<(), Status> {
        self.inner
            .sending
            .clients
            .check_event(asks, type_name, body)
            .await
    }
}
