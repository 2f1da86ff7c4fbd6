//! What an endpoint serves, for tools that were not compiled against it: the command line, an explorer, whatever makes a form of
//! a message.
//!
//! Gateways and events carry the schemas of their crate as the compiler of `.proto` gave them, so that rules and comments are there
//! too. Nothing is done with them until somebody asks: what is served costs no call anything.
//!
//! Whether it is served is said by [`Endpoint::reflection`](crate::Endpoint::reflection); who may ask, by the guard `reflection`.
//!
//! ```
//! # async fn list(client: rpc_runtime::Client) -> Result<(), rpc_runtime::CallError> {
//! use rpc_runtime::services::reflection::{ListServicesRequest, ReflectionClient};
//!
//! let listed = ReflectionClient::new(client).list_services(ListServicesRequest {}).await?;
//! for service in listed.services {
//!     println!("{}: {} methods", service.full_name, service.methods.len());
//! }
//! # Ok(()) }
//! ```

mod contract;
mod loopback;
mod schemas;

pub use contract::{
    GetFilesRequest, ListNamespacesRequest, ListNamespacesResponse, ListServicesRequest,
    ListServicesResponse, MethodDetails, MethodKind, NamespaceDetails, Reflection, SchemaFile,
    ServiceDetails,
};
pub use loopback::Loopback;
pub(crate) use schemas::Schemas;

use futures_core::Stream;

use crate::{
    Context, Status,
    contract::{self as descriptors, MethodDescriptor},
    dispatch::Gateway,
    hub::ActiveNamespace,
    services::hub,
};

crate::include_gateway!("rpc.reflection.v1");

/// The guard that the contract names.
pub(crate) const GUARD: &str = "reflection";

/// What an endpoint adds for itself.
pub(crate) type OfEndpoint = ReflectionGateway<OfCalled>;

/// The service, to be added to an endpoint as any other; [`Endpoint::reflection`](crate::Endpoint::reflection) does the same.
pub fn gateway() -> impl Gateway {
    ReflectionGateway::new(OfCalled)
}

/// Tells of the endpoint that it is called on.
pub(crate) struct OfCalled;

impl Reflection for OfCalled {
    async fn list_services(
        &self,
        cx: &Context,
        _request: ListServicesRequest,
    ) -> Result<ListServicesResponse, Status> {
        let endpoint = &cx.session().endpoint;
        let schemas = schemas_of(cx);
        let mut services: Vec<ServiceDetails> = endpoint
            .router
            .services()
            .iter()
            .map(|service| ServiceDetails {
                full_name: service.full_name.to_owned(),
                package: package(service.full_name).to_owned(),
                docs: match service.docs {
                    "" => schemas.docs(service.full_name).unwrap_or_default().to_owned(),
                    docs => docs.to_owned(),
                },
                methods: service
                    .methods
                    .iter()
                    .filter(|method| endpoint.router.by_number(method.number).is_some())
                    .map(details)
                    .collect(),
                has_schema: schemas.declares(service.full_name),
            })
            .collect();
        services.sort_by(|one, other| one.full_name.cmp(&other.full_name));
        Ok(ListServicesResponse {
            services,
            authentication_required: endpoint.auth_required,
        })
    }

    async fn get_files(
        &self,
        cx: &Context,
        request: GetFilesRequest,
    ) -> Result<impl Stream<Item = Result<SchemaFile, Status>>, Status> {
        let files = schemas_of(cx).files(&request.symbols)?;
        Ok(futures_util::stream::iter(files.into_iter().map(Ok)))
    }

    async fn list_namespaces(
        &self,
        cx: &Context,
        _request: ListNamespacesRequest,
    ) -> Result<ListNamespacesResponse, Status> {
        let hub = cx.hub();
        Ok(ListNamespacesResponse {
            namespaces: hub.inner.namespaces.iter().map(|one| namespace(one)).collect(),
            has_hub: cx.session().endpoint.router.has::<hub::OfServer>(),
        })
    }
}

/// The schemas of all that the endpoint serves, put in order once.
fn schemas_of(cx: &Context) -> &Schemas {
    let endpoint = &cx.session().endpoint;
    endpoint.schemas.get_or_init(|| {
        let hub = cx.hub();
        let services = endpoint.router.services().iter().map(|service| service.files);
        let events = hub.inner.namespaces.iter().flat_map(|one| one.files().to_vec());
        Schemas::of(services.chain(events))
    })
}

/// What stands in front of a service's own name.
fn package(full_name: &str) -> &str {
    full_name.rsplit_once('.').map_or("", |(package, _)| package)
}

fn details(method: &MethodDescriptor) -> MethodDetails {
    MethodDetails {
        name: method.name.to_owned(),
        number: method.number,
        kind: match method.kind {
            descriptors::MethodKind::Unary => MethodKind::Unary,
            descriptors::MethodKind::ServerStreaming => MethodKind::ServerStreaming,
            descriptors::MethodKind::ClientStreaming => MethodKind::ClientStreaming,
            descriptors::MethodKind::Bidirectional => MethodKind::Bidirectional,
        },
        request_type: (method.request)().full_name.to_owned(),
        response_type: (method.response)().full_name.to_owned(),
        docs: method.docs.to_owned(),
        auth: method.auth,
        guards: method.guards.iter().map(|&guard| guard.to_owned()).collect(),
        deadline: method.deadline,
        idempotent: method.idempotent,
        one_way: method.one_way,
    }
}

fn namespace(namespace: &ActiveNamespace) -> NamespaceDetails {
    let keep = namespace.keep();
    let events = namespace.events();
    NamespaceDetails {
        pattern: namespace.pattern().to_owned(),
        events: events
            .into_iter()
            .flat_map(|events| events.names())
            .map(str::to_owned)
            .collect(),
        any_event: events.is_none(),
        kept_events: keep.events as u64,
        kept_for: keep.keeps().then_some(keep.time),
        presence: namespace.shows_presence(),
        tells_joins: namespace.tells_joins(),
        tells_publisher: namespace.tells_publisher(),
        snapshot: namespace.has_snapshot(),
    }
}
