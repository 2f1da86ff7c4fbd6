//! A subscription, and what came by it.

use std::{
    fmt,
    ops::RangeInclusive,
    sync::{Arc, Mutex},
};

use rpc_runtime::{
    Client, Code, Status,
    hub::{
        Position,
        client::{Received, ReceivedKind, Subscription, SubscriptionError},
    },
};
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
    time::Instant,
};

use super::{ASKS, Heard, ago, before};
use crate::{
    line::Line,
    model::{Began, Given, Item, Tally, What},
};

/// Where a subscription began.
#[derive(Debug, Clone)]
pub enum Start {
    /// In a channel with history.
    Kept(Began),
    /// In one without.
    Passing {
        /// How many events were published before anything could be asked for that may have been answered to it.
        earliest: usize,
        /// How many its client had surely taken when it was asked for.
        before: usize,
        /// How many had been published when it had begun.
        after: usize,
    },
}

/// A session that the server has subscribed: as long as it goes on it hears the channel, whatever its rights.
#[derive(Clone)]
pub enum Grant {
    /// By its client's id.
    Client(String),
    /// By its user.
    User(String, &'static str),
}

impl Grant {
    /// The client whose session it is.
    pub fn client(&self) -> &String {
        match self {
            Self::Client(client) | Self::User(client, _) => client,
        }
    }

    /// Whether it holds for a session.
    pub fn holds(&self, id: Option<&String>, user: Option<&'static str>) -> bool {
        match self {
            Self::Client(client) => id == Some(client),
            Self::User(client, granted) => id == Some(client) && user == Some(granted),
        }
    }
}

/// A subscription, and what came by it.
pub struct Reader {
    pub channel: &'static str,
    pub start: Start,
    /// How many connections its client had had when it began.
    pub connections: u64,
    /// What the server made in this time may have been told on the connection before, where this one goes on with its session.
    pub again: Option<RangeInclusive<Instant>>,
    /// An end of the channel in this time may have been on its way.
    pub crosses: RangeInclusive<Instant>,
    /// Of whatever came to its client's end later it may be told.
    pub since: Instant,
    pub granted: Option<Grant>,
    /// Its client's right was taken while it went on.
    pub is_denied: bool,
    /// What its program has said of itself with it.
    pub mood: Option<u64>,
    seen: Arc<Mutex<Seen>>,
    left: bool,
    was_unread: bool,
    reads: watch::Sender<bool>,
    task: JoinHandle<()>,
    unsubscribe: Option<oneshot::Sender<()>>,
}

/// What came by a subscription.
#[derive(Default)]
struct Seen {
    items: Vec<Item>,
    ended: Option<SubscriptionError>,
    position: Option<Position>,
}

impl Reader {
    pub fn new(
        client: &Client,
        line: &Line,
        channel: &'static str,
        mut subscription: Subscription<Heard>,
        start: Start,
    ) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (reads, mut may_read) = watch::channel(true);
        let connections = line.connections();
        let resumed = client.greeting().is_some_and(|greeting| greeting.resumed());
        let begun = line.begun().last().copied().filter(|_| resumed);
        let again = begun.map(|begun| before(line.took_all_by(begun), ASKS)..=begun);
        let crosses = line.took_all_by(ago(2 * ASKS))..=Instant::now();
        let (unsubscribe, mut unsubscribed) = oneshot::channel();
        let task = tokio::spawn({
            let (seen, client, line) = (seen.clone(), client.clone(), line.clone());
            async move {
                let end = async {
                    loop {
                        if may_read.wait_for(|reads| *reads).await.is_err() {
                            return;
                        }
                        let Some(item) = subscription.next().await else {
                            return;
                        };
                        let mut seen = seen.lock().unwrap();
                        let by = client.greeting().map(|greeting| greeting.client_id().to_owned());
                        seen.take(item, by, line.connections());
                        seen.position = subscription.position();
                    }
                };
                tokio::select! {
                    () = end => return,
                    asked = &mut unsubscribed => if asked.is_err() { return },
                }
                let _ = subscription.unsubscribe().await;
            }
        });
        Self {
            channel,
            start,
            connections,
            again,
            crosses,
            since: line.took_all_before(),
            granted: None,
            is_denied: false,
            mood: None,
            seen,
            left: false,
            was_unread: false,
            reads,
            task,
            unsubscribe: Some(unsubscribe),
        }
    }

