//! The script that tells clients what there is, and contracts that cannot be told.

use rpc_runtime::{Cmmv, Server, StartError, contract};

use crate::service::{Task, TaskGateway, builder, cmmv};

/// A contract that nobody could call.
#[contract(package = "task", detached)]
pub struct Plain {
    pub text: String,
}

/// Another package's tasks.
#[contract(package = "other.task", controller = "Task", message = "Item", detached)]
pub struct OtherTask {
    pub text: String,
    #[field(id)]
    pub id: String,
}

#[test]
fn indexes_are_those_of_cmmv_and_its_own_contracts_come_last() {
    let script = cmmv().script();
    let index = r#""index":{"task":{"index":0,"types":{"Task":0,"TaskList":1,"AddTaskRequest":2,"AddTaskResponse":3,"UpdateTaskRequest":4,"UpdateTaskResponse":5,"DeleteTaskRequest":6,"DeleteTaskResponse":7,"GetAllTaskRequest":8,"GetAllTaskResponse":9}},"ws":{"index":1,"types":{"WsCall":0}},"wserror":{"index":2,"types":{"WsError":0}}}"#;
    assert!(script.contains(index), "{script}");
    assert!(script.contains("global.cmmv.addContracts({"), "{script}");
}

#[test]
fn messages_are_announced_with_cmmvs_fields() {
    let script = cmmv().script();
    for expected in [
        r#""Task":{"fields":{"label":{"type":"string","id":1},"checked":{"type":"bool","id":2},"removed":{"type":"bool","id":3}}}"#,
        r#""TaskList":{"fields":{"items":{"rule":"repeated","type":"Task","id":1}}}"#,
        r#""AddTaskRequest":{"fields":{"item":{"type":"Task","id":1}}}"#,
        r#""UpdateTaskResponse":{"fields":{"id":{"type":"string","id":1},"item":{"type":"Task","id":2}}}"#,
        r#""DeleteTaskResponse":{"fields":{"success":{"type":"bool","id":1},"affected":{"type":"int32","id":2},"id":{"type":"string","id":3}}}"#,
        r#""GetAllTaskRequest":{"fields":{}}"#,
        r#""GetAllTaskResponse":{"fields":{"items":{"type":"TaskList","id":1}}}"#,
    ] {
        assert!(script.contains(expected), "{expected}\nin {script}");
    }
}

fn refused(cmmv: Cmmv) -> String {
    let server = Server::builder().cmmv(cmmv).build();
    match server.unwrap_err() {
        error @ StartError::Cmmv { .. } => error.to_string(),
        other => panic!("{other}"),
    }
}

#[test]
fn a_contract_that_nobody_could_call_does_not_start() {
    let without_service = refused(Cmmv::new().contract::<Plain>());
    assert!(
        without_service.contains("`task.Plain`") && without_service.contains("controller"),
        "{without_service}"
    );
    let not_served = refused(cmmv());
    assert!(
        not_served.contains("`task.TaskService`") && not_served.contains(".service("),
        "{not_served}"
    );
}

/// A contract that is called as CMMV's own.
#[contract(package = "other", controller = "Ws", detached)]
pub struct Socket {
    #[field(id)]
    pub id: String,
}

/// A contract that is called as the list of it.
#[contract(package = "other", controller = "Task", message = "TaskList", detached)]
pub struct List {
    #[field(id)]
    pub id: String,
}

#[test]
fn a_contract_whose_name_is_taken_does_not_start() {
    let as_theirs = refused(Cmmv::new().contract::<Socket>());
    assert!(
        as_theirs.contains("`other.Ws`") && as_theirs.contains("another `controller`"),
        "{as_theirs}"
    );
    let as_its_list = refused(Cmmv::new().contract::<List>());
    assert!(
        as_its_list.contains("`other.TaskList`") && as_its_list.contains("another `message`"),
        "{as_its_list}"
    );
}

#[test]
fn two_contracts_of_one_name_do_not_start() {
    let cmmv = Cmmv::new().contract::<Task>().contract::<OtherTask>();
    let error = builder(TaskGateway::default())
        .cmmv(cmmv)
        .build()
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("`task`") && error.contains("`task.Task`") && error.contains("`other.task.Item`"),
        "{error}"
    );
}
