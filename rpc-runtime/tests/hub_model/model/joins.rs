//! Who has come to a channel and gone, as its events tell: each user once, over all of its tabs.

use std::collections::BTreeSet;

use super::What;

/// Of one channel at one server.
#[derive(Debug, Default)]
pub struct Joins {
    present: BTreeSet<String>,
}

impl Joins {
    /// The hub has published a change.
    pub fn published(&mut self, what: &What) {
        match what {
            What::Tick(_) => {}
            What::Joined(who) => assert!(self.present.insert(who.clone()), "{who} has joined twice"),
            What::Left(who) => assert!(self.present.remove(who), "{who} has left without having joined"),
        }
    }

    /// Who is there.
    pub fn present(&self) -> &BTreeSet<String> {
        &self.present
    }
}
