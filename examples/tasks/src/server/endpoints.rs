//! The server's endpoints: which services there are where, and what is asked of their callers.

use std::sync::Arc;

use rpc_runtime::auth::jwt::Jwt;
use rpc_runtime::hub::NamespaceError;
use rpc_runtime::{Endpoint, Limits, Rate, RateLimit, Server, ServerBuilder, services};

use super::cmmv;
use crate::accounts::{Tokens, Users};
use crate::contracts::TasksContract;
use crate::service::{self, Accounts, Administration, Administrators, Changes, OwnList, Owner, Tasks};
use crate::storage::OwnedStore;
use crate::{
    AddTaskRequest, AuthGateway, DeleteTaskRequest, GetAllTaskRequest, TaskGateway, UpdateTaskRequest,
    UsersGateway,
};

/// Where the tasks are.
pub(crate) const PATH: &str = "/rpc";

/// Where users become known. It is an endpoint of its own, so that [`PATH`] can refuse everyone who is not.
pub(crate) const AUTH_PATH: &str = "/auth";

/// Where a debug build has the explorer, which it lets browsers of the same machine look into.
pub(crate) const EXPLORER: &str = "/explorer";

/// How often one address may try a name and a password. Each try costs a hash, and guessing is to take years.
const TRIES: Rate = Rate::per_minute(10).burst(TRIES_AT_ONCE);

/// How many of them it may make at once, after a pause.
pub(crate) const TRIES_AT_ONCE: u32 = 20;

/// What a server is made of.
pub(crate) struct Parts {
    pub(crate) tasks: Arc<OwnedStore<TasksContract>>,
    pub(crate) users: Arc<Users>,
    pub(crate) tokens: Tokens,
    pub(crate) authenticator: Jwt,
}

/// What the command line may ask for.
#[derive(Debug, Default)]
pub(crate) struct Options<'a> {
    /// Whether anonymous clients have no tasks.
    pub(crate) require_login: bool,
    /// Whose pages may connect beside the server's own.
    pub(crate) allow_origins: &'a [String],
    /// Whose word is taken on the address of a client.
    pub(crate) trusted_proxies: &'a [String],
}

/// A server of tasks and users.
///
/// # Errors
///
/// When the channels are not declared as they should be.
pub(crate) fn server(parts: Parts, options: &Options<'_>) -> Result<ServerBuilder, NamespaceError> {
    let Parts {
        tasks,
        users,
        tokens,
        authenticator,
    } = parts;
    let owner = Owner { store: tasks.clone() };
    let mut auth = Endpoint::new()
        .service(AuthGateway::new(Accounts {
            users: users.clone(),
            tokens,
        }))
        .authenticator(authenticator.clone())
        .limits(Limits {
            // Names, passwords and tokens are short, and nobody has many at once.
            message_bytes: 16 << 10,
            streams: 4,
            ..Limits::default()
        })
        .rate_limit(
            RateLimit::messages(TRIES)
                .each_address()
                .of_method("auth.AuthService/Login"),
        )
        .rate_limit(
            RateLimit::messages(TRIES)
                .each_address()
                .of_method("auth.AuthService/Register"),
        );
    let mut server = Server::builder()
        .path(PATH)
        .service(TaskGateway::new(Tasks {
            store: tasks.clone(),
            changes: Changes::default(),
        }))
        .service(UsersGateway::new(Administration {
            users: users.clone(),
            tasks: tasks.clone(),
        }))
        // The framework's own: what clients hear of their lists by, what they may ask about their session, and administrators
        // about all of them.
        .service(services::hub::gateway())
        .hub(service::hub(tasks)?)
        .service(services::session::gateway())
        .service(services::admin::gateway())
        .cmmv(cmmv::contracts())
        .authenticator(authenticator)
        .request_guard::<AddTaskRequest>("owner", OwnList)
        .request_guard::<GetAllTaskRequest>("owner", OwnList)
        .request_guard::<UpdateTaskRequest>("owner", owner.clone())
        .request_guard::<DeleteTaskRequest>("owner", owner)
        .guard("admin", Administrators { users });
    for origin in options.allow_origins {
        auth = auth.allow_origin(origin);
        server = server.allow_origin(origin);
    }
    if options.require_login {
        server = server.require_authentication();
    }
    if cfg!(debug_assertions) {
        server = server.explorer(EXPLORER);
    }
    server = server.trusted_proxies(options.trusted_proxies);
    Ok(server.endpoint(AUTH_PATH, auth))
}
