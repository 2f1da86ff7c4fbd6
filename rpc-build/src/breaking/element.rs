//! The address of a protobuf element, precise enough to find the Rust item that it comes from.

use std::fmt;

/// A protobuf element that a finding is about. All names of messages, enums and services are full names without a
/// leading dot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Element {
    /// A package.
    Package {
        /// Its name, such as `task`.
        name: String,
    },
    /// A `.proto` file.
    File {
        /// Its path as other files import it.
        path: String,
    },
    /// A message.
    Message {
        /// Its full name.
        name: String,
    },
    /// A field of a message; for an extension, of the message that it extends.
    Field {
        /// The full name of the message.
        message: String,
        /// The field's number. Before the name, so that findings come in the order of the numbers.
        number: i32,
        /// The field's name.
        name: String,
    },
    /// A oneof of a message.
    Oneof {
        /// The full name of the message.
        message: String,
        /// The oneof's name.
        name: String,
    },
    /// An enum.
    Enum {
        /// Its full name.
        name: String,
    },
    /// A value of an enum.
    EnumValue {
        /// The full name of the enum.
        enumeration: String,
        /// The value's number. Before the name, so that findings come in the order of the numbers.
        number: i32,
        /// The value's name.
        name: String,
    },
    /// A service.
    Service {
        /// Its full name.
        name: String,
    },
    /// A method of a service.
    Method {
        /// The full name of the service.
        service: String,
        /// The method's name.
        name: String,
    },
}

impl Element {
    /// The full name: `task`, `task.Task`, `task.Task.label`, `task.State.DONE`, `task.TaskService/AddTask`; for a file,
    /// its path. An enum value is named below its enum, where protobuf would name it beside it.
    #[must_use]
    pub fn full_name(&self) -> String {
        match self {
            Element::Package { name }
            | Element::Message { name }
            | Element::Enum { name }
            | Element::Service { name } => name.clone(),
            Element::File { path } => path.clone(),
            Element::Field { message, name, .. } | Element::Oneof { message, name } => {
                format!("{message}.{name}")
            }
            Element::EnumValue {
                enumeration, name, ..
            } => format!("{enumeration}.{name}"),
            Element::Method { service, name } => format!("{service}/{name}"),
        }
    }

    /// The full name of the message, enum or service that the element is, or is a part of; `None` for a package and a
    /// file.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        match self {
            Element::Package { .. } | Element::File { .. } => None,
            Element::Message { name } | Element::Enum { name } | Element::Service { name } => Some(name),
            Element::Field { message, .. } | Element::Oneof { message, .. } => Some(message),
            Element::EnumValue { enumeration, .. } => Some(enumeration),
            Element::Method { service, .. } => Some(service),
        }
    }

    pub(super) fn message(name: &str) -> Self {
        Element::Message {
            name: name.to_owned(),
        }
    }

    pub(super) fn field(message: &str, name: &str, number: i32) -> Self {
        Element::Field {
            message: message.to_owned(),
            name: name.to_owned(),
            number,
        }
    }

    pub(super) fn enumeration(name: &str) -> Self {
        Element::Enum {
            name: name.to_owned(),
        }
    }

    pub(super) fn enum_value(enumeration: &str, name: &str, number: i32) -> Self {
        Element::EnumValue {
            enumeration: enumeration.to_owned(),
            name: name.to_owned(),
            number,
        }
    }

    pub(super) fn service(name: &str) -> Self {
        Element::Service {
            name: name.to_owned(),
        }
    }

    pub(super) fn method(service: &str, name: &str) -> Self {
        Element::Method {
            service: service.to_owned(),
            name: name.to_owned(),
        }
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.full_name())
    }
}
