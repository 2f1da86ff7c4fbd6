//! The clients: what each keeps busy with until the server is gone, and what came of its calls.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use futures_util::StreamExt;
use rpc_runtime::{CallError, Client, Code, Reconnect};
use tokio::sync::Notify;

use crate::server::{Pace, method};

/// Each so many connections have a call that outlasts every grace.
const STUBBORN_EACH: u64 = 50;

/// What came of all calls.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    answered: AtomicU64,
    unavailable: AtomicU64,
    not_run: AtomicU64,
    lost: AtomicU64,
    first_lost: Mutex<Vec<String>>,
    busy: AtomicU64,
    one_more: Notify,
}

impl Outcomes {
    fn count(&self, outcome: &Result<(), CallError>) {
        let counter = match outcome {
            Ok(()) => &self.answered,
            Err(CallError::Status(status)) if status.code() == Code::Unavailable => &self.unavailable,
            Err(error @ (CallError::Refused(_) | CallError::Closed(_))) if !error.may_have_run() => {
                &self.not_run
            }
            Err(error) => {
                let mut first = self.first_lost.lock().unwrap_or_else(PoisonError::into_inner);
                if first.len() < 5 {
                    first.push(format!("{error:?}"));
                }
                &self.lost
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Calls that were answered, ended UNAVAILABLE, were never run, and were lost.
    pub(crate) fn counts(&self) -> (u64, u64, u64, u64) {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (
            count(&self.answered),
            count(&self.unavailable),
            count(&self.not_run),
            count(&self.lost),
        )
    }

    pub(crate) fn first_lost(&self) -> Vec<String> {
        self.first_lost
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn is_busy(&self) {
        self.busy.fetch_add(1, Ordering::Relaxed);
        self.one_more.notify_one();
    }

    /// Ready when so many clients have had their first answer.
    pub(crate) async fn all_are_busy(&self, clients: u64) {
        while self.busy.load(Ordering::Relaxed) < clients {
            self.one_more.notified().await;
        }
    }
}

/// One connection: short calls, longer ones, streams, a call that waits for the stop, and on some one that outlasts it.
pub(crate) async fn visit(url: Arc<str>, number: u64, outcomes: Arc<Outcomes>) {
    let builder = Client::builder(&*url).reconnect(Reconnect::never());
    let client = match builder.connect().await {
        Ok(client) => client,
        Err(error) => {
            outcomes.count(&Err(error));
            outcomes.is_busy();
            return;
        }
    };
    let first = work(&client, 1, 1).await;
    outcomes.count(&first);
    outcomes.is_busy();
    tokio::join!(
        again(&outcomes, || work(&client, 20 + number % 30, 1)),
        again(&outcomes, || work(&client, 500 + number % 1_000, 1)),
        again(&outcomes, || count(&client, 10, 5 + number % 20)),
        again(&outcomes, || watch(&client)),
        async {
            if number.is_multiple_of(STUBBORN_EACH) {
                outcomes.count(&work(&client, 3_600_000, 1).await);
            }
        },
    );
}

/// Calls until a call fails.
async fn again<F: Future<Output = Result<(), CallError>>>(outcomes: &Outcomes, call: impl Fn() -> F) {
    loop {
        let outcome = call().await;
        outcomes.count(&outcome);
        if outcome.is_err() {
            return;
        }
    }
}

async fn work(client: &Client, millis: u64, steps: u64) -> Result<(), CallError> {
    let answer = client.unary::<Pace>(method("Work"), &Pace { millis, steps });
    answer.await.map(drop)
}

async fn watch(client: &Client) -> Result<(), CallError> {
    client.unary::<Pace>(method("Watch"), &()).await.map(drop)
}

async fn count(client: &Client, millis: u64, steps: u64) -> Result<(), CallError> {
    let call = client.server_streaming::<Pace>(method("Count"), &Pace { millis, steps });
    let mut messages = call.await?;
    while let Some(message) = messages.next().await {
        message?;
    }
    Ok(())
}
