//! The service: what each call does with the tasks.

use std::sync::Arc;

use rpc_runtime::status::{BadRequest, FieldViolation};
use rpc_runtime::{Context, Status};
use uuid::Uuid;

use crate::TaskService;
use crate::contracts::TasksContract;
use crate::storage::{Store, StoreError};

/// The tasks of one store.
pub(crate) struct Tasks {
    pub(crate) store: Arc<Store<TasksContract>>,
}

impl TaskService for Tasks {
    async fn get_all(&self, _cx: &Context) -> Result<Vec<TasksContract>, Status> {
        Ok(self.store.all().await?)
    }

    async fn add(&self, _cx: &Context, mut item: TasksContract) -> Result<TasksContract, Status> {
        item.id = Uuid::new_v4().to_string();
        Ok(self.store.insert(&item).await?)
    }

    async fn update(&self, _cx: &Context, id: String, item: TasksContract) -> Result<TasksContract, Status> {
        let stored = self.store.update(id.as_str(), &item).await?;
        stored.ok_or_else(no_such_task)
    }

    async fn delete(&self, _cx: &Context, id: String) -> Result<bool, Status> {
        if self.store.delete(id.as_str()).await? {
            Ok(true)
        } else {
            Err(no_such_task())
        }
    }
}

fn no_such_task() -> Status {
    Status::not_found("no task has this id")
}

/// What a caller is told of the store's errors; what broke inside is for the log alone.
impl From<StoreError> for Status {
    fn from(error: StoreError) -> Self {
        let wrong = |field: &str, description: String, reason: &str| BadRequest {
            field_violations: vec![FieldViolation {
                field: format!("item.{field}"),
                description,
                reason: reason.into(),
                ..FieldViolation::default()
            }],
        };
        match error {
            StoreError::Taken { field } => {
                let text = format!("{field}: another task has it already");
                Status::already_exists(text.clone()).with_detail(&wrong(field, text, "TAKEN"))
            }
            StoreError::CannotHold { field, why } => {
                let text = format!("{field}: {why}");
                Status::invalid_argument(text.clone()).with_detail(&wrong(field, text, "CANNOT_BE_STORED"))
            }
            error => Status::internal_from(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Location;
    use crate::{TaskClient, TaskGateway};
    use rpc_runtime::{CallError, Client, Code, ConnectInfo, Server};

    /// A client and the store behind it, with no socket between them.
    async fn connected() -> (TaskClient, Arc<Store<TasksContract>>) {
        let store = Arc::new(Store::open(&Location::memory()).await.unwrap());
        let tasks = Tasks { store: store.clone() };
        let server = Server::builder()
            .service(TaskGateway::new(tasks))
            .build()
            .unwrap();
        let (near, far) = tokio::io::duplex(1 << 16);
        tokio::spawn(server.serve_connection(far, ConnectInfo::default()));
        (TaskClient::new(Client::from_io(near)), store)
    }

    fn task(label: &str) -> TasksContract {
        TasksContract {
            label: label.into(),
            ..Default::default()
        }
    }

    fn refused<T: std::fmt::Debug>(result: Result<T, CallError>) -> Status {
        result.unwrap_err().status().unwrap().clone()
    }

    #[tokio::test]
    async fn ids_are_the_servers_and_the_outer_id_of_an_update_wins() {
        let (client, _store) = connected().await;
        let milk = client
            .add(TasksContract {
                id: "mine".into(),
                ..task("Buy milk")
            })
            .await
            .unwrap();
        Uuid::parse_str(&milk.id).unwrap();
        let updated = TasksContract {
            id: "other".into(),
            checked: true,
            ..task("Buy oat milk")
        };
        let updated = client.update(milk.id.clone(), updated).await.unwrap();
        assert_eq!((&updated.id, updated.checked), (&milk.id, true));
        assert_eq!(client.get_all().await.unwrap(), [updated]);
        assert!(client.delete(milk.id).await.unwrap());
        assert_eq!(client.get_all().await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_taken_label_is_already_exists_and_names_the_field() {
        let (client, _store) = connected().await;
        client.add(task("Buy milk")).await.unwrap();
        let bread = client.add(task("Buy bread")).await.unwrap();
        let added = refused(client.add(task("Buy milk")).await);
        let renamed = refused(client.update(bread.id, task("Buy milk")).await);
        for status in [added, renamed] {
            assert_eq!(status.code(), Code::AlreadyExists);
            assert_eq!(status.message(), "label: another task has it already");
            let detail: BadRequest = status.details().next().unwrap();
            assert_eq!(detail.field_violations[0].field, "item.label");
        }
    }

    #[tokio::test]
    async fn a_missing_id_is_not_found() {
        let (client, _store) = connected().await;
        let updated = refused(client.update("none".into(), task("Buy milk")).await);
        let deleted = refused(client.delete("none".into()).await);
        assert_eq!((updated.code(), deleted.code()), (Code::NotFound, Code::NotFound));
    }

    #[tokio::test]
    async fn what_breaks_in_the_database_stays_inside() {
        let (client, store) = connected().await;
        store.close().await;
        let status = refused(client.get_all().await);
        assert_eq!(status.code(), Code::Internal);
        let text = format!("{status:?}").to_lowercase();
        assert!(!text.contains("pool") && !text.contains("sqlx"), "{text}");
    }
}
