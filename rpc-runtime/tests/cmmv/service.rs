//! Tasks in memory, as a CRUD contract's generated code would have them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use rpc_runtime::{Cmmv, Context, Server, ServerBuilder, Status, contract, rpc};
use tokio::sync::Semaphore;

/// A thing to be done.
#[contract(package = "task", controller = "Task", detached)]
pub struct Task {
    #[field(min_len = 1, max_len = 200)]
    pub label: String,
    pub checked: bool,
    pub removed: bool,
    #[field(id)]
    pub id: String,
}

#[contract(package = "task", detached)]
pub struct AddTaskRequest {
    pub item: Task,
}

#[contract(package = "task", detached)]
pub struct AddTaskResponse {
    pub id: String,
    pub item: Task,
}

#[contract(package = "task", detached)]
pub struct UpdateTaskRequest {
    pub id: String,
    pub item: Task,
}

#[contract(package = "task", detached)]
pub struct UpdateTaskResponse {
    pub id: String,
    pub item: Task,
}

#[contract(package = "task", detached)]
pub struct DeleteTaskRequest {
    pub id: String,
}

#[contract(package = "task", detached)]
pub struct DeleteTaskResponse {
    #[field(tag = 1)]
    pub success: bool,
    #[field(tag = 3)]
    pub id: String,
}

#[contract(package = "task", detached)]
pub struct GetAllTaskResponse {
    pub items: Vec<Task>,
}

#[contract(package = "task", detached)]
pub struct GetAllTaskRequest {}

/// A label with which a task is added as many times as this, in the answer alone.
pub const MANY: usize = 200_000;

#[derive(Clone)]
pub struct TaskGateway {
    tasks: Arc<Mutex<BTreeMap<String, Task>>>,
    /// Deleting `held` waits for a permit.
    pub permits: Arc<Semaphore>,
}

impl Default for TaskGateway {
    fn default() -> Self {
        Self {
            tasks: Arc::default(),
            permits: Arc::new(Semaphore::new(0)),
        }
    }
}

#[rpc("task", detached)]
impl TaskGateway {
    #[message("AddTaskRequest", guard = "polite")]
    async fn add(&self, data: AddTaskRequest) -> Result<AddTaskResponse, Status> {
        let mut tasks = self.tasks.lock().unwrap();
        let id = (tasks.len() + 1).to_string();
        let item = Task {
            id: id.clone(),
            ..data.item
        };
        tasks.insert(id.clone(), item.clone());
        Ok(AddTaskResponse { id, item })
    }

    #[message("UpdateTaskRequest")]
    async fn update(&self, data: UpdateTaskRequest) -> Result<UpdateTaskResponse, Status> {
        let UpdateTaskRequest { id, item } = data;
        match self.tasks.lock().unwrap().get_mut(&id) {
            Some(task) => {
                *task = Task {
                    id: id.clone(),
                    ..item
                };
                Ok(UpdateTaskResponse {
                    id,
                    item: task.clone(),
                })
            }
            None => Err(Status::not_found(format!("there is no task {id:?}"))),
        }
    }

    #[message("DeleteTaskRequest")]
    async fn delete(&self, data: DeleteTaskRequest) -> Result<DeleteTaskResponse, Status> {
        if data.id == "held" {
            self.permits.acquire().await.unwrap().forget();
        }
        Ok(DeleteTaskResponse {
            success: self.tasks.lock().unwrap().remove(&data.id).is_some(),
            id: data.id,
        })
    }

    #[message("GetAllTaskRequest")]
    async fn get_all(&self, data: GetAllTaskRequest) -> Result<GetAllTaskResponse, Status> {
        let _ = data;
        let items: Vec<_> = self.tasks.lock().unwrap().values().cloned().collect();
        match items.first() {
            Some(first) if first.label == "many" => Ok(GetAllTaskResponse {
                items: vec![Task::default(); MANY],
            }),
            _ => Ok(GetAllTaskResponse { items }),
        }
    }
}

/// Refuses those who call themselves rude in their query.
fn polite(cx: &Context) -> Result<(), Status> {
    match cx.session().info().query() {
        Some("rude") => Err(Status::permission_denied("not like that")),
        _ => Ok(()),
    }
}

pub fn cmmv() -> Cmmv {
    Cmmv::new().contract::<Task>()
}

pub fn builder(gateway: TaskGateway) -> ServerBuilder {
    Server::builder()
        .service(gateway)
        .guard("polite", polite)
        .cmmv(cmmv())
}

pub fn server() -> Server {
    builder(TaskGateway::default()).build().unwrap()
}
