//! What an event costs whoever publishes it: its frame is made once, however many it is for.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test crate")]

use counting_alloc::{Counting, allocations, peak_of};
use rpc_runtime::{
    Server,
    auth::{Attempt, AuthError, Authenticator, Credential, Identity},
    contract,
    hub::{Anyone, Event, Hub, Namespace, To},
    testing,
};
use tokio::runtime::Runtime;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SUBSCRIBERS: usize = 50;

/// In bytes.
const EVENT: usize = 32 << 10;

#[contract(package = "news", detached)]
struct Said {
    text: String,
}

impl Event for Said {}

/// Everybody is the same user.
struct Ali;

impl Authenticator for Ali {
    async fn authenticate(&self, _: &Attempt<'_>) -> Result<Identity, AuthError> {
        Ok(Identity::new("ali"))
    }
}

/// What publishing takes, for so many: allocations, and the most bytes at once.
fn taken(subscribers: usize, to: fn(&Hub) -> To) -> (u64, u64) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let news = Namespace::<()>::new("news").subscribe(Anyone);
    let hub = Hub::builder().namespace(news).build().unwrap();
    let server = Server::builder()
        .hub(hub.clone())
        .service(rpc_runtime::services::hub::gateway())
        .authenticator(Ali);
    let server = testing::serve(server.build().unwrap());
    let mut clients = Vec::new();
    runtime.block_on(async {
        for _ in 0..subscribers {
            let client = server.client();
            client.authenticate(Credential::bearer("x")).await.unwrap();
            let events = client.events::<Said>();
            clients.push((
                client.hub().subscribe::<Said>("news").await.unwrap(),
                events,
                client,
            ));
        }
    });
    let said = Said {
        text: "x".repeat(EVENT),
    };
    let publish = || {
        let receipt = runtime.block_on(to(&hub).publish(&said)).unwrap();
        assert_eq!(receipt.reached, Some(subscribers));
    };
    // What is made once has been made by then, and what was sent is gone.
    for _ in 0..3 {
        publish();
        settle(&runtime);
    }
    let before = allocations();
    // Nobody else runs before it is done.
    let ((), bytes) = peak_of(publish);
    (allocations() - before, bytes)
}

fn settle(runtime: &Runtime) {
    runtime.block_on(async {
        for _ in 0..10_000 {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn an_event_has_its_frame_made_once_for_all_of_its_subscribers() {
    for to in [
        (|hub| hub.channel("news")) as fn(&Hub) -> To,
        |hub| hub.all(),
        |hub| hub.user("ali"),
    ] {
        let ((one, _), (many, bytes)) = (taken(1, to), taken(SUBSCRIBERS, to));
        // One of their own would be some for each.
        assert!(
            many - one < SUBSCRIBERS as u64 / 2,
            "{many} for {SUBSCRIBERS}, {one} for one"
        );
        // The event as it was encoded, and its frame.
        assert!((EVENT..3 * EVENT).contains(&(bytes as usize)), "{bytes}");
    }
}
