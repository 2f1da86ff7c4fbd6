//! The end of a run: everything goes well from now on, and everybody is to have everything.

use std::time::Duration;

use super::{World, subscribing};

impl World {
    pub(super) async fn end(&mut self) {
        let before: Vec<_> = (0..self.programs.len()).map(|index| self.id(index)).collect();
        self.mend().await;
        for (index, before) in before.into_iter().enumerate() {
            let program = &mut self.programs[index];
            self.seen.reconnects += (program.ids.len() as u64).saturating_sub(1);
            if program.is_closed {
                continue;
            }
            program.client.ready().await.unwrap();
            program.note_id();
            let greeting = program.client.greeting().unwrap();
            self.seen.resumed += u64::from(greeting.resumed());
            let is_new = program.ids.last() != before.as_ref();
            self.check_named(index, is_new);
        }
        self.publish_everywhere().await;
        // Who learns only now that its history is another asks for a snapshot, which may take its time more than once.
        tokio::time::sleep(Duration::from_secs(20)).await;
        self.check_sent();
        self.check_subscriptions();
        for channel in self.channels.clone() {
            self.check_presence(channel).await;
        }
        let truth = self.truth.lock();
        self.seen.histories += truth.histories;
        self.seen.not_covered += truth.not_covered;
        self.seen.duplicates += truth.duplicates;
        self.seen.blocked += truth.blocked;
    }

    /// Whoever names a channel in its address hears it from the beginning of its session.
    fn check_named(&mut self, index: usize, is_new: bool) {
        let program = &self.programs[index];
        let Some(named) = program.named.filter(|_| is_new) else {
            return;
        };
        // It may have left before it knew that the server had subscribed it anew.
        if program.has_left(named) {
            return;
        }
        // A client that shows its credential behind the greeting is asked after as nobody first.
        let denied =
            self.rights.deny(subscribing(program.user, named)) || self.was_refused_lately(program, named);
        assert!(
            denied || program.hears(named),
            "{index} has named {named}: {program:#?}"
        );
        self.seen.named += u64::from(!denied);
    }
}
