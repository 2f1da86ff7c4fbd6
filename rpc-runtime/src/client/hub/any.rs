//! An event of any type, for programs that were not compiled against those of a channel.

use bytes::Bytes;
use prost::DecodeError;

use crate::hub::Events;

/// An event of whatever type, as it was encoded: what listens for it hears everything.
///
/// Of what is sent to this client ([`Client::events`](crate::Client::events)) that is all but what the hub itself says of the client's
/// subscriptions, such as [`Subscribed`](crate::services::hub::Subscribed): that comes to those who name it. Those who come to a channel
/// and leave it are told in the channel, and heard there.
///
/// For tools that know the types from elsewhere, such as [reflection](crate::services::reflection).
///
/// ```
/// use rpc_runtime::{CallError, Client, hub::client::AnyEvent};
///
/// async fn listen(client: &Client) -> Result<(), CallError> {
///     let mut room = client.hub().subscribe::<AnyEvent>("room:5").await?;
///     while let Some(Ok(received)) = room.next().await {
///         println!("{}: {} bytes", received.event.type_name, received.event.body.len());
///     }
///     Ok(())
/// }
/// # let _ = listen;
/// ```
///
/// It is for listening alone. What a server allows has names, or is everything anyhow:
///
/// ```compile_fail
/// use rpc_runtime::hub::{Namespace, client::AnyEvent};
///
/// let _ = Namespace::<(u64,)>::new("room:{id}").events::<AnyEvent>();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AnyEvent {
    /// The full name of its message, such as `chat.Said`.
    pub type_name: String,
    /// The message, encoded.
    pub body: Bytes,
}

// Whoever has forgotten to say that a contract is an event does not mean any event.
#[diagnostic::do_not_recommend]
impl Events for AnyEvent {
    const NAMES: &'static [&'static str] = &[];
    const CHANNELS: Option<&'static str> = None;

    fn decode(type_name: &str, body: Bytes) -> Option<Result<Self, DecodeError>> {
        Some(Ok(Self {
            type_name: type_name.to_owned(),
            body,
        }))
    }
}
