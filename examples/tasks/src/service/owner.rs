//! Whose a task is: the guard `owner`, which looks at the requests about one task.

use std::sync::Arc;

use rpc_runtime::{Context, RequestGuard, Status};

use crate::contracts::TasksContract;
use crate::storage::OwnedStore;
use crate::{DeleteTaskRequest, UpdateTaskRequest};

/// Whose tasks a call is about: the user's who calls, else nobody's, which all anonymous clients share.
pub(crate) fn list_of(cx: &Context) -> &str {
    cx.user().unwrap_or_default()
}

/// The guard `owner`: lets a call pass to a task of the caller's own list.
///
/// Another's task is answered like one that there is not. PERMISSION_DENIED would tell that somebody has it.
#[derive(Clone)]
pub(crate) struct Owner {
    pub(crate) store: Arc<OwnedStore<TasksContract>>,
}

impl Owner {
    pub(crate) async fn check_id(&self, cx: &Context, id: &str) -> Result<(), Status> {
        match self.store.owner_of(id).await? {
            Some(owner) if owner == list_of(cx) => Ok(()),
            _ => Err(no_such_task()),
        }
    }
}

impl RequestGuard<UpdateTaskRequest> for Owner {
    async fn check(&self, cx: &Context, request: &UpdateTaskRequest) -> Result<(), Status> {
        self.check_id(cx, &request.id).await
    }
}

impl RequestGuard<DeleteTaskRequest> for Owner {
    async fn check(&self, cx: &Context, request: &DeleteTaskRequest) -> Result<(), Status> {
        self.check_id(cx, &request.id).await
    }
}

/// What is said of an unknown id and of another's.
pub(crate) fn no_such_task() -> Status {
    Status::not_found("no task has this id")
}
