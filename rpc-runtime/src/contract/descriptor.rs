//! Descriptors: the facts of a contract, as data that lives for the whole program.
//!
//! Generated code builds them in constants. Storage, forms, validation, the memory bound and reflection read them.

use super::enumeration::EnumDescriptor;
use super::layout::{Holder, Layout};
use crate::codec::{FieldCodec, ValueCodec};
use crate::validate::Rule;

/// All facts about a message.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct MessageDescriptor {
    /// The protobuf full name, such as `task.Task`.
    pub full_name: &'static str,
    /// The protobuf package, such as `task`.
    pub package: &'static str,
    /// The name of the Rust type.
    pub rust_name: &'static str,
    /// The contract's documentation, without comment marks.
    pub docs: &'static str,
    /// The fields in the order of their declaration; of an enum with data, the members of its `oneof`.
    pub fields: &'static [FieldDescriptor],
    /// The name of the `oneof` when the contract is an enum with data.
    pub oneof: Option<&'static str>,
    /// The CRUD service that the contract declares.
    pub crud: Option<CrudDescriptor>,
    /// Whether the message may be published as an event.
    pub event: bool,
    /// The pattern of the channels that the event is for, such as `room:{id}`; `None` where its contract names none.
    pub channels: Option<&'static str>,
    /// Bytes of the Rust value, without what it points to.
    pub size: usize,
    /// Whether packed lists take memory once, for as many values as come. Messages that prost's derive reads do not.
    pub reserves_packed: bool,
}

impl MessageDescriptor {
    /// The descriptor of `T`, whose full name is `full_name` in `package`.
    #[must_use]
    pub const fn new<T>(
        package: &'static str,
        full_name: &'static str,
        rust_name: &'static str,
        fields: &'static [FieldDescriptor],
    ) -> Self {
        MessageDescriptor {
            full_name,
            package,
            rust_name,
            docs: "",
            fields,
            oneof: None,
            crud: None,
            event: false,
            channels: None,
            size: size_of::<T>(),
            reserves_packed: true,
        }
    }

    /// Sets the documentation.
    #[must_use]
    pub const fn docs(mut self, docs: &'static str) -> Self {
        self.docs = docs;
        self
    }

    /// Says that the message is one `oneof` of this name.
    #[must_use]
    pub const fn oneof(mut self, name: &'static str) -> Self {
        self.oneof = Some(name);
        self
    }

    /// Says that the contract declares a CRUD service.
    #[must_use]
    pub const fn crud(mut self, crud: CrudDescriptor) -> Self {
        self.crud = Some(crud);
        self
    }

    /// Says that the message may be published.
    #[must_use]
    pub const fn event(mut self) -> Self {
        self.event = true;
        self
    }

    /// Sets the pattern of the channels that the event is for.
    #[must_use]
    pub const fn channels(mut self, pattern: &'static str) -> Self {
        self.channels = Some(pattern);
        self
    }

    /// Says that prost's derive reads the message.
    #[must_use]
    pub const fn read_by_prost(mut self) -> Self {
        self.reserves_packed = false;
        self
    }

    /// The field with this number.
    #[must_use]
    pub fn field(&self, number: u32) -> Option<&'static FieldDescriptor> {
        self.fields.iter().find(|field| field.number == number)
    }

    /// The field that is the contract's id.
    #[must_use]
    pub fn id(&self) -> Option<&'static FieldDescriptor> {
        self.fields.iter().find(|field| field.id)
    }
}

/// The CRUD service of a contract.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct CrudDescriptor {
    /// The service's full name, such as `task.TaskService`.
    pub service: &'static str,
    /// The calls that it has, of `add`, `update`, `delete`, `get_all`.
    pub operations: &'static [&'static str],
    /// The channel that is told of what the calls changed.
    pub changes: Option<&'static str>,
}

impl CrudDescriptor {
    /// The service with this full name and these calls.
    #[must_use]
    pub const fn new(service: &'static str, operations: &'static [&'static str]) -> Self {
        CrudDescriptor {
            service,
            operations,
            changes: None,
        }
    }

    /// Sets the channel that is told of changes.
    #[must_use]
    pub const fn changes(mut self, channel: &'static str) -> Self {
        self.changes = Some(channel);
        self
    }
}

/// All facts about a field.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct FieldDescriptor {
    /// The protobuf name.
    pub name: &'static str,
    /// The field number.
    pub number: u32,
    /// The field's documentation, without comment marks.
    pub docs: &'static str,
    /// How many values the field holds.
    pub cardinality: Cardinality,
    /// What each value is; of a map, what each of its values is.
    pub kind: Kind,
    /// What the field takes in memory.
    pub layout: Layout,
    /// Whether it is the contract's id.
    pub id: bool,
    /// Whether storage keeps its values distinct.
    pub unique: bool,
    /// Whether storage finds by it.
    pub index: bool,
    /// Whether its use is discouraged.
    pub deprecated: bool,
    /// The declared default, which is not proto3's zero.
    pub default: Option<DefaultValue>,
    /// The rules that its values must keep.
    pub rules: &'static [Rule],
}

