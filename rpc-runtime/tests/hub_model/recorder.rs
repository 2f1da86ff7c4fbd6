//! A broker that takes its time and may lose its memory, and tells the truth by which deliveries are judged. What it answers itself
//! is held against the model at once.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use prost::Message;
use rpc_runtime::{
    ClientId, Contract,
    hub::{
        Broker, ChannelName, History, HistoryQuery, Joined, Left, LocalBroker, Member, Position, Receipt,
        Retention,
        broker::{Address, BrokerError, MemberChange, Members, MembersQuery, Node, Publication},
    },
    prost,
};
use tokio::time::Instant;

use crate::{
    model::{Entry, What},
    program::Tick,
    random::Random,
    truth::Truth,
};

/// The broker of one server; all clones are one.
#[derive(Clone)]
pub struct Recorder(Arc<Inner>);

struct Inner {
    broker: Mutex<Arc<LocalBroker>>,
    node: OnceLock<Node>,
    known: Mutex<HashMap<ChannelName, Known>>,
    truth: Truth,
    random: Mutex<Random>,
    /// Goes up before anybody comes or goes, and behind it.
    comings: AtomicU64,
    /// Its server is gone, and nothing that its tasks still do happens.
    is_retired: AtomicBool,
}

/// What the broker has been asked for in a channel.
struct Known {
    subscribed: Option<Retention>,
    members: HashMap<ClientId, Member>,
    /// When it was last needed, unless it is needed now.
    used: Instant,
    /// Its history may be gone.
    is_lost: bool,
}

impl Recorder {
    pub fn new(truth: Truth, seed: u64) -> Self {
        Self(Arc::new(Inner {
            broker: Mutex::default(),
            node: OnceLock::new(),
            known: Mutex::default(),
            truth,
            random: Mutex::new(Random(seed)),
            comings: AtomicU64::new(0),
            is_retired: AtomicBool::new(false),
        }))
    }

    fn broker(&self) -> Result<Arc<LocalBroker>, BrokerError> {
        match self.0.is_retired.load(Ordering::Relaxed) {
            true => Err(BrokerError::Unavailable("its server is gone".to_owned())),
            false => Ok(self.0.broker.lock().unwrap().clone()),
        }
    }

    /// The server is gone.
    pub fn retire(&self) {
        self.0.is_retired.store(true, Ordering::Relaxed);
    }

    /// As long as this is the same, nobody has come or gone.
    pub fn comings(&self) -> u64 {
        self.0.comings.load(Ordering::Relaxed)
    }

    fn comes_or_goes(&self) {
        self.0.comings.fetch_add(1, Ordering::Relaxed);
    }

    fn know<T>(&self, channel: &ChannelName, change: impl FnOnce(&mut Known) -> T) -> T {
        let mut known = self.0.known.lock().unwrap();
        change(known.entry(channel.clone()).or_insert_with(|| Known {
            subscribed: None,
            members: HashMap::new(),
            used: Instant::now(),
            // Another server may have had another.
            is_lost: true,
        }))
    }

    /// Whether a channel may begin anew now. It is asked before it is used.
    fn may_begin(&self, channel: &ChannelName, keep: &Retention) -> bool {
        self.know(channel, |known| {
            let is_needed = known.subscribed.is_some() || !known.members.is_empty();
            let is_over = !is_needed && known.used.elapsed() >= keep.time;
            std::mem::take(&mut known.is_lost) || is_over
        })
    }

    /// All histories are lost. Who has subscribed, and who is there, is told again, as nodes do after such a failure.
    pub async fn lose_memory(&self) {
        let broker = Arc::new(LocalBroker::default());
        Broker::start(&*broker, self.0.node.get().unwrap().clone());
        let known: Vec<_> = {
            let mut known = self.0.known.lock().unwrap();
            let each = known.iter_mut().map(|(name, known)| {
                known.is_lost = true;
                let members: Vec<Member> = known.members.values().cloned().collect();
                (name.clone(), known.subscribed, members)
            });
            each.collect()
        };
        for (name, subscribed, members) in known {
            if let Some(keep) = subscribed {
                broker.subscribe(&name, &keep).await.unwrap();
            }
            for member in members {
                broker.join(&name, member).await.unwrap();
            }
        }
        *self.0.broker.lock().unwrap() = broker;
    }

    /// Lets others go on, mostly for no time at all.
    async fn linger(&self) {
        let time = {
            let mut random = self.0.random.lock().unwrap();
            match random.below(4) {
                0 => Some(random.below(40)),
                1 => Some(0),
                _ => None,
            }
        };
        match time {
            Some(0) => tokio::task::yield_now().await,
            Some(time) => tokio::time::sleep(Duration::from_millis(time as u64)).await,
            None => {}
        }
    }
}

fn what(publication: &Publication) -> What {
    let who = |user: Option<String>, client: String| user.unwrap_or(client);
    let body = publication.body.clone();
    match &*publication.type_name {
        name if name == Joined::FULL_NAME => {
            let joined = Joined::decode(body).unwrap();
            What::Joined(who(joined.user_id, joined.client_id))
        }
        name if name == Left::FULL_NAME => {
            let left = Left::decode(body).unwrap();
            What::Left(who(left.user_id, left.client_id))
        }
        _ => What::Tick(Tick::decode(body).unwrap().number),
    }
}

impl Broker for Recorder {
    fn start(&self, node: Node) {
        self.0.node.set(node.clone()).ok().unwrap();
        Broker::start(&**self.0.broker.lock().unwrap(), node);
    }

