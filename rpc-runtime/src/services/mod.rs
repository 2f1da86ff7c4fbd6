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

use crate::{
    contract::{MethodDescriptor, ServiceDescriptor},
    dispatch::Gateway,
};

/// The method with a number, where one of these services has it; and how a server comes to serve it.
#[cold]
pub(crate) fn with_number(number: u64) -> Option<(&'static MethodDescriptor, &'static str)> {
    fn facts<G: Gateway>(_: fn() -> G) -> &'static ServiceDescriptor {
        G::descriptor()
    }
    [
        (facts(hub::gateway), "services::hub::gateway()"),
        (facts(session::gateway), "services::session::gateway()"),
        (facts(admin::gateway), "services::admin::gateway()"),
        (facts(reflection::gateway), "services::reflection::gateway()"),
    ]
    .into_iter()
    .find_map(|(service, gateway)| {
        let method = service.methods.iter().find(|method| method.number == number)?;
        Some((method, gateway))
    })
}
