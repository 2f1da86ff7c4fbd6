//! Who is where: each client with its user and what it says of itself, each user's coming and going once, all of it within 40 s of
//! a crash.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use prost::Message;
use rpc_runtime::{hub::Member, prost};

use super::World;
use crate::{house::Channel, program::Mood};

/// So long a crash may be seen by nobody, and what the broker takes its time for.
const AT_MOST: Duration = Duration::from_millis(40_000 + 500);

impl World {
    /// Whatever has happened to lines until now, 40 s later everybody knows.
    pub(super) async fn check_presence_after_crashes(&mut self) {
        for program in &self.programs {
            program.set_reads(true);
        }
        tokio::time::sleep(AT_MOST).await;
        for channel in self.channels.clone() {
            self.check_presence(channel).await;
            self.seen.crashed += 1;
        }
    }

    pub(super) async fn check_presence(&mut self, channel: &'static Channel) {
        let members = self.house.hub.members(channel.name).await.unwrap();
        let mut wanted = BTreeMap::new();
        let mut all_known = true;
        for index in 0..self.programs.len() {
            let is_here = self.is_here(index);
            let program = &self.programs[index];
            // What it sends arrives, and no answers: it comes and goes, also as somebody it does not know yet itself.
            all_known &= !program.line.is_stalled();
            if let Some(mood) = program.with(channel.name, |reader| reader.mood)
                && is_here
            {
                wanted.insert(self.id(index).unwrap(), (program.user, mood));
            }
        }
        let are: BTreeSet<String> = members.iter().map(|member| member.client.to_string()).collect();
        let shall: BTreeSet<String> = wanted.keys().cloned().collect();
        if !all_known {
            assert!(
                are.is_superset(&shall),
                "in {}: {:#?}",
                channel.name,
                self.programs
            );
            return;
        }
        assert_eq!(are, shall, "in {}: {:#?}", channel.name, self.programs);
        for member in &members {
            let (user, mood) = wanted[&member.client.to_string()];
            assert_eq!(member.user.as_deref(), user, "in {}", channel.name);
            if let Some(mood) = mood {
                let (_, data) = member.data.clone().expect("it has said something of itself");
                assert_eq!(Mood::decode(data).unwrap().number, mood, "in {}", channel.name);
                self.seen.moods += 1;
            }
        }
        if channel.joins {
            let client = |member: &Member| member.client.to_string();
            let who = |member: &Member| {
                member
                    .user
                    .as_deref()
                    .map_or_else(|| client(member), str::to_owned)
            };
            let users: BTreeSet<String> = members.iter().map(who).collect();
            assert_eq!(
                *self.truth.lock().joins(channel.name).present(),
                users,
                "in {}",
                channel.name
            );
        }
        self.seen.members += members.len() as u64;
    }
}
