//! The service that makes users known.

use std::sync::Arc;

use rpc_runtime::{Context, Status};

use crate::accounts::{AccountError, PasswordError, Tokens, UserRow, Users};
use crate::contracts::auth::{Auth, LoginRequest, LoginResponse, RegisterRequest, User};

/// The users of a database, and the tokens that they get.
pub(crate) struct Accounts {
    pub(crate) users: Arc<Users>,
    pub(crate) tokens: Tokens,
}

impl Auth for Accounts {
    async fn register(&self, _cx: &Context, request: RegisterRequest) -> Result<LoginResponse, Status> {
        let user = self.users.register(request.name, request.password).await?;
        tracing::info!(user = user.id, name = user.name, "registered");
        self.login_of(user)
    }

    async fn login(&self, _cx: &Context, request: LoginRequest) -> Result<LoginResponse, Status> {
        let user = self.users.known_by(&request.name, request.password).await?;
        // One text for both, so that it does not tell which names there are.
        let user = user.ok_or_else(|| Status::unauthenticated("the name or the password is wrong"))?;
        self.login_of(user)
    }

    async fn who_am_i(&self, cx: &Context) -> Result<User, Status> {
        let id = cx.user().ok_or_else(|| Status::unauthenticated("log in first"))?;
        let row = self.users.by_id(id).await?;
        let row = row.ok_or_else(|| Status::unauthenticated("there is no such user any more"))?;
        Ok(row.shown())
    }
}

impl Accounts {
    fn login_of(&self, user: UserRow) -> Result<LoginResponse, Status> {
        let (token, expires) = self.tokens.issue(&user.id).map_err(Status::internal_from)?;
        Ok(LoginResponse {
            token,
            expires,
            user: user.shown(),
        })
    }
}

/// What a caller is told; what broke inside is for the log alone.
impl From<AccountError> for Status {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::NameTaken => Status::already_exists("name: another user has it already"),
            AccountError::Password(PasswordError::Busy) => {
                let text = "too many passwords are being checked now; try again";
                Status::resource_exhausted(text).retry_after(std::time::Duration::from_secs(2))
            }
            AccountError::Store(error) => error.into(),
            error => Status::internal_from(error),
        }
    }
}
