//! Services that the framework brings along, for programs that want them: made of contracts, as a program's own are, and
//! served on endpoints that add them.
//!
//! | service | gateway | what |
//! |---|---|---|
//! | `rpc.session.v1.SessionService` | [`session::gateway`] | tells clients about their own session |
//! | `rpc.hub.v1.HubService` | [`hub::gateway`] | subscriptions, publishing, presence and history, as the [hub](mod@crate::hub)'s namespaces allow |
//! | `rpc.admin.v1.AdminService` | [`admin::gateway`] | lists sessions, channels and subscribers, disconnects and unsubscribes clients and users, tells what was counted |
//! | `rpc.reflection.v1.ReflectionService` | [`reflection::gateway`] | tells tools what is served: services, methods, namespaces, and the schemas of all messages |
//!
//! A server serves none of them unless it is told to: what can be called is what was added. The exception is reflection, which a
//! debug build serves to programs on the same machine: see [`Endpoint::reflection`](crate::Endpoint::reflection). Their schemas are
//! `protos/rpc/session/v1/session.proto`, `protos/rpc/hub/v1/hub.proto`, `protos/rpc/admin/v1/admin.proto` and
//! `protos/rpc/reflection/v1/reflection.proto`; clients for Rust stand beside the gateways.
//!
//! ```
//! use rpc_runtime::{Context, Server, Status, services};
//!
//! let server = Server::builder()
//!     .service(services::session::gateway())
//!     // Every method of it names the guard `admin`: without, the server does not start.
//!     .service(services::admin::gateway())
//!     .guard("admin", |cx: &Context| match cx.identity() {
//!         Some(identity) if identity.has_role("admin") => Ok(()),
//!         Some(_) => Err(Status::permission_denied("this is for administrators")),
//!         None => Err(Status::unauthenticated("log in first")),
//!     })
//!     .build();
//! assert!(server.is_ok());
//! ```

pub mod admin;
pub mod hub;
pub mod reflection;
pub mod session;

use rpc_protocol::MethodRef;

use crate::{
    contract::{MethodDescriptor, ServiceDescriptor},
    dispatch::Gateway,
};

/// What the caller of a method is told that an endpoint does not serve, where it is one of these services'.
#[cold]
pub(crate) fn not_served(method: &MethodRef) -> Option<String> {
    fn facts<G: Gateway>(_: fn() -> G) -> &'static ServiceDescriptor {
        G::descriptor()
    }
    let services = [
        (
            facts(hub::gateway),
            "`.service(rpc_runtime::services::hub::gateway())`",
        ),
        (
            facts(session::gateway),
            "`.service(rpc_runtime::services::session::gateway())`",
        ),
        (
            facts(admin::gateway),
            "`.service(rpc_runtime::services::admin::gateway())` and `.guard(\"admin\", …)`",
        ),
        (
            facts(reflection::gateway),
            "`.reflection(true)` and `.guard(\"reflection\", …)`",
        ),
    ];
    services.into_iter().find_map(|(service, what)| {
        let is_it = |known: &&MethodDescriptor| match method {
            MethodRef::Number(number) => known.number == *number,
            MethodRef::Name(name) => known.full_name == &**name,
        };
        let known = service.methods.iter().find(is_it)?;
        let name = known.full_name;
        Some(format!(
            "this endpoint does not serve {name}: its server has to add {what}"
        ))
    })
}
