//! Who users are, and how they become known.

use std::time::SystemTime;

use rpc_runtime::{Context, Status, contract};

/// Makes users known. It is served on a path of its own, because all else is for those who are.
#[contract(package = "auth")]
pub trait Auth {
    /// Makes a user, and logs it in.
    #[message(deadline = "30s")]
    async fn register(&self, cx: &Context, request: RegisterRequest) -> Result<LoginResponse, Status>;

    /// Gives a token for a name and a password. That the name is unknown and that the password is wrong are the same answer.
    #[message(deadline = "30s", idempotent)]
    async fn login(&self, cx: &Context, request: LoginRequest) -> Result<LoginResponse, Status>;
}

/// A name and a password for a new user.
#[contract(package = "auth")]
pub struct RegisterRequest {
    /// What the user is called: no other is, and in lower case, so that none looks like another.
    #[field(pattern = "^[a-z][a-z0-9._-]{1,31}$")]
    pub name: String,
    /// Anything that is hard to guess.
    #[field(min_len = 8, max_len = 128)]
    pub password: String,
}

/// What a user is known by.
#[contract(package = "auth")]
pub struct LoginRequest {
    /// As it was registered.
    #[field(max_len = 32)]
    pub name: String,
    /// As it was registered.
    #[field(max_len = 128)]
    pub password: String,
}

/// A login.
#[contract(package = "auth")]
pub struct LoginResponse {
    /// What to show from now on: a bearer token.
    pub token: String,
    /// Until when it is good.
    pub expires: SystemTime,
    /// Whether it is an administrator's, now: so that others are not offered what they may not do. Each call asks anew.
    pub is_admin: bool,
}
