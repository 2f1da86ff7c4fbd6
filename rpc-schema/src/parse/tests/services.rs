//! Traits, gateways and controllers, which become services.

use super::{check, read};
use expect_test::expect;

#[test]
fn a_trait_is_a_service_of_all_kinds_of_calls() {
    check(
        r#"#[contract(package = "ticker", auth, removed("TickerService/Old"))]
        trait Ticker {
            async fn quote(&self, cx: &Context, request: QuoteRequest) -> Result<Quote, Status>;
            async fn watch(&self, cx: &rpc::Context, request: WatchRequest)
                -> Result<impl Stream<Item = Result<Quote, Status>>, Status>;
            async fn record(&self, cx: &Context, quotes: Streaming<Quote>) -> Result<Summary, Status>;
            async fn trade(&self, orders: Streaming<Order>)
                -> Result<impl Stream<Item = Result<Fill, Status>> + Send, Status>;
            async fn session(&self, input: Streaming<Order>, output: Outgoing<Fill>) -> Result<(), Status>;
            #[message(name = "Stop", guard = "admin", deadline = "250ms", idempotent, spawn, number = 0x1F, transports("ws"))]
            async fn halt(&self) -> Result<(), Status>;
            #[message(one_way)]
            #[deprecated]
            async fn note(&self, text: String) -> Result<(), rpc_runtime::Status>;
            async fn count(&self) -> rpc_runtime::Result<u64>;
        }"#,
        expect![[r#"
            ticker.TickerService path=None removed=["TickerService/Old"]
            trait auth=true
            Quote Unary QuoteRequest -> Quote auth=false (None, false, false, false, None, [], false)
            Watch ServerStreaming WatchRequest -> Quote auth=false (None, false, false, false, None, [], false)
            Record ClientStreaming Quote -> Summary auth=false (None, false, false, false, None, [], false)
            Trade Bidirectional Order -> Fill auth=false (None, false, false, false, None, [], false)
            Session Bidirectional Order -> Fill auth=false (None, false, false, false, None, [], false)
            Stop Unary google.protobuf.Empty -> google.protobuf.Empty auth=false guard=admin (Some(250ms), true, false, true, Some(31), ["ws"], false)
            Note Unary string -> google.protobuf.Empty auth=false (None, false, true, false, None, [], true)
            Count Unary google.protobuf.Empty -> uint64 auth=false (None, false, false, false, None, [], false)
        "#]],
    );
}

#[test]
fn a_gateway_answers_what_its_handlers_are_marked_with() {
    check(
        r#"#[rpc("task", guard = "member")]
        impl<S: TaskService> TaskGateway<S> where S: Sync {
            fn new(service: S) -> Self { Self { service } }
            #[message("AddTaskRequest")]
            async fn add(&self, cx: &Context, data: AddTaskRequest) -> Result<AddTaskResponse, Status> { unreachable!() }
            #[message("GetAllTaskRequest")]
            async fn get_all(&self) -> Result<GetAllTaskResponse, Status> { unreachable!() }
            #[message("Mark", method = "MarkTask", auth)]
            async fn mark<'a>(&'a self, mut data: tasks::Mark, cx: &'a Context) -> Result<(), Status> { unreachable!() }
            #[message]
            async fn sweep(&self) -> Result<(), Status> { unreachable!() }
            async fn helper(&self, anything: &[u8]) {}
        }"#,
        expect![[r#"
            task.TaskService path=None removed=[]
            gateway auth=false guard=member
            AddTask Unary AddTaskRequest -> AddTaskResponse auth=false (None, false, false, false, None, [], false)
            GetAllTask Unary GetAllTaskRequest -> GetAllTaskResponse auth=false (None, false, false, false, None, [], false)
            MarkTask Unary tasks::Mark -> google.protobuf.Empty auth=true (None, false, false, false, None, [], false)
            Sweep Unary google.protobuf.Empty -> google.protobuf.Empty auth=false (None, false, false, false, None, [], false)
        "#]],
    );
}

#[test]
fn a_service_is_named_for_its_type() {
    let name = |source: &str| read(source).0.expect("read").common().full_name();
    for (rust, service) in [
        ("Ticker", "TickerService"),
        ("TickerService", "TickerService"),
        ("TickerGateway", "TickerService"),
        ("Service", "Service"),
    ] {
        let source = format!(
            r#"#[contract(package = "t")] trait {rust} {{ async fn a(&self) -> Result<(), Status>; }}"#
        );
        assert_eq!(name(&source), format!("t.{service}"), "{rust}");
    }
    let chosen = r#"#[rpc("t", service = "Feed")]
        impl FeedGateway { #[message] async fn a(&self) -> Result<(), Status> { Ok(()) } }"#;
    assert_eq!(name(chosen), "t.Feed");
}

#[test]
fn a_rule_on_the_id_of_a_controller_is_refused_since_add_could_not_be_called() {
    check(
        r#"#[contract(package = "task", controller = "Task")]
        struct Task { #[field(id, format = "uuid")] id: String, #[field(max_len = 9)] label: String }"#,
        expect![[r#"
            error: a controller's id has no rules: the service assigns it, and what a client sends with `add` is ignored; remove them, and check ids in the service
        "#]],
    );
    check(
        r#"#[contract(package = "task")] struct Task { #[field(id, format = "uuid")] id: String }"#,
        expect![[r#"
            task.Task path=None removed=[]
            message event=false reserved=Reserved { numbers: [], names: [] } unset=false
            id = 1 Singular string deprecated=false id=true unique=false index=false default=None [Format(Uuid)]
        "#]],
    );
}
