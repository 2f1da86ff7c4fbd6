//! Changes of users and of rights: what a client has no right to any more ends within a second.

use std::time::Duration;

use super::{World, settle};
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
        let change = self.programs[index].client.change_user(credential(user));
        let Ok(Ok(_)) = tokio::time::timeout(Duration::from_secs(5), change).await else {
            return;
        };
        self.programs[index].user = Some(user);
        self.tell(|| format!("program {index} is {user}"));
        tokio::time::sleep(AT_MOST).await;
        for channel in self.channels.clone() {
            let id = self.id(index);
            let program = &self.programs[index];
            let holds = program.with(channel.name, |reader| {
                reader
                    .granted
                    .as_ref()
                    .is_some_and(|grant| grant.holds(id.as_ref(), program.user))
            });
            let may_hold = self.programs[index].may_be_granted(channel.name);
            if holds != Some(false) || may_hold || !self.is_denied(index, channel) {
                continue;
            }
            let number = self.next + 1;
            self.publish(channel).await;
            self.programs[index].set_reads(true);
            settle().await;
            let readers = self.programs[index].readers.lock().unwrap();
            for reader in readers.iter().filter(|reader| reader.channel == channel.name) {
                assert!(!reader.has(number), "{user} still hears {}", channel.name);
                assert!(
                    !reader.is_present(),
                    "{user} is not told that it does not hear {}",
                    channel.name
                );
            }
            self.seen.lost_rights += 1;
        }
    }

    pub(super) fn change_policy(&mut self, channel: &'static Channel) {
        let user = match self.random.one_in(4) {
            true => None,
            false => Some(*self.random.pick(&USERS)),
        };
        self.denied.change(user, channel.name);
    }
}
