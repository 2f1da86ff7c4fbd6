//! What really happened, whichever server it was: by this the model judges. Whoever sees something that the model does not allow
//! says so here, since what panics in a server's task is answered, and goes on.

use std::{
    collections::{BTreeSet, HashMap},
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::time::Instant;

use crate::{
    house::{Channel, QUEUE, channel},
    model::{Entry, Joins, Log},
};

/// What happened, shared by all who see it.
#[derive(Clone, Default)]
pub struct Truth(Arc<Mutex<State>>);

#[derive(Default)]
pub struct State {
    logs: HashMap<&'static str, Log>,
    joins: HashMap<&'static str, Joins>,
    /// How many bytes came at a moment, in all channels.
    crowds: HashMap<Instant, usize>,
    /// All sessions that have asked for something: the program's place, and the client's id.
    pub sessions: BTreeSet<(usize, String)>,
    /// Who was refused what, or answered too late.
    pub refused: Vec<Refused>,
    /// How many histories and keys were held against the model.
    pub histories: u64,
    pub not_covered: u64,
    pub duplicates: u64,
    /// How many publishers waited for slow clients as long as they may.
    pub blocked: u64,
    wrong: bool,
}

/// A right that was refused.
pub struct Refused {
    /// The program's place, as it stands in its address: it may have had sessions of which it does not know any more.
    pub program: usize,
    /// The client's id.
    pub client: String,
    pub channel: &'static str,
}

impl Truth {
    pub fn lock(&self) -> MutexGuard<'_, State> {
        // What is wrong is remembered.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at what happened; a panic in it is remembered.
    pub fn hold<T>(&self, look: impl FnOnce(&mut State) -> T) -> Option<T> {
        let held = std::panic::catch_unwind(AssertUnwindSafe(|| look(&mut self.lock())));
        if held.is_err() {
            self.lock().wrong = true;
        }
        held.ok()
    }

    /// Whether nothing was seen that the model does not allow.
    pub fn check(&self) {
        assert!(!self.lock().wrong, "the model does not allow what is told above");
    }
}

impl State {
    pub fn log(&mut self, name: &str) -> &mut Log {
        let Channel { name, keep, .. } = channel(name);
        self.logs.entry(name).or_insert_with(|| Log::new(*keep))
    }

    /// What was published in a channel in which something was.
    pub fn known(&self, name: &str) -> &Log {
        &self.logs[name]
    }

    /// Who has come to a channel and gone.
    pub fn joins(&mut self, name: &str) -> &mut Joins {
        self.joins.entry(channel(name).name).or_default()
    }

    /// A server is gone, and nobody is present any more.
    pub fn forget_joins(&mut self) {
        self.joins.clear();
    }

    /// An event came that takes so many bytes.
    pub fn crowd(&mut self, entry: &Entry) {
        *self.crowds.entry(entry.came).or_default() += entry.bytes + 500;
    }

    /// Whether more came at a moment than a queue holds.
    pub fn is_crowded(&self, at: Instant) -> bool {
        self.crowds.get(&at).is_some_and(|bytes| *bytes > QUEUE / 2)
    }
}
