//! Expands `#[derive(Events)]`: an enum whose variants hold one event each, and nothing that goes over the wire by itself.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use rpc_schema::channels;
use rpc_schema::diagnostics::Errors;
use rpc_schema::keys::Keys;
use rpc_schema::parse::{attribute_arguments, attribute_name};
use rpc_schema::types::text;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DataEnum, DeriveInput, Fields, Ident, Type, Variant};

/// Expands the derive on `item`. Also where there are mistakes the type gets the trait, so that only they are reported.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let item: DeriveInput = match syn::parse2(item) {
        Ok(item) => item,
        Err(error) => return error.to_compile_error(),
    };
    let mut errors = Errors::new();
    let set = Set::read(&item, &mut errors);
    if errors.is_empty() {
        set.implementation(&item.ident)
    } else {
        let hollow = hollow(&item);
        let errors = errors.to_compile_errors();
        quote! { #hollow #errors }
    }
}

/// What was read from an enum.
#[derive(Default)]
struct Set {
    /// `#[events(channels = "…")]` on the enum.
    channels: Option<String>,
    events: Vec<Member>,
    /// The variant that stands for events of other types.
    other: Option<Ident>,
}

/// A variant that holds an event.
struct Member {
    variant: Ident,
    event: Type,
}

impl Member {
    /// Where everything about the event stands, so that a type that is none is reported there and once.
    fn span(&self) -> Span {
        self.event.span().resolved_at(Span::call_site())
    }
}

impl Set {
    fn read(item: &DeriveInput, errors: &mut Errors) -> Self {
        let mut set = Self::default();
        let mut keys = keys(&["channels"], &item.attrs, errors);
        if let Some(pattern) = keys.string("channels", "room:{id}", errors) {
            match channels::parse(&pattern.value()) {
                Ok(_) => set.channels = Some(pattern.value()),
                Err(mistake) => errors.at(&pattern, mistake),
            }
        }
        if !item.generics.params.is_empty() {
            errors.at(
                &item.generics.params,
                "a set of events is closed, so it names each of them; write the types out",
            );
        }
        match &item.data {
            Data::Enum(variants) => set.read_variants(&item.ident, variants, errors),
            Data::Struct(_) | Data::Union(_) => errors.at(
                &item.ident,
                format!(
                    "`Events` is derived on an enum, with a variant for each event; an event by itself is a contract with \
                     `event`: `#[contract(package = \"…\", event)] struct {} {{ … }}`",
                    item.ident
                ),
            ),
        }
        set
    }

