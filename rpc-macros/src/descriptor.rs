//! Tokens of codecs and descriptors, which structs and enums with data share.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use rpc_schema::model::{Field, Format, Message, Number, Range, Rule};
use rpc_schema::types::{Cardinality, Scalar, Value};
use syn::spanned::Spanned;
use syn::{GenericArgument, PathArguments, Type};

/// The codec of one value: `codegen::Utf8`, `codegen::Named<Money>`.
pub(crate) fn value_codec(value: &Value, boxed: bool, span: Span) -> TokenStream {
    let codec = match value {
        Value::Scalar(scalar) => {
            let name = syn::Ident::new(scalar.codec_name(), span);
            quote_spanned!(span=> ::rpc_runtime::codegen::#name)
        }
        Value::ByteVec => quote_spanned!(span=> ::rpc_runtime::codegen::ByteVec),
        Value::Unit => quote_spanned!(span=> ::rpc_runtime::codegen::Named<()>),
        Value::Named(path) => quote_spanned!(span=> ::rpc_runtime::codegen::Named<#path>),
    };
    if boxed {
        quote_spanned!(span=> ::rpc_runtime::codegen::Boxed<#codec>)
    } else {
        codec
    }
}

/// The codec of a field: `codegen::Singular<codegen::Utf8>`.
pub(crate) fn field_codec(field: &Field) -> TokenStream {
    let span = value_span(field);
    let value = value_codec(&field.ty.value, field.ty.boxed, span);
    match &field.ty.cardinality {
        Cardinality::Singular => quote_spanned!(span=> ::rpc_runtime::codegen::Singular<#value>),
        Cardinality::Optional => quote_spanned!(span=> ::rpc_runtime::codegen::Optional<#value>),
        Cardinality::Repeated => quote_spanned!(span=> ::rpc_runtime::codegen::Repeated<#value>),
        Cardinality::Map { key, ordered } => {
            let key = value_codec(&Value::Scalar(*key), false, span);
            if *ordered {
                quote_spanned!(span=> ::rpc_runtime::codegen::SortedMap<#key, #value>)
            } else {
                let hasher = hasher(&field.ty.rust).map(|hasher| quote!(, #hasher));
                quote_spanned!(span=> ::rpc_runtime::codegen::Map<#key, #value #hasher>)
            }
        }
    }
}

/// Where a field's type is named: `Place` in `Vec<Place>`. All code about a field stands there, so that a type without a
/// contract is reported there and once; its names are the macro's own, also where a `macro_rules!` gave the type.
pub(crate) fn value_span(field: &Field) -> Span {
    let span = match &field.ty.value {
        Value::Named(path) => path.span(),
        _ => field.ty.rust.span(),
    };
    span.resolved_at(Span::call_site())
}

/// The third argument of `HashMap<K, V, S>`.
fn hasher(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else {
        return None;
    };
    match arguments.args.iter().nth(2)? {
        GenericArgument::Type(hasher) => Some(hasher),
        _ => None,
    }
}

/// The body of `Contract::descriptor`: a static and a reference to it. `fields` are the fields' descriptors.
pub(crate) fn message_descriptor(message: &Message, fields: &[TokenStream]) -> TokenStream {
    let ident = &message.ident;
    let package = &message.common.package;
    let full_name = message.common.full_name();
    let rust_name = rpc_schema::names::plain(&message.ident);
    let docs = docs(&message.common.docs);
    let oneof_name = rpc_schema::names::ONEOF_NAME;
    let oneof = message.oneof.then(|| quote!(.oneof(#oneof_name)));
    let event = message.event.then(|| quote!(.event()));
    let channels = message
        .channels
        .as_ref()
        .map(|channels| quote!(.channels(#channels)));
    let crud = message.crud.as_ref().map(|crud| {
        let service = format!("{package}.{}Service", crud.controller);
        let operations = crud.operations.iter().map(|operation| operation.key());
        let changes = crud.changes.as_ref().map(|channel| quote!(.changes(#channel)));
        quote!(.crud(::rpc_runtime::codegen::CrudDescriptor::new(#service, &[#(#operations),*]) #changes))
    });
    quote! {
        static DESCRIPTOR: ::rpc_runtime::codegen::MessageDescriptor =
            ::rpc_runtime::codegen::MessageDescriptor::new::<#ident>(#package, #full_name, #rust_name, &[#(#fields),*])
            #docs #oneof #event #channels #crud;
        &DESCRIPTOR
    }
}

/// What makes a message an event, if its contract says that it is one.
pub(crate) fn event(message: &Message) -> Option<TokenStream> {
    let ident = &message.ident;
    let channels = message.channels.as_ref().map(|channels| {
        quote! {
            const CHANNELS: ::core::option::Option<&'static str> = ::core::option::Option::Some(#channels);
        }
    });
    let files = (!message.common.detached).then(|| {
        quote! {
            const FILES: &'static [u8] = ::rpc_runtime::codegen::descriptor_set!();
        }
    });
    message.event.then(|| {
        quote! {
            #[diagnostic::do_not_recommend]
            #[allow(deprecated)]
            impl ::rpc_runtime::codegen::Event for #ident { #channels #files }
        }
    })
}

/// What follows `FieldDescriptor::of::<…>(…)`: the field's facts.
pub(crate) fn field_facts(field: &Field) -> TokenStream {
    let docs = docs(&field.docs);
    let id = field.facts.id.then(|| quote!(.id()));
    let unique = field.facts.unique.then(|| quote!(.unique()));
    let index = field.facts.index.then(|| quote!(.index()));
    let deprecated = field.deprecated.then(|| quote!(.deprecated()));
    let default = field.facts.default.as_ref().map(|default| {
        let value = default_value(field, default);
        quote!(.default(#value))
    });
    let rules = (!field.rules.is_empty()).then(|| {
        let rules = field.rules.iter().map(|one| rule(one, field.ty.value.scalar()));
        quote!(.rules(&[#(#rules),*]))
    });
    quote!(#docs #id #unique #index #deprecated #default #rules)
}

/// `.docs("…")`, or nothing.
pub(crate) fn docs(lines: &[String]) -> Option<TokenStream> {
    let text = lines.join("\n");
    (!text.is_empty()).then(|| quote!(.docs(#text)))
}

fn default_value(field: &Field, default: &syn::Expr) -> TokenStream {
    let kind = quote!(::rpc_runtime::codegen::DefaultValue);
    match field.ty.value.scalar() {
        Some(Scalar::Bool) => quote!(#kind::Bool(#default)),
        Some(Scalar::String) => quote!(#kind::Text(#default)),
        Some(Scalar::Bytes) => quote!(#kind::Bytes(#default)),
        Some(scalar) if scalar.is_float() => quote!(#kind::Double((#default) as f64)),
        Some(scalar) if scalar.is_unsigned() => quote!(#kind::Uint(#default)),
        Some(_) => quote!(#kind::Int(#default)),
        None => quote!(#kind::Enum(|| ::rpc_runtime::codegen::ContractEnum::number(#default))),
    }
}

fn rule(rule: &Rule, scalar: Option<Scalar>) -> TokenStream {
    let kind = quote!(::rpc_runtime::codegen::Rule);
    match rule {
        Rule::MinLen(least) => quote!(#kind::MinLen(#least)),
        Rule::MaxLen(most) => quote!(#kind::MaxLen(#most)),
        Rule::Pattern(pattern) => quote!(#kind::Pattern({
            static PATTERN: ::rpc_runtime::codegen::Pattern = ::rpc_runtime::codegen::Pattern::new(#pattern);
            &PATTERN
        })),
        Rule::Range(Range { from, to }) => {
            let bound = quote!(::rpc_runtime::codegen::Bound);
            let min = match from {
                Some(from) => {
                    let from = number(*from, scalar);
                    quote!(#bound::Inclusive(#from))
                }
                None => quote!(#bound::Unbounded),
            };
            let max = match to {
                Some((to, inclusive)) => {
                    let to = number(*to, scalar);
                    if *inclusive {
                        quote!(#bound::Inclusive(#to))
                    } else {
                        quote!(#bound::Exclusive(#to))
                    }
                }
                None => quote!(#bound::Unbounded),
            };
            quote!(#kind::Range { min: #min, max: #max })
        }
        Rule::MinItems(least) => quote!(#kind::MinItems(#least)),
        Rule::MaxItems(most) => quote!(#kind::MaxItems(#most)),
        Rule::Format(format) => {
            let name = match format {
                Format::Email => quote!(Email),
                Format::Uuid => quote!(Uuid),
                Format::Uri => quote!(Uri),
                Format::Hostname => quote!(Hostname),
                Format::Ip => quote!(Ip),
            };
            quote!(#kind::Format(::rpc_runtime::codegen::Format::#name))
        }
        Rule::Required => quote!(#kind::Required),
    }
}

/// A bound in the number type of the field's scalar; pass 1 made sure that it fits.
fn number(number: Number, scalar: Option<Scalar>) -> TokenStream {
    let kind = quote!(::rpc_runtime::codegen::Number);
    match number {
        Number::Whole(value) => {
            let literal = Literal::i128_unsuffixed(value.abs());
            let sign = (value < 0).then(|| quote!(-));
            if scalar.is_some_and(Scalar::is_unsigned) {
                quote!(#kind::Uint(#literal))
            } else {
                quote!(#kind::Int(#sign #literal))
            }
        }
        Number::Fraction(value) => {
            let literal = Literal::f64_unsuffixed(value.abs());
            let sign = (value < 0.0).then(|| quote!(-));
            if scalar == Some(Scalar::Float) {
                quote!(#kind::Float(#sign #literal))
            } else {
                quote!(#kind::Double(#sign #literal))
            }
        }
    }
}
