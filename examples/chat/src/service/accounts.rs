//! The service that makes users known, and the guard that lets administrators pass.

use std::time::Duration;

use rpc_runtime::{Context, Guard, Status};

use crate::accounts::{AccountError, PasswordError, Tokens, Users};
use crate::contracts::auth::{Auth, LoginRequest, LoginResponse, RegisterRequest};

/// The users of a database, and the tokens that they get.
pub(crate) struct Accounts {
    pub(crate) users: Users,
    pub(crate) tokens: Tokens,
}

impl Auth for Accounts {
    async fn register(&self, _: &Context, request: RegisterRequest) -> Result<LoginResponse, Status> {
        self.users.register(&request.name, request.password).await?;
        tracing::info!(user = request.name, "registered");
        self.login_of(&request.name).await
    }

    async fn login(&self, _: &Context, request: LoginRequest) -> Result<LoginResponse, Status> {
        match self.users.knows(&request.name, request.password).await? {
            true => self.login_of(&request.name).await,
            // One text for both, so that it does not tell which names there are.
            false => Err(Status::unauthenticated("the name or the password is wrong")),
        }
    }
}

impl Accounts {
    async fn login_of(&self, user: &str) -> Result<LoginResponse, Status> {
        let is_admin = self.users.is_admin(user).await.map_err(Status::internal_from)?;
        let (token, expires) = self.tokens.issue(user).map_err(Status::internal_from)?;
        Ok(LoginResponse {
            token,
            expires,
            is_admin,
        })
    }
}

/// The guard `admin`. It asks the database, and not the token: who is made an administrator is one with the next call.
pub(crate) struct Administrators(pub(crate) Users);

impl Guard for Administrators {
    async fn check(&self, cx: &Context) -> Result<(), Status> {
        let user = cx.user().ok_or_else(|| Status::unauthenticated("log in first"))?;
        match self.0.is_admin(user).await.map_err(Status::internal_from)? {
            true => Ok(()),
            false => Err(Status::permission_denied("this is for administrators")),
        }
    }
}

/// What a caller is told; what broke inside is for the log alone.
impl From<AccountError> for Status {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::NameTaken => Status::already_exists("another user has this name"),
            AccountError::Password(PasswordError::Busy) => {
                let text = "too many passwords are being checked now; try again";
                Status::resource_exhausted(text).retry_after(Duration::from_secs(2))
            }
            error => Status::internal_from(error),
        }
    }
}
