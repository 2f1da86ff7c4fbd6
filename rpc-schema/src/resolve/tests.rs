//! What pass 2 makes of the items of a crate: the schema as text, and what is wrong across items.

mod changes;

use super::{
    External, Label, Module, NamedKind, Origin, Scanned, ScannedItem, Schema, TypeDef, Use, resolve,
};
use crate::diagnostics::Errors;
use crate::parse;
use expect_test::{Expect, expect};
use std::fmt::Write;
use syn::UseTree;

/// Reads the text of a crate's root: its inline modules, their `use`s and their contracts.
fn scan(source: &str) -> Scanned {
    let file = syn::parse_file(source).expect("the case is Rust");
    let mut scanned = Scanned {
        externals: vec![
            external(&["shared", "money", "Money"], "shared.Money", NamedKind::Message),
            external(&["shared", "Currency"], "shared.Currency", NamedKind::Enum),
            external(&["crate", "legacy", "Note"], "task.Note", NamedKind::Message),
        ],
        ..Scanned::default()
    };
    module(&mut scanned, Vec::new(), &file.items);
    scanned
}

fn external(rust_path: &[&str], full_name: &str, kind: NamedKind) -> External {
    External {
        rust_path: rust_path.iter().map(|&segment| segment.to_owned()).collect(),
        full_name: full_name.to_owned(),
        kind,
        proto_file: "shared/shared.proto".to_owned(),
    }
}

fn module(scanned: &mut Scanned, path: Vec<String>, items: &[syn::Item]) {
    let at = scanned.modules.len();
    scanned.modules.push(Module {
        path: path.clone(),
        uses: Vec::new(),
    });
    for item in items {
        match item {
            syn::Item::Mod(child) => {
                let mut path = path.clone();
                path.push(child.ident.to_string());
                module(scanned, path, &child.content.as_ref().expect("inline modules").1);
            }
            syn::Item::Use(item) => uses(&item.tree, &[], &mut scanned.modules[at].uses),
            _ => scanned
                .items
                .extend(contract(item).map(|item| ScannedItem { item, module: at })),
        }
    }
}

fn uses(tree: &UseTree, path: &[String], found: &mut Vec<Use>) {
    let with = |name: &syn::Ident| [path, &[name.to_string()]].concat();
    match tree {
        UseTree::Path(part) => uses(&part.tree, &with(&part.ident), found),
        UseTree::Name(part) => found.push(Use {
            name: part.ident.to_string(),
            path: with(&part.ident),
        }),
        UseTree::Rename(part) => found.push(Use {
            name: part.rename.to_string(),
            path: with(&part.ident),
        }),
        UseTree::Glob(_) => found.push(Use {
            name: "*".to_owned(),
            path: path.to_vec(),
        }),
        UseTree::Group(group) => group.items.iter().for_each(|tree| uses(tree, path, found)),
    }
}

fn contract(item: &syn::Item) -> Option<crate::model::Item> {
    let attributes = match item {
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        _ => return None,
    };
    let arguments = parse::attribute_arguments(attributes.first()?);
    let mut errors = Errors::new();
    let parsed = match item {
        syn::Item::Impl(block) => parse::rpc(arguments, block, &mut errors),
        item => parse::contract(arguments, item, &mut errors),
    };
    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert!(
        told.is_empty(),
        "pass 1 finds nothing wrong in the case: {told:?}"
    );
    parsed
}

fn check(source: &str, expected: Expect) {
    check_scanned(&scan(source), expected);
}

fn check_scanned(scanned: &Scanned, expected: Expect) {
    let (schema, problems) = resolve(scanned);
    let mut out = text(&schema);
    for problem in problems {
        let _ = writeln!(out, "problem at {}: {}", problem.key, problem.message);
    }
    expected.assert_eq(&out);
}

