//! Subscriptions that the server makes and ends.

use rpc_runtime::{
    Status,
    hub::{HubError, Subscriber, client::SubscriptionError},
};
use tokio::time::Instant;

use super::{World, settle};
use crate::{house::Channel, program::Grant};

const KICK: &str = "be polite";

impl World {
    /// The server subscribes a client, or all of a user, whatever their rights: those that are there hear the channel.
    pub(super) async fn grant(&mut self, index: usize, channel: &'static Channel) {
        settle().await;
        let Some(id) = self.programs[index].note_id() else {
            return;
        };
        let by_user = self.programs[index].user.filter(|_| self.random.one_in(2));
        let here: Vec<usize> = (0..self.programs.len())
            .filter(|&other| {
                let is_it = match by_user {
                    Some(user) => self.programs[other].user == Some(user),
                    None => other == index,
                };
                is_it && self.is_here(other)
            })
            .collect();
        let whom = match by_user {
            Some(user) => Subscriber::user(user),
            None => Subscriber::Client(id.parse().unwrap()),
        };
        for other in 0..self.programs.len() {
            let program = &mut self.programs[other];
            program.note_id();
            // Also where it has lost its connection, and its session goes on.
            let Some(id) = program.ids.last().cloned() else {
                continue;
            };
            let grant = match by_user {
                Some(user) => Grant::User(id, user),
                None if other == index => Grant::Client(id),
                None => continue,
            };
            program.granted.push((channel.name, grant, Instant::now()));
        }
        // Of whom there is no program yet: its greeting is on its way.
        for session in by_user.map_or_else(Vec::new, |user| self.house.server.sessions_of(user)) {
            let (id, user) = (session.id().to_string(), by_user.expect("it was asked for"));
            if self.programs.iter().any(|program| program.ids.contains(&id)) {
                continue;
            }
            for program in &mut self.programs {
                let grant = Grant::User(id.clone(), user);
                program.granted.push((channel.name, grant, Instant::now()));
            }
        }
        match self.house.hub.subscribe(whom, channel.name).await {
            // Its snapshot was not made in time, or its client is too slow or gone meanwhile.
            Err(HubError::NotSubscribed(_)) => return,
            counted => assert!(counted.unwrap() >= here.len(), "{} of {here:?}", channel.name),
        }
        settle().await;
        for other in here {
            if !self.is_here(other) {
                continue;
            }
            let id = self.id(other).unwrap();
            let user = self.programs[other].user;
            let grant = match by_user {
                Some(granted) => Grant::User(id.clone(), granted),
                None => Grant::Client(id.clone()),
            };
            if !grant.holds(Some(&id), user) {
                continue;
            }
            let program = &self.programs[other];
            let told = program.with(channel.name, |reader| reader.granted = Some(grant));
            // Its word that it has left may wait, though seldom, for the answer to what it had asked for before: it ends what was granted
            // just now.
            assert!(
                told.is_some() || program.has_just_left(channel.name),
                "{other} is not told that it hears {}",
                channel.name
            );
            self.seen.granted += u64::from(told.is_some());
            self.seen.crossed += u64::from(told.is_none());
        }
    }

    /// The server has a client, or all of a user, hear a channel no more.
    pub(super) async fn kick(&mut self, index: usize, channel: &'static Channel) {
        settle().await;
        let Some(id) = self.programs[index].note_id() else {
            return;
        };
        let by_user = self.programs[index].user.filter(|_| self.random.one_in(2));
        let members = self.house.hub.members(channel.name).await.unwrap();
        let mut must = Vec::new();
        for other in 0..self.programs.len() {
            let is_it = match by_user {
                Some(user) => self.programs[other].user == Some(user),
                None => other == index,
            };
            if !is_it {
                continue;
            }
            self.programs[other].kicked.push((channel.name, Instant::now()));
            let readers = self.programs[other].readers.clone();
            for reader in readers
                .lock()
                .unwrap()
                .iter_mut()
                .filter(|reader| reader.channel == channel.name)
            {
                reader.granted = None;
            }
            let is_member = |id: &String| members.iter().any(|member| member.client.to_string() == *id);
            // Who has just left is a member until the broker has been told.
            let hears = self.programs[other].hears(channel.name);
            if hears && self.is_here(other) && self.id(other).as_ref().is_some_and(is_member) {
                must.push(other);
            }
        }
        let whom = match by_user {
            Some(user) => Subscriber::user(user),
            None => Subscriber::Client(id.parse().unwrap()),
        };
        let reason = Status::permission_denied(KICK);
        let counted = self.house.hub.unsubscribe(whom, channel.name, &reason).unwrap();
        assert!(counted >= must.len(), "{counted} of {must:?}");
        let is_quiet = self.publishing.is_empty();
        must.iter()
            .for_each(|&other| self.programs[other].set_reads(true));
        settle().await;
        // What was being asked at that moment is asked again.
        for other in must.into_iter().filter(|_| is_quiet) {
            assert!(
                !self.programs[other].hears(channel.name),
                "{other} is not told that it was kicked"
            );
            let readers = self.programs[other].readers.lock().unwrap();
            let ends = readers.iter().filter(|reader| reader.channel == channel.name);
            let is_told = |end: SubscriptionError| matches!(end, SubscriptionError::Ended(why) if why.message() == KICK);
            assert!(
                ends.filter_map(|reader| reader.ended()).any(is_told),
                "{other} is told another reason"
            );
            self.seen.kicked += 1;
        }
    }
}
