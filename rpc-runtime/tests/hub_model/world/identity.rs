//! Changes of users and of rights: what a client has no right to any more ends within a second.

use std::time::Duration;

use super::{World, settle, subscribing};
use crate::{
    house::{Channel, USERS},
    program::credential,
};

/// So long a subscription may go on that its client has lost the right to.
const AT_MOST: Duration = Duration::from_secs(1);

impl World {
    pub(super) async fn change_user(&mut self, index: usize) {
        settle().await;
        if !self.is_here(index) {
            return;
        }
        let user = *self.random.pick(&USERS);
        let heard = self.heard(index);
        // It may still be asking for the others: of those it hears nothing, and is told when it is answered.
        let live = self.present_in(index, &heard).await;
        // Or it would seldom lose a right that it uses.
        if self.random.one_in(2)
            && let Some(channel) = self.pick_heard(index, |_| true)
            && !self.rights.deny(subscribing(Some(user), channel.name))
        {
            self.rights.change(subscribing(Some(user), channel.name));
        }
        let connections = self.programs[index].line.connections();
        self.programs[index].known_as.may_become(Some(user));
        let change = self.programs[index].client.change_user(credential(user));
        let Ok(Ok(_)) = tokio::time::timeout(Duration::from_secs(5), change).await else {
            return;
        };
        self.programs[index].becomes(user);
        self.tell(|| format!("program {index} is {user}"));
        tokio::time::sleep(AT_MOST).await;
        for channel in heard {
            // Who comes back meanwhile, is asked after then.
            if !self.is_here(index) || self.programs[index].line.connections() != connections {
                return;
            }
            if self.is_denied(index, channel) && !self.programs[index].may_be_granted(channel.name) {
                self.check_lost(index, channel, live.contains(&channel.name))
                    .await;
            }
        }
    }

    /// In which channels the server has a program.
    async fn present_in(&mut self, index: usize, channels: &[&'static Channel]) -> Vec<&'static str> {
        let id = self.id(index);
        let mut live = Vec::new();
        for channel in channels {
            let members = self.house.hub.members(channel.name).await.unwrap();
            let mut ids = members.iter().map(|member| member.client.to_string());
            live.extend(ids.any(|member| Some(member) == id).then_some(channel.name));
        }
        live
    }

    /// A program has lost the right to a channel that it heard, or was asking for.
    async fn check_lost(&mut self, index: usize, channel: &'static Channel, was_live: bool) {
        let number = self.next + 1;
        self.publish(channel).await;
        self.programs[index].set_reads(true);
        settle().await;
        let program = &self.programs[index];
        let readers = program.readers.lock().unwrap();
        let of_it = readers.iter().filter(|reader| reader.channel == channel.name);
        for reader in of_it {
            let (user, name) = (program.user, channel.name);
            assert!(!reader.has(number), "{user:?} still hears {name}");
            assert!(
                !was_live || !reader.is_present(),
                "{user:?} is not told that it does not hear {name}"
            );
        }
        self.seen.lost_rights += u64::from(was_live);
    }

    pub(super) fn change_policy(&mut self, channel: &'static Channel) {
        let user = match self.random.one_in(4) {
            true => None,
            false => Some(*self.random.pick(&USERS)),
        };
        self.change_policy_of(user, channel);
    }

    /// A user may subscribe from now on, or may not. Who does already goes on, until it comes back.
    pub(super) fn change_policy_of(&mut self, user: Option<&'static str>, channel: &'static Channel) {
        let deed = subscribing(user, channel.name);
        self.rights.change(deed);
        let is_denied = self.rights.deny(deed);
        for program in self.programs.iter().filter(|program| program.user == user) {
            program.with(channel.name, |reader| reader.is_denied = is_denied);
        }
    }
}