impl FieldDescriptor {
    /// The field `name = number` that `C` reads and writes.
    #[must_use]
    pub const fn of<C: FieldCodec>(name: &'static str, number: u32) -> Self {
        Self::new(name, number, C::CARDINALITY, C::KIND, C::LAYOUT)
    }

    /// The member `name = number` of a `oneof`, whose value `C` reads and writes.
    #[must_use]
    pub const fn member<C: ValueCodec>(name: &'static str, number: u32) -> Self {
        let layout = Layout::of_value::<C>(Holder::Inline, size_of::<C::Value>());
        Self::new(name, number, Cardinality::Member, C::KIND, layout)
    }

    /// The field `name = number` with what its codec says of it.
    #[must_use]
    pub const fn new(
        name: &'static str,
        number: u32,
        cardinality: Cardinality,
        kind: Kind,
        layout: Layout,
    ) -> Self {
        FieldDescriptor {
            name,
            number,
            docs: "",
            cardinality,
            kind,
            layout,
            id: false,
            unique: false,
            index: false,
            deprecated: false,
            default: None,
            rules: &[],
        }
    }

    /// Sets the documentation.
    #[must_use]
    pub const fn docs(mut self, docs: &'static str) -> Self {
        self.docs = docs;
        self
    }

    /// Says that the field is the contract's id.
    #[must_use]
    pub const fn id(mut self) -> Self {
        self.id = true;
        self
    }

    /// Says that storage keeps the field's values distinct.
    #[must_use]
    pub const fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    /// Says that storage finds by the field.
    #[must_use]
    pub const fn index(mut self) -> Self {
        self.index = true;
        self
    }

    /// Says that the field's use is discouraged.
    #[must_use]
    pub const fn deprecated(mut self) -> Self {
        self.deprecated = true;
        self
    }

    /// Sets the declared default.
    #[must_use]
    pub const fn default(mut self, default: DefaultValue) -> Self {
        self.default = Some(default);
        self
    }

    /// Sets the rules.
    #[must_use]
    pub const fn rules(mut self, rules: &'static [Rule]) -> Self {
        self.rules = rules;
        self
    }

    /// Whether the contract says that the field must be set.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule, Rule::Required))
    }
}

/// How many values a field holds.
#[derive(Debug, Clone, Copy)]
pub enum Cardinality {
    /// One, with implicit presence; a message is always there.
    Singular,
    /// One or none: `Option`, `optional`.
    Optional,
    /// A list: `Vec`, `repeated`.
    Repeated,
    /// A map with keys of this kind.
    Map(Kind),
    /// A member of a `oneof`.
    Member,
}

/// What a value is in protobuf's words.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// `bool`
    Bool,
    /// `int32`
    Int32,
    /// `int64`
    Int64,
    /// `uint32`
    Uint32,
    /// `uint64`
    Uint64,
    /// `sint32`
    Sint32,
    /// `sint64`
    Sint64,
    /// `fixed32`
    Fixed32,
    /// `fixed64`
    Fixed64,
    /// `sfixed32`
    Sfixed32,
    /// `sfixed64`
    Sfixed64,
    /// `float`
    Float,
    /// `double`
    Double,
    /// `string`
    String,
    /// `bytes`
    Bytes,
    /// A message. A function, so that messages may hold themselves.
    Message(fn() -> &'static MessageDescriptor),
    /// An enum.
    Enum(fn() -> &'static EnumDescriptor),
}

impl Kind {
    /// Whether proto3 packs lists of this kind: numbers, `bool` and enums.
    #[must_use]
    pub const fn is_packable(self) -> bool {
        !matches!(self, Kind::String | Kind::Bytes | Kind::Message(_))
    }
}

/// A default that a contract declares for a field.
#[derive(Debug, Clone, Copy)]
pub enum DefaultValue {
    /// Of a `bool`.
    Bool(bool),
    /// Of a signed integer.
    Int(i64),
    /// Of an unsigned integer.
    Uint(u64),
    /// Of a `float` or `double`.
    Double(f64),
    /// Of a `string`.
    Text(&'static str),
    /// Of `bytes`.
    Bytes(&'static [u8]),
    /// The number of an enum's value. A function, because a constant cannot ask the enum.
    Enum(fn() -> i32),
}

impl PartialEq for DefaultValue {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bool(one), Self::Bool(other)) => one == other,
            (Self::Int(one), Self::Int(other)) => one == other,
            (Self::Uint(one), Self::Uint(other)) => one == other,
            (Self::Double(one), Self::Double(other)) => one == other,
            (Self::Text(one), Self::Text(other)) => one == other,
            (Self::Bytes(one), Self::Bytes(other)) => one == other,
            (Self::Enum(one), Self::Enum(other)) => one() == other(),
            _ => false,
        }
    }
}
