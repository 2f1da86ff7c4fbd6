//! A call on its way through layers.

use std::{fmt, sync::Arc};

use tokio::time::Instant;

use super::{Body, Head, Outbound};
use crate::{CallId, Context, Metadata, Session, contract::MethodDescriptor, trace::TraceContext};

/// A call on its way through layers: what is known of it, and its body. The request of a tower service.
///
/// On a server its head is the [`Context`] that the handler will see; on a client it is an [`Outbound`].
///
/// Dropping it drops the call: a server's client is answered by whoever dropped it, and what it still sends is ignored.
pub struct Call<C: Head = Context> {
    pub(crate) head: C,
    pub(crate) body: Body,
    pub(crate) route: C::Route,
}

impl<C: Head> Call<C> {
    /// What is known of the call ahead of its body.
    pub fn head(&self) -> &C {
        &self.head
    }

    /// The same, to be changed.
    pub fn head_mut(&mut self) -> &mut C {
        &mut self.head
    }

    /// The method that is called.
    pub fn method(&self) -> &'static MethodDescriptor {
        self.head.method()
    }

    /// What is sent with the call.
    pub fn metadata(&self) -> &Metadata {
        self.head.metadata()
    }

    /// The same, to be changed: what is behind this layer sees the change.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        self.head.metadata_mut()
    }

    /// What middleware leaves for other middleware and, on a server, for the handler, by type.
    pub fn extensions(&self) -> &http::Extensions {
        self.head.extensions()
    }

    /// The same, to be changed.
    pub fn extensions_mut(&mut self) -> &mut http::Extensions {
        self.head.extensions_mut()
    }

    /// When the call's time is over. `None` where it may take as long as it takes.
    pub fn deadline(&self) -> Option<Instant> {
        self.head.deadline()
    }

    /// The request, or the stream of them.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The same, to be changed.
    pub fn body_mut(&mut self) -> &mut Body {
        &mut self.body
    }

    /// Makes another body of the body. It stays what the method takes, a message or a stream; anything else is
    /// refused behind the layers.
    #[must_use]
    pub fn map_body(mut self, map: impl FnOnce(Body) -> Body) -> Self {
        self.body = map(self.body);
        self
    }
}

impl Call {
    /// The connected client that calls.
    pub fn session(&self) -> &Arc<Session> {
        self.head.session()
    }

    /// The call's id, under which its failures stand in the log.
    pub fn call_id(&self) -> CallId {
        self.head.call_id()
    }

    /// The trace that the call belongs to, where its client sent one.
    pub fn trace(&self) -> Option<&TraceContext> {
        self.head.trace()
    }
}

impl Call<Outbound> {
    /// The same call once more, for a layer that may have to send it again. `None` where its request is a stream.
    #[must_use]
    pub fn try_clone(&self) -> Option<Self> {
        Some(Self {
            head: self.head.clone(),
            body: Body::Message(self.body.message()?.clone()),
            route: self.route.clone(),
        })
    }
}

impl<C: Head + fmt::Debug> fmt::Debug for Call<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("head", &self.head)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
