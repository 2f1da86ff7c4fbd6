//! The sessions of a server, for those who administer it.

use std::sync::Arc;

use rpc_protocol::CloseCode;

use super::{
    Server,
    shared::{Departed, Shared},
};
use crate::{ClientId, Session, hub::Hub};

/// # Sessions
///
/// Services reach their server by [`Context::server`](crate::Context::server).
impl Server {
    pub(crate) fn of(shared: &Arc<Shared>) -> Self {
        Self {
            shared: shared.clone(),
        }
    }

    /// The hub by which events reach its clients.
    pub fn hub(&self) -> Hub {
        self.shared.hub.clone()
    }

    /// How many clients are connected.
    pub fn connections(&self) -> usize {
        self.shared.connections()
    }

    /// The sessions of all clients that are connected, in no order. Who connects or leaves while the list is gone through
    /// may be on it or not.
    ///
    /// ```
    /// # fn list(server: &rpc_runtime::Server) {
    /// for session in server.sessions() {
    ///     println!("{} {} {:?}", session.id(), session.state(), session.user());
    /// }
    /// # }
    /// ```
    pub fn sessions(&self) -> impl Iterator<Item = Arc<Session>> + '_ {
        self.shared.sessions()
    }

    /// What was counted of sessions that are over.
    pub(crate) fn departed(&self) -> Departed {
        self.shared.departed()
    }

    /// The session of a client, while it is connected.
    pub fn session(&self, client: ClientId) -> Option<Arc<Session>> {
        self.shared.session(client)
    }

    /// The sessions of a user, on all endpoints, in no order.
    pub fn sessions_of(&self, user: &str) -> Vec<Arc<Session>> {
        self.shared.users.sessions(user)
    }

    /// Closes a client's connection, as [`Session::close`] does. Whether the client is connected.
    pub fn disconnect(&self, client: ClientId, code: CloseCode, reason: impl Into<String>) -> bool {
        match self.session(client) {
            Some(session) => {
                session.close(code, reason);
                true
            }
            None => false,
        }
    }

    /// Closes all connections of a user, as [`Session::close`] does; gives how many there are. Whether the user's clients come
    /// back is the code's: see [`CloseCode::may_return`].
    pub fn disconnect_user(&self, user: &str, code: CloseCode, reason: &str) -> usize {
        let sessions = self.sessions_of(user);
        for session in &sessions {
            session.close(code, reason);
        }
        sessions.len()
    }
}
