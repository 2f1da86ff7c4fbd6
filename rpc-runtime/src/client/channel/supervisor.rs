//! The task that keeps a client connected: it makes connections, watches them, and waits in between.

use std::{future::Future, sync::Arc, time::Duration};

use rpc_protocol::{CloseCode, frame::GoAway};
use tokio::time::{Instant, sleep_until};

use super::{
    Channel, ConnectionState, End,
    backoff::{Backoff, SUCCESS},
};
use crate::client::{
    error::{Closed, Refused, RefusedKind},
    identity::keep_fresh,
    link::{Fate, Link},
};

const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// Keeps a client connected, until it is closed for good or nobody holds it any more.
pub(super) async fn supervise(channel: Arc<Channel>, first: Option<Arc<Link>>) {
    // Where the runtime ends before, nobody shall wait for ever.
    let ended = Ended(channel.clone());
    tokio::select! {
        end = Supervisor { channel: &channel, backoff: Backoff::default(), lost: None }.run(first) => channel.finish(end),
        () = abandoned(&channel) => channel.finish(End::Closed(Closed::new(CloseCode::Normal, ""))),
    }
    drop(ended);
}

/// Waits until nobody can call any more.
async fn abandoned(channel: &Channel) {
    channel
        .until(|control| (control.abandoned || control.end.is_some()).then_some(()))
        .await;
}

struct Supervisor<'a> {
    channel: &'a Arc<Channel>,
    backoff: Backoff,
    /// A connection that was lost, whose calls wait for the next one.
    lost: Option<Arc<Link>>,
}

impl Supervisor<'_> {
    async fn run(mut self, first: Option<Arc<Link>>) -> End {
        let mut link = first;
        loop {
            let next = match link.take() {
                Some(link) => self.watch(link).await,
                None => {
                    let control = self.channel.lock();
                    self.channel.set_state(control, ConnectionState::Connecting);
                    match self.meanwhile(self.channel.dial()).await {
                        Ok(dialled) => {
                            link = Some(match self.lost.take() {
                                Some(lost) => self.channel.publish_again(dialled, lost).await,
                                None => self.channel.publish(dialled).0,
                            });
                            continue;
                        }
                        Err(refused) => self.refused(refused),
                    }
                }
            };
            match next {
                Ok(wait) => {
                    let now = Instant::now();
                    // What the clock cannot hold is longer than anybody waits.
                    let until = now.checked_add(wait).unwrap_or(now + CENTURY);
                    let control = self.channel.lock();
                    self.channel
                        .set_state(control, ConnectionState::Waiting { until });
                    self.meanwhile(sleep_until(until)).await;
                }
                Err(end) => return end,
            }
        }
    }

    /// Does something while calls wait for the next connection, whose times go on.
    async fn meanwhile<T>(&self, something: impl Future<Output = T>) -> T {
        let Some(lost) = &self.lost else {
            return something.await;
        };
        let until = self.channel.config.resumption.until();
        tokio::select! {
            biased;
            done = something => done,
            never = lost.keep_time_until(until) => match never {},
        }
    }

    /// Watches a connection. How long to wait before the next one is made, or why there will be none.
    async fn watch(&mut self, link: Arc<Link>) -> Result<Duration, End> {
        let since = Instant::now();
        let channel = self.channel;
        let timeout = channel.config.connect_timeout;
        let fate = tokio::select! {
            fate = link.fate() => fate,
            never = keep_fresh(channel.standing(), &link, timeout) => match never {},
        };
        if since.elapsed() >= SUCCESS {
            self.backoff.succeeded();
        }
        match fate {
            Fate::Closed(closed) => self.lost(closed),
            Fate::Lost(closed) => {
                self.lost = Some(link);
                self.lost(closed)
            }
            Fate::GoingAway(go_away) => {
                let why = match go_away.reason.as_str() {
                    "" => "the server goes away".to_owned(),
                    reason => format!("the server goes away: {reason}"),
                };
                let why = self.channel.absent(RefusedKind::GoingAway, None, why);
                self.channel.retract(why, true);
                if !self.channel.comes_back() {
                    let closed = link.closed().await;
                    return self.lost(closed);
                }
                let wait = self.return_after(&go_away);
                wait.ok_or_else(|| End::Closed(Closed::new(CloseCode::GoingAway, go_away.reason)))
            }
        }
    }

    /// How long to wait after a go-away; `None` when there are to be no more attempts.
    fn return_after(&mut self, go_away: &GoAway) -> Option<Duration> {
        let asked = Duration::from_micros(go_away.return_after_us);
        self.backoff.next(&self.channel.config.reconnect, asked)
    }

    fn lost(&mut self, closed: Closed) -> Result<Duration, End> {
        let wait = if self.channel.comes_back_after(&closed) {
            self.backoff.next(&self.channel.config.reconnect, Duration::ZERO)
        } else {
            None
        };
        let Some(wait) = wait else {
            return Err(End::Closed(closed));
        };
        let why = self
            .channel
            .absent(RefusedKind::Disconnected, Some(&closed), closed.to_string());
        self.channel.retract(why, false);
        Ok(wait)
    }

    fn refused(&mut self, refused: Refused) -> Result<Duration, End> {
        let asked = refused.retry_after().unwrap_or_default();
        // Asked again, a provider may have a fresh credential.
        let curable = refused.is_expired() && self.channel.standing().has_provider();
        let wait = if refused.kind().is_final() && !curable {
            None
        } else {
            self.backoff.next(&self.channel.config.reconnect, asked)
        };
        match wait {
            Some(wait) => {
                self.channel.retract(refused, false);
                Ok(wait)
            }
            None => Err(End::Refused(refused)),
        }
    }
}

/// Ends the client with its supervisor.
struct Ended(Arc<Channel>);

impl Drop for Ended {
    fn drop(&mut self) {
        let text = "the client's task was dropped";
        self.0.finish(End::Closed(Closed::new(CloseCode::Abnormal, text)));
    }
}
