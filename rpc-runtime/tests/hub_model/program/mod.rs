//! One client and what its program reads: a task for each subscription, one for what is sent to it, and one that takes the
//! subscriptions that the server makes.

mod known;
mod reader;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use rpc_runtime::{
    Client, ClientLimits, Events, Reconnect,
    auth::Credential,
    contract,
    hub::{Joined, Left, Position, client::SubscriptionError},
};
use tokio::{task::JoinHandle, time::Instant};

use crate::{
    house::channel,
    line::Line,
    model::{Began, Sent, Tally},
    truth::Truth,
};
pub use known::{Known, Then, Who};
pub use reader::{Grant, Reader, Start};

/// So long a client waits for what the hub answers, and a server for what it asks on a client's behalf, at most.
pub const ASKS: Duration = Duration::from_secs(30);

/// A moment so long ago.
pub fn ago(time: Duration) -> Instant {
    before(Instant::now(), time)
}

/// A moment so long before another.
pub fn before(at: Instant, time: Duration) -> Instant {
    at.checked_sub(time).unwrap_or(at)
}

/// What is published and sent.
#[contract(package = "model", event, detached)]
pub struct Tick {
    pub number: u64,
    pub padding: Vec<u8>,
}

/// What a channel is about.
#[contract(package = "model", event, detached)]
pub struct State {
    pub count: u64,
    pub sum: u64,
}

/// What presence says of a client.
#[contract(package = "model", detached)]
pub struct Mood {
    pub number: u64,
}

/// All that may come in a channel.
#[derive(Debug, Events)]
pub enum Heard {
    Tick(Tick),
    State(State),
    Joined(Joined),
    Left(Left),
}

impl From<Tally> for State {
    fn from(Tally { count, sum }: Tally) -> Self {
        Self { count, sum }
    }
}

