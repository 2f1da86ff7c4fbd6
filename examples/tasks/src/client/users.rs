//! The commands about users: becoming one, logging in and out, and saying who there is.

use rpc_runtime::text::one_line;
use rpc_runtime::{CallError, Code};

use super::connection::Server;
use super::logins::LoginFile;
use super::password;
use crate::cli::{ClientOptions, UserArgs};
use crate::contracts::auth::{LoginRequest, LoginResponse, RegisterRequest};
use crate::failure::{Exit, Failure};
use crate::{AuthClient, UsersClient, output};

/// Makes a user, and keeps its login.
pub(super) async fn register(args: UserArgs) -> Result<String, Failure> {
    let server = Server::of(&args.options)?;
    let request = RegisterRequest {
        name: args.name,
        password: password::read(true)?,
    };
    let auth = AuthClient::new(server.auth(None).await?);
    let login = auth.register(request).timeout(server.timeout).await?;
    keep(&args.options, "registered", &login)
}

/// Gets a login, and keeps it.
pub(super) async fn login(args: UserArgs) -> Result<String, Failure> {
    let server = Server::of(&args.options)?;
    let request = LoginRequest {
        name: args.name,
        password: password::read(false)?,
    };
    let auth = AuthClient::new(server.auth(None).await?);
    let login = match auth.login(request).timeout(server.timeout).await {
        // That the way to log in is to log in helps nobody.
        Err(CallError::Status(status)) if status.code() == Code::Unauthenticated => {
            return Err(Failure::new(Exit::NotAllowed, status.message()));
        }
        login => login?,
    };
    keep(&args.options, "logged in", &login)
}

fn keep(options: &ClientOptions, what: &str, login: &LoginResponse) -> Result<String, Failure> {
    LoginFile::of(options)?.write(&login.token)?;
    Ok(match options.json {
        true => output::user_json(Some(&login.user)),
        false => format!("{what} as {}\n", one_line(&login.user.name)),
    })
}

/// Forgets the login. The server is not asked: the token is good until its time is over, and nobody has it any more.
pub(super) fn logout(options: &ClientOptions) -> Result<String, Failure> {
    Server::of(options)?;
    let removed = LoginFile::of(options)?.remove()?;
    Ok(match (options.json, removed) {
        (true, _) => output::user_json(None),
        (false, true) => "logged out\n".to_owned(),
        (false, false) => "nobody was logged in\n".to_owned(),
    })
}

/// Who the next command is.
pub(super) async fn whoami(options: &ClientOptions) -> Result<String, Failure> {
    let server = Server::of(options)?;
    let user = match LoginFile::of(options)?.read()? {
        None => None,
        Some(token) => {
            let auth = AuthClient::new(server.auth(Some(&token)).await?);
            Some(auth.who_am_i().timeout(server.timeout).await?)
        }
    };
    Ok(match (options.json, &user) {
        (true, user) => output::user_json(user.as_ref()),
        (false, Some(user)) => output::user(user),
        (false, None) => "nobody is logged in; the tasks are those that all share\n".to_owned(),
    })
}

/// Everyone there is.
pub(super) async fn users(options: &ClientOptions) -> Result<String, Failure> {
    let server = Server::of(options)?;
    let users = UsersClient::new(server.tasks().await?);
    let list = users.list_users().timeout(server.timeout).await?;
    Ok(match options.json {
        true => output::users_json(&list),
        false => output::users(&list),
    })
}
