//! What generated gateways of controllers with `changes` publish, where the broker takes its time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rpc_protocol::{
    FrameKind,
    frame::{Request, Reset},
};
use rpc_runtime::{
    Code, Context, Status,
    codegen::publish_added,
    contract,
    hub::{Anyone, Hub, Namespace},
    prost::Message,
    rpc,
};

use crate::{
    broker::{Stepping, Steps},
    common::{Peer, builder, settle},
};

#[contract(package = "hubtest", detached)]
pub struct Item {
    pub number: u64,
}

/// As the build step writes it for a controller with `changes`.
#[contract(package = "hubtest", event, channels = "items", detached)]
#[derive(Debug, PartialEq)]
pub enum ItemChanged {
    #[default]
    Unset,
    Added(Item),
}

struct ItemsGateway {
    /// How many of its calls went on behind their events.
    answered: Arc<AtomicUsize>,
}

#[rpc("hubtest", detached)]
impl ItemsGateway {
    #[message]
    async fn add(&self, cx: &Context, data: Item) -> Result<Item, Status> {
        publish_added::<ItemChanged>(cx, &data).await;
        self.answered.fetch_add(1, Ordering::SeqCst);
        Ok(data)
    }
}

fn items() -> (Hub, Arc<Steps>) {
    let (broker, steps) = Stepping::new();
    let namespace = Namespace::<()>::of::<ItemChanged>().subscribe(Anyone);
    let hub = Hub::builder().namespace(namespace).broker(broker);
    (hub.build().unwrap(), steps)
}

#[tokio::test(start_paused = true)]
async fn the_event_of_a_change_is_published_although_its_call_is_given_up_meanwhile() {
    let (hub, steps) = items();
    let answered = Arc::new(AtomicUsize::new(0));
    let gateway = ItemsGateway {
        answered: answered.clone(),
    };
    let server = builder(&hub).service(gateway).build().unwrap();
    let mut reader = Peer::connect(&server).await;
    reader.subscribe("items").await;
    steps.publish_after(Duration::from_secs(1));
    for vanishes in [false, true] {
        let number = u64::from(vanishes);
        let mut peer = Peer::connect(&server).await;
        let request = Request {
            method_name: "hubtest.ItemsService/Add".to_owned(),
            body: Item { number }.encode_to_vec().into(),
            ..Request::default()
        };
        peer.send(1, FrameKind::Request(request)).await;
        settle().await;
        match vanishes {
            true => peer.vanish().await,
            false => {
                let code = Code::Cancelled as i32;
                peer.send(1, FrameKind::Reset(Reset { code })).await;
            }
        }
        assert_eq!(
            reader.hears::<ItemChanged>().await,
            ItemChanged::Added(Item { number })
        );
        settle().await;
        assert_eq!(answered.load(Ordering::SeqCst), 0, "the call itself has ended");
    }
}
