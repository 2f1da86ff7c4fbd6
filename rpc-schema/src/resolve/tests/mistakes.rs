//! What is wrong across items, and where it is told.

use expect_test::expect;

use super::support::{check, check_problems};

#[test]
fn a_name_that_is_no_contract_is_told_at_its_field() {
    check(
        r#"
        mod hidden { #[contract(package = "a")] struct Deep {} }
        mod circle { use super::ring::Thing; }
        mod ring { use super::circle::Thing; }
        #[contract(package = "a")] struct Task {
            unknown: Plce, not_in_scope: Deep, alias: Alias, duration: Duration, endless: circle::Thing, fine: hidden::Deep,
        }
        #[contract(package = "a")] trait Tasks { async fn find(&self, what: Query) -> Result<Task, Status>; }
        "#,
        expect![[r#"
            protos/a/a.proto (a/a.proto), package a, imports []
              message Deep = crate::hidden::Deep
              message Task = crate::Task
                a.Deep fine = 6
              service a.TasksService = crate::Tasks, stem Tasks, trait
            problem at a.Task.alias: `Alias` is not a contract that the build script knows; put `#[contract(package = "a")]` on it. Type aliases are not followed; for a contract of another crate, give that crate's Cargo.toml a `links` key and a build script that calls `rpc_build`
            problem at a.Task.duration: `Duration` is not a contract that the build script knows; put `#[contract(package = "a")]` on it. Type aliases are not followed; for a contract of another crate, give that crate's Cargo.toml a `links` key and a build script that calls `rpc_build`
            problem at a.Task.endless: `circle::Thing` is not a contract that the build script knows; put `#[contract(package = "a")]` on it. Type aliases are not followed; for a contract of another crate, give that crate's Cargo.toml a `links` key and a build script that calls `rpc_build`
            problem at a.Task.not_in_scope: `Deep` is not a contract that the build script knows; put `#[contract(package = "a")]` on it. Type aliases are not followed; for a contract of another crate, give that crate's Cargo.toml a `links` key and a build script that calls `rpc_build`
            problem at a.Task.unknown: `Plce` is not a contract that the build script knows; put `#[contract(package = "a")]` on it. Type aliases are not followed; for a contract of another crate, give that crate's Cargo.toml a `links` key and a build script that calls `rpc_build`
            problem at a.TasksService.Find: `Query` is not a contract that the build script knows; put `#[contract(package = "a")]` on it. Type aliases are not followed; for a contract of another crate, give that crate's Cargo.toml a `links` key and a build script that calls `rpc_build`
        "#]],
    );
}

#[test]
fn a_call_carries_messages_and_no_enums() {
    check(
        r#"
        #[contract(package = "task")] enum Level { Low, High }
        #[contract(package = "task")]
        trait Tasks {
            async fn of(&self, level: Level) -> Result<(), Status>;
            async fn level(&self) -> Result<Level, Status>;
        }"#,
        expect![[r#"
            protos/task/task.proto (task/task.proto), package task, imports []
              enum Level = crate::Level
                LEVEL_LOW = 0
                LEVEL_HIGH = 1
              service task.TasksService = crate::Tasks, stem Tasks, trait
            problem at task.TasksService.Level: the response is the enum `task.Level`, and a call carries messages; put it into a contract struct
            problem at task.TasksService.Of: the request is the enum `task.Level`, and a call carries messages; put it into a contract struct
        "#]],
    );
}

#[test]
fn two_items_with_one_full_name_are_told() {
    check(
        r#"
        mod a { #[contract(package = "task")] struct Task {} }
        mod b { #[contract(package = "task", message = "Task")] enum State { Open } }
        "#,
        expect![[r#"
            protos/task/task.proto (task/task.proto), package task, imports []
              message Task = crate::a::Task
              enum Task = crate::b::State
                TASK_OPEN = 0
            problem at task.Task: two contracts have the full name `task.Task`: `crate::a::Task` and `crate::b::State`; rename one, or put it into another package
        "#]],
    );
}

#[test]
fn what_a_controller_generates_collides_like_anything_else() {
    check_problems(
        r#"
        #[contract(package = "task", controller = "Task", operations(delete))] struct Task { #[field(id)] id: String }
        #[contract(package = "task")] struct DeleteTaskRequest { id: String }
        #[contract(package = "task")] trait TaskService { async fn ping(&self) -> Result<(), Status>; }
        "#,
        expect![[r#"
            problem at task.DeleteTaskRequest: two contracts have the full name `task.DeleteTaskRequest`: the controller of `crate::Task` and `crate::DeleteTaskRequest`; rename one, or put it into another package
            problem at task.Task: two contracts have the full name `task.DeleteTaskRequest`: the controller of `crate::Task` and `crate::DeleteTaskRequest`; rename one, or put it into another package
            problem at task.Task: two contracts have the full name `task.TaskService`: the controller of `crate::Task` and `crate::TaskService`; rename one, or put it into another package
            problem at task.TaskService: two contracts have the full name `task.TaskService`: the controller of `crate::Task` and `crate::TaskService`; rename one, or put it into another package
        "#]],
    );
}

#[test]
fn two_controllers_of_one_name_are_told() {
    check_problems(
        r#"
        #[contract(package = "task", controller = "Task", operations(delete))] struct Task { #[field(id)] id: String }
        #[contract(package = "task", controller = "Task", message = "Job", operations(delete))] struct Job { #[field(id)] id: String }
        "#,
        expect![[r#"
            problem at task.Job: two contracts have the full name `task.TaskService`: the controller of `crate::Task` and the controller of `crate::Job`; rename one, or put it into another package
            problem at task.Task: two contracts have the full name `task.TaskService`: the controller of `crate::Task` and the controller of `crate::Job`; rename one, or put it into another package
        "#]],
    );
}

#[test]
fn files_that_import_each_other_are_told_at_the_fields_that_make_the_circle() {
    check(
        r#"
        #[contract(package = "a")] struct A { b: Option<Box<B>>, again: Vec<B> }
        #[contract(package = "b")] struct B { c: Option<Box<C>> }
        #[contract(package = "c")] struct C { a: Option<Box<A>>, free: D }
        #[contract(package = "d")] struct D {}
        "#,
        expect![[r#"
            protos/a/a.proto (a/a.proto), package a, imports ["b/b.proto"]
              message A = crate::A
                optional b.B b = 1
                repeated b.B again = 2
            protos/b/b.proto (b/b.proto), package b, imports ["c/c.proto"]
              message B = crate::B
                optional c.C c = 1
            protos/c/c.proto (c/c.proto), package c, imports ["a/a.proto", "d/d.proto"]
              message C = crate::C
                optional a.A a = 1
                d.D free = 2
            protos/d/d.proto (d/d.proto), package d, imports []
              message D = crate::D
            problem at a.A.again: `a/a.proto` and `b/b.proto` would import each other, which protobuf does not allow; move one of the types to the other's package, or both to a third
            problem at a.A.b: `a/a.proto` and `b/b.proto` would import each other, which protobuf does not allow; move one of the types to the other's package, or both to a third
            problem at b.B.c: `b/b.proto` and `c/c.proto` would import each other, which protobuf does not allow; move one of the types to the other's package, or both to a third
            problem at c.C.a: `c/c.proto` and `a/a.proto` would import each other, which protobuf does not allow; move one of the types to the other's package, or both to a third
        "#]],
    );
}

#[test]
fn a_service_can_close_a_circle_of_imports_too() {
    check(
        r#"
        #[contract(package = "a")] struct A { b: Option<Box<B>> }
        #[contract(package = "b")] struct B {}
        #[contract(package = "b")] trait Bees { async fn find(&self, a: A) -> Result<B, Status>; }
        "#,
        expect![[r#"
            protos/a/a.proto (a/a.proto), package a, imports ["b/b.proto"]
              message A = crate::A
                optional b.B b = 1
            protos/b/b.proto (b/b.proto), package b, imports ["a/a.proto"]
              message B = crate::B
              service b.BeesService = crate::Bees, stem Bees, trait
                b.BeesService/Find Unary a.A (crate::A) -> b.B (crate::B)
            problem at a.A.b: `a/a.proto` and `b/b.proto` would import each other, which protobuf does not allow; move one of the types to the other's package, or both to a third
            problem at b.BeesService.Find: `b/b.proto` and `a/a.proto` would import each other, which protobuf does not allow; move one of the types to the other's package, or both to a third
        "#]],
    );
}

#[test]
fn a_file_holds_one_package() {
    check(
        r#"
        #[contract(package = "a", proto_path = "protos/all.proto")] struct A {}
        #[contract(package = "b", proto_path = "protos/all.proto")] struct B {}
        "#,
        expect![[r#"
            protos/all.proto (all.proto), package a, imports []
              message A = crate::A
              message B = crate::B
            problem at b.B: `protos/all.proto` holds the package `a`, and a file holds one; give `b.B` another `proto_path`
        "#]],
    );
}
