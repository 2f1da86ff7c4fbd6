//! What is served: channels of every kind, users, rights that take their time and change, snapshots that lag behind.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use rpc_runtime::{
    Limits, Server, Status,
    auth::{Attempt, AuthError, Authenticator, Identity},
    hub::{Asks, Hub, Namespace, OnSubscribe, Position, Retention, Right, SlowConsumer, Snapshot},
    services,
};

use crate::{
    model::Losing,
    program::State,
    random::Random,
    recorder::Recorder,
    rights::{Act, Deed, Rights},
    truth::{Refused, Truth},
};

pub const USERS: [&str; 3] = ["ann", "bob", "cid"];

/// What waits for a client in its queue, at most.
pub const QUEUE: usize = 68 << 10;

/// How long whoever publishes waits for slow clients where the channel says so.
pub const BLOCKS: Duration = Duration::from_secs(2);

const HOUR: Duration = Duration::from_secs(3_600);
const BLOCK: SlowConsumer = SlowConsumer::Block { at_most: BLOCKS };

/// Of what moment a channel's snapshots are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Snapshots {
    None,
    /// Of a position, mostly behind the latest.
    At,
    /// Of when they were taken.
    Now,
}

/// What a channel is like.
pub struct Channel {
    pub name: &'static str,
    pub keep: Retention,
    pub slow: SlowConsumer,
    pub snapshots: Snapshots,
    /// Joins are published.
    pub joins: bool,
}

const fn kept(name: &'static str, keep: Retention) -> Channel {
    Channel {
        name,
        keep,
        slow: SlowConsumer::Disconnect,
        snapshots: Snapshots::None,
        joins: false,
    }
}

const fn passing(name: &'static str, slow: SlowConsumer) -> Channel {
    Channel {
        slow,
        ..kept(name, Retention::NONE)
    }
}

/// Kept for a short time, few bytes of few events, of which fewer come in one answer.
const BRIEF: Retention = Retention {
    events: 30,
    bytes: 24 << 10,
    time: Duration::from_secs(20),
    recover: 12,
};

pub static CHANNELS: [Channel; 12] = [
    kept("long:a", Retention::of(200, HOUR)),
    kept("long:b", Retention::of(200, HOUR)),
    Channel {
        slow: SlowConsumer::DropOldest,
        ..kept("short:a", Retention::of(4, HOUR))
    },
    Channel {
        slow: SlowConsumer::KeepLatest,
        joins: true,
        ..kept("brief:a", BRIEF)
    },
    Channel {
        slow: BLOCK,
        snapshots: Snapshots::At,
        ..kept("state:a", Retention::of(50, HOUR))
    },
    Channel {
        joins: true,
        ..kept("people:a", Retention::of(200, HOUR))
    },
    Channel {
        joins: true,
        ..passing("plain:a", SlowConsumer::Disconnect)
    },
    passing("block:a", BLOCK),
    passing("oldest:a", SlowConsumer::DropOldest),
    Channel {
        snapshots: Snapshots::Now,
        ..passing("latest:a", SlowConsumer::KeepLatest)
    },
    // Nobody has the right to it: the server subscribes clients.
    kept("granted:a", Retention::of(200, HOUR)),
    // Clients name it in their addresses.
    kept("query:a", Retention::of(200, HOUR)),
];

pub fn channel(name: &str) -> &'static Channel {
    CHANNELS.iter().find(|channel| channel.name == name).unwrap()
}

impl Channel {
    pub fn keeps(&self) -> bool {
        self.keep.events > 0
    }

    pub fn losing(&self) -> Losing {
        match self.slow {
            SlowConsumer::DropOldest => Losing::Oldest,
            SlowConsumer::KeepLatest => Losing::Replaced,
            _ => Losing::Nothing,
        }
    }
}

/// What takes its time.
struct Slow(Mutex<Random>);

impl Slow {
    /// Mostly for no time, and seldom for longer than anybody waits.
    async fn linger(&self) -> bool {
        let (chance, time) = {
            let mut random = self.0.lock().unwrap();
            (random.below(40), random.below(300) as u64)
        };
        match chance {
            0 => tokio::time::sleep(Duration::from_millis(1_500)).await,
            1..8 => tokio::time::sleep(Duration::from_millis(time)).await,
            _ => {}
        }
        chance == 0
    }
}

/// The right to subscribe.
struct May {
    kind: &'static str,
    rights: Rights,
    truth: Truth,
    slow: Arc<Slow>,
}

/// Another right, which takes its time only where it changes.
struct MayDo {
    act: Act,
    kind: &'static str,
    rights: Rights,
    truth: Truth,
    slow: Option<Arc<Slow>>,
}

/// What a client asks for.
fn deed(asks: &Asks, act: Act, kind: &str, id: &str) -> Deed {
    Deed {
        user: USERS.into_iter().find(|user| Some(*user) == asks.user()),
        act,
        channel: channel(&format!("{kind}:{id}")).name,
    }
}

/// Who asks: the program's place, and the client's id.
fn session(asks: &Asks) -> (usize, String) {
    let program = asks.session().info().query_value("program").unwrap();
    (program.parse().unwrap(), asks.client().to_string())
}

