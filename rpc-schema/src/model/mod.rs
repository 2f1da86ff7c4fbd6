//! What pass 1 finds in one item. Everything here still has its `syn` pieces and spans, because the macro emits from it.

mod service;

pub use service::{Method, MethodKind, MethodOptions, Origin, Parameter, Service};

use crate::types::FieldType;
use proc_macro2::Span;
use syn::{Expr, Ident};

/// One contract.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "a handful exist at a time")]
pub enum Item {
    /// A struct, or an enum with data.
    Message(Message),
    /// An enum without data.
    Enum(Enum),
    /// A trait, or a `#[rpc]` impl.
    Service(Service),
}

impl Item {
    /// The Rust name.
    pub fn ident(&self) -> &Ident {
        match self {
            Self::Message(message) => &message.ident,
            Self::Enum(item) => &item.ident,
            Self::Service(service) => &service.ident,
        }
    }

    /// What all contracts have.
    pub fn common(&self) -> &Common {
        match self {
            Self::Message(message) => &message.common,
            Self::Enum(item) => &item.common,
            Self::Service(service) => &service.common,
        }
    }
}

/// What all contracts have.
#[derive(Debug)]
pub struct Common {
    /// The protobuf package.
    pub package: String,
    /// The protobuf name, without the package.
    pub name: String,
    /// The doc comment, a line each, without the leading space.
    pub docs: Vec<String>,
    /// Where the schema lies, relative to the crate, if not at the default.
    pub proto_path: Option<String>,
    /// Names of messages and methods that are gone for good.
    pub removed: Vec<String>,
    /// Not scanned by the build script: doctests and tests.
    pub detached: bool,
    /// `#[deprecated]` stands on the item.
    pub deprecated: bool,
}

impl Common {
    /// `task.Task`.
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.package, self.name)
    }
}

/// A struct, or an enum with data.
#[derive(Debug)]
pub struct Message {
    /// The Rust name.
    pub ident: Ident,
    /// What all contracts have.
    pub common: Common,
    /// Fields of a struct, or members of the oneof.
    pub fields: Vec<Field>,
    /// Fields marked `skip`: not on the wire, default when decoded.
    pub skipped: Vec<Ident>,
    /// For an enum with data: the unit variant that stands for nothing set.
    pub unset: Option<Ident>,
    /// Whether it is an enum with data.
    pub oneof: bool,
    /// Whether it is `struct X;`.
    pub unit: bool,
    /// Numbers and names that must not come back.
    pub reserved: Reserved,
    /// The CRUD service derived from it.
    pub crud: Option<Crud>,
    /// May be published as an event.
    pub event: bool,
    /// The pattern of the channels that the event is for, where it says so.
    pub channels: Option<String>,
}

/// A field of a message, or a member of a oneof.
#[derive(Debug)]
pub struct Field {
    /// The Rust name: of the field, or of the variant.
    pub ident: Ident,
    /// The protobuf name.
    pub name: String,
    /// The field number.
    pub number: u32,
    /// Where the number was given, else where the field stands.
    pub number_span: Span,
    /// Its type.
    pub ty: FieldType,
    /// For a member of a oneof: whether the variant has no data, and is an empty message on the wire.
    pub unit_variant: bool,
    /// The doc comment.
    pub docs: Vec<String>,
    /// Facts that are not on the wire.
    pub facts: Facts,
    /// What a value must fulfil.
    pub rules: Vec<Rule>,
    /// `#[field(deprecated)]` or `#[deprecated]`.
    pub deprecated: bool,
    /// The field, for diagnostics.
    pub span: Span,
}

/// Facts about a field that storage and forms are derived from.
#[derive(Debug, Default)]
pub struct Facts {
    /// The key of the record.
    pub id: bool,
    /// No two records have the same.
    pub unique: bool,
    /// Is searched by.
    pub index: bool,
    /// What `with_defaults()` sets.
    pub default: Option<Expr>,
}

