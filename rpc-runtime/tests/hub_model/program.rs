//! One client and what its program reads: a task for each subscription, and one for what is sent to it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use rpc_runtime::{
    Client, ClientLimits, Reconnect,
    auth::Credential,
    contract,
    hub::{
        Position,
        client::{GapCause, Received, Subscription, SubscriptionError},
    },
};
use tokio::{sync::watch, task::JoinHandle};

use crate::{line::Line, model::Delivered};

/// What is published and sent.
#[contract(package = "model", event, detached)]
pub struct Tick {
    pub number: u64,
    pub padding: Vec<u8>,
}

/// A client, and what its program was given.
pub struct Program {
    pub client: Client,
    pub line: Line,
    pub user: Option<&'static str>,
    pub subscriptions: BTreeMap<&'static str, Reader>,
    /// Those that are over, to be judged at the end.
    pub past: Vec<(&'static str, Reader)>,
    /// What was sent to it, in order.
    pub sent: Arc<Mutex<Vec<u64>>>,
    /// All ids that it had.
    pub ids: Vec<String>,
    _reads_sent: JoinHandle<()>,
}

/// A subscription, and what came by it.
pub struct Reader {
    pub seen: Arc<Mutex<Seen>>,
    pub began: (u64, std::ops::RangeInclusive<u64>),
    /// At some time its client had no right to it.
    pub was_denied: bool,
    reads: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// What came by a subscription.
#[derive(Default)]
pub struct Seen {
    pub delivered: Vec<Delivered>,
    /// The id that its client had when each was read.
    pub by: Vec<Option<String>>,
    /// In a channel without history.
    pub plain: Vec<Option<u64>>,
    pub ended: Option<String>,
}

/// The credential of a user.
pub fn credential(user: &str) -> Credential {
    Credential::bearer(user)
}

impl Program {
    pub fn new(line: Line, user: Option<&'static str>) -> Self {
        let mut builder = Client::from_connector(line.clone())
            .reconnect(Reconnect::default())
            .limits(ClientLimits {
                unread_events: 16,
                ..ClientLimits::default()
            });
        if let Some(user) = user {
            builder = builder.credential(credential(user));
        }
        let client = builder.lazy().unwrap();
        let sent = Arc::new(Mutex::new(Vec::new()));
        let reads_sent = tokio::spawn({
            let (mut events, sent) = (client.events::<Tick>(), sent.clone());
            async move {
                while let Some(event) = events.next().await {
                    match event {
                        Ok(event) => sent.lock().unwrap().push(event.event.number),
                        Err(error) if error.is_final() => return,
                        Err(error) => panic!("it reads at once: {error}"),
                    }
                }
            }
        });
        Self {
            client,
            line,
            user,
            subscriptions: BTreeMap::new(),
            past: Vec::new(),
            sent,
            ids: Vec::new(),
            _reads_sent: reads_sent,
        }
    }

    /// Remembers the id that it has now.
    pub fn note_id(&mut self) -> Option<String> {
        let id = self.client.greeting()?.client_id().to_owned();
        if !self.ids.contains(&id) {
            self.ids.push(id.clone());
        }
        Some(id)
    }

    /// Gives a subscription up, by dropping it.
    pub fn leave(&mut self, channel: &'static str) {
        if let Some(reader) = self.subscriptions.remove(channel) {
            reader.task.abort();
            self.past.push((channel, reader));
        }
    }
}

impl Reader {
    pub fn new(
        client: Client,
        mut subscription: Subscription<Tick>,
        began: (u64, std::ops::RangeInclusive<u64>),
    ) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (reads, mut may_read) = watch::channel(true);
        let task = tokio::spawn({
            let seen = seen.clone();
            async move {
                loop {
                    if may_read.wait_for(|reads| *reads).await.is_err() {
                        return;
                    }
                    match subscription.next().await {
                        None => return,
                        Some(item) => {
                            let mut seen = seen.lock().unwrap();
                            seen.take(item);
                            let id = client.greeting().map(|greeting| greeting.client_id().to_owned());
                            let count = seen.delivered.len();
                            seen.by.resize(count, id);
                        }
                    }
                }
            }
        });
        Self {
            seen,
            began,
            was_denied: false,
            reads,
            task,
        }
    }

    /// Has the program read, or not.
    pub fn set_reads(&self, reads: bool) {
        self.reads.send_replace(reads);
    }

    pub fn has_ended(&self) -> bool {
        self.seen.lock().unwrap().ended.is_some()
    }
}

impl Seen {
    fn take(&mut self, item: Result<Received<Tick>, SubscriptionError>) {
        match item {
            Ok(event) => match event.position {
                Some(position) => self.delivered.push(Delivered::Event {
                    number: event.event.number,
                    position,
                }),
                None => self.plain.push(Some(event.event.number)),
            },
            Err(SubscriptionError::Gap(gap)) => match (gap.last, gap.next) {
                (Some(from), Some(to)) => {
                    assert_eq!(gap.cause, GapCause::NotRecovered);
                    self.delivered.push(Delivered::Gap { from, to });
                }
                _ => self.plain.push(None),
            },
            Err(error) => self.ended = Some(error.to_string()),
        }
    }
}

/// Long enough for everything that was begun to be done, and short enough for nobody to notice that a peer is gone.
pub async fn settle() {
    tokio::time::sleep(Duration::from_millis(900)).await;
}

/// Where a subscription may have begun, from the position before it was asked for to the one after.
pub fn between(before: Position, after: Position) -> (u64, std::ops::RangeInclusive<u64>) {
    match before.epoch == after.epoch {
        true => (after.epoch, before.offset..=after.offset),
        false => (after.epoch, 0..=after.offset),
    }
}