fn text(schema: &Schema) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    for file in &schema.files {
        let imports: Vec<String> = file.imports().into_iter().collect();
        line(format!(
            "{} ({}), package {}, imports {imports:?}",
            file.path, file.import_name, file.package
        ));
        if !file.removed.is_empty() {
            line(format!("  removed {:?}", file.removed));
        }
        for message in &file.messages {
            let kind = if message.oneof { "oneof" } else { "message" };
            line(format!(
                "  {kind} {} = {}",
                message.name,
                message.rust.as_deref().unwrap_or("(generated)")
            ));
            if let Some(channels) = message.channels.as_deref().filter(|_| message.event) {
                line(format!("    event on {channels}"));
            }
            if !message.reserved.numbers.is_empty() || !message.reserved.names.is_empty() {
                line(format!(
                    "    reserved {:?} {:?}",
                    message.reserved.numbers, message.reserved.names
                ));
            }
            for field in &message.fields {
                let label = match field.label {
                    Label::Singular => String::new(),
                    Label::Optional => "optional ".to_owned(),
                    Label::Repeated => "repeated ".to_owned(),
                    Label::Map(key) => format!("map by {} of ", key.proto_name()),
                };
                let rules = if field.rules.is_empty() {
                    String::new()
                } else {
                    format!(" {:?}", field.rules)
                };
                line(format!(
                    "    {label}{} {} = {}{rules}",
                    type_name(&field.ty),
                    field.name,
                    field.number
                ));
            }
        }
        for item in &file.enums {
            let open = if item.open { "open enum" } else { "enum" };
            line(format!("  {open} {} = {}", item.name, item.rust));
            for value in &item.values {
                line(format!("    {} = {}", value.name, value.number));
            }
        }
        for service in &file.services {
            let origin = match &service.origin {
                Origin::Crud(crud) => format!(
                    "controller of {} by {}: {}",
                    crud.rust,
                    crud.id,
                    crud.id_scalar.proto_name()
                ),
                Origin::Trait => "trait".to_owned(),
                Origin::Gateway => "gateway".to_owned(),
            };
            let rust = service.rust.as_deref().unwrap_or("(generated)");
            line(format!(
                "  service {} = {rust}, stem {}, {origin}",
                service.full_name,
                service.stem()
            ));
            for method in &service.methods {
                line(format!(
                    "    {} {:?} {} ({}) -> {} ({})",
                    method.full_name,
                    method.kind,
                    type_name(&method.request.ty),
                    method.request.rust,
                    type_name(&method.response.ty),
                    method.response.rust,
                ));
            }
        }
    }
    out
}

fn type_name(ty: &TypeDef) -> &str {
    match ty {
        TypeDef::Scalar(scalar) => scalar.proto_name(),
        named => named.full_name().unwrap_or_default(),
    }
}

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
    check(
        r#"
        #[contract(package = "task", controller = "Task", operations(delete))] struct Task { #[field(id)] id: String }
        #[contract(package = "task")] struct DeleteTaskRequest { id: String }
        #[contract(package = "task")] trait TaskService { async fn ping(&self) -> Result<(), Status>; }
        "#,
        expect![[r#"
            protos/task/task.proto (task/task.proto), package task, imports ["google/protobuf/empty.proto"]
              message Task = crate::Task
                string id = 1
              message DeleteTaskRequest = (generated)
                string id = 1
              message DeleteTaskResponse = (generated)
                reserved [(2, 2)] []
                bool success = 1
                string id = 3
              message DeleteTaskRequest = crate::DeleteTaskRequest
                string id = 1
              service task.TaskService = (generated), stem Task, controller of crate::Task by id: string
                task.TaskService/DeleteTask Unary task.DeleteTaskRequest (DeleteTaskRequest) -> task.DeleteTaskResponse (DeleteTaskResponse)
              service task.TaskService = crate::TaskService, stem Task, trait
                task.TaskService/Ping Unary google.protobuf.Empty (()) -> google.protobuf.Empty (())
            problem at task.DeleteTaskRequest: two contracts have the full name `task.DeleteTaskRequest`: the controller of `crate::Task` and `crate::DeleteTaskRequest`; rename one, or put it into another package
            problem at task.Task: two contracts have the full name `task.DeleteTaskRequest`: the controller of `crate::Task` and `crate::DeleteTaskRequest`; rename one, or put it into another package
            problem at task.Task: two contracts have the full name `task.TaskService`: the controller of `crate::Task` and `crate::TaskService`; rename one, or put it into another package
            problem at task.TaskService: two contracts have the full name `task.TaskService`: the controller of `crate::Task` and `crate::TaskService`; rename one, or put it into another package
        "#]],
    );
}

#[test]
fn two_controllers_of_one_name_are_told() {
    check(
        r#"
        #[contract(package = "task", controller = "Task", operations(delete))] struct Task { #[field(id)] id: String }
        #[contract(package = "task", controller = "Task", message = "Job", operations(delete))] struct Job { #[field(id)] id: String }
        "#,
        expect![[r#"
            protos/task/task.proto (task/task.proto), package task, imports []
              message Task = crate::Task
                string id = 1
              message DeleteTaskRequest = (generated)
                string id = 1
              message DeleteTaskResponse = (generated)
                reserved [(2, 2)] []
                bool success = 1
                string id = 3
              message Job = crate::Job
                string id = 1
              message DeleteTaskRequest = (generated)
                string id = 1
              message DeleteTaskResponse = (generated)
                reserved [(2, 2)] []
                bool success = 1
                string id = 3
              service task.TaskService = (generated), stem Task, controller of crate::Task by id: string
                task.TaskService/DeleteTask Unary task.DeleteTaskRequest (DeleteTaskRequest) -> task.DeleteTaskResponse (DeleteTaskResponse)
              service task.TaskService = (generated), stem Task, controller of crate::Job by id: string
                task.TaskService/DeleteTask Unary task.DeleteTaskRequest (DeleteTaskRequest) -> task.DeleteTaskResponse (DeleteTaskResponse)
            problem at task.Job: two contracts have the full name `task.TaskService`: the controller of `crate::Task` and the controller of `crate::Job`; rename one, or put it into another package
            problem at task.Task: two contracts have the full name `task.TaskService`: the controller of `crate::Task` and the controller of `crate::Job`; rename one, or put it into another package
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
