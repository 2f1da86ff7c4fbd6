//! Expands an enum without data.

use crate::descriptor;
use crate::reemit;
use proc_macro2::TokenStream;
use quote::quote;
use rpc_schema::model::Enum;
use syn::Item;

/// The implementations of an enum without mistakes.
pub(crate) fn expand(parsed: &Enum, item: &Item) -> TokenStream {
    let ident = &parsed.ident;
    let package = &parsed.common.package;
    let full_name = parsed.common.full_name();
    let rust_name = rpc_schema::names::plain(ident);
    let variants: Vec<_> = parsed.values.iter().map(|value| &value.ident).collect();
    let numbers: Vec<_> = parsed.values.iter().map(|value| value.number).collect();
    let default = (!reemit::derives_default(item)).then(|| {
        let zero = parsed
            .values
            .iter()
            .find(|value| value.number == 0)
            .map(|value| &value.ident);
        quote! {
            #[automatically_derived]
            #[allow(deprecated)]
            impl ::core::default::Default for #ident {
                /// The value with the number 0.
                fn default() -> Self { Self::#zero }
            }
        }
    });
    let values = parsed.values.iter().map(|value| {
        let (name, number, docs) = (&value.name, value.number, descriptor::docs(&value.docs));
        let deprecated = value.deprecated.then(|| quote!(.deprecated()));
        quote!(::rpc_runtime::codegen::EnumValueDescriptor::new(#name, #number) #docs #deprecated)
    });
    let docs = descriptor::docs(&parsed.common.docs);
    let open = parsed.other.as_ref().map(|_| quote!(.open()));
    let other_number = parsed
        .other
        .as_ref()
        .map(|other| quote!(Self::#other(number) => number,));
    let unknown = match &parsed.other {
        Some(other) => quote!(unknown => Self::#other(unknown),),
        None => quote!(_ => return ::core::option::Option::None,),
    };
    quote! {
        #default

        #[diagnostic::do_not_recommend]
        #[allow(deprecated)]
        impl ::rpc_runtime::codegen::ContractField for #ident {
            ::rpc_runtime::codegen::enum_field!();
        }

        #[diagnostic::do_not_recommend]
        #[allow(deprecated)]
        impl ::rpc_runtime::codegen::ContractEnum for #ident {
            const FULL_NAME: &'static str = #full_name;
            #[inline]
            fn number(self) -> i32 {
                match self {
                    #(Self::#variants => #numbers,)*
                    #other_number
                }
            }
            #[inline]
            fn from_number(number: i32) -> ::core::option::Option<Self> {
                ::core::option::Option::Some(match number {
                    #(#numbers => Self::#variants,)*
                    #unknown
                })
            }
            fn descriptor() -> &'static ::rpc_runtime::codegen::EnumDescriptor {
                static DESCRIPTOR: ::rpc_runtime::codegen::EnumDescriptor =
                    ::rpc_runtime::codegen::EnumDescriptor::new(#package, #full_name, #rust_name, &[#(#values),*])
                    #docs #open;
                &DESCRIPTOR
            }
        }
    }
}
