//! One client and what its program reads: a task for each subscription, one for what is sent to it, and one that takes the
//! subscriptions that the server makes.

mod reader;

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex},
};

use rpc_runtime::{
    Client, ClientLimits, Events, Reconnect,
    auth::Credential,
    contract,
    hub::{Joined, Left, Position},
};
use tokio::{task::JoinHandle, time::Instant};

use crate::{
    house::channel,
    line::Line,
    model::{Began, Tally},
    truth::Truth,
};
pub use reader::{Grant, Reader, Start};

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
    /// All its subscriptions, also those that are over.
    pub readers: Arc<Mutex<Vec<Reader>>>,
    /// What was sent to it, in order.
    pub sent: Arc<Mutex<Vec<u64>>>,
    /// All ids that it had.
    pub ids: Vec<String>,
    /// What the server has ever been told to subscribe it to, whether it could be told or not.
    pub granted: Vec<(&'static str, Grant)>,
    /// When the server has put it out of channels.
    pub kicked: Vec<(&'static str, Instant)>,
    /// Channels to which it has not waited to be subscribed.
    pub given_up: HashSet<&'static str>,
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
        let sent = Arc::new(Mutex::new(Vec::new()));
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
            readers,
            sent,
            ids: Vec::new(),
            granted: Vec::new(),
            kicked: Vec::new(),
            given_up: HashSet::new(),
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

    /// Does something with the present subscription of a channel, where there is one that has not ended.
    pub fn with<T>(&self, channel: &str, act: impl FnOnce(&mut Reader) -> T) -> Option<T> {
        let mut readers = self.readers.lock().unwrap();
        let mut present = readers.iter_mut().filter(|reader| reader.channel == channel);
        present.find(|reader| reader.is_present()).map(act)
    }

    /// Whether it has ever given a channel up.
    pub fn has_left(&self, channel: &str) -> bool {
        let readers = self.readers.lock().unwrap();
        let has_left = |reader: &Reader| reader.channel == channel && reader.has_left();
        self.given_up.contains(channel) || readers.iter().any(has_left)
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

    /// Whether its session may hear a channel whatever its rights.
    pub fn may_be_granted(&self, channel: &str) -> bool {
        let mut granted = self.granted.iter().filter(|(name, _)| *name == channel);
        granted.any(|(_, grant)| grant.holds(self.ids.last(), self.user))
    }

    /// Is another user from now on. What the one before was granted is over, also where that one comes back.
    pub fn becomes(&mut self, user: &'static str) {
        self.user = Some(user);
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
    }

    /// Gives a subscription up, and waits until the server knows.
    pub fn unsubscribe(&mut self, channel: &'static str) -> Option<impl Future<Output = ()> + use<>> {
        let (unsubscribed, position) =
            self.with(channel, |reader| (reader.unsubscribe(), reader.position()))?;
        if let Some(position) = position {
            self.known.insert(channel, position);
        }
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

async fn read_sent(client: Client, sent: Arc<Mutex<Vec<u64>>>) {
    let mut events = client.events::<Tick>();
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => sent.lock().unwrap().push(event.event.number),
            Err(error) if error.is_final() => return,
            Err(error) => panic!("it reads at once: {error}"),
        }
    }
}

async fn take_subscriptions(client: Client, line: Line, readers: Arc<Mutex<Vec<Reader>>>, truth: Truth) {
    let mut made = client.hub().server_subscriptions();
    while let Some(subscription) = made.next().await {
        let channel = channel(subscription.channel());
        let began = {
            let mut truth = truth.lock();
            let log = truth.log(channel.name);
            match channel.keeps() {
                true => Start::Kept(Began::By(log.top())),
                false => Start::Passing(0, log.passed_by()),
            }
        };
        let reader = Reader::new(&client, &line, channel.name, subscription.open(), began);
        readers.lock().unwrap().push(reader);
    }
}
