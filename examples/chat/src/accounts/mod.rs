//! Users, as the server keeps them: their names, passwords and tokens. It knows neither calls nor sockets.

mod passwords;
mod tokens;
mod users;

pub(crate) use passwords::{PasswordError, Passwords};
pub(crate) use tokens::{Tokens, authenticator};
pub(crate) use users::{AccountError, Users};
