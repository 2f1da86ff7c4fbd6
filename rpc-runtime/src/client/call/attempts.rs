//! Sending one call as often as is safe: over the connection that there is, and over the next one.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::time::{Instant, timeout_at};

use super::Options;
use crate::{
    CallError, Client,
    client::{
        error::{Refused, RefusedKind},
        link::{Failure, Link, NotOpened},
    },
};

/// So often a call that may be repeated is sent again, each time because its connection was lost.
const MOST_LOST: u32 = 3;

/// One call, over all the times that it is sent.
pub(super) struct Attempts {
    pub(super) client: Client,
    pub(super) options: Options,
    began: Instant,
    deadline: Option<Instant>,
    lost: u32,
}

impl Attempts {
    pub(super) fn new(client: Client, options: Options) -> Self {
        let began = Instant::now();
        Self {
            deadline: options.deadline(began),
            client,
            options,
            began,
            lost: 0,
        }
    }

    /// An interceptor may have set another timeout.
    pub(super) fn look_again(&mut self) {
        self.deadline = self.options.deadline(self.began);
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The link to send over, once there is one. The request then says how much time is left.
    pub(super) async fn link(&mut self) -> Result<Arc<Link>, CallError> {
        let patient = self.options.wait_for_ready || self.options.method.idempotent;
        let link = self.client.channel().ready(patient).await?;
        if let Some(deadline) = self.deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            self.options.request.timeout_us = microseconds(left);
        }
        Ok(link)
    }

    /// A call was not opened: whether to try elsewhere.
    pub(super) fn not_opened(&self, why: NotOpened) -> Result<(), CallError> {
        match why {
            NotOpened::Gone | NotOpened::Full => Ok(()),
            NotOpened::Refused(status) => Err(status.into()),
        }
    }

    /// A call has no response: whether to send it again.
    pub(super) fn failed(&mut self, failure: Failure) -> Result<(), CallError> {
        match failure {
            Failure::NotRun => Ok(()),
            Failure::Status(status) => Err(status.into()),
            Failure::TimedOut => Err(self.timed_out()),
            Failure::Closed(closed) => {
                let comes_back = self.client.channel().comes_back_after(&closed);
                self.lost(comes_back).map_err(|()| CallError::Closed(closed))
            }
            Failure::Stopped(status) => {
                let comes_back = self.client.channel().comes_back();
                self.lost(comes_back).map_err(|()| status.into())
            }
        }
    }

    /// A call that may have run was lost: whether to send it again.
    fn lost(&mut self, comes_back: bool) -> Result<(), ()> {
        if !comes_back || !self.options.method.idempotent || self.lost >= MOST_LOST {
            return Err(());
        }
        self.lost += 1;
        Ok(())
    }

    /// The error of a call that would be sent again, if its requests were not gone.
    pub(super) fn not_again(&self, failure: Failure) -> CallError {
        match failure {
            Failure::Status(status) | Failure::Stopped(status) => status.into(),
            Failure::Closed(closed) => CallError::Closed(closed),
            Failure::TimedOut => self.timed_out(),
            Failure::NotRun => {
                let text =
                    "the server goes away and has not run the call, whose requests cannot be sent again";
                CallError::Refused(Refused::new(RefusedKind::GoingAway, "", text))
            }
        }
    }

    /// How long the call was given, where that is over.
    pub(super) fn timed_out(&self) -> CallError {
        let given = self
            .deadline
            .map_or(Duration::ZERO, |deadline| deadline.duration_since(self.began));
        CallError::TimedOut(given)
    }
}

/// Bounds what is done for a call by its deadline, if it has one. `None` when that is over.
pub(super) async fn until<T>(deadline: Option<Instant>, work: impl Future<Output = T>) -> Option<T> {
    match deadline {
        None => Some(work.await),
        Some(deadline) => timeout_at(deadline, work).await.ok(),
    }
}

/// A timeout as a request carries it, where 0 is none.
fn microseconds(timeout: Duration) -> u64 {
    u64::try_from(timeout.as_micros()).unwrap_or(u64::MAX).max(1)
}
