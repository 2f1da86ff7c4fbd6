//! The resolved model: no spans, no `syn`, full names everywhere.

use crate::model::{Access, MethodKind, MethodOptions, Operation, Parameter, Reserved, Rule};
use crate::types::Scalar;
use std::collections::BTreeSet;

/// All schemas of a crate.
#[derive(Debug, Default, Clone)]
pub struct Schema {
    /// By path.
    pub files: Vec<File>,
}

impl Schema {
    /// The packages, each once, in order.
    pub fn packages(&self) -> BTreeSet<&str> {
        self.files.iter().map(|file| file.package.as_str()).collect()
    }

    /// A message by its full name.
    pub fn message(&self, full_name: &str) -> Option<&MessageDef> {
        self.files
            .iter()
            .flat_map(|file| &file.messages)
            .find(|message| message.full_name == full_name)
    }
}

/// One `.proto`.
#[derive(Debug, Default, Clone)]
pub struct File {
    /// Relative to the crate: `protos/task/task.proto`.
    pub path: String,
    /// How other files import it: `task/task.proto`.
    pub import_name: String,
    /// Its package.
    pub package: String,
    /// In the order of declaration; CRUD messages follow their contract.
    pub messages: Vec<MessageDef>,
    /// In the order of declaration.
    pub enums: Vec<EnumDef>,
    /// In the order of declaration.
    pub services: Vec<ServiceDef>,
    /// Messages and methods that are gone for good.
    pub removed: BTreeSet<String>,
}

impl File {
    /// The files that this one imports for its types.
    pub fn imports(&self) -> BTreeSet<String> {
        let fields = self
            .messages
            .iter()
            .flat_map(|message| &message.fields)
            .map(|field| &field.ty);
        let calls = self
            .services
            .iter()
            .flat_map(|service| &service.methods)
            .flat_map(|method| [&method.request.ty, &method.response.ty]);
        fields
            .chain(calls)
            .filter_map(TypeDef::file)
            .filter(|file| *file != self.import_name)
            .map(str::to_owned)
            .collect()
    }
}

/// A message.
#[derive(Debug, Clone)]
pub struct MessageDef {
    /// `Task`.
    pub name: String,
    /// `task.Task`.
    pub full_name: String,
    /// `crate::contracts::TasksContract`; nothing for the messages of a CRUD service, which prost-build makes.
    pub rust: Option<String>,
    /// Lines of the doc comment.
    pub docs: Vec<String>,
    /// In the order of declaration.
    pub fields: Vec<FieldDef>,
    /// Whether all fields are members of one oneof.
    pub oneof: bool,
    /// What must not come back.
    pub reserved: Reserved,
    /// May be published.
    pub event: bool,
    /// The pattern of the channels that the event is for, where it says so.
    pub channels: Option<String>,
    /// Deprecated.
    pub deprecated: bool,
}

/// A field.
#[derive(Debug, Clone)]
pub struct FieldDef {
    /// Its protobuf name.
    pub name: String,
    /// Its Rust name (the variant's, for a member of a oneof).
    pub rust_name: String,
    /// Its number.
    pub number: u32,
    /// Lines of the doc comment.
    pub docs: Vec<String>,
    /// How many, and whether absence can be told.
    pub label: Label,
    /// What it holds; the value of a map.
    pub ty: TypeDef,
    /// Whether it is the record's key.
    pub id: bool,
    /// Deprecated.
    pub deprecated: bool,
    /// What its value must fulfil.
    pub rules: Vec<Rule>,
}

/// How many, and whether absence can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// No label.
    Singular,
    /// `optional`.
    Optional,
    /// `repeated`.
    Repeated,
    /// `map<K, …>`.
    Map(Scalar),
}

/// What a field or call holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeDef {
    /// A scalar.
    Scalar(Scalar),
    /// A message by its full name.
    Message {
        /// `task.Task`.
        full_name: String,
        /// The file to import.
        file: Option<String>,
    },
    /// An enum by its full name.
    Enum {
        /// `task.Priority`.
        full_name: String,
        /// The file to import.
        file: Option<String>,
    },
}

impl TypeDef {
    /// A message.
    pub fn message(full_name: &str, file: Option<&str>) -> Self {
        Self::Message {
            full_name: full_name.to_owned(),
            file: file.map(str::to_owned),
        }
    }

    /// The full name of what is named.
    pub fn full_name(&self) -> Option<&str> {
        match self {
            Self::Scalar(_) => None,
            Self::Message { full_name, .. } | Self::Enum { full_name, .. } => Some(full_name),
        }
    }

