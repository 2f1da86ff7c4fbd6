//! The interceptors and layers of one server or client.

use std::{fmt, sync::Arc};

use tower_layer::Layer;
use tower_service::Service;

use super::{Call, Head, Interceptor, Next, Reply};
use crate::{Context, Status, status::BoxError};

/// Puts a layer around what is behind it.
type Wrap<C> = Box<dyn FnOnce(Next<C>) -> Next<C> + Send + Sync>;

/// Interceptors and layers while a server or a client is put together, in the order in which calls come by.
pub(crate) struct Stack<C: Head = Context> {
    interceptors: Vec<Arc<dyn Interceptor<C>>>,
    layers: Vec<Wrap<C>>,
}

impl<C: Head> Stack<C> {
    pub(crate) fn intercept(&mut self, interceptor: impl Interceptor<C>) {
        self.interceptors.push(Arc::new(interceptor));
    }

    pub(crate) fn layer<L>(&mut self, layer: L)
    where
        L: Layer<Next<C>> + Send + Sync + 'static,
        L::Service: Service<Call<C>, Response = Reply> + Clone + Send + Sync + 'static,
        <L::Service as Service<Call<C>>>::Error: Into<BoxError>,
        <L::Service as Service<Call<C>>>::Future: Send + 'static,
    {
        self.layers
            .push(Box::new(move |next| Next::layer(layer.layer(next))));
    }

    /// What every call goes through; `None` where there is nothing.
    pub(crate) fn build(self) -> Option<Arc<Middleware<C>>> {
        if self.interceptors.is_empty() && self.layers.is_empty() {
            return None;
        }
        let layered = !self.layers.is_empty();
        // From the inside out: the first is the outermost.
        let service = self
            .layers
            .into_iter()
            .rev()
            .fold(Next::end(), |next, wrap| wrap(next));
        Some(Arc::new(Middleware {
            interceptors: self.interceptors.into(),
            service: layered.then_some(service),
        }))
    }
}

impl<C: Head> Default for Stack<C> {
    fn default() -> Self {
        Self {
            interceptors: Vec::new(),
            layers: Vec::new(),
        }
    }
}

impl<C: Head> fmt::Debug for Stack<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stack")
            .field("interceptors", &self.interceptors.len())
            .field("layers", &self.layers.len())
            .finish()
    }
}

/// What every call of a server or a client goes through.
pub(crate) struct Middleware<C: Head = Context> {
    interceptors: Box<[Arc<dyn Interceptor<C>>]>,
    service: Option<Next<C>>,
}

impl<C: Head> Middleware<C> {
    /// Asks the interceptors, in their order; the first that refuses ends it.
    pub(crate) fn intercept(&self, call: &mut C) -> Result<(), Status> {
        self.interceptors
            .iter()
            .try_for_each(|interceptor| interceptor.intercept(call))
    }

    /// The layers for one call, where there are any.
    pub(crate) fn service(&self) -> Option<Next<C>> {
        self.service.clone()
    }
}

impl<C: Head> fmt::Debug for Middleware<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Middleware")
            .field("interceptors", &self.interceptors.len())
            .field("layered", &self.service.is_some())
            .finish()
    }
}
