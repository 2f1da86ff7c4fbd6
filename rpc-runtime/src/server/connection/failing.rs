//! Calls that go wrong: what their clients are told, what the log and the hooks, and what is counted.

use std::{fmt, sync::atomic::Ordering};

use rpc_protocol::{Code, MethodRef, frame::End};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};

use super::{Connection, calls::Called, log::Causes};
use crate::{CallId, SessionError, Status, dispatch::Failure, services, trace};

/// How many characters of an unknown method's name are said back.
const SHOWN_OF_NAME: usize = 200;

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Ends a call that went wrong.
    #[cold]
    pub(super) fn fail(&mut self, called: Called, failure: Failure, now: Instant) {
        let (stream_id, one_way) = (called.stream_id, called.one_way);
        self.session.counters.failed_call();
        self.count_one_way_failure(one_way);
        self.finish(&called, failure.code());
        let method = called.method.map_or("", |method| method.full_name);
        let call = CallId {
            client: self.session.id(),
            stream_id,
        };
        let fault = matches!(failure, Failure::Fault(_));
        let end = match failure {
            Failure::Status(status) | Failure::Fault(status) => {
                if let Some(cause) = status.cause() {
                    let code = status.code();
                    trace::enter(called.followed.as_ref(), || {
                        tracing::error!(%call, method, %code, error = %Causes(cause), "a handler failed");
                    });
                    self.tell_of_call(call, method, code, &Causes(cause));
                }
                if status.is_hidden() {
                    internal(call)
                } else {
                    status.into_end()
                }
            }
            Failure::Panicked(panic) => {
                trace::enter(called.followed.as_ref(), || {
                    tracing::error!(%call, method, panic, "a handler panicked");
                });
                self.tell_of_call(call, method, Code::Internal, &panic);
                internal(call)
            }
            Failure::DeadlineExceeded => {
                // Nothing waits for the client any more, not even what was sent before.
                let output = &mut self.socket.io.output;
                let _ = self.protocol.end_running(stream_id, &late(), output);
                self.protocol.finished(stream_id);
                return;
            }
        };
        // What is over the client's limit has been cut to its code; nothing else is to be done.
        let _ = self.protocol.end(stream_id, &end, &mut self.socket.io.output);
        if fault && let Err(error) = self.protocol.fault(now.into_std()) {
            self.close_for(&error);
        }
    }

    /// Tells the hooks of a call that failed by the server's fault.
    fn tell_of_call(&self, call: CallId, method: &'static str, code: Code, cause: &dyn fmt::Display) {
        if !self.endpoint.hooks.is_empty() {
            self.tell_hooks(&SessionError::Call {
                call,
                method,
                code,
                cause: &cause.to_string(),
            });
        }
    }

    /// Nobody is told of a one-way call that fails, so it is counted.
    pub(super) fn count_one_way_failure(&self, one_way: bool) {
        if one_way {
            self.shared.one_way_failures.fetch_add(1, Ordering::Relaxed);
            self.endpoint.meter.one_way_failure();
        }
    }
}

pub(super) fn late() -> End {
    End::new(Code::DeadlineExceeded, "the call took longer than it may")
}

/// What a peer is told of an error that is not meant for it.
fn internal(call: CallId) -> End {
    End::new(
        Code::Internal,
        format!("internal error, logged under call {call}"),
    )
}

pub(super) fn unknown_method(method: &MethodRef) -> Status {
    if let Some(told) = services::not_served(method) {
        return Status::unimplemented(told);
    }
    Status::unimplemented(match method {
        MethodRef::Number(number) => format!(
            "this endpoint has no method with the number {number:#018x}: the URL's path may be another \
             endpoint's, or the server older than its client"
        ),
        MethodRef::Name(name) => {
            let mut shown: String = name.chars().take(SHOWN_OF_NAME).collect();
            if shown.len() < name.len() {
                shown.push('…');
            }
            format!("this endpoint has no method {shown:?}")
        }
    })
}