    /// The file to import.
    pub fn file(&self) -> Option<&str> {
        match self {
            Self::Scalar(_) => None,
            Self::Message { file, .. } | Self::Enum { file, .. } => file.as_deref(),
        }
    }
}

/// A type, in protobuf and in Rust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeRef {
    /// In protobuf.
    pub ty: TypeDef,
    /// An absolute Rust path, `crate::contracts::Quote` or `::prost_types::Timestamp`; a bare name (`AddTaskRequest`)
    /// for a message that prost-build puts into the generated module of the same package.
    pub rust: String,
}

/// An enum.
#[derive(Debug, Clone)]
pub struct EnumDef {
    /// `Priority`.
    pub name: String,
    /// `task.Priority`.
    pub full_name: String,
    /// `crate::contracts::Priority`.
    pub rust: String,
    /// Lines of the doc comment.
    pub docs: Vec<String>,
    /// In the order of declaration.
    pub values: Vec<ValueDef>,
    /// Whether unknown numbers are kept.
    pub open: bool,
    /// What must not come back.
    pub reserved: Reserved,
    /// Deprecated.
    pub deprecated: bool,
}

/// A value of an enum.
#[derive(Debug, Clone)]
pub struct ValueDef {
    /// `PRIORITY_HIGH`.
    pub name: String,
    /// `High`.
    pub rust_name: String,
    /// Its number.
    pub number: i32,
    /// Lines of the doc comment.
    pub docs: Vec<String>,
    /// Deprecated.
    pub deprecated: bool,
}

/// A service.
#[derive(Debug, Clone)]
pub struct ServiceDef {
    /// `TaskService`.
    pub name: String,
    /// `task.TaskService`.
    pub full_name: String,
    /// The trait, or the gateway's type; nothing for CRUD services, whose trait is generated.
    pub rust: Option<String>,
    /// Lines of the doc comment.
    pub docs: Vec<String>,
    /// In the order of declaration.
    pub methods: Vec<MethodDef>,
    /// What all methods share.
    pub access: Access,
    /// Deprecated.
    pub deprecated: bool,
    /// Where it comes from.
    pub origin: Origin,
}

impl ServiceDef {
    /// The service's name without `Service`: what its gateway and client are named after.
    pub fn stem(&self) -> &str {
        self.name.strip_suffix("Service").unwrap_or(&self.name)
    }

    /// The full names of the messages that a controller gives beside its contract; none for other services.
    pub fn brings(&self) -> Vec<&str> {
        let Origin::Crud(crud) = &self.origin else {
            return Vec::new();
        };
        let calls = self
            .methods
            .iter()
            .flat_map(|method| [&method.request, &method.response]);
        let changes = crud
            .changes
            .iter()
            .flat_map(|changes| [&changes.event, &changes.deleted]);
        calls
            .chain(changes)
            .filter_map(|message| message.ty.full_name())
            .collect()
    }
}

/// Where a service comes from.
#[derive(Debug, Clone)]
pub enum Origin {
    /// The controller of a struct: trait, gateway and client are generated.
    Crud(CrudDef),
    /// A trait: gateway and client are generated.
    Trait,
    /// A hand-written gateway: the client is generated.
    Gateway,
}

/// The controller of a struct.
#[derive(Debug, Clone)]
pub struct CrudDef {
    /// The contract's full name: `task.Task`.
    pub contract: String,
    /// The contract's Rust path.
    pub rust: String,
    /// The Rust name of its id.
    pub id: String,
    /// The scalar of its id.
    pub id_scalar: Scalar,
    /// Which calls there are, in the order of the service's methods.
    pub operations: Vec<Operation>,
    /// What is told of what they changed.
    pub changes: Option<Box<ChangesDef>>,
}

/// The event of a controller with `changes`.
#[derive(Debug, Clone)]
pub struct ChangesDef {
    /// `TaskChanged`: a oneof of what was added, updated and deleted.
    pub event: TypeRef,
    /// `DeletedTask`, which says what is gone.
    pub deleted: TypeRef,
}

/// A method.
#[derive(Debug, Clone)]
pub struct MethodDef {
    /// `AddTask`.
    pub name: String,
    /// `task.TaskService/AddTask`.
    pub full_name: String,
    /// `add`.
    pub rust_name: String,
    /// Lines of the doc comment.
    pub docs: Vec<String>,
    /// What it sends and gets.
    pub kind: MethodKind,
    /// The handler's parameters, in order.
    pub parameters: Vec<Parameter>,
    /// The request.
    pub request: TypeRef,
    /// The response.
    pub response: TypeRef,
    /// Who may call and how it is run.
    pub options: MethodOptions,
}
