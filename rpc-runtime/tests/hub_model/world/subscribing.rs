//! Subscribing and unsubscribing, by programs.

use std::time::Duration;

use rpc_runtime::{Code, hub::Position};
use tokio::time::Instant;

use super::{World, settle};
use crate::{
    house::Channel,
    model::Began,
    program::{ASKS, Heard, Mood, Reader, Start, ago},
};

impl World {
    pub(super) async fn subscribe(&mut self, index: usize, channel: &'static Channel) {
        let Channel { name, .. } = *channel;
        if self.programs[index].hears(name) {
            return;
        }
        let known = self.programs[index].known.get(name).copied();
        let known = known.filter(|_| !self.random.one_in(3));
        // What is still on its way to a client that has asked before is given, too.
        let taken_before = self.programs[index].line.took_all_before();
        // As is, though seldom, what it had asked for before, and has given up.
        let has_just_left = self.programs[index].has_just_left(name);
        let asked = match has_just_left {
            true => self.programs[index].line.took_all_by(ago(ASKS)),
            false => taken_before,
        };
        let (known_to_all, earliest, before) = {
            let mut truth = self.truth.lock();
            let log = truth.log(name);
            (
                log.known_before(asked),
                log.passed_before(asked),
                log.passed_before(taken_before),
            )
        };
        self.next += 1;
        let mood = self.next;
        let program = &self.programs[index];
        let mut subscribe = program
            .client
            .hub()
            .subscribe::<Heard>(name)
            .presence(&Mood { number: mood });
        if let Some(known) = known {
            subscribe = subscribe.since(known);
        }
        let answer = tokio::time::timeout(Duration::from_secs(5), async { subscribe.await }).await;
        let (after, passed_after) = self.now_in(name);
        let is_denied = self.is_denied(index, channel);
        match answer {
            // It is offline: nothing is subscribed to.
            Err(_) => self.programs[index].has_now_left(name),
            Ok(Err(error)) => {
                assert!(
                    is_denied || error.code() != Some(Code::PermissionDenied),
                    "{error}"
                );
                self.programs[index].has_now_left(name);
                self.seen.refused += 1;
            }
            Ok(Ok(subscription)) => {
                let program = &self.programs[index];
                let is_granted = program.grants(name).next().is_some();
                // What it had asked for before it left may be answered only now, by the rights of then.
                assert!(
                    !is_denied || is_granted || has_just_left,
                    "{name} is given without the right to it"
                );
                let start = match (channel.keeps(), known) {
                    (false, _) => Start::Passing {
                        earliest,
                        before,
                        after: passed_after,
                    },
                    (true, Some(known)) => Start::Kept(Began::Behind(known)),
                    (true, None) => Start::Kept(Began::Between(known_to_all, after)),
                };
                self.seen.since += u64::from(known.is_some());
                let mut reader = Reader::new(&program.client, &program.line, name, subscription, start);
                reader.mood = Some(mood);
                // Of an end that it has not been told yet it is told now.
                reader.since = taken_before;
                let mut readers = program.readers.lock().unwrap();
                let was_refused = |before: &Reader| before.channel == name && before.was_refused();
                self.seen.rights_given += u64::from(!is_denied && readers.iter().any(was_refused));
                readers.push(reader);
            }
        }
    }

    /// Subscribes to a channel again that a program has left, mostly behind where it was.
    pub(super) async fn come_back(&mut self, index: usize) {
        let program = &self.programs[index];
        let is_left = |name| program.known.contains_key(name) && !program.hears(name);
        let left = self.channels.iter().copied();
        let left: Vec<_> = left.filter(|channel| is_left(channel.name)).collect();
        let channel = match left.is_empty() {
            false => *self.random.pick(&left),
            true => {
                let Some(channel) = self.pick_heard(index, Channel::keeps) else {
                    return;
                };
                self.programs[index].leave(channel.name);
                for _ in 0..self.random.below(8) {
                    self.publish(channel).await;
                }
                channel
            }
        };
        self.subscribe(index, channel).await;
    }

    /// Where a channel is, by the broker's own word.
    fn now_in(&self, name: &str) -> (Position, usize) {
        let mut truth = self.truth.lock();
        let log = truth.log(name);
        (log.top(), log.passed_by())
    }

    /// A program gives a channel up that it hears.
    pub(super) fn leave(&mut self, index: usize) {
        if let Some(channel) = self.pick_heard(index, |_| true) {
            self.programs[index].leave(channel.name);
        }
    }

    /// A program waits until the server knows that it hears the channel no more.
    pub(super) async fn unsubscribe(&mut self, index: usize) {
        let Some(channel) = self.pick_heard(index, |_| true) else {
            return;
        };
        let unsubscribed = self.programs[index].unsubscribe(channel.name).unwrap();
        let told = tokio::time::timeout(Duration::from_secs(5), unsubscribed).await;
        settle().await;
        if told.is_ok() && self.is_here(index) && !self.programs[index].hears(channel.name) {
            let members = self.house.hub.members(channel.name).await.unwrap();
            let id = self.id(index).unwrap();
            let is_there = members.iter().any(|member| member.client.to_string() == id);
            assert!(!is_there, "it has left {}, and is still there", channel.name);
            self.programs[index].out.insert(channel.name, Instant::now());
        }
    }
}
