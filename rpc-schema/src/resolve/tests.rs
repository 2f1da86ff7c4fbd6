//! What pass 2 makes of the items of a crate: the schema as text, and what is wrong across items.

mod changes;
mod mistakes;
mod support;

use expect_test::expect;

use support::{check, check_scanned, scan};

#[test]
fn a_controller_gives_the_messages_and_the_numbers_that_cmmv_has() {
    check(
        r#"mod contracts {
            #[contract(package = "task", controller = "Task")]
            struct TasksContract {
                #[field(unique, min_len = 1)] label: String,
                checked: bool,
                #[field(id)] id: String,
            }
        }"#,
        expect![[r#"
            protos/task/task.proto (task/task.proto), package task, imports []
              message Task = crate::contracts::TasksContract
                string label = 1 [MinLen(1)]
                bool checked = 2
                string id = 3
              message AddTaskRequest = (generated)
                task.Task item = 1 [Required]
              message AddTaskResponse = (generated)
                string id = 1
                task.Task item = 2
              message UpdateTaskRequest = (generated)
                string id = 1
                task.Task item = 2 [Required]
              message UpdateTaskResponse = (generated)
                string id = 1
                task.Task item = 2
              message DeleteTaskRequest = (generated)
                string id = 1
              message DeleteTaskResponse = (generated)
                reserved [(2, 2)] []
                bool success = 1
                string id = 3
              message GetAllTaskRequest = (generated)
              message GetAllTaskResponse = (generated)
                repeated task.Task items = 1
              service task.TaskService = (generated), stem Task, controller of crate::contracts::TasksContract by id: string
                task.TaskService/AddTask Unary task.AddTaskRequest (AddTaskRequest) -> task.AddTaskResponse (AddTaskResponse)
                task.TaskService/UpdateTask Unary task.UpdateTaskRequest (UpdateTaskRequest) -> task.UpdateTaskResponse (UpdateTaskResponse)
                task.TaskService/DeleteTask Unary task.DeleteTaskRequest (DeleteTaskRequest) -> task.DeleteTaskResponse (DeleteTaskResponse)
                task.TaskService/GetAllTask Unary task.GetAllTaskRequest (GetAllTaskRequest) -> task.GetAllTaskResponse (GetAllTaskResponse)
        "#]],
    );
}

#[test]
fn a_controller_may_have_some_operations_and_a_number_as_its_id() {
    check(
        r#"#[contract(package = "acme.log.v1", controller = "Entry", message = "LogEntry", operations(get_all, add))]
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
              message GetAllEntryRequest = (generated)
              message GetAllEntryResponse = (generated)
                repeated acme.log.v1.LogEntry items = 1
              service acme.log.v1.EntryService = (generated), stem Entry, controller of crate::Entry by number: uint64
                acme.log.v1.EntryService/AddEntry Unary acme.log.v1.AddEntryRequest (AddEntryRequest) -> acme.log.v1.AddEntryResponse (AddEntryResponse)
                acme.log.v1.EntryService/GetAllEntry Unary acme.log.v1.GetAllEntryRequest (GetAllEntryRequest) -> acme.log.v1.GetAllEntryResponse (GetAllEntryResponse)
        "#]],
    );
}

#[test]
fn names_are_found_through_modules_uses_renames_globs_and_super() {
    check(
        r#"
        use crate::money::{Money as Cash, fx::*};
        mod money {
            use super::tasks;
            #[contract(package = "a")] struct Money { parent: Option<Box<super::Root>>, task: tasks::Task }
            mod fx {
                use super::super::tasks::{self as work, Task};
                #[contract(package = "a")] enum Side { Buy, Sell }
                #[contract(package = "a")] struct Rate {
                    a: super::Money, b: self::Side, c: crate::money::fx::Side, d: Task, e: Vec<Rate>,
                }
            }
        }
        mod tasks {
            use crate::money::fx;
            use super::*;
            #[contract(package = "a")] struct Task { side: fx::Side, rate: Option<Rate>, root: Vec<super::Root> }
        }
        #[contract(package = "a")] struct Root {
            cash: Cash, side: Side, by_name: HashMap<String, money::fx::Rate>, task: Vec<tasks::Task>,
        }"#,
        expect![[r#"
            protos/a/a.proto (a/a.proto), package a, imports []
              message Money = crate::money::Money
                optional a.Root parent = 1
                a.Task task = 2
              message Rate = crate::money::fx::Rate
                a.Money a = 1
                a.Side b = 2
                a.Side c = 3
                a.Task d = 4
                repeated a.Rate e = 5
              message Task = crate::tasks::Task
                a.Side side = 1
                optional a.Rate rate = 2
                repeated a.Root root = 3
              message Root = crate::Root
                a.Money cash = 1
                a.Side side = 2
                map by string of a.Rate by_name = 3
                repeated a.Task task = 4
              enum Side = crate::money::fx::Side
                SIDE_BUY = 0
                SIDE_SELL = 1
        "#]],
    );
}

#[test]
fn well_known_types_and_other_crates_are_found_by_their_paths() {
    check(
        r#"
        use std::time::{Duration, SystemTime as When};
        use prost_types::{Timestamp, *};
        use shared::money::Money;
        use shared::Currency as C;
        mod legacy {}
        #[contract(package = "task")] struct Task {
            at: When, took: Duration, stamp: Timestamp, mask: FieldMask, any: rpc_runtime::prost_types::Any,
            core: core::time::Duration, free: ::prost_types::Struct, money: Money, other: ::shared::money::Money,
            currency: Option<C>, unit: (), note: legacy::Note, bare: Note,
        }"#,
        expect![[r#"
            protos/task/task.proto (task/task.proto), package task, imports ["google/protobuf/any.proto", "google/protobuf/duration.proto", "google/protobuf/empty.proto", "google/protobuf/field_mask.proto", "google/protobuf/struct.proto", "google/protobuf/timestamp.proto", "shared/shared.proto"]
              message Task = crate::Task
                google.protobuf.Timestamp at = 1
                google.protobuf.Duration took = 2
                google.protobuf.Timestamp stamp = 3
                google.protobuf.FieldMask mask = 4
                google.protobuf.Any any = 5
                google.protobuf.Duration core = 6
                google.protobuf.Struct free = 7
                shared.Money money = 8
                shared.Money other = 9
                optional shared.Currency currency = 10
                google.protobuf.Empty unit = 11
                task.Note note = 12
                task.Note bare = 13
        "#]],
    );
}

#[test]
fn services_take_their_names_from_traits_and_gateways_and_see_the_messages_of_controllers() {
    check(
        r#"
        #[contract(package = "task", controller = "Task", operations(add))] struct Task { #[field(id)] id: String }
        #[contract(package = "task")]
        trait Ticker {
            async fn quote(&self, cx: &Context, name: String) -> Result<Task, Status>;
            async fn watch(&self) -> Result<impl Stream<Item = Result<Task, Status>>, Status>;
            async fn record(&self, tasks: Streaming<Task>) -> Result<u64, Status>;
            async fn trade(&self, input: Streaming<Task>, output: Outgoing<Task>) -> Result<(), Status>;
        }
        #[rpc("task")]
        impl<T> MirrorGateway<T> {
            #[message("AddTaskRequest")]
            async fn add(&self, request: AddTaskRequest) -> Result<AddTaskResponse, Status> { unreachable!() }
        }"#,
        expect![[r#"
            protos/task/task.proto (task/task.proto), package task, imports ["google/protobuf/empty.proto", "google/protobuf/wrappers.proto"]
              message Task = crate::Task
                string id = 1
              message AddTaskRequest = (generated)
                task.Task item = 1 [Required]
              message AddTaskResponse = (generated)
                string id = 1
                task.Task item = 2
              service task.TaskService = (generated), stem Task, controller of crate::Task by id: string
                task.TaskService/AddTask Unary task.AddTaskRequest (AddTaskRequest) -> task.AddTaskResponse (AddTaskResponse)
              service task.TickerService = crate::Ticker, stem Ticker, trait
                task.TickerService/Quote Unary google.protobuf.StringValue (::std::string::String) -> task.Task (crate::Task)
                task.TickerService/Watch ServerStreaming google.protobuf.Empty (()) -> task.Task (crate::Task)
                task.TickerService/Record ClientStreaming task.Task (crate::Task) -> google.protobuf.UInt64Value (::core::primitive::u64)
                task.TickerService/Trade Bidirectional task.Task (crate::Task) -> task.Task (crate::Task)
              service task.MirrorService = crate::MirrorGateway, stem Mirror, gateway
                task.MirrorService/AddTask Unary task.AddTaskRequest (AddTaskRequest) -> task.AddTaskResponse (AddTaskResponse)
        "#]],
    );
}

#[test]
fn packages_lie_in_files_of_their_own_and_import_each_other_one_way() {
    check(
        r#"
        #[contract(package = "shop.order.v1")] struct Order { by: crate::User, at: Vec<Place> }
        #[contract(package = "shop.user")] struct User { name: String }
        #[contract(package = "shop.order.v1", proto_path = "protos/places.proto")] struct Place {}
        #[contract(package = "shop.order.v1", removed("Cart", "OrderService/Split"))] trait Order_ {
            async fn put(&self, order: Order) -> Result<(), Status>;
        }
        "#,
        expect![[r#"
            protos/places.proto (places.proto), package shop.order.v1, imports []
              message Place = crate::Place
            protos/shop/order/v1/v1.proto (shop/order/v1/v1.proto), package shop.order.v1, imports ["google/protobuf/empty.proto", "places.proto", "shop/user/user.proto"]
              removed {"Cart", "OrderService/Split", "Order_Service/Cart"}
              message Order = crate::Order
                shop.user.User by = 1
                repeated shop.order.v1.Place at = 2
              service shop.order.v1.Order_Service = crate::Order_, stem Order_, trait
                shop.order.v1.Order_Service/Put Unary shop.order.v1.Order (crate::Order) -> google.protobuf.Empty (())
            protos/shop/user/user.proto (shop/user/user.proto), package shop.user, imports []
              message User = crate::User
                string name = 1
        "#]],
    );
}

#[test]
fn a_message_has_no_declared_default_and_an_enum_has() {
    check(
        r#"
        #[contract(package = "a")] enum Level { Low, High }
        #[contract(package = "a")] struct Inner {}
        #[contract(package = "a")] struct Outer {
            #[field(default = Level::High)] level: Level,
            #[field(default = Inner::new)] inner: Inner,
        }"#,
        expect![[r#"
            protos/a/a.proto (a/a.proto), package a, imports []
              message Inner = crate::Inner
              message Outer = crate::Outer
                a.Level level = 1
                a.Inner inner = 2
              enum Level = crate::Level
                LEVEL_LOW = 0
                LEVEL_HIGH = 1
            problem at a.Outer.inner: only scalars and enums have declared defaults; a message's fields have their own
        "#]],
    );
}

#[test]
fn the_crate_that_holds_the_contracts_can_be_named() {
    let mut scanned = scan(
        r#"mod m { #[contract(package = "a")] struct A { b: super::B } } #[contract(package = "a")] struct B {}"#,
    );
    scanned.crate_path = "::contracts".to_owned();
    check_scanned(
        &scanned,
        expect![[r#"
        protos/a/a.proto (a/a.proto), package a, imports []
          message A = ::contracts::m::A
            a.B b = 1
          message B = ::contracts::B
    "#]],
    );
}

#[test]
fn a_recursive_message_does_not_import_itself() {
    check(
        r#"#[contract(package = "a")] struct Node { left: Option<Box<Node>>, all: Vec<Self>, by: BTreeMap<i32, Node> }
        #[contract(package = "a")] enum Either { #[default] Unset, Node(Box<Node>), Again(Box<Either>), Nothing }"#,
        expect![[r#"
            protos/a/a.proto (a/a.proto), package a, imports ["google/protobuf/empty.proto"]
              message Node = crate::Node
                optional a.Node left = 1
                repeated a.Node all = 2
                map by int32 of a.Node by = 3
              oneof Either = crate::Either
                a.Node node = 1
                a.Either again = 2
                google.protobuf.Empty nothing = 3
        "#]],
    );
}
