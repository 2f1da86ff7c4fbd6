//! What pass 1 finds: the facts of an item, or everything that is wrong with it.

mod channels;
mod fingerprints;
mod services;

use crate::diagnostics::Errors;
use crate::fingerprint::facts;
use crate::model::Item;
use crate::parse;
use expect_test::{Expect, expect};

/// Reads one annotated item of source text.
fn read(source: &str) -> (Option<Item>, Errors) {
    let item: syn::Item = syn::parse_str(source).expect("the case is a Rust item");
    let attributes = match &item {
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        _ => panic!("the case is an item that can be a contract"),
    };
    let attribute = attributes
        .iter()
        .find(|attribute| {
            matches!(
                parse::attribute_name(attribute).as_deref(),
                Some("contract" | "rpc")
            )
        })
        .expect("the case has an attribute");
    let arguments = parse::attribute_arguments(attribute);
    let mut errors = Errors::new();
    let parsed = match &item {
        syn::Item::Impl(block) => parse::rpc(arguments, block, &mut errors),
        item => parse::contract(arguments, item, &mut errors),
    };
    (parsed, errors)
}

fn told(source: &str) -> String {
    let (parsed, errors) = read(source);
    let mut out: String = errors.iter().map(|error| format!("error: {error}\n")).collect();
    if errors.is_empty() {
        out.push_str(&facts(&parsed.expect("an item without errors is read")));
    }
    out
}

fn check(source: &str, expected: Expect) {
    expected.assert_eq(&told(source));
}

