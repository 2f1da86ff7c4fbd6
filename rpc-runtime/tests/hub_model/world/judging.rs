//! Holds what every subscription gave, and why it ended, against the model.

use rpc_runtime::hub::client::{GapCause, SubscriptionError};
use tokio::time::Instant;

use super::World;
use crate::{
    house::{Snapshots, channel},
    model::{Given, Item, Made, Passing, Subscribed},
    program::{Program, Reader, Start},
    truth::Refused,
};

impl World {
    pub(super) fn check_subscriptions(&mut self) {
        for index in 0..self.programs.len() {
            let readers = std::mem::take(&mut *self.programs[index].readers.lock().unwrap());
            for reader in &readers {
                self.tell(|| {
                    format!(
                        "judging program {index} {:?}: {reader:?}",
                        self.programs[index].ids
                    )
                });
                self.check_end(index, reader);
                self.check_items(index, reader);
            }
            *self.programs[index].readers.lock().unwrap() = readers;
        }
    }

    /// How often a program was refused a channel.
    fn refusals(&self, index: usize, name: &str) -> u64 {
        let truth = self.truth.lock();
        let of_it = |refused: &&Refused| refused.channel == name && refused.program == index;
        truth.refused.iter().filter(of_it).count() as u64
    }

    /// Whether a client was refused a channel in its present session.
    pub(super) fn was_refused_lately(&self, program: &Program, name: &str) -> bool {
        let truth = self.truth.lock();
        let mut refused = truth.refused.iter();
        refused.any(|refused| refused.channel == name && program.ids.last() == Some(&refused.client))
    }

    fn check_end(&mut self, index: usize, reader: &Reader) {
        let name = reader.channel;
        let program = &self.programs[index];
        let grant = reader.granted.as_ref();
        let is_granted = grant.is_some_and(|grant| grant.holds(program.ids.last(), program.user));
        match reader.ended() {
            Some(SubscriptionError::Closed(error)) => {
                assert!(program.is_closed, "{name} has ended: {error}");
            }
            Some(ended) => {
                let may_end = program.kicks(reader) > 0 || self.refusals(index, name) > 0;
                assert!(may_end && !is_granted, "{name} has ended: {ended}");
                self.seen.ended += 1;
                self.seen.rights_taken += u64::from(reader.was_refused());
            }
            None if reader.is_present() && !program.is_closed => {
                let is_denied = self.is_denied(index, channel(name));
                let may_hear = !is_denied || is_granted || program.may_be_granted(name);
                // Or it was made before the right was taken, and told, though seldom, only when its session went on: it is asked for
                // again when that connection is lost.
                let is_told_late = reader.again.is_some() && reader.connections == program.line.connections();
                assert!(
                    may_hear || reader.is_by_server() && is_told_late,
                    "{name} is heard without the right to it"
                );
                self.seen.told_late += u64::from(!may_hear);
            }
            None => {}
        }
    }

    /// How often the server may have interrupted a subscription of its own.
    fn interruptions(&self, index: usize, reader: &Reader) -> u64 {
        if !reader.is_by_server() {
            return 0;
        }
        let program = &self.programs[index];
        let of_it = |name: &str| name == reader.channel;
        let mut granted: Vec<_> = program.grants(reader.channel).map(|(_, at)| at).collect();
        if program.named.is_some_and(of_it) {
            // Each may have begun a session, but not the one that went on with it.
            let mut begun = program.line.begun();
            begun.truncate((reader.connections as usize).saturating_sub(1));
            granted.append(&mut begun);
        }
        let left = program.left.iter().filter(|(name, _)| of_it(name));
        let left: Vec<_> = left.map(|(_, at)| *at).collect();
        let made = Made {
            granted: &granted,
            left: &left,
            again: reader.again.clone(),
            crosses: reader.crosses.clone(),
        };
        made.interruptions()
    }

    fn check_items(&mut self, index: usize, reader: &Reader) {
        let channel = channel(reader.channel);
        let program = &self.programs[index];
        // It may have had sessions of which it was told, and has lost, while nobody looked.
        let of_it = |(place, id): &(usize, String)| (*place == index).then(|| id.clone());
        let mut ids: Vec<_> = self.truth.lock().sessions.iter().filter_map(of_it).collect();
        ids.extend(program.ids.iter().cloned());
        let items = reader.items();
        let to_end = reader.is_present() && !program.is_closed;
        match &reader.start {
            Start::Kept(began) => {
                let subscribed = Subscribed {
                    items: &items,
                    began,
                    ids: &ids,
                    snapshots: channel.snapshots != Snapshots::None,
                    to_end,
                };
                self.truth.lock().log(channel.name).check(&subscribed);
            }
            Start::Passing {
                earliest,
                before,
                after,
            } => {
                let interrupted = program.kicks(reader)
                    + self.refusals(index, channel.name)
                    + self.interruptions(index, reader);
                let truth = self.truth.lock();
                let slow = |at: Instant| truth.is_crowded(at) || program.was_stalled_at(at);
                let passing = Passing {
                    items: &items,
                    began: (*before, *after),
                    connections: reader.connections,
                    interrupted,
                    unread: reader.was_unread(),
                    ids: &ids,
                    losing: channel.losing(),
                    snapshots: channel.snapshots != Snapshots::None,
                    slow_at: &slow,
                    to_end,
                };
                let log = truth.known(channel.name);
                let mut let_go = log.check_passing(&passing);
                if let_go.is_err() && earliest < before {
                    self.seen.given_before += 1;
                    let_go = log.check_passing(&Passing {
                        began: (*earliest, *after),
                        ..passing
                    });
                }
                drop(truth);
                self.seen.let_go += let_go.unwrap_or_else(|wrong| panic!("{wrong}"));
            }
        }
        self.count(channel.keeps(), &items);
    }

    fn count(&mut self, keeps: bool, items: &[Item]) {
        for item in items {
            let seen = &mut self.seen;
            let count = match &item.given {
                Given::Event(..) => &mut seen.events,
                Given::Snapshot(tally, None) if keeps && tally.count > 0 => &mut seen.overtaken,
                Given::Snapshot(..) => &mut seen.snapshots,
                Given::Gap(gap) => match gap.cause {
                    GapCause::NotRecovered => &mut seen.gaps,
                    GapCause::NoHistory => &mut seen.cuts,
                    _ => &mut seen.unread,
                },
            };
            *count += 1;
        }
    }
}
