//! How calls fail.

use super::{failure, read_to_end};
use crate::{
    contracts::{EchoStatus, Empty, SimpleRequest, StreamingOutputCallRequest},
    peer::Peer,
};
use futures_util::{future::ready, stream};
use rpc_protocol::method_number;
use rpc_runtime::{
    Code, Contract, Status,
    codegen::{MethodDescriptor, MethodKind},
};

/// A method that the service does not have, though its contract may have had it once.
static UNIMPLEMENTED: MethodDescriptor = MethodDescriptor::new(
    "UnimplementedCall",
    "grpc.testing.TestService/UnimplementedCall",
    method_number("grpc.testing.TestService/UnimplementedCall"),
    MethodKind::Unary,
    <Empty as Contract>::descriptor,
    <Empty as Contract>::descriptor,
);

/// A code and a text, of a unary call and of a stream.
pub async fn status_code_and_message(peer: &Peer) {
    let echo = echo("test status message");
    let unary = failure(peer.test.unary_call(unary(&echo)).into_future()).await;
    assert_status(&unary, &echo);

    let request = StreamingOutputCallRequest {
        response_status: Some(echo.clone()),
        ..StreamingOutputCallRequest::default()
    };
    let call = peer.test.full_duplex_call(stream::once(ready(request)));
    let streamed = read_to_end(call).await;
    assert!(streamed.responses.is_empty());
    assert_status(&streamed.outcome.expect_err("the call fails"), &echo);
}

/// A text with white space and characters of all lengths.
pub async fn special_status_message(peer: &Peer) {
    let echo = echo("\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n");
    let status = failure(peer.test.unary_call(unary(&echo)).into_future()).await;
    assert_status(&status, &echo);
}

/// A method that the server's service does not have.
pub async fn unimplemented_method(peer: &Peer) {
    let call = peer.client.unary::<Empty>(&UNIMPLEMENTED, &Empty);
    assert_eq!(failure(call.into_future()).await.code(), Code::Unimplemented);
}

/// A service that the server does not have.
pub async fn unimplemented_service(peer: &Peer) {
    let call = peer.unimplemented.unimplemented_call(Empty);
    assert_eq!(failure(call.into_future()).await.code(), Code::Unimplemented);
}

fn echo(message: &str) -> EchoStatus {
    EchoStatus {
        code: 2,
        message: message.to_owned(),
    }
}

fn unary(echo: &EchoStatus) -> SimpleRequest {
    SimpleRequest {
        response_status: Some(echo.clone()),
        ..SimpleRequest::default()
    }
}

fn assert_status(status: &Status, echo: &EchoStatus) {
    assert_eq!(status.code(), Code::Unknown);
    assert_eq!(status.message(), echo.message);
}
