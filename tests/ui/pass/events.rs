//! Events and sets of them, as far from the usual as they may be.

use rpc_runtime::hub::{Event, Events};
use rpc_runtime::{bytes::Bytes, contract, prost::Message};

mod chat {
    #[rpc_runtime::contract(package = "chat", event, channels = "a.b_c~d@e=f+g-h:{x1}:{_}", detached)]
    #[derive(Eq)]
    pub enum r#Move {
        #[default]
        Unset,
        Left,
        Right(u32),
    }
}

#[contract(package = "chat", message = "SaidEvent", event, detached, controller = "Said", changes = "said")]
pub struct Said {
    #[field(id)]
    pub id: u64,
}

#[contract(package = "chat", event, detached)]
#[deprecated]
pub struct Old;

#[derive(Clone, Debug, PartialEq, rpc_runtime::Events)]
#[events(channels = "room:{id}")]
#[allow(deprecated)]
enum r#Room {
    r#Type(Said),
    Old(Old),
    #[events(other)]
    Other,
}

/// Only one, whose channels are the set's.
#[derive(rpc_runtime::Events)]
pub(crate) enum Moves {
    Moved(crate::chat::Move),
}

macro_rules! set {
    ($name:ident: $($variant:ident($event:ty)),*) => {
        #[derive(rpc_runtime::Events)]
        pub enum $name { $($variant($event)),* }
    };
}

set!(Made: Said(Said), Moved(chat::Move));

fn both<E: Event>() -> (&'static [&'static str], Option<&'static str>) {
    (<E as Events>::NAMES, <E as Event>::CHANNELS)
}

fn main() {
    assert_eq!(both::<Said>(), (["chat.SaidEvent"].as_slice(), None));
    assert_eq!(
        both::<chat::Move>(),
        (["chat.Move"].as_slice(), Some("a.b_c~d@e=f+g-h:{x1}:{_}"))
    );
    assert_eq!(Room::NAMES, ["chat.SaidEvent", "chat.Old"]);
    assert_eq!(Room::CHANNELS, Some("room:{id}"));
    assert_eq!(Moves::CHANNELS, <chat::Move as Event>::CHANNELS);
    assert_eq!(Made::CHANNELS, None);
    let body = Bytes::from(Said { id: 7 }.encode_to_vec());
    assert_eq!(
        Room::decode("chat.SaidEvent", body.clone()),
        Some(Ok(Room::Type(Said { id: 7 })))
    );
    assert_eq!(Room::decode("chat.Unheard", body.clone()), Some(Ok(Room::Other)));
    assert!(Made::decode("chat.Unheard", body).is_none());
    assert!(matches!(Moves::decode("chat.Move", Bytes::from_static(&[0xff])), Some(Err(_))));
}
