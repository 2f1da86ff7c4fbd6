//! Who users are, and how they become known.

use std::time::SystemTime;

use rpc_runtime::{Context, Status, contract};

/// Makes users known. It is served on a path of its own, which anonymous clients may call also where all else needs a login.
#[contract(package = "auth")]
pub trait Auth {
    /// Makes a user, and logs it in.
    #[message(deadline = "30s")]
    async fn register(&self, cx: &Context, request: RegisterRequest) -> Result<LoginResponse, Status>;

    /// Gives a token for a name and a password. That the name is unknown and that the password is wrong are the same answer.
    #[message(deadline = "30s")]
    async fn login(&self, cx: &Context, request: LoginRequest) -> Result<LoginResponse, Status>;

    /// The user who calls.
    #[message(auth, idempotent)]
    async fn who_am_i(&self, cx: &Context) -> Result<User, Status>;
}

/// What administrators may know of all users.
#[contract(package = "auth", guard = "admin")]
pub trait Users {
    /// Every user, in the order in which they were registered, and how many tasks they have.
    #[message(idempotent)]
    async fn list_users(&self, cx: &Context) -> Result<ListUsersResponse, Status>;
}

/// A name and a password for a new user.
#[contract(package = "auth")]
pub struct RegisterRequest {
    /// What the user is called: no other is, and in lower case, so that none looks like another.
    #[field(min_len = 2, max_len = 32, pattern = "^[a-z][a-z0-9._-]*$")]
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
    /// Whose it is.
    pub user: User,
}

/// A user, as others may see it.
#[contract(package = "auth")]
pub struct User {
    /// Assigned by the server; it stays.
    pub id: String,
    /// What the user is called.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// Since when there is this user.
    pub registered: SystemTime,
}

/// What a user may do.
#[contract(package = "auth")]
pub enum Role {
    /// See and change their own tasks.
    Member,
    /// That, and what is behind the guard `admin`.
    Admin,
}

/// Every user.
#[contract(package = "auth")]
pub struct ListUsersResponse {
    /// In the order in which they were registered.
    pub users: Vec<UserTasks>,
    /// How many tasks the list has that anonymous clients share.
    pub anonymous_tasks: u64,
}

/// A user, and how many tasks they have.
#[contract(package = "auth")]
pub struct UserTasks {
    /// The user.
    pub user: User,
    /// Also those that are done, and those that were put away.
    pub tasks: u64,
}
