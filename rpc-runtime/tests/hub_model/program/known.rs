//! As whom a client may be known by its server, from one moment to the next.

use std::sync::{Arc, Mutex};

/// A user, or nobody.
pub type Who = Option<&'static str>;

/// What there is to be known of one client; all clones are one.
#[derive(Clone)]
pub struct Known(Arc<Mutex<Vec<Vec<Who>>>>);

/// A moment.
#[derive(Clone, Copy)]
pub struct Then(usize);

impl Known {
    pub fn new(who: Who) -> Self {
        Self(Arc::new(Mutex::new(vec![vec![who]])))
    }

    /// It asks to be another, and may be from now on.
    pub fn may_become(&self, who: Who) {
        let mut all = self.0.lock().unwrap();
        let mut may_be = all.last().cloned().unwrap_or_default();
        may_be.push(who);
        all.push(may_be);
    }

    /// It is told that it is.
    pub fn becomes(&self, who: Who) {
        self.0.lock().unwrap().push(vec![who]);
    }

    /// This moment.
    pub fn now(&self) -> Then {
        Then(self.0.lock().unwrap().len() - 1)
    }

    /// As whom it may have been known from then until now.
    pub fn since(&self, then: Then) -> Vec<Who> {
        let mut who = self.0.lock().unwrap()[then.0..].concat();
        who.sort_unstable();
        who.dedup();
        who
    }
}
