//! The calls of one connection: from a request to its handler, and from an outcome to the output.

use std::{mem, sync::Arc, task::Context as TaskContext};

use rpc_protocol::{
    Code, IncomingRequest, MethodRef,
    frame::{Compression, End},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};

use super::{
    Connection,
    failing::{late, unknown_method},
    metering,
};
use crate::{
    CallId, Context, Metadata, Status,
    context::NewCall,
    contract::MethodDescriptor,
    dispatch::{
        Arrived, Begun, Failure, Step, Turn, authenticate_first,
        parked::{Parked, Progress},
    },
    metrics::Measured,
    middleware::UnknownMethod,
    session::afterwards::CLEAN_UPS_PER_STREAM,
    trace::{self, Followed},
};

/// The longest name of a method, in bytes, that is kept with its call where a fallback takes it: no limit on what calls take
/// in memory counts it.
const LONGEST_NAME: usize = 1 << 10;

/// A call, as its outcome needs it.
#[derive(Clone)]
pub(super) struct Called {
    pub(super) stream_id: u64,
    /// `None` where it is not known.
    pub(super) method: Option<&'static MethodDescriptor>,
    pub(super) one_way: bool,
    pub(super) followed: Option<Arc<Followed>>,
    pub(super) measured: Option<Measured>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Begins a call. Most are answered when this returns.
    pub(super) fn handle_request(&mut self, mut request: IncomingRequest, now: Instant) {
        let (stream_id, one_way) = (request.stream_id, request.one_way);
        self.session.counters.call();
        let router = self.session.router();
        let entry = match &request.method {
            MethodRef::Number(number) => router.by_number(*number),
            MethodRef::Name(name) => router.by_name(name),
        };
        let metadata = Metadata::from(mem::take(&mut request.metadata));
        let id = CallId {
            client: self.session.id(),
            stream_id,
        };
        let method = entry.map(|entry| entry.descriptor);
        let followed = Followed::served(method, id, &metadata);
        let called = Called {
            stream_id,
            method,
            one_way,
            followed: followed.clone(),
            measured: metering::begin(&mut self.meter, entry),
        };
        let mut extensions = http::Extensions::new();
        let entry = match entry {
            Some(entry) => entry,
            None => match router.unknown().filter(|_| may_be_a_name(&request.method)) {
                Some(unknown) => {
                    extensions.insert(UnknownMethod::new(&request.method));
                    unknown.entry(request.open)
                }
                None => {
                    let failure = match self.is_told_nothing() {
                        // No fault, which a method that there is would not be either: that they are counted shows.
                        true => authenticate_first(&self.endpoint).into(),
                        false => Failure::Fault(unknown_method(&request.method)),
                    };
                    self.fail(called, failure, now);
                    return;
                }
            },
        };
        if let Some(followed) = &followed
            && !request.open
        {
            followed.request(request.body.len());
        }
        let mut begin = entry.plain();
        if request.open != entry.takes_stream()
            || request.compression != Compression::NONE
            || self.is_queue_full()
            || self.has_much_to_clean_up()
        {
            match self.refuse(&request, entry.takes_stream()) {
                Some(status) => {
                    self.fail(called, status.into(), now);
                    return;
                }
                None => {
                    // Some kilobytes may become megabytes, which take milliseconds.
                    self.look_at_clock.set(true);
                    begin = entry.compressed();
                }
            }
        }
        let method = entry.descriptor;
        let time = match (request.timeout, method.deadline) {
            (Some(client), Some(method)) => Some(client.min(method)),
            (client, method) => client.or(method),
        };
        // A deadline that the clock cannot hold is none.
        let deadline = time.and_then(|time| now.checked_add(time));
        let running_bytes = self.calls.bytes();
        let waker = self.calls.next_waker(&self.session);
        let mut turn = Turn {
            protocol: &mut self.protocol,
            output: &mut self.socket.io.output,
            compress_above: self.compress_above,
            followed: called.followed.as_deref(),
            answered: Code::Ok,
        };
        let entered = called.followed.as_ref().map(Followed::entered);
        // Made where it is handed over: a context is not small, and every move of it is a copy.
        let begun = begin(
            entry,
            Arrived {
                context: Context::new(NewCall {
                    session: self.session.clone(),
                    stream_id,
                    method,
                    metadata,
                    deadline,
                    identity: self.identity.clone(),
                    extensions,
                    followed,
                }),
                body: request.body,
                limits: &self.endpoint.limits,
                running_bytes,
                step: self.endpoint.step,
                now,
            },
            &mut TaskContext::from_waker(waker),
            &mut turn,
        );
        drop(entered);
        if let Begun::Answered = begun {
            let answered = turn.answered;
            self.meter_call(called.measured, answered);
        } else {
            self.begun(begun, called, method, deadline, now);
        }
    }

