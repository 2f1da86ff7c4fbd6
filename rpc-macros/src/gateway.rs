//! Expands `#[rpc]`: the impl stays as it is, and beside it stands its method table.

use crate::{calls, descriptor};
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use rpc_schema::model::{Method, MethodKind, Service};
use rpc_schema::names::fnv1a64;
use syn::ItemImpl;
use syn::spanned::Spanned;

/// Whether the build script wrote this gateway (`#[rpc("task", generated)]`), and the arguments without the mark. The
/// contract that it was generated from is checked where it stands.
pub(crate) fn take_generated(arguments: TokenStream) -> (bool, TokenStream) {
    let mut generated = false;
    let mut kept = Vec::new();
    for token in arguments {
        match &token {
            TokenTree::Ident(ident) if ident == "generated" => {
                generated = true;
                if matches!(kept.last(), Some(TokenTree::Punct(punct)) if punct.as_char() == ',') {
                    kept.pop();
                }
            }
            _ => kept.push(token),
        }
    }
    (generated, kept.into_iter().collect())
}

/// The method table of a gateway without mistakes.
pub(crate) fn expand(service: &Service, block: &ItemImpl) -> TokenStream {
    let gateway = &block.self_ty;
    let (impl_generics, _, where_clause) = block.generics.split_for_impl();
    let full_name = service.common.full_name();
    let docs = descriptor::docs(&service.common.docs);
    let descriptors = service
        .methods
        .iter()
        .map(|method| method_descriptor(service, method));
    let implementations = service
        .methods
        .iter()
        .map(|method| calls::implementation(method, block));
    let entries = service
        .methods
        .iter()
        .enumerate()
        .map(|(index, method)| calls::entry(method, index));
    // A crate without a build script has nothing to show; one whose contracts are scanned carries their schemas.
    let files = (!service.common.detached).then(|| quote!(.files(::rpc_runtime::codegen::descriptor_set!())));
    quote! {
        const _: () = {
            #(#implementations)*
            impl #impl_generics ::rpc_runtime::codegen::Gateway for #gateway #where_clause {
                fn descriptor() -> &'static ::rpc_runtime::codegen::ServiceDescriptor {
                    static DESCRIPTOR: ::rpc_runtime::codegen::ServiceDescriptor =
                        ::rpc_runtime::codegen::ServiceDescriptor::new(#full_name, &[#(#descriptors),*]) #docs #files;
                    &DESCRIPTOR
                }
                fn methods(methods: &mut ::rpc_runtime::codegen::MethodTable<Self>) {
                    #(#entries)*
                }
            }
        };
    }
}

/// A gateway with mistakes: it can still be given to a server, so that only the mistakes are reported.
pub(crate) fn hollow(block: &ItemImpl) -> TokenStream {
    let gateway = &block.self_ty;
    if block.trait_.is_some() || !matches!(gateway.as_ref(), syn::Type::Path(_)) {
        return TokenStream::new();
    }
    let (impl_generics, _, where_clause) = block.generics.split_for_impl();
    quote! {
        impl #impl_generics ::rpc_runtime::codegen::Gateway for #gateway #where_clause {
            fn descriptor() -> &'static ::rpc_runtime::codegen::ServiceDescriptor { ::core::unreachable!() }
            fn methods(_: &mut ::rpc_runtime::codegen::MethodTable<Self>) {}
        }
    }
}

/// The descriptor of a method, with what the service's methods share merged in.
fn method_descriptor(service: &Service, method: &Method) -> TokenStream {
    let span = method.span;
    let name = &method.name;
    let full_name = format!("{}/{name}", service.common.full_name());
    let number = method.options.number.unwrap_or_else(|| fnv1a64(&full_name));
    let kind = match method.kind {
        MethodKind::Unary => quote!(Unary),
        MethodKind::ServerStreaming => quote!(ServerStreaming),
        MethodKind::ClientStreaming => quote!(ClientStreaming),
        MethodKind::Bidirectional => quote!(Bidirectional),
    };
    let request = message_of(&calls::request_type(method), span);
    let response_type = &method.response_type;
    let response = message_of(&quote!(#response_type), response_type.span());
    let docs = descriptor::docs(&method.docs);
    let options = &method.options;
    let auth = (service.access.auth || options.access.auth).then(|| quote!(.auth()));
    let guards: Vec<&String> = service
        .access
        .guards
        .iter()
        .chain(&options.access.guards)
        .collect();
    let guards = (!guards.is_empty()).then(|| quote!(.guards(&[#(#guards),*])));
    let deadline = options.deadline.map(|deadline| {
        let (seconds, nanos) = (deadline.as_secs(), deadline.subsec_nanos());
        quote!(.deadline(::core::time::Duration::new(#seconds, #nanos)))
    });
    let idempotent = options.idempotent.then(|| quote!(.idempotent()));
    let one_way = options.one_way.then(|| quote!(.one_way()));
    let spawn = options.spawn.then(|| quote!(.spawn()));
    let transports = &options.transports;
    let transports = (!transports.is_empty()).then(|| quote!(.transports(&[#(#transports),*])));
    quote! {
        ::rpc_runtime::codegen::MethodDescriptor::new(
            #name,
            #full_name,
            #number,
            ::rpc_runtime::codegen::MethodKind::#kind,
            #request,
            #response,
        ) #docs #auth #guards #deadline #idempotent #one_way #spawn #transports
    }
}

/// The descriptor function of a message, spanned so that a type without a contract is reported where it stands.
fn message_of(ty: &TokenStream, span: Span) -> TokenStream {
    quote_spanned!(span=> <#ty as ::rpc_runtime::codegen::Contract>::descriptor)
}
