//! The task that asks the server for what a client's hub needs: subscriptions, again after every reconnect, what was missed,
//! and their ends. It runs while there is a channel that the program hears, and keeps no client open.

mod asking;

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Weak},
    task::Waker,
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::{Instant, sleep_until};

use super::{feed::Waits, routing::Core};
use crate::{
    CallError, Client, Status,
    client::{
        channel::{Channel, Handle},
        link::Link,
    },
    hub::Position,
    services::hub::{HubClient, SubscribeAnswer, SubscribeRequest, TypedMessage, UnsubscribeRequest},
};

/// One call asks for so many channels at most: more are refused by the contract.
const MOST_IN_A_CALL: usize = 100;

/// A call of the hub's own is given so long, where the client has no timeout of its own.
const TIMEOUT: Duration = Duration::from_secs(30);

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Sees to it that the task runs, if it is needed.
pub(super) fn ensure(core: &Arc<Core>, client: &Client) {
    let handle = core.handle.get_or_init(|| Arc::downgrade(&client.handle)).clone();
    let mut state = core.lock();
    if state.kept || state.feeds.is_empty() || state.over.is_some() {
        return;
    }
    state.kept = true;
    drop(state);
    let keeper = Keeper {
        core: core.clone(),
        channel: client.channel().clone(),
        handle,
    };
    tokio::spawn(keeper.run());
}

struct Keeper {
    core: Arc<Core>,
    channel: Arc<Channel>,
    /// Calls need the client, which this task does not keep open.
    handle: Weak<Handle>,
}

/// A call that is to be made for some channels.
struct Batch {
    serial: u64,
    asked: Vec<Asked>,
    asks: Asks,
}

/// What is asked for one channel.
struct Asked {
    feed: u64,
    since: Option<Position>,
    /// What the program had said of itself by then.
    says: Option<TypedMessage>,
}

enum Asks {
    Subscribe(SubscribeRequest),
    Unsubscribe(UnsubscribeRequest),
}

enum Answers {
    Subscribed(Vec<SubscribeAnswer>),
    Unsubscribed,
    /// The connection was lost before there was one.
    Lost,
}

/// What came of a call.
struct Outcome {
    serial: u64,
    /// The connection on which it was made.
    link: u64,
    asked: Vec<Asked>,
    /// The server was asked to end the subscriptions.
    leaves: bool,
    answers: Result<Answers, CallError>,
}

/// What the connection does.
enum Seen {
    Connected(Result<Arc<Link>, CallError>),
    Lost,
}

impl Keeper {
    async fn run(self) {
        let mut ends = Ends(Some(&self.core));
        let mut calls = FuturesUnordered::new();
        let mut link: Option<Arc<Link>> = None;
        let mut seen = self.connection();
        loop {
            let due = match &link {
                Some(link) => {
                    let (batches, due) = self.core.lock().asks(Instant::now());
                    for batch in batches {
                        calls.push(self.call(link.clone(), batch));
                    }
                    due
                }
                None => {
                    self.core.lock().tidy();
                    None
                }
            };
            if self.is_done() {
                // Another one may run already.
                ends.0 = None;
                return;
            }
            tokio::select! {
                biased;
                // First: calls of a connection that is lost end at once, and would be made again on it for ever.
                what = &mut seen => match what {
                    Seen::Connected(Ok(new)) => {
                        self.core.lock().begin(new.number());
                        seen = Box::pin({
                            let link = new.clone();
                            async move {
                                link.fate().await;
                                Seen::Lost
                            }
                        });
                        link = Some(new);
                    }
                    Seen::Connected(Err(error)) => {
                        // It is closed for good, or about to be, which the client then says to the hub.
                        self.fail_first(&error);
                        let channel = self.channel.clone();
                        seen = Box::pin(async move {
                            channel.closed().await;
                            std::future::pending().await
                        });
                    }
                    Seen::Lost => {
                        link = None;
                        seen = self.connection();
                    }
                },
                Some(outcome) = calls.next() => self.finish(outcome),
                () = self.core.work.notified() => {}
                () = until(due) => {}
            }
        }
    }

    /// Waits for the connection, however long that takes.
    fn connection(&self) -> Boxed<Seen> {
        let channel = self.channel.clone();
        Box::pin(async move { Seen::Connected(channel.ready(true).await) })
    }

    /// Whether nobody needs this task. From then on it is gone.
    fn is_done(&self) -> bool {
        let mut state = self.core.lock();
        let done = state.feeds.is_empty() || state.over.is_some();
        state.kept &= !done;
        done
    }

    /// Makes a call.
    fn call(&self, link: Arc<Link>, batch: Batch) -> Boxed<Outcome> {
        let handle = self.handle.upgrade();
        let timeout = self.channel.config.timeout.unwrap_or(TIMEOUT);
        let Batch { serial, asked, asks } = batch;
        let leaves = matches!(asks, Asks::Unsubscribe(_));
        Box::pin(async move {
            let asked_for = async {
                // Without it the client is closed, which ends everything.
                let handle = handle.ok_or_else(|| Status::cancelled("the client is gone"))?;
                let hub = HubClient::new(Client { handle });
                match asks {
                    Asks::Subscribe(request) => {
                        let answer = hub.subscribe(request).timeout(timeout).await?;
                        Ok(Answers::Subscribed(answer.answers))
                    }
                    Asks::Unsubscribe(request) => {
                        hub.unsubscribe(request).timeout(timeout).await?;
                        Ok(Answers::Unsubscribed)
                    }
                }
            };
            let answers = tokio::select! {
                biased;
                // Sent again on the next connection it could come behind what is asked for there, and undo that.
                _ = link.fate() => Ok(Answers::Lost),
                answers = asked_for => answers,
            };
            Outcome {
                serial,
                link: link.number(),
                asked,
                leaves,
                answers,
            }
        })
    }

    /// Takes the outcome of a call.
    fn finish(&self, outcome: Outcome) {
        // Numbers are those of one connection, and a call may have gone over the next one.
        let current = self.channel.current().as_ref().map(|link| link.number());
        let counts = current == Some(outcome.link);
        let mut woken = Vec::new();
        self.core
            .lock()
            .finish(outcome, counts, Instant::now(), &mut woken);
        woken.into_iter().for_each(Waker::wake);
    }

    /// There is no hope of a connection: those who wait for one are told.
    fn fail_first(&self, error: &CallError) {
        let mut state = self.core.lock();
        let mut waiting: Vec<Waits> = Vec::new();
        for feed in state.feeds.values_mut() {
            waiting.extend(feed.subs.iter_mut().filter_map(|sub| sub.first.take()));
            waiting.append(&mut feed.left);
        }
        drop(state);
        for waits in waiting {
            let _ = waits.send(Err(error.clone()));
        }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Lets the next one who needs the task begin another, where this one is dropped with its runtime.
struct Ends<'a>(Option<&'a Core>);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        if let Some(core) = self.0 {
            core.lock().kept = false;
        }
    }
}

#[cfg(test)]
mod tests;
