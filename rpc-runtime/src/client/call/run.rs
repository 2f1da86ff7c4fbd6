//! How often a session's closure may run.

use crate::{Outgoing, Streaming};

/// A closure that runs once.
#[derive(Debug)]
pub struct Once<F>(pub(super) Option<F>);

/// A closure that runs as often as the connection is lost.
#[derive(Debug)]
pub struct Again<F>(pub(super) F);

/// What a session runs.
pub trait Run<Q, R, Fut> {
    /// Runs it, if it may run now.
    fn run(&mut self, output: Outgoing<Q>, input: Streaming<R>) -> Option<Fut>;
    /// Whether it may run once more.
    fn runs_again(&self) -> bool;
}

impl<Q, R, F, Fut> Run<Q, R, Fut> for Once<F>
where
    F: FnOnce(Outgoing<Q>, Streaming<R>) -> Fut,
{
    fn run(&mut self, output: Outgoing<Q>, input: Streaming<R>) -> Option<Fut> {
        Some(self.0.take()?(output, input))
    }

    fn runs_again(&self) -> bool {
        false
    }
}

impl<Q, R, F, Fut> Run<Q, R, Fut> for Again<F>
where
    F: FnMut(Outgoing<Q>, Streaming<R>) -> Fut,
{
    fn run(&mut self, output: Outgoing<Q>, input: Streaming<R>) -> Option<Fut> {
        Some(self.0(output, input))
    }

    fn runs_again(&self) -> bool {
        true
    }
}
