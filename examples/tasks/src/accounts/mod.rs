//! Users, as the server keeps them: their rows, passwords and tokens. It knows neither calls nor sockets.

mod passwords;
mod secret;
mod tokens;
mod users;

pub(crate) use passwords::{PasswordError, Passwords};
pub(crate) use secret::Secret;
pub(crate) use tokens::{Tokens, authenticator};
pub(crate) use users::{AccountError, UserRow, Users};
