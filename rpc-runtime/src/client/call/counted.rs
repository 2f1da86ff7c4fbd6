//! The sending end of a session whose call is followed.

use std::sync::Arc;

use rpc_protocol::Body;
use tokio::sync::Notify;

use crate::{
    Status,
    streaming::{Sink, Unsent},
    trace::Followed,
};

/// Counts what is sent.
struct Counted {
    sink: Arc<dyn Sink>,
    followed: Arc<Followed>,
}

/// A sink that counts, where the call is followed; else the sink itself.
pub(super) fn counted(sink: Arc<dyn Sink>, followed: Option<&Arc<Followed>>) -> Arc<dyn Sink> {
    match followed {
        None => sink,
        Some(followed) => Arc::new(Counted {
            sink,
            followed: followed.clone(),
        }),
    }
}

impl Sink for Counted {
    fn try_send(&self, message: &dyn Body) -> Result<(), Unsent> {
        self.sink.try_send(message)?;
        self.followed.request(message.encoded_len());
        Ok(())
    }

    fn changed(&self) -> &Notify {
        self.sink.changed()
    }

    fn fail(&self, status: Status) {
        self.sink.fail(status);
    }

    fn closed(&self) -> Option<Status> {
        self.sink.closed()
    }
}