    /// Why a request is not served that does not fit, or for which there is no room now.
    #[cold]
    fn refuse(&self, request: &IncomingRequest, takes_stream: bool) -> Option<Status> {
        if self.is_queue_full() {
            return Some(Status::resource_exhausted(
                "the client does not take what it was sent before",
            ));
        }
        if self.has_much_to_clean_up() {
            return Some(Status::resource_exhausted(
                "the clean-up of too many calls before is still going on",
            ));
        }
        if request.open != takes_stream && self.is_told_nothing() {
            return Some(authenticate_first(&self.endpoint));
        }
        (request.open != takes_stream).then(|| {
            Status::invalid_argument(if takes_stream {
                "the method takes a stream of requests, and the call is not open"
            } else {
                "the method takes one request, and the call is open for a stream of them"
            })
        })
    }

    /// Whether the client is not to learn which methods there are, before it is known who it is.
    fn is_told_nothing(&self) -> bool {
        self.endpoint.auth_required && self.identity.is_none()
    }

    /// Whether the calls before have left so much to be done that none is to be added: clean-up takes memory, but no
    /// stream's place.
    fn has_much_to_clean_up(&self) -> bool {
        self.session.clean_ups() > self.endpoint.limits.streams.saturating_mul(CLEAN_UPS_PER_STREAM)
    }

    fn begun(
        &mut self,
        begun: Begun,
        called: Called,
        method: &'static MethodDescriptor,
        deadline: Option<Instant>,
        now: Instant,
    ) {
        match begun {
            Begun::Answered => {}
            Begun::Failed(failure) => self.fail(called, failure, now),
            Begun::Pending(pending) => {
                let Called {
                    stream_id,
                    one_way,
                    followed,
                    measured,
                    ..
                } = called;
                self.protocol.park(stream_id);
                let call = Parked::new(stream_id, method, one_way, deadline, followed, measured, pending)
                    .begun_by_user(self.identity.is_some());
                if call.writes() && !self.may_write_streams() {
                    // It begins when others like it may go on.
                    let slot = self.calls.park_unpolled(&self.session, call);
                    self.woken.extend(slot);
                    return;
                }
                let progress = self.calls.park(
                    &self.session,
                    call,
                    &mut Turn {
                        protocol: &mut self.protocol,
                        output: &mut self.socket.io.output,
                        compress_above: self.compress_above,
                        followed: None,
                        answered: Code::Ok,
                    },
                );
                if let Some(progress) = progress {
                    self.progress(progress, now);
                }
            }
        }
    }

    /// Goes on with what a parked call came to.
    pub(super) fn progress(&mut self, progress: Progress, now: Instant) {
        let Progress {
            stream_id,
            method,
            one_way,
            deadline,
            bytes,
            followed,
            measured,
            step,
        } = progress;
        let called = Called {
            stream_id,
            method: Some(method),
            one_way,
            followed,
            measured,
        };
        let mut turn = Turn {
            protocol: &mut self.protocol,
            output: &mut self.socket.io.output,
            compress_above: self.compress_above,
            followed: called.followed.as_deref(),
            answered: Code::Ok,
        };
        match step {
            Step::Done(mut call) => {
                call.as_mut().respond(stream_id, &mut turn);
                let answered = turn.answered;
                self.meter_call(called.measured, answered);
            }
            Step::Ended(trailers) => {
                let end = End {
                    status: Some(rpc_protocol::frame::Status::new(Code::Ok, "")),
                    trailers,
                };
                self.finish(&called, Code::Ok);
                // What is over the client's limit has been cut; nothing else is to be done.
                let _ = self.protocol.end(stream_id, &end, &mut self.socket.io.output);
            }
            Step::Failed(failure) => self.fail(called, failure, now),
            Step::Decoded(request, context) => {
                let Some(entry) = self.session.router().by_number(method.number) else {
                    return;
                };
                let waker = self.calls.next_waker(&self.session);
                let begun = trace::enter(called.followed.as_ref(), || {
                    let cx = &mut TaskContext::from_waker(waker);
                    entry.resume(request, bytes, context, cx, &mut turn)
                });
                self.begun(begun, called, method, deadline, now);
            }
            Step::Late => {
                self.session.counters.failed_call();
                self.finish(&called, Code::DeadlineExceeded);
                self.count_one_way_failure(one_way);
                let _ = self
                    .protocol
                    .end_running(stream_id, &late(), &mut self.socket.io.output);
            }
            Step::Over => self.protocol.finished(stream_id),
        }
    }

    /// The client has given a call up.
    pub(super) fn cancel(&mut self, stream_id: u64) {
        let cancelled = self.calls.cancel(stream_id, Code::Cancelled);
        self.meter_call(cancelled.as_ref().and_then(|call| call.measured), Code::Cancelled);
        // Its slot is free when the task that has it has really ended.
        if !cancelled.is_some_and(|call| call.is_ending) {
            self.protocol.finished(stream_id);
        }
    }

    /// Says how a call ended.
    pub(super) fn finish(&mut self, called: &Called, code: Code) {
        if let Some(followed) = &called.followed {
            followed.finish(code);
        }
        self.meter_call(called.measured, code);
    }
}

fn may_be_a_name(method: &MethodRef) -> bool {
    match method {
        MethodRef::Number(_) => true,
        MethodRef::Name(name) => name.len() <= LONGEST_NAME,
    }
}