/// A client, and what its program was given.
pub struct Program {
    pub client: Client,
    pub line: Line,
    /// As whom it is known, and as whom it shows itself on its next connection.
    pub user: Option<&'static str>,
    /// As whom the server may know it.
    pub known_as: Known,
    /// All its subscriptions, also those that are over.
    pub readers: Arc<Mutex<Vec<Reader>>>,
    pub sent: Arc<Mutex<Sent>>,
    /// All ids that it had.
    pub ids: Vec<String>,
    /// What the server has ever been told to subscribe it to, and when, whether it could be told or not; and what the sessions that no
    /// program knew at that time were.
    pub granted: Vec<(&'static str, Grant, Instant)>,
    /// When the server has put it out of channels.
    pub kicked: Vec<(&'static str, Instant)>,
    /// When it has given channels up: what it heard, and what it has not waited for.
    pub left: Vec<(&'static str, Instant)>,
    /// When its server was last seen to know that it had.
    pub out: HashMap<&'static str, Instant>,
    /// Where it was in channels that it has left.
    pub known: HashMap<&'static str, Position>,
    /// The channel that it names in its address.
    pub named: Option<&'static str>,
    pub is_closed: bool,
    _tasks: [JoinHandle<()>; 3],
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program")
            .field("user", &self.user)
            .field("ids", &self.ids)
            .field("connected", &self.line.is_connected())
            .field("stalled", &self.line.is_stalled())
            .field("closed", &self.is_closed)
            .field("readers", &self.readers.lock().unwrap())
            .finish_non_exhaustive()
    }
}

/// So many events wait for a program that does not read.
pub const UNREAD: usize = 16;

/// The credential of a user.
pub fn credential(user: &str) -> Credential {
    Credential::bearer(user)
}

impl Program {
    pub fn new(line: Line, user: Option<&'static str>, named: Option<&'static str>, truth: &Truth) -> Self {
        let mut builder = Client::from_connector(line.clone())
            .reconnect(Reconnect::default())
            .limits(ClientLimits {
                unread_events: UNREAD,
                ..ClientLimits::default()
            });
        if let Some(user) = user {
            builder = builder.credential(credential(user));
        }
        let client = builder.lazy().unwrap();
        let sent = Arc::new(Mutex::new(Sent::default()));
        let readers = Arc::new(Mutex::new(Vec::new()));
        let tasks = [
            tokio::spawn({
                let client = client.clone();
                // It connects at once.
                async move { drop(client.ready().await) }
            }),
            tokio::spawn(read_sent(client.clone(), sent.clone())),
            tokio::spawn(take_subscriptions(
                client.clone(),
                line.clone(),
                readers.clone(),
                truth.clone(),
            )),
        ];
        Self {
            client,
            line,
            user,
            known_as: Known::new(user),
            readers,
            sent,
            ids: Vec::new(),
            granted: Vec::new(),
            kicked: Vec::new(),
            left: Vec::new(),
            out: HashMap::new(),
            known: HashMap::new(),
            named,
            is_closed: false,
            _tasks: tasks,
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

    /// Does something with the present subscription of a channel, where there is one that has not ended. Of several it is the last:
    /// those before have ended too, and their program has not read so far.
    pub fn with<T>(&self, channel: &str, act: impl FnOnce(&mut Reader) -> T) -> Option<T> {
        let mut readers = self.readers.lock().unwrap();
        let mut present = readers.iter_mut().filter(|reader| reader.channel == channel);
        present.rfind(|reader| reader.is_present()).map(act)
    }

    /// Whether it has ever given a channel up.
    pub fn has_left(&self, channel: &str) -> bool {
        self.left.iter().any(|(left, _)| *left == channel)
    }

    /// Whether it has given a channel up so lately that its server may not know, or may still answer what it had asked for before.
    pub fn has_just_left(&self, channel: &str) -> bool {
        let is_known = |at| self.out.get(channel).is_some_and(|out| at <= *out);
        let lately = self.line.took_all_by(ago(ASKS));
        let mut left = self.left.iter();
        left.any(|&(left, at)| left == channel && at > lately && !is_known(at))
    }

    pub fn hears(&self, channel: &str) -> bool {
        self.with(channel, |_| ()).is_some()
    }

    /// How often the server may have ended a subscription.
    pub fn kicks(&self, reader: &Reader) -> u64 {
        let kicked = self.kicked.iter();
        let of_it = kicked.filter(|&&(name, at)| name == reader.channel && at >= reader.since);
        of_it.count() as u64
    }

    /// When the server was told to subscribe it to a channel, and as whom.
    pub fn grants(&self, channel: &str) -> impl Iterator<Item = (&Grant, Instant)> {
        let granted = self.granted.iter();
        let granted =
            granted.filter(move |(name, grant, _)| *name == channel && self.ids.contains(grant.client()));
        granted.map(|(_, grant, at)| (grant, *at))
    }

    /// Whether its session may hear a channel whatever its rights.
    pub fn may_be_granted(&self, channel: &str) -> bool {
        let mut granted = self.grants(channel);
        granted.any(|(grant, _)| grant.holds(self.ids.last(), self.user))
    }

    /// Is another user from now on. What the one before was granted is over, also where that one comes back.
    pub fn becomes(&mut self, user: &'static str) {
        self.user = Some(user);
        self.known_as.becomes(Some(user));
        for reader in self.readers.lock().unwrap().iter_mut() {
            let id = self.ids.last();
            reader.granted = reader.granted.take().filter(|grant| grant.holds(id, Some(user)));
        }
    }

    /// Gives a subscription up.
    pub fn leave(&mut self, channel: &'static str) {
        let position = self.with(channel, |reader| {
            reader.leave();
            reader.position()
        });
        if let Some(position) = position.flatten() {
            self.known.insert(channel, position);
        }
        self.has_now_left(channel);
    }

    /// It gives a channel up at this moment.
    pub fn has_now_left(&mut self, channel: &'static str) {
        self.left.push((channel, Instant::now()));
    }

    /// Gives a subscription up, and waits until the server knows.
    pub fn unsubscribe(&mut self, channel: &'static str) -> Option<impl Future<Output = ()> + use<>> {
        let (unsubscribed, position) =
            self.with(channel, |reader| (reader.unsubscribe(), reader.position()))?;
        if let Some(position) = position {
            self.known.insert(channel, position);
        }
        self.has_now_left(channel);
        Some(unsubscribed)
    }

    /// Has all its subscriptions read, or none.
    pub fn set_reads(&self, reads: bool) {
        self.readers
            .lock()
            .unwrap()
            .iter_mut()
            .for_each(|reader| reader.set_reads(reads));
    }

    /// Whether it took nothing at a moment.
    pub fn was_stalled_at(&self, at: Instant) -> bool {
        self.line.was_stalled_at(at)
    }
}

async fn read_sent(client: Client, sent: Arc<Mutex<Sent>>) {
    let mut events = client.events::<Tick>();
    while let Some(event) = events.next().await {
        let mut sent = sent.lock().unwrap();
        match event {
            Ok(event) => sent.numbers.push(event.event.number),
            Err(SubscriptionError::Gap(gap)) => {
                let session = client.greeting().expect("it was greeted").client_id().to_owned();
                *sent.missed.entry(session).or_default() += gap.missed.expect("what is not read is counted");
            }
            Err(_) => return,
        }
    }
}

async fn take_subscriptions(client: Client, line: Line, readers: Arc<Mutex<Vec<Reader>>>, truth: Truth) {
    let mut made = client.hub().server_subscriptions();
    while let Some(subscription) = made.next().await {
        let channel = channel(subscription.channel());
        let made = line.took_all_by(ago(ASKS));
        let began = {
            let mut truth = truth.lock();
            let log = truth.log(channel.name);
            match channel.keeps() {
                true => Start::Kept(Began::Between(log.known_before(made), log.top())),
                false => {
                    let before = log.passed_before(made);
                    Start::Passing {
                        earliest: before,
                        before,
                        after: log.passed_by(),
                    }
                }
            }
        };
        let reader = Reader::new(&client, &line, channel.name, subscription.open(), began);
        readers.lock().unwrap().push(reader);
    }
}
