//! Sending to clients, users, all, and the anonymous: exactly those get it, each once, over any number of resumes.

use rpc_runtime::{
    ClientId, SessionState,
    hub::{Hub, To},
};

use super::{World, settle};

/// Whom something is sent to.
enum Whom {
    Client(String),
    User(&'static str),
    Anonymous,
    All,
}

impl Whom {
    fn to(&self, hub: &Hub) -> To {
        match self {
            Self::Client(id) => hub.client(id.parse().unwrap()),
            Self::User(user) => hub.user(*user),
            Self::Anonymous => hub.anonymous(),
            Self::All => hub.all(),
        }
    }

    fn is(&self, id: &str, user: Option<&'static str>) -> bool {
        match self {
            Self::Client(client) => client == id,
            Self::User(wanted) => user == Some(*wanted),
            Self::Anonymous => user.is_none(),
            Self::All => true,
        }
    }
}

impl World {
    fn whom(&mut self, index: usize) -> Whom {
        let id = self.programs[index].note_id();
        match (self.random.below(4), self.programs[index].user, id) {
            (0, _, Some(id)) => Whom::Client(id),
            (1, Some(user), _) => Whom::User(user),
            (2, ..) => Whom::Anonymous,
            _ => Whom::All,
        }
    }

    /// Leaves some out, mostly nobody.
    fn except(&mut self) -> Vec<String> {
        match self.random.below(3) {
            0 => (0..1 + self.random.below(2))
                .filter_map(|_| {
                    let index = self.pick();
                    self.programs[index].note_id()
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Sends while nothing else happens.
    pub(super) async fn send(&mut self, index: usize) {
        settle().await;
        let tick = self.tick();
        let here: Vec<bool> = (0..self.programs.len())
            .map(|index| self.is_here(index))
            .collect();
        let (whom, except) = (self.whom(index), self.except());
        let to = whom.to(&self.house.hub).except_all(parsed(&except));
        let receipt = to.publish(&tick).await.unwrap();
        settle().await;
        let mut reached = 0;
        for (place, program) in self.programs.iter().enumerate() {
            let has = program.sent.lock().unwrap().numbers.contains(&tick.number);
            let is_for = program
                .ids
                .last()
                .is_some_and(|id| whom.is(id, program.user) && !except.contains(id));
            // Who is away may come back to its session meanwhile.
            if here[place] || has {
                assert_eq!(has, is_for, "{place} of {here:?}, for {}", tick.number);
            }
            reached += usize::from(has);
        }
        // Dead peers that nobody has missed yet are counted too.
        assert!(receipt.reached.unwrap() >= reached);
        self.seen.sent += reached as u64;
    }

    /// Sends, whatever happens to connections meanwhile: a session that goes on has everything.
    pub(super) async fn send_in_passing(&mut self, index: usize) {
        for _ in 0..1 + self.random.below(5) {
            let (whom, except, tick) = (self.whom(index), self.except(), self.tick());
            let to = whom.to(&self.house.hub).except_all(parsed(&except));
            let receipt = to.publish(&tick).await.unwrap();
            let mut owed = Vec::new();
            for (place, program) in self.programs.iter().enumerate() {
                // Those before the last are over, or about to be.
                let Some(id) = program.ids.last() else { continue };
                let session = self.house.server.session(id.parse().unwrap());
                let is_open = session.is_some_and(|session| session.state() != SessionState::Closed);
                if is_open && whom.is(id, program.user) && !except.contains(id) {
                    owed.push((place, id.clone(), tick.number));
                }
            }
            // Who takes nothing is closed instead.
            if receipt.reached.is_some_and(|reached| reached >= owed.len()) {
                self.owed.append(&mut owed);
            }
        }
    }

    /// Sessions that went on have everything that was sent to them, and everybody has everything in order, and once.
    pub(super) fn check_sent(&mut self) {
        for program in &self.programs {
            program.sent.lock().unwrap().check_order();
        }
        for (index, program) in self.programs.iter().enumerate() {
            let Some(session) = program.ids.last().filter(|_| !program.is_closed) else {
                continue;
            };
            let of_session = |owed: &&(usize, String, u64)| owed.0 == index && owed.1 == *session;
            let owed = self.owed.iter().filter(of_session).map(|owed| owed.2);
            self.seen.replayed += program.sent.lock().unwrap().check_session(session, owed);
        }
    }
}

fn parsed(ids: &[String]) -> impl Iterator<Item = ClientId> + use<'_> {
    ids.iter().map(|id| id.parse().unwrap())
}
