//! The server process: calls that take their time, and a count of those that were finished.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{Stream, stream};
use rpc_runtime::{
    Context, Rate, Server, ServerLimits, Status,
    codegen::{Gateway as _, MethodDescriptor},
    contract, rpc,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

/// How long something is to take.
#[contract(package = "stopping", detached)]
pub(crate) struct Pace {
    /// For each step.
    pub(crate) millis: u64,
    /// How many steps.
    pub(crate) steps: u64,
}

/// Calls that take their time.
#[derive(Debug, Clone, Default)]
pub(crate) struct PacedGateway {
    finished: Arc<AtomicU64>,
}

#[rpc("stopping", detached)]
impl PacedGateway {
    /// Answers when the time is over.
    #[message]
    async fn work(&self, data: Pace) -> Result<Pace, Status> {
        tokio::time::sleep(Duration::from_millis(data.millis * data.steps)).await;
        self.finished.fetch_add(1, Ordering::Relaxed);
        Ok(data)
    }

    /// Sends a message for each step.
    #[message]
    async fn count(&self, data: Pace) -> Result<impl Stream<Item = Result<Pace, Status>> + use<>, Status> {
        let finished = self.finished.clone();
        Ok(stream::unfold(0, move |made| {
            let (finished, data) = (finished.clone(), data.clone());
            async move {
                if made == data.steps {
                    finished.fetch_add(1, Ordering::Relaxed);
                    return None;
                }
                tokio::time::sleep(Duration::from_millis(data.millis)).await;
                Some((Ok(data), made + 1))
            }
        }))
    }

    /// Lasts until the server stops, and says so.
    #[message]
    async fn watch(&self, cx: &Context) -> Result<Pace, Status> {
        cx.stopping().await;
        Err(Status::unavailable("the server is stopping"))
    }
}

/// The method of a name.
pub(crate) fn method(name: &str) -> &'static MethodDescriptor {
    let methods = PacedGateway::descriptor().methods;
    match methods.iter().find(|method| method.name == name) {
        Some(method) => method,
        None => panic!("no method {name}"),
    }
}

/// Says where it serves, serves until SIGTERM, and says how many calls were finished.
pub(crate) async fn serve(grace: Duration) -> Result<(), Box<dyn Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let gateway = PacedGateway::default();
    let many = Rate::per_second(1_000_000);
    let server = Server::builder()
        .service(gateway.clone())
        .server_limits(ServerLimits {
            drain_grace: grace,
            handshakes_per_address: 1_000,
            connects: many,
            connects_per_address: many,
            ..ServerLimits::default()
        })
        .build()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("ws://{}/rpc", listener.local_addr()?);
    server
        .serve_with_listener(listener, async move {
            terminate.recv().await;
        })
        .await;
    println!("{}", gateway.finished.load(Ordering::Relaxed));
    Ok(())
}
