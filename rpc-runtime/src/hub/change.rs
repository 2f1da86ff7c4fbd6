//! What the generated gateway of a controller with `changes` does after a call that succeeded: it publishes what was changed.
//!
//! The event is a message with one `oneof`, whose members have the same numbers for every controller; what is in a member is
//! borrowed from the answer, so that the event is encoded without being made. A contract without `changes` has no code that
//! comes here.

use std::{
    future::{Future, poll_fn},
    task::Poll,
};

use bytes::{Bytes, BytesMut};
use prost::encoding::{encode_key, key_len};
use tracing::Instrument;

use super::Event;
use crate::{Context, contract::ContractField};

/// The members of the event. `rpc_schema` writes the schema with the same numbers.
const ADDED: u32 = 1;
const UPDATED: u32 = 2;
const DELETED: u32 = 3;

/// Publishes that `item` was added, on the channel that the contract of `E` names.
#[doc(hidden)]
pub async fn publish_added<E: Event>(cx: &Context, item: &impl ContractField) {
    publish::<E>(cx, member(ADDED, item)).await;
}

/// Publishes that there is `item` now, where another was.
#[doc(hidden)]
pub async fn publish_updated<E: Event>(cx: &Context, item: &impl ContractField) {
    publish::<E>(cx, member(UPDATED, item)).await;
}

/// Publishes that something is gone: `deleted` says what.
#[doc(hidden)]
pub async fn publish_deleted<E: Event>(cx: &Context, deleted: &impl ContractField) {
    publish::<E>(cx, member(DELETED, deleted)).await;
}

/// The event with this member, encoded.
fn member<T: ContractField>(number: u32, value: &T) -> Bytes {
    let mut body = BytesMut::with_capacity(key_len(number) + value.value_len());
    encode_key(number, T::WIRE_TYPE, &mut body);
    value.encode_value(&mut body);
    body.freeze()
}

/// The change is made, whatever becomes of its event: what cannot be published is logged and counted. And whatever becomes of its call:
/// where publishing takes time it goes on behind one that is given up.
async fn publish<E: Event>(cx: &Context, body: Bytes) {
    let channel = const {
        match E::CHANNELS {
            Some(channel) => channel,
            None => panic!("the event of a controller names its channel"),
        }
    };
    let to = cx.hub().channel(channel).from(cx);
    let (session, call) = (cx.session().clone(), cx.call_id());
    let mut publishing = Box::pin(async move {
        if let Err(error) = to.publish_encoded(E::FULL_NAME, body).await {
            session.endpoint.meter.unpublished_change();
            tracing::warn!(
                %call,
                event = E::FULL_NAME,
                "a change is made, and its event is not published: {error}"
            );
        }
    });
    // Mostly it is done at once, and needs no task of its own.
    if poll_fn(|task| Poll::Ready(publishing.as_mut().poll(task).is_ready())).await {
        return;
    }
    if let Err(error) = tokio::spawn(publishing.in_current_span()).await
        && let Ok(panic) = error.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::contract;

    #[contract(package = "test", detached)]
    struct Item {
        id: String,
        count: u64,
    }

    #[contract(package = "test", detached)]
    struct DeletedItem {
        id: String,
    }

    /// As the build step writes it.
    #[contract(package = "test", event, channels = "items", detached)]
    enum ItemChanged {
        #[default]
        Unset,
        Added(Item),
        Updated(Item),
        Deleted(DeletedItem),
    }

    #[test]
    fn a_change_is_encoded_as_the_event_that_it_is() {
        let item = Item {
            id: "7".into(),
            count: 300,
        };
        let deleted = DeletedItem { id: String::new() };
        for (body, event) in [
            (member(ADDED, &item), ItemChanged::Added(item.clone())),
            (member(UPDATED, &item), ItemChanged::Updated(item.clone())),
            (member(DELETED, &deleted), ItemChanged::Deleted(deleted.clone())),
        ] {
            assert_eq!(body, event.encode_to_vec(), "{event:?}");
            assert_eq!(ItemChanged::decode(body), Ok(event));
        }
    }
}
