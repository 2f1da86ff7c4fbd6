//! Expands an enum with data: a message that holds one oneof.

use crate::descriptor;
use crate::reemit;
use proc_macro2::TokenStream;
use quote::quote;
use rpc_schema::model::{Field, Message};
use syn::Item;

/// The implementations of an enum with data and without mistakes.
pub(crate) fn expand(message: &Message, item: &Item) -> TokenStream {
    let ident = &message.ident;
    let full_name = message.common.full_name();
    let message_name = &message.common.name;
    let unset = &message.unset;
    let members: Vec<(&Field, TokenStream)> = message
        .fields
        .iter()
        .map(|field| {
            (
                field,
                descriptor::value_codec(&field.ty.value, field.ty.boxed, field.span),
            )
        })
        .collect();

    let default = (!reemit::derives_default(item)).then(|| {
        quote! {
            #[automatically_derived]
            #[allow(deprecated)]
            impl ::core::default::Default for #ident {
                /// Nothing set.
                fn default() -> Self { Self::#unset }
            }
        }
    });
    let pattern = |field: &Field| {
        let variant = &field.ident;
        if field.unit_variant {
            quote!(Self::#variant)
        } else {
            quote!(Self::#variant(value))
        }
    };
    let value = |field: &Field| {
        if field.unit_variant {
            quote!(&())
        } else {
            quote!(value)
        }
    };
    let encode = members.iter().map(|(field, codec)| {
        let (pattern, value, number) = (pattern(field), value(field), field.number);
        quote!(#pattern => <#codec as ::rpc_runtime::codegen::ValueCodec>::encode_field(#value, #number, buf),)
    });
    let encoded_len = members.iter().map(|(field, codec)| {
        let (pattern, value, number) = (pattern(field), value(field), field.number);
        quote!(#pattern => <#codec as ::rpc_runtime::codegen::ValueCodec>::field_len(#value, #number),)
    });
    let merge = members
        .iter()
        .map(|(field, codec)| merge_member(field, codec, message_name));
    let validate = members
        .iter()
        .enumerate()
        .filter(|(_, (field, _))| !field.unit_variant)
        .map(|(at, (field, codec))| {
            let pattern = pattern(field);
            quote!(#pattern => validator.member::<#codec>(value, &facts[#at]),)
        });
    let descriptors: Vec<_> = members
        .iter()
        .map(|(field, codec)| {
            let (name, number, facts) = (&field.name, field.number, descriptor::field_facts(field));
            quote!(::rpc_runtime::codegen::FieldDescriptor::member::<#codec>(#name, #number) #facts)
        })
        .collect();
    let descriptor = descriptor::message_descriptor(message, &descriptors);
    let event = descriptor::event(message);

    quote! {
        #default

        #[allow(deprecated)]
        impl ::rpc_runtime::codegen::Message for #ident {
            #[allow(unused_variables)]
            fn encode_raw(&self, buf: &mut impl ::rpc_runtime::codegen::BufMut) {
                match self {
                    Self::#unset => {}
                    #(#encode)*
                }
            }
            fn merge_field(
                &mut self,
                number: u32,
                wire_type: ::rpc_runtime::codegen::WireType,
                buf: &mut impl ::rpc_runtime::codegen::Buf,
                cx: ::rpc_runtime::codegen::DecodeContext,
            ) -> ::core::result::Result<(), ::rpc_runtime::codegen::DecodeError> {
                match number {
                    #(#merge)*
                    _ => ::rpc_runtime::codegen::skip_field(wire_type, number, buf, cx),
                }
            }
            fn encoded_len(&self) -> usize {
                match self {
                    Self::#unset => 0,
                    #(#encoded_len)*
                }
            }
            fn clear(&mut self) {
                *self = Self::#unset;
            }
        }

        #[diagnostic::do_not_recommend]
        #[allow(deprecated)]
        impl ::rpc_runtime::codegen::ContractField for #ident {
            ::rpc_runtime::codegen::message_field!();
            #[allow(unused_variables, unreachable_patterns)]
            fn validate(&self, validator: &mut ::rpc_runtime::codegen::Validator<'_>) {
                let facts = <Self as ::rpc_runtime::codegen::Contract>::descriptor().fields;
                match self {
                    #(#validate)*
                    _ => {}
                }
            }
        }

        #[diagnostic::do_not_recommend]
        #[allow(deprecated)]
        impl ::rpc_runtime::codegen::Contract for #ident {
            const FULL_NAME: &'static str = #full_name;
            fn descriptor() -> &'static ::rpc_runtime::codegen::MessageDescriptor {
                #descriptor
            }
        }

        #event
    }
}

/// Reads one member: into the one that is set, if it is the same, else in its place.
fn merge_member(field: &Field, codec: &TokenStream, message_name: &str) -> TokenStream {
    let (variant, number, name) = (&field.ident, field.number, &field.name);
    let (current, set) = if field.unit_variant {
        (quote!(::core::option::Option::None), quote!(|()| Self::#variant))
    } else {
        let current = quote! {
            match self {
                Self::#variant(value) => ::core::option::Option::Some(value),
                _ => ::core::option::Option::None,
            }
        };
        (current, quote!(Self::#variant))
    };
    quote! {
        #number => {
            let current = #current;
            let merged = ::rpc_runtime::codegen::merge_member::<#codec>(current, wire_type, buf, cx)
                .map_err(|error| ::rpc_runtime::codegen::in_field(error, #message_name, #name))?;
            if let ::core::option::Option::Some(member) = merged.map(#set) {
                *self = member;
            }
            ::core::result::Result::Ok(())
        }
    }
}
