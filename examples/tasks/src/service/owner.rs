//! Whose a task is: the guard `owner`, which looks at the requests about one task.

use std::sync::Arc;

use rpc_runtime::{Context, RequestGuard, Status};

use crate::contracts::TasksContract;
use crate::storage::OwnedStore;
use crate::{AddTaskRequest, DeleteTaskRequest, GetAllTaskRequest, UpdateTaskRequest};

/// Whose tasks a call is about: the user's who calls, else nobody's, which all anonymous clients share.
pub(super) fn list_of(cx: &Context) -> &str {
    cx.user().unwrap_or_default()
}

/// The guard `owner` of calls about one task: lets them pass to tasks of the caller's own list.
///
/// Another's task is answered like one that there is not. PERMISSION_DENIED would tell that somebody has it.
#[derive(Clone)]
pub(crate) struct Owner {
    pub(crate) store: Arc<OwnedStore<TasksContract>>,
}

impl Owner {
    async fn check_id(&self, cx: &Context, id: &str) -> Result<(), Status> {
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

/// The guard `owner` of calls about the caller's own list, whose it is already.
///
/// It is said for each request, and not for all that the contract has, so that a method that comes later has a rule before
/// the server starts.
pub(crate) struct OwnList;

impl RequestGuard<AddTaskRequest> for OwnList {
    async fn check(&self, _cx: &Context, _request: &AddTaskRequest) -> Result<(), Status> {
        Ok(())
    }
}

impl RequestGuard<GetAllTaskRequest> for OwnList {
    async fn check(&self, _cx: &Context, _request: &GetAllTaskRequest) -> Result<(), Status> {
        Ok(())
    }
}

/// What is said of an unknown id and of another's.
pub(super) fn no_such_task() -> Status {
    Status::not_found("no task has this id")
}
