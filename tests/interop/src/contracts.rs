//! The test service of gRPC's interoperability tests, as contracts: its methods, messages and field numbers. Fields that are
//! about what only gRPC has (load balancers, load reports) are left out.

use futures_util::Stream;
use rpc_runtime::{Context, Status, Streaming, bytes::Bytes, contract};

/// No fields at all.
#[contract(package = "grpc.testing")]
pub struct Empty;

/// A boolean that may be absent.
#[contract(package = "grpc.testing")]
pub struct BoolValue {
    /// What it is.
    pub value: bool,
}

/// What kind of bytes is asked for.
#[contract(package = "grpc.testing")]
#[derive(Copy, Eq)]
pub enum PayloadType {
    /// Zeros.
    Compressable,
}

/// Bytes that make a message as long as a case wants it.
#[contract(package = "grpc.testing")]
pub struct Payload {
    /// The kind of bytes.
    pub r#type: PayloadType,
    /// The bytes.
    pub body: Bytes,
}

/// A status that the server is asked to answer with.
#[contract(package = "grpc.testing")]
pub struct EchoStatus {
    /// A code of google.rpc.Code.
    pub code: i32,
    /// The status' text.
    pub message: String,
}

/// What a unary call is to be answered with.
#[contract(package = "grpc.testing")]
pub struct SimpleRequest {
    /// The kind of bytes in the answer.
    pub response_type: PayloadType,
    /// How many bytes the answer has.
    pub response_size: i32,
    /// Bytes that go with the request.
    pub payload: Option<Payload>,
    /// Whether the answer names the user.
    pub fill_username: bool,
    /// Whether the answer names the scope.
    pub fill_oauth_scope: bool,
    /// Whether the answer is compressed.
    pub response_compressed: Option<BoolValue>,
    /// A status to answer with, instead of a response.
    pub response_status: Option<EchoStatus>,
    /// Whether this request is compressed.
    pub expect_compressed: Option<BoolValue>,
}

/// The answer to a unary call.
#[contract(package = "grpc.testing")]
pub struct SimpleResponse {
    /// The bytes that were asked for.
    pub payload: Option<Payload>,
    /// The user, where that was asked for.
    pub username: String,
    /// The scope, where that was asked for.
    pub oauth_scope: String,
}

/// One of the requests of a call that streams them.
#[contract(package = "grpc.testing")]
pub struct StreamingInputCallRequest {
    /// Bytes that go with the request.
    pub payload: Option<Payload>,
    /// Whether this request is compressed.
    pub expect_compressed: Option<BoolValue>,
}

/// The answer to a stream of requests.
#[contract(package = "grpc.testing")]
pub struct StreamingInputCallResponse {
    /// How many bytes the payloads of all requests had together.
    pub aggregated_payload_size: i32,
}

/// What one message of an answer looks like.
#[contract(package = "grpc.testing")]
pub struct ResponseParameters {
    /// How many bytes it has.
    pub size: i32,
    /// How long the server waits before it sends it, in microseconds.
    pub interval_us: i32,
    /// Whether it is compressed.
    pub compressed: Option<BoolValue>,
}

/// What a stream of responses is to look like.
#[contract(package = "grpc.testing")]
pub struct StreamingOutputCallRequest {
    /// The kind of bytes in the answers.
    pub response_type: PayloadType,
    /// One for each answer.
    pub response_parameters: Vec<ResponseParameters>,
    /// Bytes that go with the request.
    pub payload: Option<Payload>,
    /// A status to end with, instead of answers.
    #[field(tag = 7)]
    pub response_status: Option<EchoStatus>,
}

/// One of the answers of a call that streams them.
#[contract(package = "grpc.testing")]
pub struct StreamingOutputCallResponse {
    /// The bytes that were asked for.
    pub payload: Option<Payload>,
}

/// The test service: one method of each kind, and more.
#[contract(package = "grpc.testing")]
pub trait Test {
    /// Answers nothing with nothing.
    async fn empty_call(&self, request: Empty) -> Result<Empty, Status>;

    /// Answers with as many bytes as were asked for.
    async fn unary_call(&self, cx: &Context, request: SimpleRequest) -> Result<SimpleResponse, Status>;

    /// Answers with as many messages, of as many bytes, as were asked for.
    async fn streaming_output_call(
        &self,
        request: StreamingOutputCallRequest,
    ) -> Result<impl Stream<Item = Result<StreamingOutputCallResponse, Status>>, Status>;

    /// Says how many bytes came in.
    async fn streaming_input_call(
        &self,
        requests: Streaming<StreamingInputCallRequest>,
    ) -> Result<StreamingInputCallResponse, Status>;

    /// Answers each request as it comes, with the messages that it asks for.
    async fn full_duplex_call(
        &self,
        cx: &Context,
        requests: Streaming<StreamingOutputCallRequest>,
    ) -> Result<impl Stream<Item = Result<StreamingOutputCallResponse, Status>>, Status>;
}

/// A service that no server has.
#[contract(package = "grpc.testing")]
pub trait Unimplemented {
    /// Is never answered.
    async fn unimplemented_call(&self, request: Empty) -> Result<Empty, Status>;
}
