//! The contract of `rpc.reflection.v1.ReflectionService`.

use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;

use crate::{Context, Status, contract};

/// What an endpoint serves, for tools that call it without being compiled against it.
#[contract(
    package = "rpc.reflection.v1",
    proto_path = "protos/rpc/reflection/v1/reflection.proto",
    guard = "reflection"
)]
pub trait Reflection {
    /// Lists the services of the endpoint that is asked, in the order of their names.
    #[message(idempotent)]
    async fn list_services(
        &self,
        cx: &Context,
        request: ListServicesRequest,
    ) -> Result<ListServicesResponse, Status>;

    /// Gives the schema files in which symbols are declared, and all that those import, each behind what it imports.
    ///
    /// NOT_FOUND where a symbol is in no schema; FAILED_PRECONDITION where those of several symbols do not go together, because
    /// two crates have different files of one name: ask for one symbol at a time then.
    #[message(idempotent)]
    async fn get_files(
        &self,
        cx: &Context,
        request: GetFilesRequest,
    ) -> Result<impl Stream<Item = Result<SchemaFile, Status>>, Status>;

    /// Lists the namespaces of channels, in the order in which channels are looked for in them.
    #[message(idempotent)]
    async fn list_namespaces(
        &self,
        cx: &Context,
        request: ListNamespacesRequest,
    ) -> Result<ListNamespacesResponse, Status>;
}

/// Asks for all services.
#[contract(
    package = "rpc.reflection.v1",
    proto_path = "protos/rpc/reflection/v1/reflection.proto"
)]
pub struct ListServicesRequest {}

/// What an endpoint serves.
#[contract(
    package = "rpc.reflection.v1",
    proto_path = "protos/rpc/reflection/v1/reflection.proto"
)]
pub struct ListServicesResponse {
    /// In the order of their names.
    pub services: Vec<ServiceDetails>,
    /// Whether anonymous clients are refused whatever they call.
    pub authentication_required: bool,
}

/// A service.
#[contract(
    package = "rpc.reflection.v1",
    proto_path = "protos/rpc/reflection/v1/reflection.proto"
)]
pub struct ServiceDetails {
    /// With the package, such as `task.TaskService`.
    pub full_name: String,
    /// The package alone.
    pub package: String,
    /// What its contract says of it.
    pub docs: String,
    /// In the order of the contract; those alone that are offered over this transport.
    pub methods: Vec<MethodDetails>,
    /// Whether `GetFiles` has its schema. A contract that no build script has read has none.
    pub has_schema: bool,
}

/// A method, and what a call of it needs.
#[contract(
    package = "rpc.reflection.v1",
    proto_path = "protos/rpc/reflection/v1/reflection.proto"
)]
pub struct MethodDetails {
    /// Such as `AddTask`.
    pub name: String,
    /// The number that a call carries.
    #[field(proto = "fixed64")]
    pub number: u64,
    /// Which sides stream.
    pub kind: MethodKind,
    /// The full name of the message that it takes.
    pub request_type: String,
    /// The full name of the message that it answers with.
    pub response_type: String,
    /// What its contract says of it.
    pub docs: String,
    /// Whether its contract refuses anonymous clients.
    pub auth: bool,
    /// The guards that a call passes, in their order.
    pub guards: Vec<String>,
    /// The longest that a call may take; absent: as long as the client wants.
    pub deadline: Option<Duration>,
    /// Whether calling twice does what calling once does.
    pub idempotent: bool,
    /// Whether nothing is sent back.
    pub one_way: bool,
}

/// Which sides of a method stream.
#[contract(
    package = "rpc.reflection.v1",
    proto_path = "protos/rpc/reflection/v1/reflection.proto"
)]
pub enum MethodKind {
    /// One request, one response.
    Unary = 0,
    /// One request, a stream of responses.
    ServerStreaming = 1,
    /// A stream of requests, one response.
    ClientStreaming = 2,
    /// A stream each way.
    Bidirectional = 3,
    /// A kind that this side does not know.
    #[field(other)]
    Other(i32),
}

/// Which schemas.
#[contract(
    package = "rpc.reflection.v1",
    proto_path = "protos/rpc/reflection/v1/reflection.proto"
)]
pub struct GetFilesRequest {
    /// The full names of services, messages or enums; none for the schemas of everything that is served.
    #[field(max_items = 1000)]
    pub symbols: Vec<String>,
}

/// A schema file.
#[contract(
    package = "rpc.reflection.v1",
    proto_path = "protos/rpc/reflection/v1/reflection.proto"
)]
pub struct SchemaFile {
    /// As an `import` writes it.
    pub name: String,
    /// An encoded `google.protobuf.FileDescriptorProto`, with custom options, in which the rules of fields are, and with comments.
    pub descriptor: Bytes,
}

/// Asks for all namespaces.
#[contract(
    package = "rpc.reflection.v1",
    proto_path = "protos/rpc/reflection/v1/reflection.proto"
)]
pub struct ListNamespacesRequest {}

/// The channels that there are.
#[contract(
    package = "rpc.reflection.v1",
    proto_path = "protos/rpc/reflection/v1/reflection.proto"
)]
pub struct ListNamespacesResponse {
    /// In the order in which channels are looked for in them.
    pub namespaces: Vec<NamespaceDetails>,
    /// Whether clients can subscribe here, by `rpc.hub.v1.HubService`.
    pub has_hub: bool,
}

/// What all channels of a pattern have in common. Who may do what in them is the program's word, which a client hears when it
/// asks.
#[contract(
    package = "rpc.reflection.v1",
    proto_path = "protos/rpc/reflection/v1/reflection.proto"
)]
pub struct NamespaceDetails {
    /// Such as `room:{id}`.
    pub pattern: String,
    /// The full names of the events that may be published, in their order.
    pub events: Vec<String>,
    /// Any other event may be published too.
    pub any_event: bool,
    /// So many events of a channel are kept; with 0 nothing is recovered, and there is no history.
    pub kept_events: u64,
    /// None is kept for longer; absent where none is.
    pub kept_for: Option<Duration>,
    /// Whether it is known who is there.
    pub presence: bool,
    /// Whether events tell who comes and goes.
    pub tells_joins: bool,
    /// Whether events tell who has published them.
    pub tells_publisher: bool,
    /// Whether a subscriber is given a snapshot first.
    pub snapshot: bool,
}
