//! Rights to publish, to read history, to see who is there, which change: what a client is answered is held against what they are
//! while it asks. Rights to subscribe that are taken from who hears a channel, and given back.

use std::{pin::Pin, time::Duration};

use rpc_runtime::{CallError, Code, prost::Message};
use tokio::time::error::Elapsed;

use super::{World, settle};
use crate::{
    house::{Channel, USERS},
    program::{Heard, Known, Mood, Then, Who, credential},
    rights::{Act, Answer, Deed, Rights, Since},
};

/// So long a program waits for an answer.
const WAITS: Duration = Duration::from_secs(5);

/// Time for a client to come back whose connection was cut.
const BACK: Duration = Duration::from_secs(5);

/// What a client was told.
pub(super) enum Told<T> {
    Answered(T),
    Refused,
    /// Nothing, or that it cannot be done now.
    Nothing(Option<CallError>),
}

type Call = Pin<Box<dyn Future<Output = Result<(), CallError>> + Send>>;

/// Something that a client asks for.
pub(super) struct Asking {
    rights: Rights,
    known_as: Known,
    act: Act,
    channel: &'static str,
    since: (Since, Then),
}

impl Asking {
    /// The client is about to ask for it once more.
    pub(super) fn again(&mut self) {
        self.since = (self.rights.now(), self.known_as.now());
    }

    fn deed(&self, user: Who) -> Deed {
        Deed {
            user,
            act: self.act,
            channel: self.channel,
        }
    }

    /// Holds what it is answered now against what it must be. Gives that, and what it was told.
    pub(super) fn judge<T>(&self, told: Result<Result<T, CallError>, Elapsed>) -> (Answer, Told<T>) {
        let (since, then) = self.since;
        let users = self.known_as.since(then);
        let must = self
            .rights
            .answer(users.iter().map(|&user| self.deed(user)), since);
        let what = || format!("{:?} in {} as {users:?}", self.act, self.channel);
        let error = match told {
            Ok(Ok(answer)) => {
                assert_ne!(must, Answer::Refused, "{}", what());
                return (must, Told::Answered(answer));
            }
            Ok(Err(error)) => error,
            Err(_) => return (must, Told::Nothing(None)),
        };
        let is_known = match error.code() {
            Some(Code::PermissionDenied) => true,
            Some(Code::Unauthenticated) => false,
            _ => return (must, Told::Nothing(Some(error))),
        };
        assert_ne!(must, Answer::Allowed, "{}: {error}", what());
        let is_it = |user: &Who| user.is_some() == is_known;
        assert!(users.iter().any(is_it), "{}: {error}", what());
        (must, Told::Refused)
    }
}

impl World {
    /// A client is about to ask for something.
    pub(super) fn asking(&self, index: usize, act: Act, channel: &'static Channel) -> Asking {
        let known_as = self.programs[index].known_as.clone();
        Asking {
            since: (self.rights.now(), known_as.now()),
            rights: self.rights.clone(),
            known_as,
            act,
            channel: channel.name,
        }
    }

    /// Has a client ask for something. In runs in which all rights change, its own may do so ahead of that, or meanwhile.
    pub(super) async fn ask<T>(
        &mut self,
        index: usize,
        act: Act,
        channel: &'static Channel,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Told<T> {
        let own = Deed {
            user: self.programs[index].user,
            act,
            channel: channel.name,
        };
        let mut meanwhile = None;
        if self.all_rights {
            match self.random.below(4) {
                0 => self.rights.change(own),
                1 => meanwhile = Some(Duration::from_millis(self.random.below(30) as u64)),
                _ => {}
            }
        }
        let connection = self.connection(index);
        let asking = self.asking(index, act, channel);
        let asks = async { asking.judge(tokio::time::timeout(WAITS, call).await) };
        let changes = async {
            if let Some(pause) = meanwhile {
                tokio::time::sleep(pause).await;
                self.rights.change(own);
            }
        };
        let ((must, told), ()) = tokio::join!(asks, changes);
        self.tell(|| format!("program {index} asks for {act:?} in {}: {must:?}", channel.name));
        self.seen.in_flight += u64::from(must == Answer::Either);
        match &told {
            Told::Answered(_) => {}
            Told::Refused => self.count_refused(act),
            Told::Nothing(error) => {
                let is_lost = connection.is_none() || self.connection(index) != connection;
                assert!(is_lost, "{act:?} in {}: {error:?}", channel.name);
            }
        }
        told
    }

    fn count_refused(&mut self, act: Act) {
        let seen = &mut self.seen;
        let count = match act {
            Act::Publish => &mut seen.not_published,
            Act::History => &mut seen.history_not_read,
            Act::Presence => &mut seen.presence_not_seen,
            Act::Subscribe => unreachable!("that is not one question"),
        };
        *count += 1;
    }

    /// Which of its connections a client has, that brings what is sent.
    fn connection(&mut self, index: usize) -> Option<u64> {
        let is_here = self.is_here(index);
        is_here.then(|| self.programs[index].line.connections())
    }