fn answered(denied: bool) -> Result<(), Status> {
    match denied {
        true => Err(Status::permission_denied("not today")),
        false => Ok(()),
    }
}

/// Remembers a refusal, also where nobody waits for the answer any more.
struct Refusal<'a> {
    may: &'a May,
    asks: &'a Asks,
    name: &'static str,
    may_not: bool,
}

impl Drop for Refusal<'_> {
    fn drop(&mut self) {
        if self.may_not {
            let (program, client) = session(self.asks);
            self.may.truth.lock().refused.push(Refused {
                program,
                client,
                channel: self.name,
            });
        }
    }
}

impl Right<(String,)> for May {
    async fn check(&self, asks: &Asks, (id,): &(String,)) -> Result<(), Status> {
        let deed = deed(asks, Act::Subscribe, self.kind, id);
        self.truth.lock().sessions.insert(session(asks));
        let mut refusal = Refusal {
            may: self,
            asks,
            name: deed.channel,
            may_not: true,
        };
        let was_slow = self.slow.linger().await;
        let denied = self.rights.deny(deed);
        refusal.may_not = denied || was_slow;
        answered(denied)
    }
}

impl Right<(String,)> for MayDo {
    async fn check(&self, asks: &Asks, (id,): &(String,)) -> Result<(), Status> {
        self.truth.lock().sessions.insert(session(asks));
        if let Some(slow) = &self.slow {
            slow.linger().await;
        }
        answered(self.rights.deny(deed(asks, self.act, self.kind, id)))
    }
}

struct TakesState {
    truth: Truth,
    slow: Arc<Slow>,
    random: Mutex<Random>,
    snapshots: Snapshots,
    kind: &'static str,
}

impl OnSubscribe<(String,)> for TakesState {
    async fn snapshot(&self, _: &Asks, (id,): &(String,)) -> Result<Snapshot, Status> {
        let name = format!("{}:{id}", self.kind);
        self.slow.linger().await;
        let (lag, is_overtaken) = {
            let mut random = self.random.lock().unwrap();
            let lag = match random.below(12) {
                0 => random.below(80),
                _ => random.below(6),
            };
            (lag, random.one_in(2))
        };
        let snapshot = {
            let mut truth = self.truth.lock();
            let log = truth.log(&name);
            match self.snapshots {
                Snapshots::Now => Snapshot::now(&State::from(log.tally_of_passed(log.passed_by()))),
                _ => {
                    // Nothing may have changed since another history began: the state is of the end of the one before.
                    let before = log.end_before().filter(|_| is_overtaken);
                    let top = log.top();
                    let at = before.unwrap_or(Position {
                        offset: top.offset.saturating_sub(lag as u64),
                        ..top
                    });
                    Snapshot::at(at, &State::from(log.tally(at)))
                }
            }
        };
        self.slow.linger().await;
        Ok(snapshot)
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

/// A server, its hub, and what stands behind it.
pub struct House {
    pub server: Server,
    pub hub: Hub,
    pub broker: Recorder,
}

impl House {
    /// With `others_slow`, a seed, rights besides those to subscribe take their time.
    pub fn new(rights: &Rights, truth: &Truth, seed: u64, others_slow: Option<u64>) -> Self {
        let mut random = Random(seed);
        let resumes = random.one_in(2);
        let broker = Recorder::new(truth.clone(), random.next());
        let slow = Arc::new(Slow(Mutex::new(Random(random.next()))));
        let others_slow = others_slow.map(|seed| Arc::new(Slow(Mutex::new(Random(seed)))));
        let mut hub = Hub::builder().broker(broker.clone());
        let mut kinds = HashSet::new();
        for channel in &CHANNELS {
            let (kind, _) = channel.name.split_once(':').unwrap();
            if !kinds.insert(kind) {
                continue;
            }
            let may_do = |act| MayDo {
                act,
                kind,
                rights: rights.clone(),
                truth: truth.clone(),
                slow: others_slow.clone(),
            };
            let mut namespace = Namespace::<(String,)>::new(format!("{kind}:{{id}}"))
                .subscribe(May {
                    kind,
                    rights: rights.clone(),
                    truth: truth.clone(),
                    slow: slow.clone(),
                })
                .publish(may_do(Act::Publish))
                .presence(may_do(Act::Presence))
                .history(may_do(Act::History))
                .keep(channel.keep)
                .slow(channel.slow);
            if channel.joins {
                namespace = namespace.tell_joins();
            }
            if channel.snapshots != Snapshots::None {
                namespace = namespace.on_subscribe(TakesState {
                    truth: truth.clone(),
                    slow: slow.clone(),
                    random: Mutex::new(Random(random.next())),
                    snapshots: channel.snapshots,
                    kind,
                });
            }
            hub = hub.namespace(namespace);
        }
        let hub = hub.build().unwrap();
        let server = Server::builder()
            .service(services::hub::gateway())
            .authenticator(Tokens)
            .hub(hub.clone())
            .channel_query("channel_id")
            .limits(Limits {
                event_queue_bytes: QUEUE,
                // In half of the runs sessions go on behind a lost connection.
                resume_window: Duration::from_secs(if resumes { 20 } else { 0 }),
                ..Limits::default()
            })
            .build()
            .unwrap();
        Self { server, hub, broker }
    }
}
