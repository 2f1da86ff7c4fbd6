//! The service of tasks: what each call does with them.

use std::sync::Arc;

use rpc_runtime::status::{BadRequest, FieldViolation};
use rpc_runtime::{Context, Status};
use uuid::Uuid;

use super::Changes;
use super::owner::{list_of, no_such_task};
use crate::TaskService;
use crate::contracts::{DeletedTask, TaskChanged, TasksContract};
use crate::storage::{OwnedStore, StoreError};

/// The tasks of one database.
pub(crate) struct Tasks {
    pub(crate) store: Arc<OwnedStore<TasksContract>>,
    pub(crate) changes: Changes,
}

impl TaskService for Tasks {
    async fn get_all(&self, cx: &Context) -> Result<Vec<TasksContract>, Status> {
        Ok(self.store.all_of(list_of(cx)).await?)
    }

    async fn add(&self, cx: &Context, mut item: TasksContract) -> Result<TasksContract, Status> {
        item.id = Uuid::new_v4().to_string();
        let (store, list) = (self.store.clone(), list_of(cx).to_owned());
        let add = async move { Ok(store.insert_for(&list, &item).await?) };
        let told = |stored: &TasksContract| Some(TaskChanged::Added(stored.clone()));
        self.changes.make(cx, list_of(cx), add, told).await
    }

    // The guard `owner` has seen that these two are about a task of the caller's. It stays so: a task keeps its owner, and
    // its id is no other's when it is gone.

    async fn update(&self, cx: &Context, id: String, item: TasksContract) -> Result<TasksContract, Status> {
        let store = self.store.clone();
        let update = async move { store.update(id.as_str(), &item).await?.ok_or_else(no_such_task) };
        let told = |stored: &TasksContract| Some(TaskChanged::Updated(stored.clone()));
        self.changes.make(cx, list_of(cx), update, told).await
    }

    async fn delete(&self, cx: &Context, id: String) -> Result<bool, Status> {
        let store = self.store.clone();
        let deleted = DeletedTask { id: id.clone() };
        let delete = async move { Ok(store.delete(id.as_str()).await?) };
        let told = |was_there: &bool| was_there.then_some(TaskChanged::Deleted(deleted));
        match self.changes.make(cx, list_of(cx), delete, told).await? {
            true => Ok(true),
            false => Err(no_such_task()),
        }
    }
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
    use crate::TaskClient;
    use crate::service::tests::{Served, serve};
    use rpc_runtime::{CallError, Code};

    /// An anonymous client, and its server.
    async fn connected() -> (TaskClient, Served) {
        let served = serve().await;
        (served.anonymous().await, served)
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
        let (client, _served) = connected().await;
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
        let (client, _served) = connected().await;
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
        let (client, _served) = connected().await;
        let updated = refused(client.update("none".into(), task("Buy milk")).await);
        let deleted = refused(client.delete("none".into()).await);
        assert_eq!((updated.code(), deleted.code()), (Code::NotFound, Code::NotFound));
    }

    #[tokio::test]
    async fn what_breaks_in_the_database_stays_inside() {
        let (client, served) = connected().await;
        served.database.close().await;
        let status = refused(client.get_all().await);
        assert_eq!(status.code(), Code::Internal);
        let text = format!("{status:?}").to_lowercase();
        assert!(!text.contains("pool") && !text.contains("sqlx"), "{text}");
    }
}