    async fn publish(
        &self,
        channel: &ChannelName,
        keep: &Retention,
        publication: Publication,
    ) -> Result<Receipt, BrokerError> {
        self.linger().await;
        let now = Instant::now();
        let entry = Entry {
            what: what(&publication),
            except: publication.except.iter().map(ToString::to_string).collect(),
            id: publication.id.as_deref().map(str::to_owned),
            key: publication
                .key
                .as_deref()
                .map(|key| format!("{:?} {key}", publication.origin)),
            time: publication.time,
            came: now,
            bytes: publication.body.len(),
        };
        let broker = self.broker()?;
        let may_begin = self.may_begin(channel, keep);
        // What is delivered is delivered before this returns.
        let receipt = broker.publish(channel, keep, publication).await?;
        if !receipt.duplicate {
            self.know(channel, |known| known.used = now);
        }
        self.0.truth.hold(|truth| {
            truth.crowd(&entry);
            let log = truth.log(channel.as_str());
            let known = entry.key.as_ref().filter(|_| keep.events > 0);
            let known = known.and_then(|key| log.of_key(key, now));
            // Of a history that is gone no key is known.
            let known = known.filter(|known| receipt.position.is_some_and(|at| at.epoch == known.epoch));
            assert_eq!(receipt.duplicate, known.is_some(), "{entry:?}");
            if receipt.duplicate {
                assert_eq!(receipt.position, known);
                truth.duplicates += 1;
                return;
            }
            let what = entry.what.clone();
            log.published(entry, receipt.position, may_begin);
            truth.joins(channel.as_str()).published(&what);
        });
        self.linger().await;
        Ok(receipt)
    }

    async fn subscribe(&self, channel: &ChannelName, keep: &Retention) -> Result<Position, BrokerError> {
        self.linger().await;
        let may_begin = self.may_begin(channel, keep);
        let position = self.broker()?.subscribe(channel, keep).await?;
        self.know(channel, |known| {
            known.subscribed = Some(*keep);
            known.used = Instant::now();
        });
        if keep.events > 0 {
            self.0
                .truth
                .hold(|truth| truth.log(channel.as_str()).told(position, may_begin));
        }
        self.linger().await;
        Ok(position)
    }

    async fn unsubscribe(&self, channel: &ChannelName) -> Result<(), BrokerError> {
        self.linger().await;
        self.broker()?.unsubscribe(channel).await?;
        self.know(channel, |known| {
            if known.subscribed.take().is_some() {
                known.used = Instant::now();
            }
        });
        Ok(())
    }

    async fn history(
        &self,
        channel: &ChannelName,
        keep: &Retention,
        query: &HistoryQuery,
    ) -> Result<History, BrokerError> {
        self.linger().await;
        let may_begin = self.may_begin(channel, keep);
        let history = self.broker()?.history(channel, keep, query).await?;
        if keep.events > 0 {
            self.0.truth.hold(|truth| {
                truth.histories += 1;
                let log = truth.log(channel.as_str());
                log.told(history.position, may_begin);
                // What a program reads by itself says nothing of what its subscriptions recover.
                let now = Instant::now();
                let page = match is_recovery(query, keep) {
                    true => log.read(query, now),
                    false => log.page(query, now),
                };
                let offsets: Vec<_> = history.events.iter().map(|event| event.position.offset).collect();
                assert_eq!(
                    (offsets, history.complete, history.more),
                    (page.offsets, page.complete, page.more),
                    "{query:?}"
                );
                for event in &history.events {
                    assert_eq!(event.position.epoch, history.position.epoch);
                    let entry = log.at(event.position).unwrap();
                    assert_eq!(entry.what, what(&event.publication));
                }
                truth.not_covered += u64::from(query.after.is_some() && (!page.complete || page.more));
            });
        }
        self.linger().await;
        Ok(history)
    }

    async fn send(&self, to: &Address, publication: Publication) -> Result<Receipt, BrokerError> {
        self.0.truth.hold(|truth| {
            truth.crowd(&Entry {
                what: what(&publication),
                except: Vec::new(),
                id: None,
                key: None,
                time: publication.time,
                came: Instant::now(),
                bytes: publication.body.len(),
            });
        });
        self.broker()?.send(to, publication).await
    }

    async fn join(&self, channel: &ChannelName, member: Member) -> Result<MemberChange, BrokerError> {
        self.linger().await;
        let broker = self.broker()?;
        self.know(channel, |known| {
            known.members.insert(member.client, member.clone())
        });
        self.comes_or_goes();
        let change = broker.join(channel, member).await;
        self.comes_or_goes();
        change
    }

    async fn leave(&self, channel: &ChannelName, client: ClientId) -> Result<MemberChange, BrokerError> {
        self.linger().await;
        self.comes_or_goes();
        let change = self.broker()?.leave(channel, client).await;
        self.comes_or_goes();
        self.know(channel, |known| {
            if known.members.remove(&client).is_some() && known.members.is_empty() {
                known.used = Instant::now();
            }
        });
        change
    }

    async fn members(&self, channel: &ChannelName, query: &MembersQuery) -> Result<Members, BrokerError> {
        self.broker()?.members(channel, query).await
    }
}

/// Whether history is asked as the hub asks it for whoever comes back.
fn is_recovery(query: &HistoryQuery, keep: &Retention) -> bool {
    let bounds = (query.before, query.since, query.until);
    query.after.is_some() && query.limit == keep.recover && matches!(bounds, (None, None, None))
}
