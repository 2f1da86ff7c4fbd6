//! The cases, each by the name that gRPC gives it. A case panics when it fails.
//!
//! gRPC's clients learn of a call that they cancelled themselves by the status CANCELLED. Here a call is cancelled by dropping
//! it, so that nobody is left to be told; what the status stands for is asserted instead: the server drops the call
//! before its end, nothing comes of it any more, and the connection goes on.

mod cancelling;
mod metadata;
mod status;
mod streaming;
mod unary;

pub use cancelling::{cancel_after_begin, cancel_after_first_response, timeout_on_sleeping_server};
pub use metadata::custom_metadata;
pub use status::{
    special_status_message, status_code_and_message, unimplemented_method, unimplemented_service,
};
pub use streaming::{client_streaming, empty_stream, ping_pong, server_streaming};
pub use unary::{empty_unary, large_unary};

use crate::contracts::{
    Payload, ResponseParameters, SimpleRequest, StreamingOutputCallRequest, StreamingOutputCallResponse,
};
use futures_util::StreamExt;
use rpc_runtime::{CallError, Code, Metadata, Status, Streaming};
use std::future::Future;

/// The bytes of the large request and of the answer to it.
const LARGE: (usize, i32) = (271_828, 314_159);
/// The bytes of the requests in streams.
const REQUESTS: [usize; 4] = [27_182, 8, 1_828, 45_904];
/// The bytes of the answers in streams.
const RESPONSES: [i32; 4] = [31_415, 9, 2_653, 58_979];

fn zeros(size: usize) -> Option<Payload> {
    Some(Payload {
        body: vec![0; size].into(),
        ..Payload::default()
    })
}

fn large_request() -> SimpleRequest {
    SimpleRequest {
        response_size: LARGE.1,
        payload: zeros(LARGE.0),
        ..SimpleRequest::default()
    }
}

/// A request of so many bytes for one answer of so many bytes.
fn duplex_request(request: usize, response: i32) -> StreamingOutputCallRequest {
    StreamingOutputCallRequest {
        response_parameters: vec![parameters(response)],
        payload: zeros(request),
        ..StreamingOutputCallRequest::default()
    }
}

fn parameters(size: i32) -> ResponseParameters {
    ResponseParameters {
        size,
        ..ResponseParameters::default()
    }
}

fn assert_zeros(payload: Option<Payload>, size: i32) {
    let body = payload.expect("a payload").body;
    assert_eq!(body.len(), usize::try_from(size).expect("a size"));
    assert!(body.iter().all(|byte| *byte == 0), "the payload is zeros");
}

/// How a streaming call went, to its end.
struct Streamed {
    responses: Vec<StreamingOutputCallResponse>,
    outcome: Result<(), Status>,
    metadata: Metadata,
    trailers: Metadata,
}

/// Reads a call to its end. A call may fail before its stream is open as well as in it.
async fn read_to_end(
    call: impl IntoFuture<Output = Result<Streaming<StreamingOutputCallResponse>, CallError>>,
) -> Streamed {
    let mut stream = match call.await {
        Ok(stream) => stream,
        Err(error) => {
            return Streamed {
                responses: Vec::new(),
                outcome: Err(status_of(error)),
                metadata: Metadata::default(),
                trailers: Metadata::default(),
            };
        }
    };
    let mut responses = Vec::new();
    let outcome = loop {
        match stream.next().await {
            Some(Ok(response)) => responses.push(response),
            Some(Err(status)) => break Err(status),
            None => break Ok(()),
        }
    };
    assert!(stream.next().await.is_none(), "nothing follows the end");
    Streamed {
        responses,
        outcome,
        metadata: stream.metadata().clone(),
        trailers: stream.trailers().clone(),
    }
}

/// The status of a call that failed; failures on this side have one as well.
fn status_of(error: CallError) -> Status {
    match error {
        CallError::Status(status) => status,
        other => Status::new(other.code().unwrap_or(Code::Unknown), other.to_string()),
    }
}

/// The status with which a call failed.
async fn failure<T>(call: impl Future<Output = Result<T, CallError>>) -> Status {
    match call.await {
        Ok(_) => panic!("the call was to fail"),
        Err(error) => status_of(error),
    }
}
