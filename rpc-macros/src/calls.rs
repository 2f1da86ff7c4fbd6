//! Expands the handlers of a gateway: for each a type that implements the trait of its kind of call, and its entry in the
//! method table.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use rpc_schema::model::{Method, MethodKind, Parameter};
use rpc_schema::types::Value;
use syn::ItemImpl;

/// The type that stands for a method, which calls the handler.
pub(crate) fn implementation(method: &Method, block: &ItemImpl) -> TokenStream {
    let gateway = &block.self_ty;
    let (impl_generics, _, where_clause) = block.generics.split_for_impl();
    let name = type_name(method);
    let kind = Kind::of(method);
    let of = kind.trait_name();
    let (request, response) = (request_type(method), &method.response_type);
    let handler = &method.ident;
    let arguments = method.parameters.iter().map(|parameter| match parameter {
        Parameter::Context => quote!(cx),
        Parameter::Data => quote!(data),
        Parameter::Outgoing => quote!(output),
    });
    // What the macro names stands at the method, but is the macro's own, also inside a `macro_rules!`.
    let span = macro_span(method);
    let data = match method.kind.client_streams() {
        true => quote_spanned!(span=> ::rpc_runtime::codegen::Streaming<Self::Request>),
        false => quote_spanned!(span=> Self::Request),
    };
    let output = (kind == Kind::Session)
        .then(|| quote_spanned!(span=> output: ::rpc_runtime::codegen::Outgoing<Self::Response>,));
    let result = |answer: TokenStream| quote_spanned!(span=> ::core::result::Result<#answer, ::rpc_runtime::codegen::Status>);
    let answer = match kind {
        Kind::Unary | Kind::ClientStreaming => result(quote!(Self::Response)),
        Kind::Session => result(quote!(())),
        Kind::ServerStreaming | Kind::Bidirectional => {
            let item = result(quote!(Self::Response));
            result(quote_spanned! {span=>
                impl ::rpc_runtime::codegen::Stream<Item = #item> + ::core::marker::Send + 'call
            })
        }
    };
    quote_spanned! {span=>
        struct #name;
        impl #impl_generics ::rpc_runtime::codegen::#of<#gateway> for #name #where_clause {
            type Request = #request;
            type Response = #response;
            #[allow(unused_variables)]
            fn call<'call>(
                gateway: &'call #gateway,
                cx: &'call ::rpc_runtime::codegen::Context,
                data: #data,
                #output
            ) -> impl ::core::future::Future<Output = #answer> + ::core::marker::Send + 'call {
                gateway.#handler(#(#arguments),*)
            }
        }
    }
}

/// The entry of the method at `index` of its service.
pub(crate) fn entry(method: &Method, index: usize) -> TokenStream {
    let (name, register) = (type_name(method), Kind::of(method).table_function());
    quote_spanned!(macro_span(method)=> methods.#register::<#name>(#index);)
}

/// The type that a request decodes into: the handler's, else the one that the attribute names, else nothing.
pub(crate) fn request_type(method: &Method) -> TokenStream {
    match (&method.request_type, &method.request) {
        (Some(ty), _) => quote!(#ty),
        (None, Value::Named(path)) => quote!(#path),
        (None, _) => quote!(()),
    }
}

/// A kind of call, where a session is one of its own: on the wire it is bidirectional.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Unary,
    ServerStreaming,
    ClientStreaming,
    Bidirectional,
    Session,
}

impl Kind {
    fn of(method: &Method) -> Self {
        match method.kind {
            _ if method.parameters.contains(&Parameter::Outgoing) => Self::Session,
            MethodKind::Unary => Self::Unary,
            MethodKind::ServerStreaming => Self::ServerStreaming,
            MethodKind::ClientStreaming => Self::ClientStreaming,
            MethodKind::Bidirectional => Self::Bidirectional,
        }
    }

    /// The trait under `codegen`.
    fn trait_name(self) -> syn::Ident {
        let name = match self {
            Self::Unary => "UnaryMethod",
            Self::ServerStreaming => "ServerStreamingMethod",
            Self::ClientStreaming => "ClientStreamingMethod",
            Self::Bidirectional => "BidirectionalMethod",
            Self::Session => "SessionMethod",
        };
        syn::Ident::new(name, Span::call_site())
    }

    /// The function of the method table.
    fn table_function(self) -> syn::Ident {
        let name = match self {
            Self::Unary => "unary",
            Self::ServerStreaming => "server_streaming",
            Self::ClientStreaming => "client_streaming",
            Self::Bidirectional => "bidirectional",
            Self::Session => "session",
        };
        syn::Ident::new(name, Span::call_site())
    }
}

fn type_name(method: &Method) -> syn::Ident {
    format_ident!("__Call{}", method.name)
}

fn macro_span(method: &Method) -> Span {
    method.span.resolved_at(Span::call_site())
}