#[test]
fn fields_are_numbered_in_the_order_of_declaration() {
    check(
        r#"#[contract(package = "task")] struct Task { label: String, checked: bool, size: u64 }"#,
        expect![[r#"
            task.Task path=None removed=[]
            message event=false reserved=Reserved { numbers: [], names: [] } unset=false
            label = 1 Singular string deprecated=false id=false unique=false index=false default=None []
            checked = 2 Singular bool deprecated=false id=false unique=false index=false default=None []
            size = 3 Singular uint64 deprecated=false id=false unique=false index=false default=None []
        "#]],
    );
}

#[test]
fn numbers_leave_out_what_is_reserved_given_or_protobufs_own() {
    check(
        r#"#[contract(package = "task", reserved(1, 3..=4, 7..9, "old"))]
        struct Task {
            a: bool,
            #[field(tag = 5)] b: bool,
            c: bool,
            d: bool,
            #[field(tag = 2_000)] e: bool,
            f: bool,
            #[field(skip)] g: std::rc::Rc<u8>,
        }"#,
        expect![[r#"
            task.Task path=None removed=[]
            message event=false reserved=Reserved { numbers: [(1, 1), (3, 4), (7, 8)], names: ["old"] } unset=false
            a = 2 Singular bool deprecated=false id=false unique=false index=false default=None []
            b = 5 Singular bool deprecated=false id=false unique=false index=false default=None []
            c = 6 Singular bool deprecated=false id=false unique=false index=false default=None []
            d = 9 Singular bool deprecated=false id=false unique=false index=false default=None []
            e = 2000 Singular bool deprecated=false id=false unique=false index=false default=None []
            f = 10 Singular bool deprecated=false id=false unique=false index=false default=None []
        "#]],
    );
}

#[test]
fn a_number_given_later_is_not_handed_out_earlier() {
    check(
        r#"#[contract(package = "task")] struct Task { a: bool, #[field(tag = 1)] b: bool, #[field(tag = 2)] c: bool }"#,
        expect![[r#"
            task.Task path=None removed=[]
            message event=false reserved=Reserved { numbers: [], names: [] } unset=false
            a = 3 Singular bool deprecated=false id=false unique=false index=false default=None []
            b = 1 Singular bool deprecated=false id=false unique=false index=false default=None []
            c = 2 Singular bool deprecated=false id=false unique=false index=false default=None []
        "#]],
    );
}

#[test]
fn every_kind_of_type_is_read_from_its_tokens() {
    check(
        r#"#[contract(package = "kinds")]
        struct Kinds {
            a: f64, b: f32, c: i32, d: i64, e: u32, f: u64, g: bool, h: String, i: Bytes, j: Vec<u8>,
            k: Option<String>, l: Vec<u32>, m: HashMap<String, Kinds>, n: std::collections::BTreeMap<i64, Vec<u8>>,
            o: Option<Box<Self>>, p: Vec<Self>, q: (), r: SystemTime, s: prost_types::Any, t: crate::money::Money,
            u: Option<()>, v: Vec<Vec<u8>>, w: HashMap<u32, Money, Hasher>,
        }"#,
        expect![[r#"
            kinds.Kinds path=None removed=[]
            message event=false reserved=Reserved { numbers: [], names: [] } unset=false
            a = 1 Singular double deprecated=false id=false unique=false index=false default=None []
            b = 2 Singular float deprecated=false id=false unique=false index=false default=None []
            c = 3 Singular int32 deprecated=false id=false unique=false index=false default=None []
            d = 4 Singular int64 deprecated=false id=false unique=false index=false default=None []
            e = 5 Singular uint32 deprecated=false id=false unique=false index=false default=None []
            f = 6 Singular uint64 deprecated=false id=false unique=false index=false default=None []
            g = 7 Singular bool deprecated=false id=false unique=false index=false default=None []
            h = 8 Singular string deprecated=false id=false unique=false index=false default=None []
            i = 9 Singular bytes deprecated=false id=false unique=false index=false default=None []
            j = 10 Singular bytes deprecated=false id=false unique=false index=false default=None []
            k = 11 Optional string deprecated=false id=false unique=false index=false default=None []
            l = 12 Repeated uint32 deprecated=false id=false unique=false index=false default=None []
            m = 13 map<string> Kinds deprecated=false id=false unique=false index=false default=None []
            n = 14 map<int64> bytes deprecated=false id=false unique=false index=false default=None []
            o = 15 Optional Kinds deprecated=false id=false unique=false index=false default=None []
            p = 16 Repeated Kinds deprecated=false id=false unique=false index=false default=None []
            q = 17 Singular google.protobuf.Empty deprecated=false id=false unique=false index=false default=None []
            r = 18 Singular SystemTime deprecated=false id=false unique=false index=false default=None []
            s = 19 Singular prost_types::Any deprecated=false id=false unique=false index=false default=None []
            t = 20 Singular crate::money::Money deprecated=false id=false unique=false index=false default=None []
            u = 21 Optional google.protobuf.Empty deprecated=false id=false unique=false index=false default=None []
            v = 22 Repeated bytes deprecated=false id=false unique=false index=false default=None []
            w = 23 map<uint32> Money deprecated=false id=false unique=false index=false default=None []
        "#]],
    );
}

#[test]
fn facts_and_rules_are_kept_as_written() {
    check(
        r#"#[contract(package = "task", controller = "Task", operations(get_all, add), auth, guard = "a", guard = "b", event)]
        struct TasksContract {
            #[field(id)] id: u64,
            #[field(unique, min_len = 1, max_len = 200, pattern = "^[a-z]+$")] label: String,
            #[field(default = -3, range = -10..=10, index)] delta: i32,
            #[field(default = 0.5, range = 0..1)] ratio: f32,
            #[field(proto = "sfixed64")] fixed: i64,
            #[field(format = "email", min_items = 1, max_items = 9)] mails: Vec<String>,
            #[field(required, rename = "inner")] outer: Inner,
            #[field(deprecated)] old: bool,
            #[field(default = Priority::High)] priority: Priority,
            #[field(default = b"x")] raw: Vec<u8>,
            #[field(default = "x")] note: Option<String>,
        }"#,
        expect![[r#"
            task.Task path=None removed=[]
            message event=true reserved=Reserved { numbers: [], names: [] } unset=false
            crud Task [Add, GetAll] auth=true guard=a guard=b
            id = 1 Singular uint64 deprecated=false id=true unique=false index=false default=None []
            label = 2 Singular string deprecated=false id=false unique=true index=false default=None [MinLen(1), MaxLen(200), Pattern("^[a-z]+$")]
            delta = 3 Singular int32 deprecated=false id=false unique=false index=true default=Some("-3") [Range(Range { from: Some(Whole(-10)), to: Some((Whole(10), true)) })]
            ratio = 4 Singular float deprecated=false id=false unique=false index=false default=Some("0.5") [Range(Range { from: Some(Fraction(0.0)), to: Some((Fraction(1.0), false)) })]
            fixed = 5 Singular sfixed64 deprecated=false id=false unique=false index=false default=None []
            mails = 6 Repeated string deprecated=false id=false unique=false index=false default=None [Format(Email), MinItems(1), MaxItems(9)]
            inner = 7 Singular Inner deprecated=false id=false unique=false index=false default=None [Required]
            old = 8 Singular bool deprecated=true id=false unique=false index=false default=None []
            priority = 9 Singular Priority deprecated=false id=false unique=false index=false default=Some("Priority::High") []
            raw = 10 Singular bytes deprecated=false id=false unique=false index=false default=Some("b\"x\"") []
            note = 11 Optional string deprecated=false id=false unique=false index=false default=Some("\"x\"") []
        "#]],
    );
}

#[test]
fn a_message_is_named_by_its_key_then_its_controller_then_its_struct() {
    for (source, name) in [
        (
            r#"#[contract(package = "a.b")] struct Task { #[field(id)] id: String }"#,
            "a.b.Task",
        ),
        (
            r#"#[contract(package = "a", controller = "Job")] struct Task { #[field(id)] id: String }"#,
            "a.Job",
        ),
        (
            r#"#[contract(package = "a", controller = "Job", message = "Work")] struct Task { #[field(id)] id: String }"#,
            "a.Work",
        ),
        (r#"#[contract(package = "a")] struct r#Type { }"#, "a.Type"),
        (r#"#[contract(package = "a")] struct Unit;"#, "a.Unit"),
    ] {
        let (parsed, errors) = read(source);
        assert!(errors.is_empty(), "{source}");
        assert_eq!(parsed.expect("read").common().full_name(), name);
    }
}

#[test]
fn an_enum_counts_on_from_its_last_number() {
    check(
        r#"#[contract(package = "task", reserved(3, -9..=-2, "PRIORITY_OLD"))]
        enum Priority { Low, High = 5, Urgent, #[field(rename = "NOT_YET")] Later = -1, #[deprecated] Never = 20 }"#,
        expect![[r#"
            task.Priority path=None removed=[]
            enum open=false reserved=Reserved { numbers: [(-9, -2), (3, 3)], names: ["PRIORITY_OLD"] }
            PRIORITY_LOW = 0 deprecated=false
            PRIORITY_HIGH = 5 deprecated=false
            PRIORITY_URGENT = 6 deprecated=false
            PRIORITY_NOT_YET = -1 deprecated=false
            PRIORITY_NEVER = 20 deprecated=true
        "#]],
    );
    check(
        r#"#[contract(package = "task")] enum TaskHTTPState { Unknown, #[field(other)] Other(i32) }"#,
        expect![[r#"
            task.TaskHTTPState path=None removed=[]
            enum open=true reserved=Reserved { numbers: [], names: [] }
            TASK_HTTP_STATE_UNKNOWN = 0 deprecated=false
        "#]],
    );
}

#[test]
fn an_enum_with_data_is_a_oneof() {
    check(
        r#"#[contract(package = "shape", reserved(2))]
        enum Shape { #[default] Unset, Point, Circle(f64), #[field(tag = 9)] Tree(Box<Node>), RoundCorner(Corner) }"#,
        expect![[r#"
            shape.Shape path=None removed=[]
            oneof event=false reserved=Reserved { numbers: [(2, 2)], names: [] } unset=true
            point = 1 Singular google.protobuf.Empty deprecated=false id=false unique=false index=false default=None []
            circle = 3 Singular double deprecated=false id=false unique=false index=false default=None []
            tree = 9 Singular Node deprecated=false id=false unique=false index=false default=None []
            round_corner = 4 Singular Corner deprecated=false id=false unique=false index=false default=None []
        "#]],
    );
}

#[test]
fn all_mistakes_of_an_item_are_told_at_once() {
    check(
        r#"#[contract(package = "Task", controller = "task list", reserved(0), removed(3))]
        struct Task<'a> { label: &'a str }"#,
        expect![[r#"
            error: `task list` is no name for a message; write letters and digits, like `Task`
            error: `Task` is no package name: write lower-case letters, digits and `_`, parts joined by dots, like `acme.task.v1`
            error: `removed` lists the names of what is gone, within the package: `removed("OldMessage", "TaskService/OldMethod")`
            error: the numbers that can be reserved lie between 1 and 536870911
            error: a contract owns its data; use `String` and `Bytes` instead of references
        "#]],
    );
    check(
        r#"#[contract(package = "task", controller = "Task")]
        struct Task {
            #[field(id)] id: f32,
            #[field(id, tag = 19_001)] other: Option<String>,
            #[field(uniqe, range = 1.5..=3)] size: u32,
            #[cfg(test)] gone: bool,
            #[field(default = [1])] list: Vec<u8>,
            matrix: Vec<Vec<f32>>,
        }"#,
        expect![[r#"
            error: `#[field]` has no key `uniqe`; did you mean `unique`?
            error: `1.5` is no `u32`, which is a whole number from 0 to 4294967295
            error: what is on the wire must not depend on how one side was compiled; put the `cfg` on the whole contract, or make the field an `Option`
            error: `[1]` cannot be the default of `Vec<u8>`; write a byte string, `default = b"…"`
            error: a `Vec` cannot stand in a `Vec`: protobuf has no nested lists and maps; put the `Vec<f32>` into a contract of its own
            error: protobuf keeps the numbers 19000 to 19999 for itself; take another
            error: `id` is the id already; a contract has one `#[field(id)]`
            error: an id is a `String` or a whole number (`i32`, `i64`, `u32`, `u64`)
        "#]],
    );
    check(
        r#"#[contract(package = "task", event)]
        trait Tasks {
            const N: usize;
            fn a(&self, b: B) -> Result<(), Status>;
            async fn b(self, b: B, c: C);
            #[message(deadline = "soon", name = "A")]
            async fn c<T>(&self, b: Option<B>) -> Result<(), Status> { Ok(()) }
        }"#,
        expect![[r#"
            error: `event` is for structs; a trait gives a service, which is named for the trait
            error: a trait contract has methods only; move this to a trait of its own
            error: a call waits for its answer; write `async fn a`
            error: many calls run at once on one service; take `&self`
            error: a call has one request; put what it needs into one contract
            error: a call answers `Result<…, Status>`, with a contract, or with `impl Stream<Item = Result<…, Status>>`; write `-> Result<(), Status>`
            error: a contract says what can be called, not how; move the body to the implementation
            error: a deadline is a number and a unit: `250ms`, `5s`, `2m`, `1h`
            error: protobuf has no generics; name the types
            error: a request, a response or an item of a stream is one message, not `Option<B>`; make a contract that holds it: `pub struct … { pub items: Option<B> }`
        "#]],
    );
}

#[test]
fn docs_keep_their_lines_and_lose_their_margin() {
    let (parsed, _) = read(
        "/// First.\n///\n///   Indented, \"quoted\" */ // text.\n/// \n#[contract(package = \"docs\")]\n#[doc = \"Last.\"]\nstruct Docs {\n/** One block\n two lines */ a: bool }",
    );
    let Some(Item::Message(message)) = parsed else {
        panic!("a message")
    };
    expect![[r#"
        (
            [
                "First.",
                "",
                "  Indented, \"quoted\" */ // text.",
                "",
                "Last.",
            ],
            [
                "One block",
                "two lines",
            ],
        )
    "#]]
    .assert_debug_eq(&(&message.common.docs, &message.fields[0].docs));
}
