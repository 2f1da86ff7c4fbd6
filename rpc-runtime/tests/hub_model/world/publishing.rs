//! Publishing: by the server and by clients, one after the other and all at once, with keys and with exceptions.

use std::{future::IntoFuture, time::Duration};

use rpc_runtime::{Code, hub::SlowConsumer};
use tokio::time::Instant;

use super::{World, rights::Told};
use crate::{
    house::{BLOCKS, Channel, QUEUE},
    program::UNREAD,
    rights::Act,
};

/// So long the broker takes at most.
const BROKER: Duration = Duration::from_millis(100);

impl World {
    /// Publishes once in each channel, so that each has a history.
    pub(super) async fn publish_everywhere(&mut self) {
        for channel in self.channels.clone() {
            self.publish(channel).await;
        }
    }

    /// The server publishes, perhaps not for everybody. It waits for slow clients only where the channel says so.
    pub(super) fn publish(&mut self, channel: &'static Channel) -> impl Future<Output = ()> + use<> {
        let tick = self.tick();
        self.publish_this(channel, tick)
    }

    fn publish_this(
        &mut self,
        channel: &'static Channel,
        tick: crate::program::Tick,
    ) -> impl Future<Output = ()> + use<> {
        let mut to = self.house.hub.channel(channel.name);
        if self.random.one_in(6) && !self.programs.is_empty() {
            let index = self.pick();
            if let Some(id) = self.programs[index].note_id() {
                to = to.except(id.parse().unwrap());
                self.seen.excepted += 1;
            }
        }
        let truth = self.truth.clone();
        let most = match channel.slow {
            SlowConsumer::Block { at_most } => at_most + BROKER,
            _ => BROKER,
        };
        async move {
            let began = Instant::now();
            let receipt = to.publish(&tick).await;
            truth.hold(|truth| {
                receipt.unwrap();
                let took = began.elapsed();
                assert!(took <= most, "publishing in {} took {took:?}", channel.name);
                truth.blocked += u64::from(took >= BLOCKS);
            });
        }
    }

    /// Publishes more than a queue holds.
    pub(super) async fn flood(&mut self, index: usize, channel: &'static Channel) {
        if self.random.one_in(2) {
            self.stall(index);
        }
        // Mostly where it is heard.
        let heard = self.pick_heard(index, |_| true);
        let channel = heard.filter(|_| !self.random.one_in(4)).unwrap_or(channel);
        let mut bytes = 0;
        // What the connection itself takes first, and the queue.
        while bytes < (64 << 10) + QUEUE + (16 << 10) {
            let tick = self.tick_of(12_000);
            bytes += tick.padding.len();
            self.publish_this(channel, tick).await;
        }
    }

    /// A program reads nothing any more, and more comes than is kept for it.
    pub(super) async fn read_nothing(&mut self, index: usize) {
        self.programs[index].set_reads(false);
        self.seen.not_read += 1;
        // Without history it is told how many it has missed.
        let counted = self.random.one_in(2);
        let Some(channel) = self.pick_heard(index, |channel| counted != channel.keeps()) else {
            return;
        };
        for _ in 0..UNREAD + 1 + self.random.below(UNREAD) {
            let tick = self.tick_of(0);
            self.publish_this(channel, tick).await;
        }
    }

    /// Somebody publishes while everything else goes on.
    pub(super) fn publish_beside(&mut self, channel: &'static Channel) {
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
    pub(super) async fn publish_by(&mut self, index: usize, channel: &'static Channel) {
        let tick = self.tick();
        let mut publish = self.programs[index].client.hub().publish(channel.name, &tick);
        if self.random.one_in(2) {
            publish = publish.except_self();
            self.seen.excepted += 1;
        }
        let told = self
            .ask(index, Act::Publish, channel, publish.into_future())
            .await;
        if let Told::Refused = told {
            let stored = self.truth.lock().log(channel.name).count(tick.number);
            assert_eq!(stored, 0, "{} is refused, and published", tick.number);
        }
        if let Told::Answered(receipt) = &told
            && let Some(position) = receipt.position
        {
            let stored = self
                .truth
                .lock()
                .log(channel.name)
                .at(position)
                .map(|entry| entry.what.clone());
            assert_eq!(stored, Some(crate::model::What::Tick(tick.number)));
        }
    }

    /// A client publishes under a key, again and again, until it knows that it has.
    pub(super) fn publish_until_certain(&mut self, index: usize, channel: &'static Channel) {
        let tick = self.tick();
        let client = self.programs[index].client.clone();
        let pause = Duration::from_millis(self.random.below(60) as u64);
        let line = self.programs[index].line.clone();
        let cuts = self.random.below(3);
        let mut asking = self.asking(index, Act::Publish, channel);
        self.retrying.spawn(async move {
            let mut refused = 0;
            for attempt in 0..12 {
                asking.again();
                let publish = client
                    .hub()
                    .publish(channel.name, &tick)
                    .key(format!("once-{}", tick.number));
                let publish = tokio::time::timeout(Duration::from_secs(5), publish.into_future());
                let publish = async { asking.judge(publish.await) };
                let cut = async {
                    if attempt < cuts {
                        tokio::time::sleep(pause).await;
                        line.cut();
                    }
                };
                let ((_, told), ()) = tokio::join!(publish, cut);
                match told {
                    Told::Answered(_) => return (Some((channel.name, tick.number)), refused),
                    Told::Refused => refused += 1,
                    Told::Nothing(error) => {
                        let code = error.and_then(|error| error.code());
                        assert_ne!(code, Some(Code::InvalidArgument));
                    }
                }
            }
            (None, refused)
        });
    }

    /// What was published under a key until it was certain is there.
    pub(super) async fn check_retried(&mut self) {
        while let Some(done) = self.retrying.join_next().await {
            let (told, refused) = done.unwrap();
            self.seen.not_retried += refused;
            if let Some((channel, number)) = told {
                let stored = self.truth.lock().log(channel).count(number);
                assert!(stored >= 1, "{number} is not in {channel}");
                self.seen.retried += 1;
            }
        }
    }

    /// The same key twice is one event, while history has it: the broker is held to that at each publishing.
    pub(super) async fn publish_twice(&mut self, channel: &'static Channel) {
        let tick = self.tick();
        for _ in 0..2 {
            let to = self.house.hub.channel(channel.name);
            to.key(format!("key {}", tick.number))
                .publish(&tick)
                .await
                .unwrap();
        }
    }
}
