//! Expands a struct: `Default`, `Message`, `ContractField` and `Contract`.

use crate::descriptor;
use crate::reemit;
use proc_macro2::TokenStream;
use quote::quote;
use rpc_schema::model::{Field, Message};
use rpc_schema::types::{Cardinality, Scalar};
use syn::Item;

/// The implementations of a struct without mistakes.
pub(crate) fn expand(message: &Message, item: &Item) -> TokenStream {
    let ident = &message.ident;
    let full_name = message.common.full_name();
    let fields = &message.fields;
    let idents: Vec<_> = fields.iter().map(|field| &field.ident).collect();
    let codecs: Vec<_> = fields.iter().map(descriptor::field_codec).collect();
    let skipped = &message.skipped;

    let default = (!reemit::derives_default(item)).then(|| {
        quote! {
            #[automatically_derived]
            impl ::core::default::Default for #ident {
                /// Proto3's zero value of every field; declared defaults are `with_defaults()`.
                fn default() -> Self {
                    Self {
                        #(#idents: <#codecs as ::rpc_runtime::codegen::FieldCodec>::zero(),)*
                        #(#skipped: ::core::default::Default::default(),)*
                    }
                }
            }
        }
    });

    // Encoders write in the order of the numbers, as every protobuf implementation does.
    let mut ordered: Vec<(&Field, &TokenStream)> = fields.iter().zip(&codecs).collect();
    ordered.sort_by_key(|(field, _)| field.number);
    let encode = ordered.iter().map(|(field, codec)| {
        let (ident, number) = (&field.ident, field.number);
        quote!(<#codec as ::rpc_runtime::codegen::FieldCodec>::encode(&self.#ident, #number, buf);)
    });
    let encoded_len = ordered.iter().map(|(field, codec)| {
        let (ident, number) = (&field.ident, field.number);
        quote!(+ <#codec as ::rpc_runtime::codegen::FieldCodec>::encoded_len(&self.#ident, #number))
    });
    let message_name = &message.common.name;
    let merge = fields.iter().zip(&codecs).map(|(field, codec)| {
        let (ident, number, name) = (&field.ident, field.number, &field.name);
        quote! {
            #number => <#codec as ::rpc_runtime::codegen::FieldCodec>::merge(&mut self.#ident, wire_type, buf, cx)
                .map_err(|error| ::rpc_runtime::codegen::in_field(error, #message_name, #name)),
        }
    });
    let validate = codecs.iter().zip(&idents).enumerate().map(|(at, (codec, ident))| {
        quote!(<#codec as ::rpc_runtime::codegen::FieldCodec>::validate(&self.#ident, &facts[#at], validator);)
    });
    let descriptors: Vec<_> = fields
        .iter()
        .zip(&codecs)
        .map(|(field, codec)| {
            let (name, number, facts) = (&field.name, field.number, descriptor::field_facts(field));
            quote!(::rpc_runtime::codegen::FieldDescriptor::of::<#codec>(#name, #number) #facts)
        })
        .collect();
    let descriptor = descriptor::message_descriptor(message, &descriptors);
    let with_defaults = with_defaults(fields);

    quote! {
        #default

        impl ::rpc_runtime::codegen::Message for #ident {
            #[allow(unused_variables)]
            fn encode_raw(&self, buf: &mut impl ::rpc_runtime::codegen::BufMut) {
                #(#encode)*
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
                0 #(#encoded_len)*
            }
            fn clear(&mut self) {
                #(<#codecs as ::rpc_runtime::codegen::FieldCodec>::clear(&mut self.#idents);)*
                #(self.#skipped = ::core::default::Default::default();)*
            }
        }

        impl ::rpc_runtime::codegen::ContractField for #ident {
            ::rpc_runtime::codegen::message_field!();
            #[allow(unused_variables)]
            fn validate(&self, validator: &mut ::rpc_runtime::codegen::Validator<'_>) {
                let facts = <Self as ::rpc_runtime::codegen::Contract>::descriptor().fields;
                #(#validate)*
            }
        }

        impl ::rpc_runtime::codegen::Contract for #ident {
            const FULL_NAME: &'static str = #full_name;
            fn descriptor() -> &'static ::rpc_runtime::codegen::MessageDescriptor {
                #descriptor
            }
            #with_defaults
        }
    }
}

/// `with_defaults`, where the contract declares any.
fn with_defaults(fields: &[Field]) -> Option<TokenStream> {
    let assignments: Vec<_> = fields
        .iter()
        .filter_map(|field| {
            let ident = &field.ident;
            let default = field.facts.default.as_ref()?;
            let value = match field.ty.value.scalar() {
                Some(Scalar::String) => quote!(::core::convert::From::from(#default)),
                Some(Scalar::Bytes) => quote!(::core::convert::From::from(&#default[..])),
                Some(Scalar::Double) => quote!((#default) as f64),
                Some(Scalar::Float) => quote!((#default) as f32),
                _ => quote!(#default),
            };
            let value = match field.ty.cardinality {
                Cardinality::Optional => quote!(::core::option::Option::Some(#value)),
                _ => value,
            };
            Some(quote!(value.#ident = #value;))
        })
        .collect();
    (!assignments.is_empty()).then(|| {
        quote! {
            fn with_defaults() -> Self {
                let mut value = <Self as ::core::default::Default>::default();
                #(#assignments)*
                value
            }
        }
    })
}
