//! One run: a server, some clients, and what happens to them.

use std::{
    collections::{BTreeSet, HashSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use rpc_runtime::{
    Limits, Server, Status,
    auth::{Attempt, AuthError, Authenticator, Identity},
    hub::{Anyone, Asks, Hub, Namespace, Position, Retention},
    services,
};

use crate::{
    line::Line,
    model::{Delivered, Subscribed},
    program::{Program, Reader, Tick, between, credential, settle},
    random::Random,
    recorder::{Logs, Recorder},
};
use tokio::task::JoinSet;

const USERS: [&str; 3] = ["ann", "bob", "cid"];

/// A channel, how many of its events are kept, and whether any are.
const CHANNELS: [(&str, u64); 4] = [("long:a", 200), ("long:b", 200), ("short:a", 4), ("plain:a", 0)];

/// Whether something was sent to the client at a place.
type IsFor = Box<dyn Fn(usize, &Program) -> bool>;

/// Who may not subscribe to what.
type Denied = Arc<Mutex<HashSet<(Option<&'static str>, String)>>>;

/// What has happened in some runs, so that nobody takes runs in which nothing happens for a proof.
#[derive(Debug, Default)]
pub struct Seen {
    events: u64,
    gaps: u64,
    reconnects: u64,
    refused: u64,
    ended: u64,
    sent: u64,
    restarts: u64,
    excepted: u64,
    duplicates: u64,
    members: u64,
    not_read: u64,
    resumed: u64,
    replayed: u64,
}

impl Seen {
    pub fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.gaps += other.gaps;
        self.reconnects += other.reconnects;
        self.refused += other.refused;
        self.ended += other.ended;
        self.sent += other.sent;
        self.restarts += other.restarts;
        self.excepted += other.excepted;
        self.duplicates += other.duplicates;
        self.members += other.members;
        self.not_read += other.not_read;
        self.resumed += other.resumed;
        self.replayed += other.replayed;
    }

    pub fn check_that_everything_happened(&mut self) {
        for (what, count) in [
            ("events were delivered", self.events),
            ("gaps were told", self.gaps),
            ("clients came back", self.reconnects),
            ("subscriptions were refused", self.refused),
            ("subscriptions were ended", self.ended),
            ("clients were sent to", self.sent),
            ("servers were replaced", self.restarts),
            ("publishers were left out", self.excepted),
            ("keys were used twice", self.duplicates),
            ("members were seen", self.members),
            ("programs did not read", self.not_read),
            ("sessions were resumed", self.resumed),
            ("events came to sessions that went on", self.replayed),
        ] {
            assert!(count > 50, "{what}: {count} times");
        }
    }
}

struct Tokens;

impl Authenticator for Tokens {
    async fn authenticate(&self, attempt: &Attempt<'_>) -> Result<Identity, AuthError> {
        let name = attempt.credential().text().unwrap_or_default();
        match USERS.iter().find(|user| **user == name) {
            Some(user) => Ok(Identity::new(*user)),
            None => Err(AuthError::invalid("nobody is called that")),
        }
    }
}

struct World {
    random: Random,
    server: Server,
    hub: Hub,
    denied: Denied,
    programs: Vec<Program>,
    logs: Logs,
    /// Publishers that go on by themselves.
    publishing: JoinSet<()>,
    next: u64,
    /// What was sent to a session that was there, or was to come back: the program's place, the session, and the event.
    owed: Vec<(usize, String, u64)>,
    seen: Seen,
}

pub fn run(seed: u64) -> Seen {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut world = World::new(seed).await;
        let steps = 10 + world.random.below(30);
        for _ in 0..steps {
            world.step().await;
        }
        world.end().await;
        world.seen
    })
}

