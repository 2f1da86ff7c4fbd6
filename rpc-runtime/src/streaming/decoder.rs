//! From the bytes of one message of a stream to the message, with the bounds that hold for every message.

use bytes::Bytes;
use prost::Message;
use rpc_protocol::frame::Compression;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::{
    Status,
    compression::{self, Uninflated},
    contract::{ContractField, RequestPlan},
    memory,
    session::Held,
};

/// Why a message is not given to its reader.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// It does not decode: the peer's own making.
    Fault(Status),
    /// It breaks a rule, or would take too much memory.
    Refused(Status),
}

/// How the messages of one stream are read: worked out once per stream.
///
/// It knows its type by two functions only, so that [`Streaming`](crate::Streaming) asks nothing of the types of streams
/// that stay in process.
pub(crate) struct Decoder<T> {
    plan: RequestPlan,
    budget: usize,
    inline_elements: u64,
    /// What a compressed body may inflate to.
    inflated: usize,
    /// What the stream's messages take of the memory that their connection may take.
    held: Option<Held>,
    read: Read<T>,
    read_elsewhere: fn(Read<T>, RequestPlan, Bytes) -> Reading<T>,
}

type Read<T> = fn(RequestPlan, Bytes) -> Result<T, Unreadable>;

/// A message that is being read on another thread.
type Reading<T> = JoinHandle<Result<T, Unreadable>>;

/// A message, or where it comes from.
pub(crate) enum Decoded<T> {
    Now(Result<T, Unreadable>),
    /// It has so many elements that it is decoded on a thread for blocking work.
    Later(JoinHandle<Result<T, Unreadable>>),
}

impl<T> Decoder<T>
where
    T: Message + Default + ContractField + Send + 'static,
{
    /// For what clients send: checked against the contract's rules. `budget` bytes of memory per message.
    pub(crate) fn of_requests(budget: usize, inline_elements: u64) -> Self {
        Self {
            plan: RequestPlan::of::<T>(),
            budget,
            inline_elements,
            inflated: budget,
            held: None,
            read: read_request::<T>,
            read_elsewhere,
        }
    }

    /// For what a server sends, which is believed to keep its own rules.
    pub(crate) fn of_responses() -> Self {
        Self {
            plan: RequestPlan::of::<T>(),
            budget: memory::DEFAULT_BUDGET,
            inline_elements: memory::ELEMENTS_IN_TURN,
            inflated: memory::DEFAULT_BUDGET,
            held: None,
            read: read_response::<T>,
            read_elsewhere,
        }
    }
}

impl<T> Decoder<T> {
    /// Bodies that come compressed are inflated to at most so many bytes.
    pub(crate) fn inflating(mut self, limit: usize) -> Self {
        self.inflated = limit;
        self
    }

    /// Decoding one message takes at most so many bytes of memory.
    pub(crate) fn within(mut self, budget: usize) -> Self {
        self.budget = budget;
        self
    }

    /// The stream is charged with what its messages take.
    pub(crate) fn charging(mut self, held: Held) -> Self {
        self.held = Some(held);
        self
    }

    pub(crate) fn decode(&mut self, body: Bytes, compression: Compression) -> Decoded<T> {
        let body = if compression == Compression::NONE {
            body
        } else {
            match compression::inflate(&body, self.inflated) {
                Ok(body) => body,
                Err(error @ Uninflated::Malformed) => {
                    return Decoded::Now(Err(Unreadable::Fault(error.status())));
                }
                Err(error) => return Decoded::Now(Err(Unreadable::Refused(error.status()))),
            }
        };
        let cost = self.plan.weigh(&body, self.budget);
        if let (Ok(cost), Some(held)) = (&cost, &mut self.held) {
            let wire = body.len() as u64;
            if !held.allows(cost.bytes + wire) && !held.allows(self.plan.measure(&body).bytes + wire) {
                return Decoded::Now(Err(Unreadable::Refused(Status::resource_exhausted(
                    "the streams of this connection take too much memory",
                ))));
            }
        }
        match cost {
            Err(status) => Decoded::Now(Err(Unreadable::Refused(status))),
            Ok(cost) if cost.elements > self.inline_elements => {
                Decoded::Later((self.read_elsewhere)(self.read, self.plan, body))
            }
            Ok(_) => Decoded::Now((self.read)(self.plan, body)),
        }
    }
}

/// Reads what a client sends: decoded, and checked by its rules.
pub(crate) fn read_request<T>(plan: RequestPlan, body: Bytes) -> Result<T, Unreadable>
where
    T: Message + Default + ContractField,
{
    let message = plan.decode::<T>(body).map_err(Unreadable::Fault)?;
    plan.check(&message).map_err(Unreadable::Refused)?;
    Ok(message)
}

fn read_response<T>(_: RequestPlan, body: Bytes) -> Result<T, Unreadable>
where
    T: Message + Default,
{
    T::decode(body).map_err(|error| {
        Unreadable::Fault(Status::internal(format!("the response does not decode: {error}")))
    })
}

fn read_elsewhere<T: Send + 'static>(
    read: Read<T>,
    plan: RequestPlan,
    body: Bytes,
) -> JoinHandle<Result<T, Unreadable>> {
    spawn_blocking(move || read(plan, body))
}
