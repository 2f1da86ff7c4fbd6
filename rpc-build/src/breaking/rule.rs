//! The rules, under the names that `buf breaking` gives them.

use std::fmt;

/// A rule that a change can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// A field's type changed to one that JSON or the wire reads differently.
    FieldWireJsonCompatibleType,
    /// A field's type changed to one that the wire reads differently.
    FieldWireCompatibleType,
    /// A field changed between single, repeated and map.
    FieldWireJsonCompatibleCardinality,
    /// A field changed between single and repeated.
    FieldWireCompatibleCardinality,
    /// A field's name changed.
    FieldSameName,
    /// A field's name in JSON changed.
    FieldSameJsonName,
    /// A field moved into, out of, or between oneofs.
    FieldSameOneof,
    /// A proto2 field's default changed.
    FieldSameDefault,
    /// A field is gone and its number is not reserved.
    FieldNoDeleteUnlessNumberReserved,
    /// A field is gone and its name is not reserved.
    FieldNoDeleteUnlessNameReserved,
    /// A proto2 required field was added or deleted.
    MessageSameRequiredFields,
    /// A message lost its JSON form, by going from proto3 to proto2.
    MessageSameJsonFormat,
    /// A oneof is gone.
    OneofNoDelete,
    /// A message no longer reserves a number or name.
    ReservedMessageNoDelete,
    /// A message gave up a part of its extension ranges.
    ExtensionMessageNoDelete,
    /// An enum value's number has another name.
    EnumValueSameName,
    /// An enum value is gone and its number is not reserved.
    EnumValueNoDeleteUnlessNumberReserved,
    /// An enum value is gone and its name is not reserved.
    EnumValueNoDeleteUnlessNameReserved,
    /// An enum lost its JSON form, by going from proto3 to proto2.
    EnumSameJsonFormat,
    /// An enum no longer reserves a number or name.
    ReservedEnumNoDelete,
    /// A method is gone.
    RpcNoDelete,
    /// A method began or ceased to take a stream.
    RpcSameClientStreaming,
    /// A method began or ceased to return a stream.
    RpcSameServerStreaming,
    /// A method takes another message.
    RpcSameRequestType,
    /// A method returns another message.
    RpcSameResponseType,
    /// A method promises less about being called twice.
    RpcSameIdempotencyLevel,
    /// A file has another package.
    FileSamePackage,
    /// A package is gone.
    PackageNoDelete,
    /// A message is gone from its package.
    PackageMessageNoDelete,
    /// An enum is gone from its package.
    PackageEnumNoDelete,
    /// A service is gone from its package.
    PackageServiceNoDelete,
    /// An extension is gone from its package.
    PackageExtensionNoDelete,
    /// A name is no longer declared gone. Not a rule of buf, which cannot know of such declarations.
    RemovedNoDelete,
    /// A name is declared gone and exists. Not a rule of buf.
    RemovedStillPresent,
    /// A value was added to an enum that refuses unknown numbers. Not a rule of buf.
    ClosedEnumValueAdded,
}

impl Rule {
    /// The rule's identifier; buf's, where buf has the rule.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Rule::FieldWireJsonCompatibleType => "FIELD_WIRE_JSON_COMPATIBLE_TYPE",
            Rule::FieldWireCompatibleType => "FIELD_WIRE_COMPATIBLE_TYPE",
            Rule::FieldWireJsonCompatibleCardinality => "FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY",
            Rule::FieldWireCompatibleCardinality => "FIELD_WIRE_COMPATIBLE_CARDINALITY",
            Rule::FieldSameName => "FIELD_SAME_NAME",
            Rule::FieldSameJsonName => "FIELD_SAME_JSON_NAME",
            Rule::FieldSameOneof => "FIELD_SAME_ONEOF",
            Rule::FieldSameDefault => "FIELD_SAME_DEFAULT",
            Rule::FieldNoDeleteUnlessNumberReserved => "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED",
            Rule::FieldNoDeleteUnlessNameReserved => "FIELD_NO_DELETE_UNLESS_NAME_RESERVED",
            Rule::MessageSameRequiredFields => "MESSAGE_SAME_REQUIRED_FIELDS",
            Rule::MessageSameJsonFormat => "MESSAGE_SAME_JSON_FORMAT",
            Rule::OneofNoDelete => "ONEOF_NO_DELETE",
            Rule::ReservedMessageNoDelete => "RESERVED_MESSAGE_NO_DELETE",
            Rule::ExtensionMessageNoDelete => "EXTENSION_MESSAGE_NO_DELETE",
            Rule::EnumValueSameName => "ENUM_VALUE_SAME_NAME",
            Rule::EnumValueNoDeleteUnlessNumberReserved => "ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED",
            Rule::EnumValueNoDeleteUnlessNameReserved => "ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED",
            Rule::EnumSameJsonFormat => "ENUM_SAME_JSON_FORMAT",
            Rule::ReservedEnumNoDelete => "RESERVED_ENUM_NO_DELETE",
            Rule::RpcNoDelete => "RPC_NO_DELETE",
            Rule::RpcSameClientStreaming => "RPC_SAME_CLIENT_STREAMING",
            Rule::RpcSameServerStreaming => "RPC_SAME_SERVER_STREAMING",
            Rule::RpcSameRequestType => "RPC_SAME_REQUEST_TYPE",
            Rule::RpcSameResponseType => "RPC_SAME_RESPONSE_TYPE",
            Rule::RpcSameIdempotencyLevel => "RPC_SAME_IDEMPOTENCY_LEVEL",
            Rule::FileSamePackage => "FILE_SAME_PACKAGE",
            Rule::PackageNoDelete => "PACKAGE_NO_DELETE",
            Rule::PackageMessageNoDelete => "PACKAGE_MESSAGE_NO_DELETE",
            Rule::PackageEnumNoDelete => "PACKAGE_ENUM_NO_DELETE",
            Rule::PackageServiceNoDelete => "PACKAGE_SERVICE_NO_DELETE",
            Rule::PackageExtensionNoDelete => "PACKAGE_EXTENSION_NO_DELETE",
            Rule::RemovedNoDelete => "REMOVED_NO_DELETE",
            Rule::RemovedStillPresent => "REMOVED_STILL_PRESENT",
            Rule::ClosedEnumValueAdded => "CLOSED_ENUM_VALUE_ADDED",
        }
    }

    /// Whether buf has this rule; the others exist because a contract can say more than a `.proto` can.
    #[must_use]
    pub fn is_of_buf(self) -> bool {
        !matches!(
            self,
            Rule::RemovedNoDelete | Rule::RemovedStillPresent | Rule::ClosedEnumValueAdded
        )
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
