//! `codegen::prost_contract!`: gives a message that prost generated the traits of a contract.

/// Implements `Contract` and `ContractField` for a message that prost's derive reads and writes.
///
/// Each field is named as in the Rust struct, with its number and its codec; the members of a `oneof` stand in braces
/// behind the Rust path of its enum. A field that must be set ends in `as Required`. Enum fields are `i32` in such
/// messages and take the codec `Int32`. Facts about a field may follow in brackets, as calls on its descriptor.
///
/// ```
/// use rpc_runtime::codegen;
///
/// #[derive(Clone, PartialEq, prost::Message)]
/// pub struct Note {
///     #[prost(string, tag = "1")]
///     pub id: String,
///     #[prost(oneof = "Extra", tags = "3, 4")]
///     pub extra: Option<Extra>,
/// }
///
/// #[derive(Clone, PartialEq, prost::Oneof)]
/// pub enum Extra {
///     #[prost(string, tag = "3")]
///     Text(String),
///     #[prost(message, tag = "4")]
///     Child(Box<Note>),
/// }
///
/// codegen::prost_contract! {
///     Note = "notes" "notes.Note" {
///         id: 1 => codegen::Singular<codegen::Utf8> [.rules(&[codegen::Rule::MinLen(1)])],
///         oneof extra: Extra {
///             Text: text = 3 => codegen::Utf8,
///             Child: child = 4 => codegen::Boxed<codegen::Named<Note>>,
///         },
///     }
/// }
///
/// let child = Extra::Child(Box::new(Note::default()));
/// let note = Note { id: "1".into(), extra: Some(child) };
/// let violations = rpc_runtime::validate::validate(&note).unwrap_err();
/// assert_eq!(violations.to_string(), "child.id: must be at least 1 characters [string.min_len]");
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __prost_contract {
    ($message:ty = $package:literal $full_name:literal { $($body:tt)* }) => {
        #[diagnostic::do_not_recommend]
        impl $crate::codegen::Contract for $message {
            const FULL_NAME: &'static str = $full_name;
            fn descriptor() -> &'static $crate::codegen::MessageDescriptor {
                static DESCRIPTOR: $crate::codegen::MessageDescriptor =
                    $crate::codegen::MessageDescriptor::new::<$message>(
                        $package,
                        $full_name,
                        ::core::stringify!($message),
                        $crate::__prost_contract!(@fields [] $($body)*),
                    )
                    .read_by_prost();
                &DESCRIPTOR
            }
        }

        #[diagnostic::do_not_recommend]

        impl $crate::codegen::ContractField for $message {
            $crate::codegen::message_field!();
            fn validate(&self, validator: &mut $crate::codegen::Validator<'_>) {
                let facts = <Self as $crate::codegen::Contract>::descriptor().fields;
                let _ = (facts, &validator);
                $crate::__prost_contract!(@validate (self, validator, facts, 0usize) $($body)*);
            }
        }
    };

    (@fields [$($done:expr,)*]) => { &[$($done,)*] };
    (@fields [$($done:expr,)*]
        oneof $oneof:ident: $enum:path { $($variant:ident: $name:ident = $number:literal => $codec:ty $([$($fact:tt)*])?),* $(,)? }
        $(, $($rest:tt)*)?
    ) => {
        $crate::__prost_contract!(@fields [
            $($done,)*
            $($crate::codegen::FieldDescriptor::member::<$codec>($crate::codegen::field_name(::core::stringify!($name)), $number)
                $($($fact)*)?,)*
        ] $($($rest)*)?)
    };
    (@fields [$($done:expr,)*]
        $name:ident: $number:literal => $codec:ty $(as $rule:ident)? $([$($fact:tt)*])? $(, $($rest:tt)*)?
    ) => {
        $crate::__prost_contract!(@fields [
            $($done,)*
            $crate::codegen::FieldDescriptor::of::<$codec>($crate::codegen::field_name(::core::stringify!($name)), $number)
                $(.rules(&[$crate::codegen::Rule::$rule]))? $($($fact)*)?,
        ] $($($rest)*)?)
    };

    (@validate ($self:ident, $validator:ident, $facts:ident, $index:expr)) => {};
    (@validate ($self:ident, $validator:ident, $facts:ident, $index:expr)
        oneof $oneof:ident: $enum:path { $($variant:ident: $name:ident = $number:literal => $codec:ty $([$($fact:tt)*])?),* $(,)? }
        $(, $($rest:tt)*)?
    ) => {
        $crate::__prost_contract!(@members ($self, $validator, $facts, $index, $oneof) $enum { $($variant => $codec),* });
        $crate::__prost_contract!(@validate
            ($self, $validator, $facts, $index $(+ $crate::codegen::one($number))*) $($($rest)*)?);
    };
    (@validate ($self:ident, $validator:ident, $facts:ident, $index:expr)
        $name:ident: $number:literal => $codec:ty $(as $rule:ident)? $([$($fact:tt)*])? $(, $($rest:tt)*)?
    ) => {
        <$codec as $crate::codegen::FieldCodec>::validate(&$self.$name, &$facts[$index], $validator);
        $crate::__prost_contract!(@validate ($self, $validator, $facts, $index + 1usize) $($($rest)*)?);
    };

    (@members ($self:ident, $validator:ident, $facts:ident, $index:expr, $oneof:ident) $enum:path {}) => {};
    (@members ($self:ident, $validator:ident, $facts:ident, $index:expr, $oneof:ident)
        $enum:path { $variant:ident => $codec:ty $(, $others:ident => $other_codecs:ty)* }
    ) => {
        {
            use $enum as __Oneof;
            if let ::core::option::Option::Some(__Oneof::$variant(value)) = &$self.$oneof {
                $validator.member::<$codec>(value, &$facts[$index]);
            }
        }
        $crate::__prost_contract!(@members ($self, $validator, $facts, $index + 1usize, $oneof)
            $enum { $($others => $other_codecs),* });
    };
}

/// The protobuf name of a field whose Rust name may be a raw identifier.
#[must_use]
pub const fn field_name(rust_name: &'static str) -> &'static str {
    match rust_name.as_bytes() {
        [b'r', b'#', ..] => rust_name.split_at(2).1,
        _ => rust_name,
    }
}

/// One, whatever the number: counts the members of a `oneof`.
#[must_use]
pub const fn one(_number: u32) -> usize {
    1
}
