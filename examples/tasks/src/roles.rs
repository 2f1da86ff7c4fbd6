//! The commands that say what users may do. They work on the database itself: who may write it decides who is an
//! administrator, and there is no first one to ask.

use crate::accounts::{Passwords, Users};
use crate::cli::{RoleArgs, UserCommand};
use crate::contracts::auth::Role;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::server::cannot_open;
use crate::storage::Database;

/// Runs a command; the text is for the standard output.
pub(crate) async fn run(command: UserCommand) -> Result<String, Failure> {
    match command {
        UserCommand::Promote(args) => set(&args, Role::Admin).await,
        UserCommand::Demote(args) => set(&args, Role::Member).await,
    }
}

async fn set(args: &RoleArgs, role: Role) -> Result<String, Failure> {
    let location = args.database.location()?.existing();
    let failed = |error| cannot_open(&location, &error);
    let passwords = Passwords::new().map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    let database = Database::open(&location).await.map_err(failed)?;
    let users = Users::open(&database, passwords).await.map_err(failed)?;
    let user = users.set_role(&args.name, role).await;
    database.close().await;
    let user = user.map_err(|error| Failure::new(Exit::Database, error.to_string()))?;
    let none = || Failure::new(Exit::NotFound, format!("no user is called {:?}", args.name));
    Ok(output::user(&user.ok_or_else(none)?.shown()))
}