fn serve(denied: &Denied, logs: &Logs, seed: u64) -> (Server, Hub) {
    let resumes = seed.is_multiple_of(2);
    let may = {
        let denied = denied.clone();
        move |asks: &Asks, (channel,): &(String,), kind: &str| {
            let key = (
                USERS.into_iter().find(|user| Some(*user) == asks.user()),
                format!("{kind}:{channel}"),
            );
            match denied.lock().unwrap().contains(&key) {
                true => Err(Status::permission_denied("not today")),
                false => Ok(()),
            }
        }
    };
    let namespace = |kind: &'static str, keep: Retention| {
        let may = may.clone();
        Namespace::<(String,)>::new(format!("{kind}:{{id}}"))
            .subscribe(move |asks: &Asks, params: &(String,)| may(asks, params, kind))
            .publish(Anyone)
            .presence(Anyone)
            .keep(keep)
    };
    let hour = Duration::from_secs(3_600);
    let hub = Hub::builder()
        .broker(Recorder::new(logs.clone(), seed))
        .namespace(namespace("long", Retention::of(200, hour)))
        .namespace(namespace("short", Retention::of(4, hour)))
        .namespace(namespace("plain", Retention::NONE))
        .build()
        .unwrap();
    let server = Server::builder()
        .service(services::hub::gateway())
        .authenticator(Tokens)
        .hub(hub.clone())
        .limits(Limits {
            event_queue_bytes: 80 << 10,
            // In half of the runs sessions go on behind a lost connection.
            resume_window: Duration::from_secs(if resumes { 20 } else { 0 }),
            ..Limits::default()
        })
        .build()
        .unwrap();
    (server, hub)
}

