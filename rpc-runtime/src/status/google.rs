//! The messages of `google.rpc` that statuses commonly carry as details.

use std::collections::BTreeMap;

use crate::codec::{Named, Optional, Repeated, Singular, SortedMap, Utf8};
use crate::codegen::prost_contract;

/// When the call may be tried again: `google.rpc.RetryInfo`.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct RetryInfo {
    /// How long to wait at least.
    #[prost(message, optional, tag = "1")]
    pub retry_delay: Option<prost_types::Duration>,
}

/// The reason of an error, for programs: `google.rpc.ErrorInfo`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ErrorInfo {
    /// The reason, such as `LABEL_TAKEN`, distinct within its domain.
    #[prost(string, tag = "1")]
    pub reason: String,
    /// Who defines the reason, such as `tasks.example.com`.
    #[prost(string, tag = "2")]
    pub domain: String,
    /// More about this error.
    #[prost(btree_map = "string, string", tag = "3")]
    pub metadata: BTreeMap<String, String>,
}

/// What is wrong with a request: `google.rpc.BadRequest`.
///
/// Broken rules of a contract are told as [`Violations`](crate::validate::Violations) instead; this is for checks of a
/// handler's own.
#[derive(Clone, PartialEq, prost::Message)]
pub struct BadRequest {
    /// Every field that is wrong.
    #[prost(message, repeated, tag = "1")]
    pub field_violations: Vec<FieldViolation>,
}

/// A field that is wrong: `google.rpc.BadRequest.FieldViolation`.
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub struct FieldViolation {
    /// The path of the field, such as `item.label`.
    #[prost(string, tag = "1")]
    pub field: String,
    /// What is wrong, for people.
    #[prost(string, tag = "2")]
    pub description: String,
    /// What is wrong, for programs.
    #[prost(string, tag = "3")]
    pub reason: String,
}

prost_contract! {
    RetryInfo = "google.rpc" "google.rpc.RetryInfo" {
        retry_delay: 1 => Optional<Named<prost_types::Duration>>,
    }
}

prost_contract! {
    ErrorInfo = "google.rpc" "google.rpc.ErrorInfo" {
        reason: 1 => Singular<Utf8>,
        domain: 2 => Singular<Utf8>,
        metadata: 3 => SortedMap<Utf8, Utf8>,
    }
}

prost_contract! {
    BadRequest = "google.rpc" "google.rpc.BadRequest" {
        field_violations: 1 => Repeated<Named<FieldViolation>>,
    }
}

prost_contract! {
    FieldViolation = "google.rpc" "google.rpc.BadRequest.FieldViolation" {
        field: 1 => Singular<Utf8>,
        description: 2 => Singular<Utf8>,
        reason: 3 => Singular<Utf8>,
    }
}
