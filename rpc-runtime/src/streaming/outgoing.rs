//! The writing end of a typed stream.

use std::{fmt, marker::PhantomData, sync::Arc};

use prost::Message;
use rpc_protocol::Body;
use tokio::sync::{Notify, mpsc};

use crate::{Status, contract::ContractField};

/// Where an [`Outgoing`] of a connection writes. Its last handle's drop is the end of what is sent.
pub(crate) trait Sink: Send + Sync {
    /// Sends one message, or says why not.
    fn try_send(&self, message: &dyn Body) -> Result<(), Unsent>;

    /// Told whenever [`try_send`](Self::try_send) may go differently than before.
    fn changed(&self) -> &Notify;

    /// Ends the call with a status, after what was sent.
    fn fail(&self, status: Status);

    /// Why nothing can be sent any more, if so.
    fn closed(&self) -> Option<Status>;
}

/// Why a message was not sent.
#[derive(Debug)]
pub(crate) enum Unsent {
    /// There is no room now.
    Full,
    /// And will not be.
    Closed(Status),
    /// This one cannot be sent, others can.
    Refused(Status),
}

/// A message as the body of a frame.
pub(crate) struct MessageBody<'a, M>(pub(crate) &'a M);

impl<M: Message> Body for MessageBody<'_, M> {
    #[inline]
    fn encoded_len(&self) -> usize {
        self.0.encoded_len()
    }

    #[inline]
    fn encode(&self, buf: &mut Vec<u8>) {
        self.0.encode_raw(buf);
    }
}

/// Where a session writes its messages.
///
/// The stream ends when the last clone is dropped: at a client that ends the sending, and the server's answers go on;
/// in a handler the call lasts until the method returns.
pub struct Outgoing<T> {
    to: To<T>,
}

enum To<T> {
    InProcess(mpsc::Sender<Result<T, Status>>),
    Wire(Arc<dyn Sink>, PhantomData<fn(T)>),
}

impl<T> Outgoing<T> {
    pub(super) fn in_process(items: mpsc::Sender<Result<T, Status>>) -> Self {
        Self {
            to: To::InProcess(items),
        }
    }

    /// Writes into a connection.
    pub(crate) fn to_wire(sink: Arc<dyn Sink>) -> Self {
        Self {
            to: To::Wire(sink, PhantomData),
        }
    }

    /// Ends the stream with a status, after what was sent before. At a client this cancels the call; in a handler it ends
    /// the call for the client, and with it the input, while the method goes on until it returns.
    ///
    /// # Errors
    ///
    /// CANCELLED, or why the call ended, when nobody reads any more.
    pub async fn fail(self, status: Status) -> Result<(), Status> {
        match &self.to {
            To::InProcess(items) => items.send(Err(status)).await.map_err(|_| not_read()),
            To::Wire(sink, _) => match sink.closed() {
                Some(closed) => Err(closed),
                None => {
                    sink.fail(status);
                    Ok(())
                }
            },
        }
    }

    /// Whether nobody reads any more.
    pub fn is_closed(&self) -> bool {
        match &self.to {
            To::InProcess(items) => items.is_closed(),
            To::Wire(sink, _) => sink.closed().is_some(),
        }
    }

    /// Waits until nobody reads any more.
    pub async fn closed(&self) {
        match &self.to {
            To::InProcess(items) => items.closed().await,
            To::Wire(sink, _) => loop {
                let changed = sink.changed().notified();
                tokio::pin!(changed);
                // Before the look, so that nothing is missed between the two.
                changed.as_mut().enable();
                if sink.closed().is_some() {
                    return;
                }
                changed.await;
            },
        }
    }
}

impl<T: Message + ContractField> Outgoing<T> {
    /// Sends a message, waiting for room: while the peer does not read, its window fills, and this waits. Cancelling it
    /// before it is ready sends nothing.
    ///
    /// # Errors
    ///
    /// CANCELLED, or why the call ended, when nobody reads any more; RESOURCE_EXHAUSTED for a message over the peer's
    /// limit, after which others can be sent.
    pub async fn send(&self, message: T) -> Result<(), Status> {
        match &self.to {
            To::InProcess(items) => items.send(Ok(message)).await.map_err(|_| not_read()),
            To::Wire(sink, _) => {
                match sink.try_send(&MessageBody(&message)) {
                    Ok(()) => return Ok(()),
                    Err(Unsent::Closed(status) | Unsent::Refused(status)) => return Err(status),
                    Err(Unsent::Full) => {}
                }
                loop {
                    let changed = sink.changed().notified();
                    tokio::pin!(changed);
                    changed.as_mut().enable();
                    match sink.try_send(&MessageBody(&message)) {
                        Ok(()) => return Ok(()),
                        Err(Unsent::Closed(status) | Unsent::Refused(status)) => return Err(status),
                        Err(Unsent::Full) => changed.await,
                    }
                }
            }
        }
    }
}

fn not_read() -> Status {
    Status::cancelled("the stream is not read any more")
}

impl<T> Clone for Outgoing<T> {
    fn clone(&self) -> Self {
        Self {
            to: match &self.to {
                To::InProcess(items) => To::InProcess(items.clone()),
                To::Wire(sink, _) => To::Wire(sink.clone(), PhantomData),
            },
        }
    }
}

impl<T> fmt::Debug for Outgoing<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
