//! A service whose handlers behave in every way that a handler can.

use std::{
    future::poll_fn,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use rpc_runtime::{
    CallError, Client, CloseCode, Code, ConnectInfo, Context, Limits, ResultExt, Server, Status, UnaryCall,
    codegen::{Gateway, MethodDescriptor},
    contract, rpc,
};
use tokio::sync::Notify;

#[contract(package = "probe", detached)]
pub struct Order {
    #[field(max_len = 100)]
    pub label: String,
    pub amount: u64,
    pub lines: Vec<Line>,
    pub blob: rpc_runtime::bytes::Bytes,
}

#[contract(package = "probe", detached)]
pub struct Line {
    pub text: String,
}

pub fn order(label: &str) -> Order {
    Order {
        label: label.to_owned(),
        ..Order::default()
    }
}

/// What handlers leave behind for tests to look at.
#[derive(Default)]
pub struct Traces {
    pub started: AtomicUsize,
    pub dropped: AtomicUsize,
    pub polled: AtomicUsize,
    pub release: Notify,
    gate: (Mutex<bool>, Condvar),
}

impl Traces {
    pub fn started(&self) -> usize {
        self.started.load(Ordering::SeqCst)
    }

    pub fn dropped(&self) -> usize {
        self.dropped.load(Ordering::SeqCst)
    }

    /// Lets the handlers of `HoldApart` go on.
    pub fn open_gate(&self) {
        *self.gate.0.lock().unwrap() = true;
        self.gate.1.notify_all();
    }

    /// Holds its thread until the gate is open.
    fn pass_gate(&self) {
        let open = self.gate.0.lock().unwrap();
        let most = Duration::from_secs(30);
        drop(self.gate.1.wait_timeout_while(open, most, |open| !*open).unwrap());
    }

    pub fn polled(&self) -> usize {
        self.polled.load(Ordering::SeqCst)
    }
}

/// Counts when it is made, and when it is dropped.
struct Trace(Arc<Traces>);

impl Trace {
    fn new(traces: &Arc<Traces>) -> Self {
        traces.started.fetch_add(1, Ordering::SeqCst);
        Self(traces.clone())
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

#[derive(Default)]
pub struct ProbeGateway {
    pub traces: Arc<Traces>,
}

#[rpc("probe", detached)]
impl ProbeGateway {
    /// Answers what it was asked.
    #[message("Order", method = "Echo")]
    async fn echo(&self, data: Order) -> Result<Order, Status> {
        self.traces.started.fetch_add(1, Ordering::SeqCst);
        Ok(data)
    }

    /// Answers once it is told to.
    #[message("Order", method = "Wait")]
    async fn wait(&self, data: Order) -> Result<Order, Status> {
        let _trace = Trace::new(&self.traces);
        let mut released = std::pin::pin!(self.traces.release.notified());
        poll_fn(|cx| {
            self.traces.polled.fetch_add(1, Ordering::SeqCst);
            released.as_mut().poll(cx)
        })
        .await;
        Ok(data)
    }

    /// Holds its thread, and with it its task, until the gate is open; then waits to be dropped.
    #[message("Order", method = "HoldApart", spawn)]
    async fn hold_apart(&self) -> Result<Order, Status> {
        let _trace = Trace::new(&self.traces);
        self.traces.pass_gate();
        std::future::pending().await
    }

    /// Answers with the thread's task: whether it is another one than the connection's.
    #[message("Order", method = "Task")]
    async fn task(&self) -> Result<Order, Status> {
        Ok(order(&format!("{:?}", tokio::task::id())))
    }

    #[message("Order", method = "TaskApart", spawn)]
    async fn task_apart(&self) -> Result<Order, Status> {
        self.task().await
    }

    /// Is pending once, and wakes itself.
    #[message("Order", method = "Yield")]
    async fn yielding(&self, data: Order) -> Result<Order, Status> {
        let mut yielded = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut yielded, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        Ok(data)
    }

    #[message("Order", method = "Hang", deadline = "40ms")]
    async fn hang(&self) -> Result<Order, Status> {
        let _trace = Trace::new(&self.traces);
        std::future::pending().await
    }

    #[message("Order", method = "HangApart", spawn, deadline = "40ms")]
    async fn hang_apart(&self) -> Result<Order, Status> {
        self.hang().await
    }

    #[message("Order", method = "Panic")]
    async fn panic(&self, data: Order) -> Result<Order, Status> {
        if data.amount > 0 {
            tokio::time::sleep(Duration::from_millis(data.amount)).await;
        }
        panic!("the secret of {}", data.label)
    }

    #[message("Order", method = "PanicApart", spawn)]
    async fn panic_apart(&self, data: Order) -> Result<Order, Status> {
        self.panic(data).await
    }

    /// Panics while it is dropped.
    #[message("Order", method = "PanicInDrop")]
    async fn panic_in_drop(&self) -> Result<Order, Status> {
        struct Bomb(#[allow(dead_code)] Trace);
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("dropped")
            }
        }
        let _bomb = Bomb(Trace::new(&self.traces));
        std::future::pending().await
    }

    /// Fails with an error that is no status.
    #[message("Order", method = "Fail")]
    async fn fail(&self, data: Order) -> Result<Order, Status> {
        Err(std::io::Error::other(format!(
            "password hunter2 was refused by db.internal{}",
            data.label
        )))
        .or_internal()
    }

    /// Fails with a status that says enough to the caller, and more to the log.
    #[message("Order", method = "MissingBecause")]
    async fn missing_because(&self) -> Result<Order, Status> {
        Err(self
            .missing()
            .await
            .err()
            .unwrap_or_else(|| Status::unknown("it was there"))
            .with_cause(std::io::Error::other("no row in table hunter2")))
    }

    #[message("Order", method = "Missing")]
    async fn missing(&self) -> Result<Order, Status> {
        Err(Status::not_found("no such order").retry_after(Duration::from_secs(3)))
    }

    /// Answers with as many bytes as `amount` says.
    #[message("Order", method = "Large")]
    async fn large(&self, data: Order) -> Result<Order, Status> {
        self.traces.started.fetch_add(1, Ordering::SeqCst);
        Ok(Order {
            blob: vec![7; data.amount as usize].into(),
            ..Order::default()
        })
    }

    /// Tells what it knows of its call.
    #[message("Order", method = "Describe")]
    async fn describe(&self, cx: &Context) -> Result<Order, Status> {
        let remaining = cx.remaining().map(|remaining| remaining.as_millis());
        let key = cx.metadata().get("key");
        let bin = cx.metadata().get_bin("key-bin");
        let info = cx.session().info();
        let method = cx.method().full_name;
        let text = format!(
            "{} {method} {key:?} {bin:?} {remaining:?} {} {:?}",
            cx.call_id(),
            info.path(),
            info.query()
        );
        Ok(Order {
            lines: vec![Line { text }],
            ..Order::default()
        })
    }

    /// Closes its own connection, with a reply behind it.
    #[message("Order", method = "Leave")]
    async fn leave(&self, cx: &Context) -> Result<Order, Status> {
        cx.session().close(CloseCode::Other(4_900), "you asked for it");
        Ok(order("bye"))
    }

    /// Holds its worker.
    #[message("Order", method = "Block")]
    async fn block(&self, data: Order) -> Result<Order, Status> {
        self.traces.started.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_micros(data.amount));
        Ok(data)
    }

    #[allow(dead_code, reason = "streams are not served yet")]
    #[message("Order", method = "Watch")]
    async fn watch(
        &self,
        data: Order,
    ) -> Result<impl futures_core::Stream<Item = Result<Order, Status>> + use<>, Status> {
        let (outgoing, streaming) = rpc_runtime::Streaming::channel(1);
        outgoing.send(data).await?;
        Ok(streaming)
    }

    #[message("Order", method = "Tell", one_way)]
    async fn tell(&self) -> Result<(), Status> {
        self.traces.started.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

pub fn method(name: &str) -> &'static MethodDescriptor {
    let methods = ProbeGateway::descriptor().methods;
    methods
        .iter()
        .find(|method| method.name == name)
        .unwrap_or_else(|| panic!("no method {name}"))
}

pub fn server(limits: Limits) -> (Server, Arc<Traces>) {
    let gateway = ProbeGateway::default();
    let traces = gateway.traces.clone();
    (
        Server::builder().service(gateway).limits(limits).build().unwrap(),
        traces,
    )
}

/// A server and a client, joined in memory.
pub fn pair(limits: Limits) -> (Server, Client, Arc<Traces>) {
    let (server, traces) = server(limits);
    let client = connect(&server);
    (server, client, traces)
}

/// One more client of a server, in memory.
pub fn connect(server: &Server) -> Client {
    let (near, far) = tokio::io::duplex(64 * 1024);
    tokio::spawn(server.serve_connection(far, ConnectInfo::new()));
    Client::from_io(near)
}

pub fn call(client: &Client, name: &str, request: &Order) -> UnaryCall<Order> {
    client.unary(method(name), request)
}

/// Waits until something holds. That it does decides; the time is only when to give up, also on a machine that is busy.
pub async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..6_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("waited in vain until {what}");
}

/// The status that a call has ended with.
pub(crate) fn status(result: Result<Order, CallError>) -> (Code, String) {
    match result {
        Err(CallError::Status(status)) => (status.code(), status.message().to_owned()),
        other => panic!("not a status: {other:?}"),
    }
}
