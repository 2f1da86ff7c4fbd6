//! Reading histories: by position and by time, some or all, from either end.

use std::{future::IntoFuture, time::SystemTime};

use rpc_runtime::hub::{HistoryQuery, Position};
use tokio::time::Instant;

use super::{World, rights::Told, settle};
use crate::{house::Channel, model::What, program::Heard, rights::Act};

impl World {
    pub(super) async fn read_history(&mut self, index: usize, channel: &'static Channel) {
        settle().await;
        if !channel.keeps() || !self.is_here(index) {
            return;
        }
        let query = self.query(channel);
        let mut read = self.programs[index].client.hub().history::<Heard>(channel.name);
        read = read.limit(u32::try_from(query.limit).unwrap());
        if let Some(after) = query.after {
            read = read.after(after);
        }
        if let Some(before) = query.before {
            read = read.before(before);
        }
        if let Some(since) = query.since {
            read = read.since(since);
        }
        if let Some(until) = query.until {
            read = read.until(until);
        }
        if query.newest_first {
            read = read.newest_first();
        }
        let truth = self.truth.clone();
        let expected = || {
            let mut truth = truth.lock();
            let log = truth.log(channel.name);
            (log.top(), log.page(&query, Instant::now()))
        };
        let before = expected();
        let read = self.ask(index, Act::History, channel, read.into_future()).await;
        let (top, page) = expected();
        let Told::Answered(read) = read else { return };
        // Something was published, or is not kept any more.
        if before != (top, page) {
            return;
        }
        let (top, page) = before;
        assert_eq!(read.position, Some(top));
        assert_eq!(
            (read.complete, read.more),
            (page.complete, page.more),
            "{query:?}"
        );
        assert_eq!(read.last.map(|last| last.offset), page.offsets.last().copied());
        let offsets: Vec<u64> = read
            .events
            .iter()
            .filter_map(|event| Some(event.position?.offset))
            .collect();
        let ids = [self.id(index).unwrap()];
        let is_for = |&offset: &u64| {
            let mut truth = self.truth.lock();
            let entry = truth.log(channel.name).at(Position { offset, ..top });
            entry.is_some_and(|entry| entry.is_for(&ids))
        };
        let wanted: Vec<u64> = page.offsets.iter().copied().filter(is_for).collect();
        assert_eq!(offsets, wanted, "{query:?}");
        for event in &read.events {
            let position = event.position.unwrap();
            let mut truth = self.truth.lock();
            let entry = truth.log(channel.name).at(position).unwrap();
            assert_eq!(position.epoch, top.epoch);
            if let (What::Tick(number), Heard::Tick(tick)) = (&entry.what, &event.event) {
                assert_eq!(*number, tick.number);
            }
            let micros = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_micros();
            assert_eq!(micros(event.time), micros(entry.time));
        }
        self.seen.pages += 1;
    }

    fn query(&mut self, channel: &Channel) -> HistoryQuery {
        let truth = self.truth.clone();
        let mut truth = truth.lock();
        let log = truth.log(channel.name);
        let top = log.top();
        let random = &mut self.random;
        let position = |random: &mut crate::random::Random| Position {
            epoch: top.epoch.wrapping_add(u64::from(random.one_in(12))),
            offset: random.below(top.offset as usize + 3) as u64,
        };
        let mut query = HistoryQuery {
            limit: 1 + random.below(40),
            newest_first: random.one_in(2),
            ..HistoryQuery::default()
        };
        if random.one_in(2) {
            query.after = Some(position(random));
        }
        if random.one_in(3) {
            query.before = Some(position(random).offset).filter(|before| *before > 0);
        }
        let time = |random: &mut crate::random::Random| {
            let entry = log.at(position(random))?;
            Some(entry.time)
        };
        if random.one_in(3) {
            query.since = time(random);
        }
        if random.one_in(3) {
            query.until = time(random);
        }
        query
    }
}