/// A rule on a field's value.
///
/// On a list, and on a map, the rules on length, pattern, format and range hold for each item (each value of a map);
/// `MinItems` and `MaxItems` for the list or map itself.
#[derive(Debug, Clone)]
pub enum Rule {
    /// At least that many characters (strings) or bytes.
    MinLen(u64),
    /// At most that many characters (strings) or bytes.
    MaxLen(u64),
    /// A regular expression that must be found in the string.
    Pattern(String),
    /// Bounds of a number.
    Range(Range),
    /// At least that many items.
    MinItems(u64),
    /// At most that many items.
    MaxItems(u64),
    /// A known format of string.
    Format(Format),
    /// Must be there: not absent, and not zero where absence cannot be told.
    Required,
}

/// Bounds of a number.
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    /// The least value allowed.
    pub from: Option<Number>,
    /// The greatest value, and whether it is itself allowed.
    pub to: Option<(Number, bool)>,
}

/// A literal number.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub enum Number {
    /// A whole number; wide enough for both 64-bit kinds.
    Whole(i128),
    /// With a fraction.
    Fraction(f64),
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(number) => number.fmt(f),
            Self::Fraction(number) => write!(f, "{number:?}"),
        }
    }
}

/// A known format of string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Format {
    Email,
    Uuid,
    Uri,
    Hostname,
    Ip,
}

impl Format {
    /// All of them, with their names in contracts, which are also protovalidate's.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Email, "email"),
        (Self::Uuid, "uuid"),
        (Self::Uri, "uri"),
        (Self::Hostname, "hostname"),
        (Self::Ip, "ip"),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// Numbers and names that must not come back.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Reserved {
    /// Inclusive ranges, in order.
    pub numbers: Vec<(i64, i64)>,
    /// Names, in order.
    pub names: Vec<String>,
}

impl Reserved {
    /// Whether a number is reserved.
    pub fn has_number(&self, number: i64) -> bool {
        self.numbers
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&number))
    }

    /// Whether a name is reserved.
    pub fn has_name(&self, name: &str) -> bool {
        self.names.iter().any(|reserved| reserved == name)
    }
}

/// The CRUD service of a contract with `controller`.
#[derive(Debug)]
pub struct Crud {
    /// `Task`: the stem of the service and of its messages.
    pub controller: String,
    /// Which calls there are.
    pub operations: Vec<Operation>,
    /// What all its methods share.
    pub access: Access,
    /// The channel that is told of what its calls changed.
    pub changes: Option<String>,
}

/// A call of a CRUD service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Operation {
    Add,
    Update,
    Delete,
    GetAll,
}

impl Operation {
    /// All of them, with their keys in `operations(…)`, which are also the service's method names.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Add, "add"),
        (Self::Update, "update"),
        (Self::Delete, "delete"),
        (Self::GetAll, "get_all"),
    ];

    /// `get_all`.
    pub fn key(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Whether it changes what there is.
    pub fn changes(self) -> bool {
        !matches!(self, Self::GetAll)
    }

    /// `GetAll`, which stands before the controller in the method's name.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Add => "Add",
            Self::Update => "Update",
            Self::Delete => "Delete",
            Self::GetAll => "GetAll",
        }
    }
}

/// Who may call.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Access {
    /// The caller must be authenticated.
    pub auth: bool,
    /// Named checks, all of which must pass.
    pub guards: Vec<String>,
}

/// An enum without data.
#[derive(Debug)]
pub struct Enum {
    /// The Rust name.
    pub ident: Ident,
    /// What all contracts have.
    pub common: Common,
    /// The values, in the order of declaration.
    pub values: Vec<EnumValue>,
    /// The variant that keeps numbers it does not know, which makes the enum open.
    pub other: Option<Ident>,
    /// Numbers and names that must not come back.
    pub reserved: Reserved,
}

impl Enum {
    /// What stands before every value's name in the schema: `TASK_STATE_`.
    pub fn value_prefix(&self) -> String {
        format!("{}_", crate::names::shouty_snake_case(&self.common.name))
    }
}

/// A value of an enum.
#[derive(Debug)]
pub struct EnumValue {
    /// The Rust name.
    pub ident: Ident,
    /// The protobuf name, with the enum's name before it: `PRIORITY_HIGH`.
    pub name: String,
    /// Its number.
    pub number: i32,
    /// The doc comment.
    pub docs: Vec<String>,
    /// `#[field(deprecated)]` or `#[deprecated]`.
    pub deprecated: bool,
    /// The variant, for diagnostics.
    pub span: Span,
}
