//! Which connection calls go to: a new one, the one before over another socket, or none for now.

use std::sync::Arc;

use tokio::time::timeout;

use super::{Channel, ConnectionState, End, dialling::Dialled};
use crate::client::{
    error::Refused,
    link::{Answer, Link},
};

impl Channel {
    /// Lets calls go to a new connection. Those on older ones finish there.
    pub(super) fn publish(self: &Arc<Self>, dialled: Dialled) -> (Arc<Link>, Option<Answer>) {
        let link = Link::new(&self.config, dialled.back_to);
        self.config.hub.begins(link.number());
        // In front of every call, which the server then reads when it has decided.
        let answer = dialled.in_band.map(|shown| link.begin_with(shown.credential));
        (dialled.established)(link.clone());
        let mut control = self.lock();
        control.links.retain(|old| match old.upgrade() {
            // Nothing new goes there: it is closed when its calls are over.
            Some(old) => {
                old.abandon();
                true
            }
            None => false,
        });
        control.links.push(Arc::downgrade(&link));
        if control.abandoned {
            link.abandon();
        }
        if let Some(End::Closed(closed)) = &control.end {
            link.request_close(closed.close_code(), closed.reason());
        } else {
            control.absence = None;
            self.current.store(Some(link.clone()));
        }
        self.set_state(control, ConnectionState::Connected);
        (link, answer)
    }

    /// Has the calls of a connection that was lost go on over a new one, where that is possible; otherwise they end. Gives the link
    /// of the new one, whose server has greeted if it is open.
    pub(super) async fn publish_again(self: &Arc<Self>, dialled: Dialled, lost: Arc<Link>) -> Arc<Link> {
        if !dialled
            .back_to
            .as_ref()
            .is_some_and(|back| lost.return_over(back))
        {
            lost.give_up_waiting();
            return self.publish(dialled).0;
        }
        self.config.hub.begins(lost.number());
        // In front of every call; the link closes itself where it is refused.
        drop(dialled.in_band.map(|shown| lost.begin_with(shown.credential)));
        (dialled.established)(lost.clone());
        if timeout(self.config.connect_timeout, lost.returned())
            .await
            .is_err()
        {
            lost.give_up_return();
            lost.returned().await;
        }
        let mut control = self.lock();
        if lost.is_open() {
            control.absence = None;
            self.current.store(Some(lost.clone()));
            self.set_state(control, ConnectionState::Connected);
        }
        lost
    }

    /// There is no connection for calls; says why, and whether they are to wait for the next one.
    pub(super) fn retract(&self, why: Refused, planned: bool) {
        let mut control = self.lock();
        self.current.store(None);
        control.absence = Some((why, planned));
        drop(control);
        self.standing().is_gone();
        self.changed.notify_waiters();
    }
}