    fn read_variants(&mut self, ident: &Ident, item: &DataEnum, errors: &mut Errors) {
        for variant in &item.variants {
            for field in &variant.fields {
                let attribute = field
                    .attrs
                    .iter()
                    .find(|attribute| attribute_name(attribute).as_deref() == Some("events"));
                if let Some(attribute) = attribute {
                    errors.at(
                        attribute,
                        "`#[events]` stands on the enum or on a variant; move it there",
                    );
                }
            }
            let mut keys = keys(&["other"], &variant.attrs, errors);
            // A key that is misspelt may have been this one.
            let broken = keys.broken;
            let other = keys.flag("other", errors);
            match &variant.fields {
                Fields::Unit if other => self.read_other(variant, errors),
                fields if other => errors.at(
                    fields,
                    format!(
                        "an event of an unknown type cannot be read, so nothing is in here; write `{}`",
                        variant.ident
                    ),
                ),
                Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                    self.read_event(variant, &fields.unnamed[0].ty, errors);
                }
                Fields::Unit if broken => {}
                Fields::Unit => errors.at(
                    &variant.ident,
                    format!(
                        "a variant holds an event; write `{0}({0}Event)`, or for events of unknown types \
                         `#[events(other)] {0}`",
                        variant.ident
                    ),
                ),
                fields => errors.at(
                    fields,
                    format!(
                        "a variant holds one event; make a contract for these, with `event`, and write `{}(…)`",
                        variant.ident
                    ),
                ),
            }
        }
        if self.events.is_empty() && errors.is_empty() {
            errors.at(
                ident,
                format!("`{ident}` is a set without events; add a variant for each, like `Joined(Joined)`"),
            );
        }
    }

    fn read_other(&mut self, variant: &Variant, errors: &mut Errors) {
        if let Some(first) = &self.other {
            errors.at(
                &variant.ident,
                format!("`{first}` stands for events of unknown types already; keep one of them"),
            );
        }
        self.other = Some(variant.ident.clone());
    }

    fn read_event(&mut self, variant: &Variant, event: &Type, errors: &mut Errors) {
        let name = text(event);
        let first = self.events.iter().find(|member| text(&member.event) == name);
        if let Some(first) = first {
            errors.at(
                event,
                format!("`{}` holds `{name}` already; keep one of them", first.variant),
            );
        }
        self.events.push(Member {
            variant: variant.ident.clone(),
            event: event.clone(),
        });
    }

    fn implementation(&self, ident: &Ident) -> TokenStream {
        let names = self.events.iter().map(|member| {
            let (event, span) = (&member.event, member.span());
            quote_spanned!(span=> ::rpc_runtime::codegen::event_facts::<#event>().name())
        });
        let facts = self.events.iter().map(|member| {
            let (event, span) = (&member.event, member.span());
            quote_spanned!(span=> ::rpc_runtime::codegen::event_facts::<#event>())
        });
        let decoded = self.events.iter().map(|member| {
            let (event, variant, span) = (&member.event, &member.variant, member.span());
            quote_spanned! {span=>
                if type_name == ::rpc_runtime::codegen::event_facts::<#event>().name() {
                    return ::core::option::Option::Some(
                        ::rpc_runtime::codegen::decode_event::<#event>(body).map(Self::#variant)
                    );
                }
            }
        });
        let otherwise = match &self.other {
            Some(other) => quote!(::core::option::Option::Some(::core::result::Result::Ok(Self::#other))),
            None => quote!(::core::option::Option::None),
        };
        let channels = self.channels_tokens();
        let checks = self.checks(ident);
        quote! {
            #[automatically_derived]
            #[allow(deprecated)]
            impl ::rpc_runtime::codegen::Events for #ident {
                const NAMES: &'static [&'static str] = &[#(#names),*];
                const CHANNELS: ::core::option::Option<&'static str> = #channels;
                const EVENTS: &'static [::rpc_runtime::codegen::EventFacts] = &[#(#facts),*];
                #[allow(unused_variables)]
                fn decode(
                    type_name: &str,
                    body: ::rpc_runtime::codegen::Bytes,
                ) -> ::core::option::Option<::core::result::Result<Self, ::rpc_runtime::codegen::DecodeError>> {
                    #(#decoded)*
                    #otherwise
                }
            }
            #checks
        }
    }

    /// What the enum says, else what all its events say.
    fn channels_tokens(&self) -> TokenStream {
        if let Some(channels) = &self.channels {
            return quote!(::core::option::Option::Some(#channels));
        }
        let channels = self.events.iter().map(|member| {
            let (event, span) = (&member.event, member.span());
            quote_spanned!(span=> ::rpc_runtime::codegen::event_facts::<#event>().channels())
        });
        quote!(::rpc_runtime::codegen::common_channels(&[#(#channels),*]))
    }

    /// What only the compiler can tell, because it knows the types behind the names.
    fn checks(&self, ident: &Ident) -> TokenStream {
        let mut checks = TokenStream::new();
        for (at, member) in self.events.iter().enumerate() {
            let (event, span) = (&member.event, member.span());
            if at > 0 {
                let twice = format!(
                    "`{}` holds the same event as a variant above it, so it would never come; keep one of them",
                    member.variant
                );
                checks.extend(quote_spanned! {span=>
                    #[allow(deprecated)]
                    const _: () = ::core::assert!(
                        !::rpc_runtime::codegen::is_named_before(
                            <#ident as ::rpc_runtime::codegen::Events>::NAMES,
                            #at,
                        ),
                        "{}", #twice
                    );
                });
            }
            if let Some(channels) = &self.channels {
                let elsewhere = format!(
                    "by its contract `{}` is for other channels than `{channels}`, which this set is for; leave it out, or make \
                     the two the same",
                    text(event)
                );
                checks.extend(quote_spanned! {span=>
                    #[allow(deprecated)]
                    const _: () = ::core::assert!(
                        ::rpc_runtime::codegen::may_be_on(
                            ::rpc_runtime::codegen::event_facts::<#event>().channels(),
                            #channels,
                        ),
                        "{}", #elsewhere
                    );
                });
            }
        }
        checks
    }
}

/// All keys of the `#[events(…)]` on an item or variant.
fn keys(known: &[&str], attributes: &[Attribute], errors: &mut Errors) -> Keys {
    let mut keys = Keys::parse("events", known, TokenStream::new(), errors);
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute_name(attribute).as_deref() == Some("events"))
    {
        let more = Keys::parse("events", known, attribute_arguments(attribute), errors);
        keys.append(more, errors);
    }
    keys
}

/// An implementation without content, for an item with mistakes.
fn hollow(item: &DeriveInput) -> TokenStream {
    let ident = &item.ident;
    if !item.generics.params.is_empty() {
        return TokenStream::new();
    }
    quote! {
        impl ::rpc_runtime::codegen::Events for #ident {
            const NAMES: &'static [&'static str] = &[];
            const CHANNELS: ::core::option::Option<&'static str> = ::core::option::Option::None;
            fn decode(
                _: &str,
                _: ::rpc_runtime::codegen::Bytes,
            ) -> ::core::option::Option<::core::result::Result<Self, ::rpc_runtime::codegen::DecodeError>> {
                ::core::unreachable!()
            }
        }
    }
}
