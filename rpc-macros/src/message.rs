//! Expands a struct: `Default`, `Message`, `ContractField` and `Contract`.

use crate::descriptor;
use crate::reemit;
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use rpc_schema::model::{Field, Message};
use rpc_schema::types::{Cardinality, Scalar};
use syn::Item;

/// The implementations of a struct without mistakes.
pub(crate) fn expand(message: &Message, item: &Item) -> TokenStream {
    let ident = &message.ident;
    let full_name = message.common.full_name();
    let fields = &message.fields;
    let calls: Vec<Call> = fields.iter().map(Call::new).collect();
    let skipped = &message.skipped;
    let idents = fields.iter().map(|field| &field.ident);
    let zeros = calls.iter().map(Call::zero);

    let default = (!reemit::derives_default(item)).then(|| {
        quote! {
            #[automatically_derived]
            #[allow(deprecated)]
            impl ::core::default::Default for #ident {
                /// Proto3's zero value of every field; declared defaults are `with_defaults()`.
                fn default() -> Self {
                    Self {
                        #(#idents: #zeros,)*
                        #(#skipped: ::core::default::Default::default(),)*
                    }
                }
            }
        }
    });

    // Encoders write in the order of the numbers, as every protobuf implementation does.
    let mut ordered: Vec<&Call> = calls.iter().collect();
    ordered.sort_by_key(|call| call.field.number);
    let encode = ordered.iter().map(|call| call.encode());
    let encoded_len = ordered.iter().map(|call| call.encoded_len());
    let message_name = &message.common.name;
    let merge = calls.iter().map(|call| call.merge(message_name));
    let clear = calls.iter().map(Call::clear);
    let validate = calls.iter().enumerate().map(|(at, call)| call.validate(at));
    let descriptors: Vec<_> = calls.iter().map(Call::descriptor).collect();
    let descriptor = descriptor::message_descriptor(message, &descriptors);
    let event = descriptor::event(message);
    let with_defaults = with_defaults(fields);

    quote! {
        #default

        #[allow(deprecated)]
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
                #(#clear)*
                #(self.#skipped = ::core::default::Default::default();)*
            }
        }

        #[diagnostic::do_not_recommend]
        #[allow(deprecated)]
        impl ::rpc_runtime::codegen::ContractField for #ident {
            ::rpc_runtime::codegen::message_field!();
            #[allow(unused_variables)]
            fn validate(&self, validator: &mut ::rpc_runtime::codegen::Validator<'_>) {
                let facts = <Self as ::rpc_runtime::codegen::Contract>::descriptor().fields;
                #(#validate)*
            }
        }

        #[diagnostic::do_not_recommend]
        #[allow(deprecated)]
        impl ::rpc_runtime::codegen::Contract for #ident {
            const FULL_NAME: &'static str = #full_name;
            fn descriptor() -> &'static ::rpc_runtime::codegen::MessageDescriptor {
                #descriptor
            }
            #with_defaults
        }

        #event
    }
}

/// The code about one field.
struct Call<'a> {
    field: &'a Field,
    codec: TokenStream,
    span: Span,
}

impl<'a> Call<'a> {
    fn new(field: &'a Field) -> Self {
        let span = descriptor::value_span(field);
        let codec = descriptor::field_codec(field);
        Self {
            field,
            codec: quote_spanned!(span=> <#codec as ::rpc_runtime::codegen::FieldCodec>),
            span,
        }
    }

    fn zero(&self) -> TokenStream {
        let codec = &self.codec;
        quote_spanned!(self.span=> #codec::zero())
    }

    fn encode(&self) -> TokenStream {
        let (codec, ident, number) = (&self.codec, &self.field.ident, self.field.number);
        quote_spanned!(self.span=> #codec::encode(&self.#ident, #number, buf);)
    }

    fn encoded_len(&self) -> TokenStream {
        let (codec, ident, number) = (&self.codec, &self.field.ident, self.field.number);
        quote_spanned!(self.span=> + #codec::encoded_len(&self.#ident, #number))
    }

    fn merge(&self, message: &str) -> TokenStream {
        let (codec, ident, number) = (&self.codec, &self.field.ident, self.field.number);
        let name = &self.field.name;
        quote_spanned! {self.span=>
            #number => #codec::merge(&mut self.#ident, wire_type, buf, cx)
                .map_err(|error| ::rpc_runtime::codegen::in_field(error, #message, #name)),
        }
    }

    fn clear(&self) -> TokenStream {
        let (codec, ident) = (&self.codec, &self.field.ident);
        quote_spanned!(self.span=> #codec::clear(&mut self.#ident);)
    }

    fn validate(&self, at: usize) -> TokenStream {
        let (codec, ident) = (&self.codec, &self.field.ident);
        quote_spanned!(self.span=> #codec::validate(&self.#ident, &facts[#at], validator);)
    }

    fn descriptor(&self) -> TokenStream {
        let (codec, name, number) = (&self.codec, &self.field.name, self.field.number);
        let facts = descriptor::field_facts(self.field);
        quote_spanned! {self.span=>
            ::rpc_runtime::codegen::FieldDescriptor::new(
                #name,
                #number,
                #codec::CARDINALITY,
                #codec::KIND,
                #codec::LAYOUT,
            ) #facts
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