    /// Has the program read, or not.
    pub fn set_reads(&mut self, reads: bool) {
        self.was_unread |= !reads;
        self.reads.send_replace(reads);
    }

    /// Whether its program has not always read.
    pub fn was_unread(&self) -> bool {
        self.was_unread
    }

    /// Why it has ended by itself, where it has.
    pub fn ended(&self) -> Option<SubscriptionError> {
        self.seen.lock().unwrap().ended.clone()
    }

    /// Whether it has ended because its client's right was taken, and asked again when the client came back.
    pub fn was_refused(&self) -> bool {
        let is_it = |status: &Status| matches!(status.code(), Code::PermissionDenied | Code::Unauthenticated);
        self.is_denied && matches!(self.ended(), Some(SubscriptionError::Refused(status)) if is_it(&status))
    }

    /// Whether the server has subscribed its client without being asked.
    pub fn is_by_server(&self) -> bool {
        self.mood.is_none()
    }

    /// Whether it goes on.
    pub fn is_present(&self) -> bool {
        !self.left && self.ended().is_none()
    }

    pub fn items(&self) -> Vec<Item> {
        self.seen.lock().unwrap().items.clone()
    }

    pub fn has(&self, number: u64) -> bool {
        let is_it = |item: &Item| matches!(item.given, Given::Event(What::Tick(other), _) if other == number);
        self.seen.lock().unwrap().items.iter().any(is_it)
    }

    /// Where it is.
    pub fn position(&self) -> Option<Position> {
        self.seen.lock().unwrap().position
    }

    /// Gives it up, by dropping it.
    pub fn leave(&mut self) {
        self.left = true;
        self.task.abort();
    }

    /// Gives it up, and waits until the server knows.
    pub fn unsubscribe(&mut self) -> impl Future<Output = ()> + use<> {
        self.left = true;
        let _ = self.unsubscribe.take().map(|unsubscribe| unsubscribe.send(()));
        let task = std::mem::replace(&mut self.task, tokio::spawn(async {}));
        async move { task.await.unwrap() }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Seen { items, ended, .. } = &*self.seen.lock().unwrap();
        write!(
            f,
            "{} left: {}, ended: {ended:?}, {:?}",
            self.channel, self.left, self.start
        )?;
        items
            .iter()
            .try_for_each(|item| write!(f, "\n  {:?}", item.given))
    }
}

impl Seen {
    fn take(
        &mut self,
        item: Result<Received<Heard>, SubscriptionError>,
        by: Option<String>,
        connections: u64,
    ) {
        let id = item.as_ref().ok().map(|event| event.id.clone());
        let given = match item {
            Ok(Received {
                event,
                position,
                kind,
                ..
            }) => match event {
                Heard::State(state) => {
                    assert_eq!(kind, ReceivedKind::Snapshot);
                    let tally = Tally {
                        count: state.count,
                        sum: state.sum,
                    };
                    Given::Snapshot(tally, position)
                }
                Heard::Tick(tick) => Given::Event(What::Tick(tick.number), position),
                Heard::Joined(joined) => {
                    let who = joined.user_id.unwrap_or(joined.client_id);
                    Given::Event(What::Joined(who), position)
                }
                Heard::Left(left) => {
                    let who = left.user_id.unwrap_or(left.client_id);
                    Given::Event(What::Left(who), position)
                }
            },
            Err(SubscriptionError::Gap(gap)) => Given::Gap(gap.into()),
            Err(error) => {
                self.ended = Some(error);
                return;
            }
        };
        self.items.push(Item {
            given,
            id,
            by,
            at: Instant::now(),
            connections,
        });
    }
}
