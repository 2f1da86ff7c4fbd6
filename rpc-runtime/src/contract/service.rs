//! Descriptors of services and methods.

use std::{fmt, time::Duration};

use super::MessageDescriptor;

/// All facts about a service.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct ServiceDescriptor {
    /// The protobuf full name, such as `task.TaskService`.
    pub full_name: &'static str,
    /// The service's documentation, without comment marks.
    pub docs: &'static str,
    /// The methods in the order of their declaration.
    pub methods: &'static [MethodDescriptor],
    /// The schemas of the crate that the gateway is in, with all that they import: an encoded
    /// `google.protobuf.FileDescriptorSet`, with custom options and comments. Empty where no build script has read the contract.
    pub files: &'static [u8],
}

impl ServiceDescriptor {
    /// The service `full_name` with these methods.
    #[must_use]
    pub const fn new(full_name: &'static str, methods: &'static [MethodDescriptor]) -> Self {
        ServiceDescriptor {
            full_name,
            docs: "",
            methods,
            files: &[],
        }
    }

    /// Sets the documentation.
    #[must_use]
    pub const fn docs(mut self, docs: &'static str) -> Self {
        self.docs = docs;
        self
    }

    /// Sets the schemas, an encoded `google.protobuf.FileDescriptorSet`.
    #[must_use]
    pub const fn files(mut self, files: &'static [u8]) -> Self {
        self.files = files;
        self
    }
}

/// Without the schemas, which are long and not to be read.
impl fmt::Debug for ServiceDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceDescriptor")
            .field("full_name", &self.full_name)
            .field("docs", &self.docs)
            .field("methods", &self.methods)
            .finish_non_exhaustive()
    }
}

/// Which sides of a method stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MethodKind {
    /// One request, one response.
    Unary,
    /// One request, a stream of responses.
    ServerStreaming,
    /// A stream of requests, one response.
    ClientStreaming,
    /// A stream each way.
    Bidirectional,
}

/// All facts about a method.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct MethodDescriptor {
    /// The method's name, such as `AddTask`.
    pub name: &'static str,
    /// The name that a call carries, such as `task.TaskService/AddTask`.
    pub full_name: &'static str,
    /// The number that a call carries instead; never 0.
    pub number: u64,
    /// Which sides stream.
    pub kind: MethodKind,
    /// The request message.
    pub request: fn() -> &'static MessageDescriptor,
    /// The response message.
    pub response: fn() -> &'static MessageDescriptor,
    /// The method's documentation, without comment marks.
    pub docs: &'static str,
    /// Whether only an authenticated client may call.
    pub auth: bool,
    /// The guards that a call passes, in this order.
    pub guards: &'static [&'static str],
    /// The longest that a call may take.
    pub deadline: Option<Duration>,
    /// Whether calling twice does what calling once does.
    pub idempotent: bool,
    /// Whether nothing is sent back.
    pub one_way: bool,
    /// Whether each call runs on a task of its own.
    pub spawn: bool,
    /// The transports that offer the method; empty for all. Over any other it is UNIMPLEMENTED.
    pub transports: &'static [&'static str],
}

impl MethodDescriptor {
    /// The method `full_name` from one message to the other.
    #[must_use]
    pub const fn new(
        name: &'static str,
        full_name: &'static str,
        number: u64,
        kind: MethodKind,
        request: fn() -> &'static MessageDescriptor,
        response: fn() -> &'static MessageDescriptor,
    ) -> Self {
        MethodDescriptor {
            name,
            full_name,
            number,
            kind,
            request,
            response,
            docs: "",
            auth: false,
            guards: &[],
            deadline: None,
            idempotent: false,
            one_way: false,
            spawn: false,
            transports: &[],
        }
    }

    /// Sets the documentation.
    #[must_use]
    pub const fn docs(mut self, docs: &'static str) -> Self {
        self.docs = docs;
        self
    }

    /// Says that only an authenticated client may call.
    #[must_use]
    pub const fn auth(mut self) -> Self {
        self.auth = true;
        self
    }

    /// Sets the guards that a call passes.
    #[must_use]
    pub const fn guards(mut self, guards: &'static [&'static str]) -> Self {
        self.guards = guards;
        self
    }

    /// Sets the longest that a call may take.
    #[must_use]
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Says that calling twice does what calling once does.
    #[must_use]
    pub const fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Says that nothing is sent back.
    #[must_use]
    pub const fn one_way(mut self) -> Self {
        self.one_way = true;
        self
    }

    /// Says that each call runs on a task of its own.
    #[must_use]
    pub const fn spawn(mut self) -> Self {
        self.spawn = true;
        self
    }

    /// Whether it stands for a method that no service has, whose calls a [`Fallback`](crate::Fallback) takes.
    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        // A method's own number is never 0.
        self.number == 0
    }

    /// Sets the transports that offer the method.
    #[must_use]
    pub const fn transports(mut self, transports: &'static [&'static str]) -> Self {
        self.transports = transports;
        self
    }
}
