//! What pass 1 finds in a trait or in the impl of a gateway.

use super::{Access, Common};
use crate::types::Value;
use proc_macro2::Span;
use syn::Ident;

/// A service: a trait, or the impl of a hand-written gateway.
#[derive(Debug)]
pub struct Service {
    /// The trait's or the gateway type's name.
    pub ident: Ident,
    /// What all contracts have; its name is the service's (`TaskService`).
    pub common: Common,
    /// The methods, in the order of declaration.
    pub methods: Vec<Method>,
    /// What all methods share.
    pub access: Access,
    /// Where it was found.
    pub origin: Origin,
}

/// Where a service was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A trait contract, whose gateway is generated.
    Trait,
    /// A `#[rpc]` impl.
    Gateway,
}

/// What a call sends and gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MethodKind {
    /// One message each way.
    Unary,
    /// One message in, a stream out.
    ServerStreaming,
    /// A stream in, one message out.
    ClientStreaming,
    /// A stream each way.
    Bidirectional,
}

impl MethodKind {
    /// Whether the client sends a stream.
    pub fn client_streams(self) -> bool {
        matches!(self, Self::ClientStreaming | Self::Bidirectional)
    }

    /// Whether the server sends a stream.
    pub fn server_streams(self) -> bool {
        matches!(self, Self::ServerStreaming | Self::Bidirectional)
    }
}

/// A method of a service.
#[derive(Debug)]
pub struct Method {
    /// The Rust name.
    pub ident: Ident,
    /// The protobuf name: `AddTask`.
    pub name: String,
    /// The doc comment.
    pub docs: Vec<String>,
    /// What it sends and gets.
    pub kind: MethodKind,
    /// What the handler's parameters are, in order.
    pub parameters: Vec<Parameter>,
    /// The request, or an item of the client's stream.
    pub request: Value,
    /// The request as the handler's type, if the handler takes it.
    pub request_type: Option<syn::Type>,
    /// The response, or an item of the server's stream.
    pub response: Value,
    /// The response as the handler's type.
    pub response_type: syn::Type,
    /// Who may call and how it is run.
    pub options: MethodOptions,
    /// The method, for diagnostics.
    pub span: Span,
}

/// A parameter of a handler, after `&self`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    /// `&Context`.
    Context,
    /// The request, or the client's stream.
    Data,
    /// `Outgoing<T>`, into which a session method writes the server's stream.
    Outgoing,
}

/// Who may call a method and how it is run.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct MethodOptions {
    /// Who may call.
    pub access: Access,
    /// How long a call may take at most.
    pub deadline: Option<std::time::Duration>,
    /// May be repeated without harm.
    pub idempotent: bool,
    /// Nothing is sent back.
    pub one_way: bool,
    /// Runs on a task of its own.
    pub spawn: bool,
    /// Overrides the number that the full name hashes to.
    pub number: Option<u64>,
    /// Where it is offered; empty is everywhere.
    pub transports: Vec<String>,
    /// `#[deprecated]` stands on the method.
    pub deprecated: bool,
}
