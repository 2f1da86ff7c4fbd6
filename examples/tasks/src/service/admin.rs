//! What administrators may call, and the guard in front of it.

use std::sync::Arc;

use rpc_runtime::{Context, Guard, Status};

use crate::accounts::{UserRow, Users};
use crate::contracts::TasksContract;
use crate::contracts::auth::{self, ListUsersResponse, Role, UserTasks};
use crate::storage::OwnedStore;

/// What administrators may know of all users.
pub(crate) struct Administration {
    pub(crate) users: Arc<Users>,
    pub(crate) tasks: Arc<OwnedStore<TasksContract>>,
}

impl auth::Users for Administration {
    async fn list_users(&self, _cx: &Context) -> Result<ListUsersResponse, Status> {
        let mut counts = self.tasks.counts().await?;
        let anonymous_tasks = counts.remove("").unwrap_or(0);
        let users = self.users.all().await?;
        let with_tasks = |row: &UserRow| UserTasks {
            user: row.shown(),
            tasks: counts.get(&row.id).copied().unwrap_or(0),
        };
        Ok(ListUsersResponse {
            users: users.iter().map(with_tasks).collect(),
            anonymous_tasks,
        })
    }
}

/// The guard `admin`: lets administrators pass.
///
/// It asks the database, and not the token: who is made an administrator is one with the next call, and who is none any more
/// is none.
pub(crate) struct Administrators {
    pub(crate) users: Arc<Users>,
}

impl Guard for Administrators {
    async fn check(&self, cx: &Context) -> Result<(), Status> {
        let Some(id) = cx.user() else {
            return Err(Status::unauthenticated("this is for administrators"));
        };
        match self.users.by_id(id).await? {
            Some(row) if row.role == Role::Admin => Ok(()),
            _ => Err(Status::permission_denied("this is for administrators")),
        }
    }
}
