//! Statuses: how a call ends, as handlers and clients see it.
//!
//! Owns [`Status`], its details and how errors that are no status become one. The frame that carries a status, and the
//! codes, are rpc-protocol's.

mod google;
mod internal;

pub use google::{
    BadRequest, DebugInfo, ErrorInfo, FieldViolation, Help, HelpLink, LocalizedMessage, PreconditionFailure,
    PreconditionViolation, QuotaFailure, QuotaViolation, RequestInfo, ResourceInfo, RetryInfo,
};
pub use internal::{BoxError, ResultExt};
pub use rpc_protocol::Code;

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rpc_protocol::frame::{Any, End, Status as WireStatus};

use crate::{Metadata, contract::Contract};

/// The outcome of a call that did not go well: a code, a text for people, and details for programs.
///
/// It is the size of a pointer, so that `Result<T, Status>` stays small. Everything in it but its
/// [cause](Status::cause) is sent to the peer.
///
/// ```
/// use rpc_runtime::{Code, Status};
///
/// let status = Status::not_found("no task 7");
/// assert_eq!(status.code(), Code::NotFound);
/// assert!(!status.recoverable());
/// ```
#[derive(Clone)]
pub struct Status {
    inner: Box<Inner>,
}

#[derive(Clone)]
struct Inner {
    code: Code,
    message: Cow<'static, str>,
    details: Vec<Any>,
    metadata: Metadata,
    /// For the log alone. Never sent, and never shown by `Display`.
    cause: Option<Arc<dyn Error + Send + Sync>>,
    /// Made of an error that is not meant for the peer, which is told the call's id instead.
    hidden: bool,
}

/// The type URLs that are written; any prefix is read.
const TYPE_URL_PREFIX: &str = "type.googleapis.com/";

