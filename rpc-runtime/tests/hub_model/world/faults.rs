//! What goes wrong, of which programs are told nothing: slow lines, servers and brokers that are replaced; and clients that go.

use std::time::Duration;

use rpc_runtime::{CloseCode, SessionState};
use tokio::time::Instant;

use super::{World, settle};
use crate::house::House;

impl World {
    pub(super) fn stall(&mut self, index: usize) {
        self.programs[index].line.set_stalled(true);
        self.seen.stalls += 1;
    }

    /// Another process takes over: everything that the first knew is gone.
    pub(super) async fn replace_server(&mut self) {
        // Whoever published there dies with it.
        self.publishing.shutdown().await;
        self.house.broker.retire();
        let slow = self.all_rights.then(|| self.random.next());
        self.house = House::new(&self.rights, &self.truth, self.random.next(), slow);
        self.truth.lock().forget_joins();
        for program in &self.programs {
            program.line.lead_to(&self.house.server);
            program.line.cut();
        }
        self.publish_everywhere().await;
        self.seen.restarts += 1;
    }

    /// The broker forgets every history, and clients go on.
    pub(super) async fn lose_memory(&mut self) {
        self.house.broker.lose_memory().await;
        self.seen.lost_memories += 1;
    }

    /// A client is closed by its program, and somebody else comes. It is gone from everywhere at once.
    pub(super) async fn quit(&mut self, index: usize) {
        if self.programs.len() > 5 {
            return;
        }
        let was_here = self.is_here(index);
        let cuts = self.programs[index].line.cuts();
        let was_stalled = self.programs[index].was_stalled_at(Instant::now());
        self.programs[index].client.close(CloseCode::Normal, "bye");
        self.programs[index].is_closed = true;
        self.add_program();
        self.seen.closed += 1;
        settle().await;
        // Cut at this moment, the connection is lost before its end is told.
        if !was_here || self.programs[index].line.cuts() != cuts {
            return;
        }
        let id = self.id(index).unwrap();
        // Too slow, it was put out ahead of its end: the server waits for it to come back.
        let session = self.house.server.session(id.parse().unwrap());
        if was_stalled && session.is_some_and(|session| session.state() == SessionState::Detached) {
            return;
        }
        for channel in self.channels.clone() {
            let members = self.house.hub.members(channel.name).await.unwrap();
            let is_there = members.iter().any(|member| member.client.to_string() == id);
            assert!(!is_there, "it is closed, and still in {}", channel.name);
        }
    }

    /// Everything goes well from now on.
    pub(super) async fn mend(&mut self) {
        for program in &self.programs {
            program.set_reads(true);
        }
        // What they have not read is told before the connection is lost, and with it the number.
        settle().await;
        for program in &self.programs {
            program.line.set_up(true);
            program.line.set_stalled(false);
            program.line.cut();
        }
        while self.publishing.join_next().await.is_some_and(|done| done.is_ok()) {}
        self.check_retried().await;
        tokio::time::sleep(Duration::from_secs(120)).await;
    }
}
