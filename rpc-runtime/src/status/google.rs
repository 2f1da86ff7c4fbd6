//! The messages of `google.rpc` that statuses carry as details: all of `google/rpc/error_details.proto`, with its names
//! and numbers.

use std::collections::BTreeMap;

use crate::codec::{Int64, Named, Optional, Repeated, Singular, SortedMap, Utf8};
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
    /// What is wrong, for the user.
    #[prost(message, optional, tag = "4")]
    pub localized_message: Option<LocalizedMessage>,
}

/// How a quota was exceeded: `google.rpc.QuotaFailure`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct QuotaFailure {
    /// Every quota that was exceeded.
    #[prost(message, repeated, tag = "1")]
    pub violations: Vec<QuotaViolation>,
}

/// A quota that was exceeded: `google.rpc.QuotaFailure.Violation`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct QuotaViolation {
    /// Whose quota it is, such as `user:7`.
    #[prost(string, tag = "1")]
    pub subject: String,
    /// What was exceeded, for people.
    #[prost(string, tag = "2")]
    pub description: String,
    /// The service whose quota it is.
    #[prost(string, tag = "3")]
    pub api_service: String,
    /// What the quota counts.
    #[prost(string, tag = "4")]
    pub quota_metric: String,
    /// The quota, within what it counts.
    #[prost(string, tag = "5")]
    pub quota_id: String,
    /// What the quota is told apart by, such as a region.
    #[prost(btree_map = "string, string", tag = "6")]
    pub quota_dimensions: BTreeMap<String, String>,
    /// How much the quota allows.
    #[prost(int64, tag = "7")]
    pub quota_value: i64,
    /// How much it will allow, once a change that is under way is complete.
    #[prost(int64, optional, tag = "8")]
    pub future_quota_value: Option<i64>,
}

/// What has to be done before the call can go well: `google.rpc.PreconditionFailure`.
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub struct PreconditionFailure {
    /// Every precondition that does not hold.
    #[prost(message, repeated, tag = "1")]
    pub violations: Vec<PreconditionViolation>,
}

/// A precondition that does not hold: `google.rpc.PreconditionFailure.Violation`.
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub struct PreconditionViolation {
    /// The kind of precondition, such as `TOS` for terms of service.
    #[prost(string, tag = "1")]
    pub r#type: String,
    /// What it does not hold for.
    #[prost(string, tag = "2")]
    pub subject: String,
    /// What is to be done, for people.
    #[prost(string, tag = "3")]
    pub description: String,
}

/// Which resource is meant: `google.rpc.ResourceInfo`.
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub struct ResourceInfo {
    /// The kind of resource, such as `task`.
    #[prost(string, tag = "1")]
    pub resource_type: String,
    /// The resource.
    #[prost(string, tag = "2")]
    pub resource_name: String,
    /// Whose resource it is.
    #[prost(string, tag = "3")]
    pub owner: String,
    /// What went wrong with it, for people.
    #[prost(string, tag = "4")]
    pub description: String,
}

/// How the request is found again, such as in a log: `google.rpc.RequestInfo`.
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub struct RequestInfo {
    /// An id that whoever made it understands.
    #[prost(string, tag = "1")]
    pub request_id: String,
    /// What served the request, for whoever made it.
    #[prost(string, tag = "2")]
    pub serving_data: String,
}

/// Where to read more: `google.rpc.Help`.
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub struct Help {
    /// What to read.
    #[prost(message, repeated, tag = "1")]
    pub links: Vec<HelpLink>,
}

/// A page to read: `google.rpc.Help.Link`.
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub struct HelpLink {
    /// What the page offers.
    #[prost(string, tag = "1")]
    pub description: String,
    /// The page's URL.
    #[prost(string, tag = "2")]
    pub url: String,
}

/// A text for the user, in the user's language: `google.rpc.LocalizedMessage`.
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub struct LocalizedMessage {
    /// The language as a BCP 47 tag, such as `pt-BR`.
    #[prost(string, tag = "1")]
    pub locale: String,
    /// The text.
    #[prost(string, tag = "2")]
    pub message: String,
}

/// What helps to find a mistake in the program: `google.rpc.DebugInfo`.
///
/// Like every detail it is sent to the peer: for what only the log should hold there is
/// [`Status::with_cause`](crate::Status::with_cause).
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub struct DebugInfo {
    /// Where it went wrong, the innermost place first.
    #[prost(string, repeated, tag = "1")]
    pub stack_entries: Vec<String>,
    /// More about it.
    #[prost(string, tag = "2")]
    pub detail: String,
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
        localized_message: 4 => Optional<Named<LocalizedMessage>>,
    }
}

prost_contract! {
    QuotaFailure = "google.rpc" "google.rpc.QuotaFailure" {
        violations: 1 => Repeated<Named<QuotaViolation>>,
    }
}

prost_contract! {
    QuotaViolation = "google.rpc" "google.rpc.QuotaFailure.Violation" {
        subject: 1 => Singular<Utf8>,
        description: 2 => Singular<Utf8>,
        api_service: 3 => Singular<Utf8>,
        quota_metric: 4 => Singular<Utf8>,
        quota_id: 5 => Singular<Utf8>,
        quota_dimensions: 6 => SortedMap<Utf8, Utf8>,
        quota_value: 7 => Singular<Int64>,
        future_quota_value: 8 => Optional<Int64>,
    }
}

prost_contract! {
    PreconditionFailure = "google.rpc" "google.rpc.PreconditionFailure" {
        violations: 1 => Repeated<Named<PreconditionViolation>>,
    }
}

prost_contract! {
    PreconditionViolation = "google.rpc" "google.rpc.PreconditionFailure.Violation" {
        r#type: 1 => Singular<Utf8>,
        subject: 2 => Singular<Utf8>,
        description: 3 => Singular<Utf8>,
    }
}

prost_contract! {
    ResourceInfo = "google.rpc" "google.rpc.ResourceInfo" {
        resource_type: 1 => Singular<Utf8>,
        resource_name: 2 => Singular<Utf8>,
        owner: 3 => Singular<Utf8>,
        description: 4 => Singular<Utf8>,
    }
}

prost_contract! {
    RequestInfo = "google.rpc" "google.rpc.RequestInfo" {
        request_id: 1 => Singular<Utf8>,
        serving_data: 2 => Singular<Utf8>,
    }
}

prost_contract! {
    Help = "google.rpc" "google.rpc.Help" {
        links: 1 => Repeated<Named<HelpLink>>,
    }
}

prost_contract! {
    HelpLink = "google.rpc" "google.rpc.Help.Link" {
        description: 1 => Singular<Utf8>,
        url: 2 => Singular<Utf8>,
    }
}

prost_contract! {
    LocalizedMessage = "google.rpc" "google.rpc.LocalizedMessage" {
        locale: 1 => Singular<Utf8>,
        message: 2 => Singular<Utf8>,
    }
}

prost_contract! {
    DebugInfo = "google.rpc" "google.rpc.DebugInfo" {
        stack_entries: 1 => Repeated<Utf8>,
        detail: 2 => Singular<Utf8>,
    }
}