/// Declares the constructor of a code.
macro_rules! constructors {
    ($($(#[$docs:meta])* $name:ident => $code:ident,)*) => {
        impl Status {
            $(
                $(#[$docs])*
                #[must_use]
                pub fn $name(message: impl Into<Cow<'static, str>>) -> Self {
                    Self::new(Code::$code, message)
                }
            )*
        }
    };
}

constructors! {
    /// The caller gave the call up.
    cancelled => Cancelled,
    /// An error that says no more.
    unknown => Unknown,
    /// The request is wrong, whatever the state of the system.
    invalid_argument => InvalidArgument,
    /// The deadline passed; the call may have run.
    deadline_exceeded => DeadlineExceeded,
    /// What was asked for does not exist.
    not_found => NotFound,
    /// What was to be made exists already.
    already_exists => AlreadyExists,
    /// The caller is known and may not do this.
    permission_denied => PermissionDenied,
    /// A limit, a quota or a size is exceeded.
    resource_exhausted => ResourceExhausted,
    /// The system is not in the state that the call needs.
    failed_precondition => FailedPrecondition,
    /// The call lost against another one at the same time.
    aborted => Aborted,
    /// Past the end of what is there.
    out_of_range => OutOfRange,
    /// The method does not exist, or is not served.
    unimplemented => Unimplemented,
    /// Something broke that should not. The text reaches the peer: for an error's own text use
    /// [`internal_from`](Status::internal_from), which keeps it back.
    internal => Internal,
    /// Not now; the same call may go well later.
    unavailable => Unavailable,
    /// Data is lost or broken for good.
    data_loss => DataLoss,
    /// The caller is not known.
    unauthenticated => Unauthenticated,
}

impl Status {
    /// A status with this code and a text for people, which is sent to the peer.
    #[must_use]
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Status {
            inner: Box::new(Inner {
                code,
                message: message.into(),
                details: Vec::new(),
                metadata: Metadata::default(),
                cause: None,
                hidden: false,
            }),
        }
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.inner.code
    }

    /// The text for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// Adds a detail for programs: any contract message, such as [`RetryInfo`].
    #[must_use]
    pub fn with_detail<M: Contract>(mut self, detail: &M) -> Self {
        self.inner.details.push(Any {
            type_url: [TYPE_URL_PREFIX, M::FULL_NAME].concat(),
            value: detail.encode_to_vec().into(),
        });
        self
    }

    /// The details of type `M`, in the order in which they were added. What does not decode as `M` is left out.
    pub fn details<M: Contract>(&self) -> impl Iterator<Item = M> + '_ {
        self.inner.details.iter().filter_map(|any| {
            let name = any
                .type_url
                .rsplit_once('/')
                .map_or(any.type_url.as_str(), |(_, name)| name);
            if name == M::FULL_NAME {
                M::decode(any.value.clone()).ok()
            } else {
                None
            }
        })
    }

    /// The type URL and bytes of every detail, of known types and others.
    pub fn raw_details(&self) -> impl ExactSizeIterator<Item = (&str, &Bytes)> + '_ {
        self.inner
            .details
            .iter()
            .map(|any| (any.type_url.as_str(), &any.value))
    }

    /// What travels with the status: the call's trailing metadata.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.inner.metadata
    }

    /// Sets what travels with the status, as the call's trailing metadata.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.inner.metadata = metadata;
        self
    }

    /// Whether the same call may go well later: UNAVAILABLE, or any code whose details hold a [`RetryInfo`].
    #[must_use]
    pub fn recoverable(&self) -> bool {
        self.code() == Code::Unavailable || self.details::<RetryInfo>().next().is_some()
    }

    /// How long to wait before the call is tried again, where the peer said so.
    #[must_use]
    pub fn retry_delay(&self) -> Option<Duration> {
        let delay = self.details::<RetryInfo>().next()?.retry_delay?;
        Duration::try_from(delay).ok()
    }

    /// Says when to try again: adds a [`RetryInfo`].
    #[must_use]
    pub fn retry_after(self, delay: Duration) -> Self {
        let retry_delay = prost_types::Duration::try_from(delay).ok();
        self.with_detail(&RetryInfo { retry_delay })
    }

    /// Keeps `cause` for the log, where it is written under the call's id. The peer sees nothing of it; code, text and
    /// details reach it as they are.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<BoxError>) -> Self {
        self.inner.cause = Some(cause.into().into());
        self
    }

    /// Whether the peer is told no more than where the cause was logged.
    pub(crate) fn is_hidden(&self) -> bool {
        self.inner.hidden
    }

    /// What went wrong inside, for the log alone.
    #[must_use]
    pub fn cause(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.inner.cause.as_deref()
    }

    /// The status as a frame carries it. The cause stays here.
    #[must_use]
    pub fn to_wire(&self) -> WireStatus {
        WireStatus {
            code: self.inner.code.as_i32(),
            message: self.inner.message.clone().into_owned(),
            details: self.inner.details.clone(),
        }
    }

    /// The frame that ends a call with this status.
    pub(crate) fn into_end(self) -> End {
        End {
            status: Some(self.to_wire()),
            trailers: self.inner.metadata.into_pairs(),
        }
    }

    /// The status of a frame that ended a call, with its trailing metadata. Without one it is UNKNOWN.
    pub(crate) fn from_end(end: End) -> Self {
        let status = end.status.map_or_else(
            || Self::unknown("the call ended without a status"),
            Self::from_wire,
        );
        status.with_metadata(end.trailers.into())
    }

    /// The status that a frame carried; a code that is not defined is [`Code::Unknown`].
    #[must_use]
    pub fn from_wire(wire: WireStatus) -> Self {
        let code = wire.code();
        Status {
            inner: Box::new(Inner {
                code,
                message: wire.message.into(),
                details: wire.details,
                metadata: Metadata::default(),
                cause: None,
                hidden: false,
            }),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.message())
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let types: Vec<_> = self.raw_details().map(|(type_url, _)| type_url).collect();
        f.debug_struct("Status")
            .field("code", &self.code())
            .field("message", &self.message())
            .field("details", &types)
            .field("cause", &self.inner.cause)
            .finish()
    }
}

impl Error for Status {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause().map(|cause| cause as _)
    }
}

#[cfg(test)]
mod tests;
