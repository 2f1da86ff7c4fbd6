//! Expands a trait contract: `async fn`s become functions that give `Send` futures, so that a server can move calls
//! between threads. Who implements the trait still writes `async fn`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use rpc_schema::model::Service;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{ItemTrait, ReturnType, TraitItem, TypeImplTrait, parse_quote, parse_quote_spanned};

/// Rewrites the trait in place.
pub(crate) fn desugar(item: &mut ItemTrait) {
    let bounds: [syn::TypeParamBound; 3] = [
        parse_quote!(::core::marker::Send),
        parse_quote!(::core::marker::Sync),
        parse_quote!('static),
    ];
    item.supertraits.extend(bounds);
    item.colon_token.get_or_insert_with(Default::default);
    for member in &mut item.items {
        let TraitItem::Fn(function) = member else { continue };
        if function.sig.asyncness.take().is_none() {
            continue;
        }
        let span = function.sig.output.span();
        let mut output: TokenStream = quote!(());
        if let ReturnType::Type(_, ty) = &mut function.sig.output {
            SendStreams.visit_type_mut(ty);
            output = ty.to_token_stream();
        }
        function.sig.output = parse_quote_spanned! {span=>
            -> impl ::core::future::Future<Output = #output> + ::core::marker::Send
        };
        if let Some(body) = function.default.take() {
            // A mistake that pass 1 reported; keep the body compiling.
            function.default = Some(syn::parse2(quote_spanned!(span=> { async move #body })).unwrap_or(body));
        }
    }
}

/// Checks that what the calls carry are messages, where the trait names them.
pub(crate) fn check_messages(service: &Service) -> TokenStream {
    let types = service.methods.iter().flat_map(|method| {
        let request = method.request_type.iter();
        request.chain(std::iter::once(&method.response_type))
    });
    let checks = types.map(|ty| {
        let span = ty.span();
        quote_spanned!(span=> let _ = <#ty as ::rpc_runtime::codegen::Contract>::descriptor;)
    });
    quote! { const _: () = { #(#checks)* }; }
}

/// Adds `Send` to every `impl Stream` that does not say it.
struct SendStreams;

impl VisitMut for SendStreams {
    fn visit_type_impl_trait_mut(&mut self, stream: &mut TypeImplTrait) {
        let send = stream.bounds.iter().any(|bound| match bound {
            syn::TypeParamBound::Trait(bound) => bound
                .path
                .segments
                .last()
                .is_some_and(|last| last.ident == "Send"),
            _ => false,
        });
        if !send {
            stream.bounds.push(parse_quote!(::core::marker::Send));
        }
        visit_mut::visit_type_impl_trait_mut(self, stream);
    }
}
