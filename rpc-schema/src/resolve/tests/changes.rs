//! The event of a controller with `changes`.

use super::support::{check, check_problems, scan};
use crate::resolve::{Origin, resolve};
use expect_test::expect;

#[test]
fn a_controller_with_changes_gives_an_event_of_what_was_added_updated_and_deleted() {
    check(
        r#"#[contract(package = "acme.log.v1", controller = "Entry", message = "LogEntry", changes = "log", operations(add))]
        struct Entry { #[field(id)] number: u64 }"#,
        expect![[r#"
            protos/acme/log/v1/v1.proto (acme/log/v1/v1.proto), package acme.log.v1, imports []
              message LogEntry = crate::Entry
                uint64 number = 1
              message AddEntryRequest = (generated)
                acme.log.v1.LogEntry item = 1 [Required]
              message AddEntryResponse = (generated)
                uint64 id = 1
                acme.log.v1.LogEntry item = 2
              oneof EntryChanged = (generated)
                event on log
                acme.log.v1.LogEntry added = 1
                acme.log.v1.LogEntry updated = 2
                acme.log.v1.DeletedEntry deleted = 3
              message DeletedEntry = (generated)
                uint64 id = 1
              service acme.log.v1.EntryService = (generated), stem Entry, controller of crate::Entry by number: uint64
                acme.log.v1.EntryService/AddEntry Unary acme.log.v1.AddEntryRequest (AddEntryRequest) -> acme.log.v1.AddEntryResponse (AddEntryResponse)
        "#]],
    );
}

#[test]
fn other_contracts_and_services_see_the_event() {
    check(
        r#"
        #[contract(package = "task", controller = "Task", changes = "tasks", operations(add))]
        struct Task { #[field(id)] id: String }
        #[contract(package = "task")]
        struct Log { last: Option<TaskChanged>, deleted: Vec<DeletedTask> }
        #[contract(package = "task")]
        trait Watch { async fn watch(&self) -> Result<impl Stream<Item = Result<TaskChanged, Status>>, Status>; }"#,
        expect![[r#"
            protos/task/task.proto (task/task.proto), package task, imports ["google/protobuf/empty.proto"]
              message Task = crate::Task
                string id = 1
              message AddTaskRequest = (generated)
                task.Task item = 1 [Required]
              message AddTaskResponse = (generated)
                string id = 1
                task.Task item = 2
              oneof TaskChanged = (generated)
                event on tasks
                task.Task added = 1
                task.Task updated = 2
                task.DeletedTask deleted = 3
              message DeletedTask = (generated)
                string id = 1
              message Log = crate::Log
                optional task.TaskChanged last = 1
                repeated task.DeletedTask deleted = 2
              service task.TaskService = (generated), stem Task, controller of crate::Task by id: string
                task.TaskService/AddTask Unary task.AddTaskRequest (AddTaskRequest) -> task.AddTaskResponse (AddTaskResponse)
              service task.WatchService = crate::Watch, stem Watch, trait
                task.WatchService/Watch ServerStreaming google.protobuf.Empty (()) -> task.TaskChanged (TaskChanged)
        "#]],
    );
}

#[test]
fn the_messages_of_changes_collide_like_any_others() {
    check_problems(
        r#"
        #[contract(package = "task", controller = "Task", changes = "tasks", operations(add))]
        struct Task { #[field(id)] id: String }
        #[contract(package = "task")] struct TaskChanged {}
        #[contract(package = "task")] struct DeletedTask {}"#,
        expect![[r#"
            problem at task.DeletedTask: two contracts have the full name `task.DeletedTask`: the controller of `crate::Task` and `crate::DeletedTask`; rename one, or put it into another package
            problem at task.Task: two contracts have the full name `task.DeletedTask`: the controller of `crate::Task` and `crate::DeletedTask`; rename one, or put it into another package
            problem at task.Task: two contracts have the full name `task.TaskChanged`: the controller of `crate::Task` and `crate::TaskChanged`; rename one, or put it into another package
            problem at task.TaskChanged: two contracts have the full name `task.TaskChanged`: the controller of `crate::Task` and `crate::TaskChanged`; rename one, or put it into another package
        "#]],
    );
}

#[test]
fn a_service_knows_what_its_controller_brings() {
    let brings = |keys: &str| {
        let source = format!(
            "#[contract(package = \"task\", controller = \"Task\", operations(delete){keys})]\
             struct Task {{ #[field(id)] id: String }}\
             #[contract(package = \"task\")] trait Bell {{ async fn ring(&self, task: Task) -> Result<(), Status>; }}"
        );
        let (schema, problems) = resolve(&scan(&source));
        assert_eq!(problems, []);
        let services = schema.files[0].services.iter();
        let brought: Vec<(bool, Vec<String>)> = services
            .map(|service| {
                let brings = service.brings().into_iter().map(str::to_owned).collect();
                (matches!(service.origin, Origin::Crud(_)), brings)
            })
            .collect();
        brought
    };
    let calls = ["task.DeleteTaskRequest", "task.DeleteTaskResponse"].map(str::to_owned);
    let changes = ["task.TaskChanged", "task.DeletedTask"].map(str::to_owned);
    assert_eq!(brings(""), [(true, calls.to_vec()), (false, Vec::new())]);
    assert_eq!(
        brings(", changes = \"tasks\""),
        [(true, [calls, changes].concat()), (false, Vec::new())]
    );
}