impl World {
    async fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let denied = Denied::default();
        let logs = Logs::default();
        let (server, hub) = serve(&denied, &logs, random.next());
        let programs = (0..2 + random.below(3))
            .map(|_| {
                let user = (!random.one_in(4)).then(|| *random.pick(&USERS));
                Program::new(Line::new(&server), user)
            })
            .collect();
        let mut world = Self {
            random,
            server,
            hub,
            denied,
            programs,
            logs,
            publishing: JoinSet::new(),
            next: 0,
            owed: Vec::new(),
            seen: Seen::default(),
        };
        world.publish_everywhere().await;
        for program in &mut world.programs {
            program.client.ready().await.unwrap();
            program.note_id();
        }
        world
    }

    async fn step(&mut self) {
        if self.random.one_in(3) {
            settle().await;
        }
        let index = self.random.below(self.programs.len());
        let (channel, _) = *self.random.pick(&CHANNELS);
        match self.random.below(28) {
            0..=4 => self.subscribe(index, channel).await,
            5 => self.programs[index].leave(channel),
            6..=10 => {
                for _ in 0..1 + self.random.below(12) {
                    self.publish(channel).await;
                }
            }
            11 => self.publish_by(index, channel).await,
            23 | 24 => self.publish_beside(channel),
            25..=27 => self.send_in_passing(index).await,
            12 => self.programs[index].line.cut(),
            13 => self.programs[index].line.go_dead(),
            14 => {
                self.programs[index].line.set_up(false);
                self.programs[index].line.cut();
            }
            15 => self.programs[index].line.set_up(true),
            16 => self.send(index).await,
            17 => self.change_user(index).await,
            18 => self.change_policy(channel),
            19 => {
                for reader in self.programs[index].subscriptions.values() {
                    reader.set_reads(false);
                    self.seen.not_read += 1;
                }
            }
            20 => {
                for reader in self.programs[index].subscriptions.values() {
                    reader.set_reads(true);
                }
            }
            21 => self.publish_twice(channel).await,
            22 if self.random.one_in(4) => self.replace_server().await,
            _ => {
                let time = Duration::from_millis(1 << self.random.below(16));
                tokio::time::sleep(time).await;
            }
        }
        for program in &mut self.programs {
            program.note_id();
        }
    }

    /// Publishes once in each channel, so that each has a history.
    async fn publish_everywhere(&mut self) {
        for (channel, _) in CHANNELS {
            self.publish(channel).await;
        }
    }

    fn tick(&mut self) -> Tick {
        self.next += 1;
        let padding = match self.random.below(8) {
            0 => self.random.below(12_000),
            _ => self.random.below(60),
        };
        Tick {
            number: self.next,
            padding: vec![7; padding],
        }
    }

    /// Where a channel is, by the broker's own word.
    fn top(&self, channel: &str) -> Position {
        self.logs
            .lock()
            .unwrap()
            .entry(channel.to_owned())
            .or_default()
            .top()
    }

    /// The server publishes, perhaps not for everybody.
    fn publish(&mut self, channel: &'static str) -> impl Future<Output = ()> + use<> {
        let tick = self.tick();
        let mut to = self.hub.channel(channel);
        if self.random.one_in(6) {
            let index = self.random.below(self.programs.len());
            if let Some(id) = self.programs[index].note_id() {
                to = to.except(id.parse().unwrap());
                self.seen.excepted += 1;
            }
        }
        async move {
            to.publish(&tick).await.unwrap();
        }
    }

    /// Somebody publishes while everything else goes on.
    fn publish_beside(&mut self, channel: &'static str) {
        let ticks: Vec<_> = (0..1 + self.random.below(20))
            .map(|_| (self.publish(channel), self.random.below(30)))
            .collect();
        self.publishing.spawn(async move {
            for (publish, pause) in ticks {
                publish.await;
                tokio::time::sleep(Duration::from_millis(pause as u64)).await;
            }
        });
    }

    /// A client publishes; whether it is told or not, the broker knows.
    async fn publish_by(&mut self, index: usize, channel: &'static str) {
        let tick = self.tick();
        let publish = self.programs[index].client.hub().publish(channel, &tick);
        let told = tokio::time::timeout(Duration::from_secs(5), async { publish.await }).await;
        if let Ok(Ok(receipt)) = told
            && let Some(position) = receipt.position
        {
            assert!(self.top(channel).epoch != position.epoch || self.top(channel).offset >= position.offset);
        }
    }

    /// The same key twice is one event.
    async fn publish_twice(&mut self, channel: &'static str) {
        // Elsewhere others may publish so much in between that the first is forgotten.
        if !channel.starts_with("long") {
            return;
        }
        let tick = self.tick();
        let key = format!("key {}", tick.number);
        let first = self
            .hub
            .channel(channel)
            .key(key.clone())
            .publish(&tick)
            .await
            .unwrap();
        let second = self.hub.channel(channel).key(key).publish(&tick).await.unwrap();
        assert_eq!(first.position, second.position);
        assert!(second.duplicate && !first.duplicate);
        self.seen.duplicates += 1;
    }

    fn is_denied(&self, index: usize, channel: &str) -> bool {
        let key = (self.programs[index].user, channel.to_owned());
        self.denied.lock().unwrap().contains(&key)
    }

    async fn subscribe(&mut self, index: usize, channel: &'static str) {
        let is_over = |reader: &Reader| reader.has_ended();
        match self.programs[index].subscriptions.get(channel) {
            Some(reader) if is_over(reader) => self.programs[index].leave(channel),
            Some(_) => return,
            None => {}
        }
        let before = self.top(channel);
        let subscribe = self.programs[index].client.hub().subscribe::<Tick>(channel);
        let answer = tokio::time::timeout(Duration::from_secs(5), async { subscribe.await }).await;
        let after = self.top(channel);
        match answer {
            // It is offline: nothing was subscribed to.
            Err(_) => {}
            Ok(Err(error)) => {
                let code = error.code();
                assert!(
                    self.is_denied(index, channel) || code != Some(rpc_runtime::Code::PermissionDenied),
                    "{error}"
                );
                self.seen.refused += 1;
            }
            Ok(Ok(subscription)) => {
                let client = self.programs[index].client.clone();
                let reader = Reader::new(client, subscription, between(before, after));
                self.programs[index].subscriptions.insert(channel, reader);
            }
        }
    }

    /// Sends to a client, a user, all, or the anonymous, while nothing else happens: exactly those get it.
    async fn send(&mut self, index: usize) {
        settle().await;
        let tick = self.tick();
        let connected: Vec<bool> = self
            .programs
            .iter_mut()
            .map(|program| program.is_here(&self.server))
            .collect();
        let id = self.programs[index].note_id();
        let user = self.programs[index].user;
        let (to, is_for): (_, IsFor) = match (self.random.below(4), user, id) {
            (0, _, Some(id)) => (
                self.hub.client(id.parse().unwrap()),
                Box::new(move |place, _| place == index),
            ),
            (1, Some(user), _) => (
                self.hub.user(user),
                Box::new(move |_, program| program.user == Some(user)),
            ),
            (2, ..) => (
                self.hub.anonymous(),
                Box::new(|_, program| program.user.is_none()),
            ),
            _ => (self.hub.all(), Box::new(|_, _| true)),
        };
        let receipt = to.publish(&tick).await.unwrap();
        settle().await;
        let mut reached = 0;
        for (place, program) in self.programs.iter().enumerate() {
            let has = program.sent.lock().unwrap().contains(&tick.number);
            let shall = connected[place] && is_for(place, program);
            // Who is away may come back to its session meanwhile.
            if connected[place] || has != shall {
                assert!(
                    has == shall || !connected[place] && is_for(place, program),
                    "{place} of {connected:?} has {}",
                    tick.number
                );
            }
            reached += usize::from(has);
        }
        // Dead peers that nobody has missed yet are counted too.
        assert!(receipt.reached.unwrap() >= reached);
        self.seen.sent += reached as u64;
    }

    /// Sends to a client, whatever happens to its connection meanwhile: a session that goes on has everything.
    async fn send_in_passing(&mut self, index: usize) {
        let Some(id) = self.programs[index].note_id() else {
            return;
        };
        for _ in 0..1 + self.random.below(5) {
            let tick = self.tick();
            let to = self.hub.client(id.parse().unwrap());
            let receipt = to.publish(&tick).await.unwrap();
            if receipt.reached == Some(1) {
                self.owed.push((index, id.clone(), tick.number));
            }
        }
    }

    async fn change_user(&mut self, index: usize) {
        settle().await;
        if !self.programs[index].is_here(&self.server) {
            return;
        }
        let user = *self.random.pick(&USERS);
        let client = self.programs[index].client.clone();
        let change = client.change_user(credential(user));
        let Ok(Ok(_)) = tokio::time::timeout(Duration::from_secs(5), change).await else {
            return;
        };
        self.programs[index].user = Some(user);
        // Every subscription is looked at again within a second.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        for (channel, _) in CHANNELS {
            if self.is_denied(index, channel)
                && let Some(reader) = self.programs[index].subscriptions.get_mut(channel)
            {
                reader.was_denied = true;
                reader.set_reads(true);
                settle().await;
                assert!(
                    self.programs[index].subscriptions[channel].has_ended(),
                    "{user} still hears {channel}"
                );
            }
        }
    }

    fn change_policy(&mut self, channel: &'static str) {
        let user = match self.random.one_in(4) {
            true => None,
            false => Some(*self.random.pick(&USERS)),
        };
        let key = (user, channel.to_owned());
        let mut denied = self.denied.lock().unwrap();
        if denied.remove(&key) {
            return;
        }
        denied.insert(key);
        for program in self.programs.iter_mut().filter(|program| program.user == user) {
            if let Some(reader) = program.subscriptions.get_mut(channel) {
                reader.was_denied = true;
            }
        }
    }

    /// Another process takes over: everything that the first knew is gone.
    async fn replace_server(&mut self) {
        // Whoever published there dies with it.
        self.publishing.shutdown().await;
        let (server, hub) = serve(&self.denied, &self.logs, self.random.next());
        (self.server, self.hub) = (server, hub);
        for program in &self.programs {
            program.line.lead_to(&self.server);
            program.line.cut();
        }
        self.publish_everywhere().await;
        self.seen.restarts += 1;
    }

    /// Everything goes well from now on, and everybody is to have everything.
    async fn end(&mut self) {
        for program in &self.programs {
            program.line.set_up(true);
            program.line.cut();
            program
                .subscriptions
                .values()
                .for_each(|reader| reader.set_reads(true));
        }
        while self.publishing.join_next().await.is_some_and(|done| done.is_ok()) {}
        tokio::time::sleep(Duration::from_secs(120)).await;
        for program in &mut self.programs {
            program.client.ready().await.unwrap();
            program.note_id();
            self.seen.reconnects += program.ids.len() as u64 - 1;
            let greeting = program.client.greeting().unwrap();
            self.seen.resumed += u64::from(greeting.resumed());
        }
        self.publish_everywhere().await;
        settle().await;
        for log in self.logs.lock().unwrap().values() {
            log.check_whole();
        }
        for program in &self.programs {
            let sent = program.sent.lock().unwrap();
            assert!(
                sent.is_sorted_by(|a, b| a < b),
                "what is sent comes once, and in order: {sent:?}"
            );
        }
        for (index, id, number) in &self.owed {
            let program = &self.programs[*index];
            if program.ids.last() == Some(id) {
                assert!(
                    program.sent.lock().unwrap().contains(number),
                    "{number} never came to {index}"
                );
                self.seen.replayed += 1;
            }
        }
        self.check_subscriptions();
        self.check_presence().await;
    }

    fn check_subscriptions(&mut self) {
        for index in 0..self.programs.len() {
            for (channel, kept) in CHANNELS {
                let program = &self.programs[index];
                let past = program
                    .past
                    .iter()
                    .filter(|(of, _)| *of == channel)
                    .map(|(_, reader)| (reader, false));
                let present = program.subscriptions.get(channel).map(|reader| (reader, true));
                for (reader, is_present) in past.chain(present) {
                    let seen = reader.seen.lock().unwrap();
                    if let Some(ended) = &seen.ended {
                        assert!(reader.was_denied, "{channel} has ended: {ended}");
                        self.seen.ended += 1;
                    }
                    let is_live = is_present && seen.ended.is_none();
                    if is_live {
                        assert!(
                            !self.is_denied(index, channel),
                            "{channel} is heard without the right to it"
                        );
                    }
                    if kept == 0 {
                        let numbers: Vec<u64> = seen.plain.iter().copied().flatten().collect();
                        self.logs.lock().unwrap()[channel].check_passed_by(&numbers);
                        self.seen.events += numbers.len() as u64;
                        continue;
                    }
                    let subscribed = Subscribed {
                        delivered: &seen.delivered,
                        by: &seen.by,
                        began: reader.began.clone(),
                        kept,
                        ids: &program.ids,
                        to_end: is_live,
                    };
                    self.logs.lock().unwrap()[channel].check(&subscribed);
                    let is_gap = |item: &&Delivered| matches!(item, Delivered::Gap { .. });
                    let gaps = seen.delivered.iter().filter(is_gap).count() as u64;
                    self.seen.gaps += gaps;
                    self.seen.events += seen.delivered.len() as u64 - gaps;
                }
            }
        }
    }

    async fn check_presence(&mut self) {
        let hub = self.programs[0].client.hub();
        for (channel, _) in CHANNELS {
            let shall: BTreeSet<String> = self
                .programs
                .iter()
                .filter(|program| {
                    program
                        .subscriptions
                        .get(channel)
                        .is_some_and(|reader| !reader.has_ended())
                })
                .filter_map(|program| program.ids.last().cloned())
                .collect();
            let presence = hub.presence(channel).await.unwrap();
            let are: BTreeSet<String> = presence
                .members
                .iter()
                .map(|member| member.client.clone())
                .collect();
            assert_eq!(are, shall, "in {channel}");
            self.seen.members += are.len() as u64;
        }
    }
}

impl Program {
    /// Whether the server knows the connection that the client has, and nobody will find it dead.
    fn is_here(&mut self, server: &Server) -> bool {
        let Some(id) = self.note_id() else { return false };
        self.line.is_connected() && server.session(id.parse().unwrap()).is_some()
    }
}
