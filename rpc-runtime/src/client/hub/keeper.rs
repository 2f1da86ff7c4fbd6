//! The task that asks the server for what a client's hub needs: subscriptions, again after every reconnect, what was missed,
//! and their ends. It runs while there is a channel that the program hears, and keeps no client open.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Weak},
    task::Waker,
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::{Instant, sleep_until};

use super::{
    feed::{Next, Waits},
    received::Raw,
    routing::{Core, State},
    sub::Answer,
    wire::{position_of, status_of, told_position},
};
use crate::{
    CallError, Client, Status,
    client::{
        channel::{Channel, Handle},
        link::Link,
    },
    hub::Position,
    services::hub::{HubClient, SubscribeAnswer, SubscribeChannel, SubscribeRequest, UnsubscribeRequest},
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
}

enum Asks {
    Subscribe(SubscribeRequest),
    Unsubscribe(UnsubscribeRequest),
}

enum Answers {
    Subscribed(Vec<SubscribeAnswer>),
    Unsubscribed,
}

/// What came of a call.
struct Outcome {
    serial: u64,
    /// The connection on which it was made.
    link: u64,
    asked: Vec<Asked>,
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
                Some(outcome) = calls.next() => self.finish(outcome),
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
                _ = link.fate() => Err(Status::unavailable("the connection was lost").into()),
                answers = asked_for => answers,
            };
            Outcome {
                serial,
                link: link.number(),
                asked,
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

impl State {
    /// What is to be asked now, and when something else is.
    fn asks(&mut self, now: Instant) -> (Vec<Batch>, Option<Instant>) {
        let (mut subscribes, mut unsubscribes) = (Vec::new(), Vec::new());
        let mut due: Option<Instant> = None;
        for place in std::mem::take(&mut self.todo) {
            let Some(feed) = self.feeds.get_mut(&place) else {
                continue;
            };
            match feed.next(now) {
                Next::Nothing => {}
                Next::Gone => self.remove(place),
                Next::Later(when) => {
                    due = Some(due.map_or(when, |due| due.min(when)));
                    self.todo.insert(place);
                }
                Next::Subscribe(since) => {
                    feed.entangled = true;
                    let entry = SubscribeChannel {
                        channel: feed.name.as_ref().to_owned(),
                        since: since.map(told_position),
                        presence: feed.presence.clone(),
                    };
                    subscribes.push((Asked { feed: place, since }, entry));
                }
                Next::Unsubscribe => {
                    let asked = Asked {
                        feed: place,
                        since: None,
                    };
                    unsubscribes.push((asked, feed.name.as_ref().to_owned()));
                }
            }
        }
        let mut batches = Vec::new();
        while !subscribes.is_empty() {
            let rest = subscribes.split_off(subscribes.len().min(MOST_IN_A_CALL));
            let (asked, channels) = std::mem::replace(&mut subscribes, rest).into_iter().unzip();
            batches.push(self.batch(asked, Asks::Subscribe(SubscribeRequest { channels })));
        }
        while !unsubscribes.is_empty() {
            let rest = unsubscribes.split_off(unsubscribes.len().min(MOST_IN_A_CALL));
            let (asked, channels) = std::mem::replace(&mut unsubscribes, rest).into_iter().unzip();
            batches.push(self.batch(asked, Asks::Unsubscribe(UnsubscribeRequest { channels })));
        }
        (batches, due)
    }

    fn batch(&mut self, asked: Vec<Asked>, asks: Asks) -> Batch {
        let serial = self.new_id();
        for Asked { feed, .. } in &asked {
            if let Some(feed) = self.feeds.get_mut(feed) {
                feed.asking = Some(serial);
            }
        }
        Batch { serial, asked, asks }
    }

    /// Without a connection: what nobody needs any more, and no server knows of, goes.
    fn tidy(&mut self) {
        let gone = |feed: &&u64| {
            let feed = self.feeds.get(feed);
            feed.is_some_and(|feed| feed.next(Instant::now()) == Next::Gone)
        };
        let gone: Vec<_> = self.todo.iter().filter(gone).copied().collect();
        for place in gone {
            self.todo.remove(&place);
            self.remove(place);
        }
    }

    fn finish(&mut self, outcome: Outcome, counts: bool, now: Instant, woken: &mut Vec<Waker>) {
        let Outcome {
            serial,
            link,
            asked,
            answers,
        } = outcome;
        let counts = counts && link == self.link;
        let mut answers = match answers {
            Ok(Answers::Subscribed(answers)) if answers.len() != asked.len() => {
                let text = "the server has answered for another number of channels";
                Err(CallError::Status(Status::internal(text)))
            }
            Ok(Answers::Subscribed(answers)) => Ok(Some(answers.into_iter())),
            Ok(Answers::Unsubscribed) => Ok(None),
            Err(error) => Err(error),
        };
        for Asked { feed: place, since } in asked {
            let answer = match &mut answers {
                Ok(Some(answers)) => answers.next().map(told).transpose(),
                Ok(None) => Ok(None),
                Err(error) => Err((error.clone(), false)),
            };
            let Some(feed) = self.feeds.get_mut(&place) else {
                continue;
            };
            if feed.asking != Some(serial) {
                // It was asked on a connection that is gone.
                continue;
            }
            feed.asking = None;
            self.todo.insert(place);
            if !counts {
                continue;
            }
            match answer {
                Ok(Some(answer)) => {
                    let before = feed.number;
                    let (early, lost) = self.name(place, before, answer.number);
                    // Frames of a number that is known are held elsewhere.
                    let lost = lost && before.is_none();
                    if let Some(feed) = self.feeds.get_mut(&place) {
                        feed.answered(since, &answer, early, lost, woken);
                    }
                }
                Ok(None) => {
                    let number = feed.number;
                    feed.has_left();
                    self.unname(number);
                }
                Err((error, certain)) => feed.refused(&error, certain, now, woken),
            }
        }
        self.settle();
    }
}

/// What the server has answered for one channel; why not, and whether that is certain.
fn told(answer: SubscribeAnswer) -> Result<Answer, (CallError, bool)> {
    if let Some(refused) = answer.refused {
        return Err((CallError::Status(status_of(refused)), true));
    }
    if answer.number == 0 {
        let text = "the server has given no number for the channel";
        return Err((CallError::Status(Status::internal(text)), false));
    }
    Ok(Answer {
        number: answer.number,
        position: answer.position.map(position_of),
        recovered: answer.recovered == Some(true),
        snapshot: answer.snapshot.map(|record| Arc::new(Raw::of_record(record))),
        events: answer
            .events
            .into_iter()
            .map(|record| Arc::new(Raw::of_record(record)))
            .collect(),
        types: answer.types,
    })
}

#[cfg(test)]
mod tests;