    /// A client publishes several times.
    pub(super) async fn publish_by_again(&mut self, index: usize, channel: &'static Channel) {
        for _ in 0..2 + self.random.below(2) {
            self.publish_by(index, channel).await;
        }
    }

    /// A client reads a history several times.
    pub(super) async fn read_history_again(&mut self, index: usize, channel: &'static Channel) {
        for _ in 0..2 + self.random.below(2) {
            self.read_history(index, channel).await;
        }
    }

    /// A client asks several times who is in a channel.
    pub(super) async fn read_presence(&mut self, index: usize, channel: &'static Channel) {
        settle().await;
        for _ in 0..2 + self.random.below(2) {
            let comings = self.house.broker.comings();
            let hub = self.programs[index].client.hub();
            let call = async move { hub.presence(channel.name).await };
            let told = self.ask(index, Act::Presence, channel, call).await;
            let members = self.house.hub.members(channel.name).await.unwrap();
            let Told::Answered(presence) = told else { continue };
            // Somebody has come or gone, or has become another, perhaps for a moment only.
            if self.house.broker.comings() != comings {
                continue;
            }
            assert!(!presence.more);
            assert_eq!(presence.clients, members.len() as u64);
            assert_eq!(presence.members.len(), members.len());
            for (is, member) in presence.members.iter().zip(&members) {
                assert_eq!(is.client, member.client.to_string());
                assert_eq!(is.user.as_deref(), member.user.as_deref());
                let says = is.data::<Mood>().map(|mood| mood.unwrap().number);
                let known = member.data.as_ref().map(|(_, data)| {
                    let mood = Mood::decode(data.clone()).unwrap();
                    mood.number
                });
                assert_eq!(says, known, "of {}", is.client);
            }
            self.seen.presences += 1;
        }
    }

    /// A client asks for something right behind becoming another user, without waiting for that: it asks as that one.
    pub(super) async fn ask_as_another(&mut self, index: usize, channel: &'static Channel) {
        settle().await;
        let connection = self.connection(index);
        if connection.is_none() {
            return;
        }
        let user = *self.random.pick(&USERS);
        let act = *self.random.pick(&[Act::Publish, Act::History, Act::Presence]);
        let [as_before, as_another] = [self.programs[index].user, Some(user)].map(|user| Deed {
            user,
            act,
            channel: channel.name,
        });
        // Or both would mostly be answered the same.
        if self.random.one_in(2) && self.rights.deny(as_before) == self.rights.deny(as_another) {
            self.rights.change(as_another);
        }
        let differs = self.rights.deny(as_before) != self.rights.deny(as_another);
        let call = self.call(index, act, channel);
        self.programs[index].known_as.may_become(Some(user));
        let change = self.programs[index].client.change_user(credential(user));
        // In this order.
        let (changed, told) = tokio::join!(
            biased;
            tokio::time::timeout(WAITS, change),
            tokio::time::timeout(WAITS, call),
        );
        match changed {
            Ok(Ok(_)) => self.programs[index].becomes(user),
            _ => return,
        }
        if self.connection(index) != connection {
            return;
        }
        let is_refused = match told {
            Ok(Ok(())) => false,
            Ok(Err(error)) if error.code() == Some(Code::PermissionDenied) => true,
            told => panic!("{act:?} in {} as {user}: {told:?}", channel.name),
        };
        assert_eq!(
            is_refused,
            self.rights.deny(as_another),
            "{act:?} in {} as {user}",
            channel.name
        );
        self.seen.asked_as_another += u64::from(differs);
    }

    /// The least that a right is asked for.
    fn call(&mut self, index: usize, act: Act, channel: &'static Channel) -> Call {
        let tick = self.tick();
        let hub = self.programs[index].client.hub();
        Box::pin(async move {
            match act {
                Act::Publish => hub.publish(channel.name, &tick).await.map(drop),
                Act::History => hub.history::<Heard>(channel.name).limit(1).await.map(drop),
                Act::Presence => hub.presence_counts(channel.name).await.map(drop),
                Act::Subscribe => unreachable!("that is not one question"),
            }
        })
    }

    /// A program loses the right to a channel that it hears, and its connection: when it comes back it is refused.
    pub(super) async fn lose_a_right(&mut self, index: usize) {
        let Some(channel) = self.pick_heard(index, |_| true) else {
            return;
        };
        if !self.is_denied(index, channel) {
            self.change_policy_of(self.programs[index].user, channel);
        }
        self.programs[index].line.cut();
        tokio::time::sleep(BACK).await;
        if self.random.one_in(2) {
            self.come_back_by_right(index).await;
        }
    }

    /// A program is given a right back that it has lost, and subscribes again.
    pub(super) async fn come_back_by_right(&mut self, index: usize) {
        let lost = {
            let readers = self.programs[index].readers.lock().unwrap();
            let lost = readers.iter().rfind(|reader| reader.was_refused());
            lost.map(|reader| crate::house::channel(reader.channel))
        };
        let Some(channel) = lost else { return };
        if self.is_denied(index, channel) {
            let user = self.programs[index].user;
            self.change_policy_of(user, channel);
        }
        self.subscribe(index, channel).await;
    }
}
