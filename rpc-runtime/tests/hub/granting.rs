//! Subscriptions that the server makes for all clients of a user, of which some fail or go meanwhile.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use rpc_runtime::{
    ClientId, Code, SessionState, Status,
    hub::{Asks, Hub, HubError, Namespace, OnSubscribe, Snapshot, Subscriber},
    services::hub::Subscribed,
};

use crate::common::{Peer, Said, said, serve, settle};

/// Tabs of one user, and a hub in whose lobby clients have snapshots.
async fn tabs(snapshots: impl OnSubscribe<()>) -> (Hub, Vec<Peer>) {
    let lobby = Namespace::<()>::new("lobby").on_subscribe(snapshots);
    let hub = Hub::builder().namespace(lobby).build().unwrap();
    let server = serve(&hub);
    let mut tabs = Vec::new();
    for _ in 0..3 {
        tabs.push(Peer::connect_as(&server, "ali").await);
    }
    (hub, tabs)
}

/// Has no snapshot for the first client that is subscribed.
#[derive(Default)]
struct NotForTheFirst(AtomicUsize);

impl OnSubscribe<()> for NotForTheFirst {
    async fn snapshot(&self, _: &Asks, (): &()) -> Result<Snapshot, Status> {
        match self.0.fetch_add(1, Ordering::Relaxed) {
            0 => Err(Status::unavailable("the first")),
            number => Ok(Snapshot::now(&said(&number.to_string()))),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_tab_that_cannot_be_subscribed_does_not_keep_the_others_from_it() {
    let (hub, mut tabs) = tabs(NotForTheFirst::default()).await;
    let error = hub.subscribe(Subscriber::user("ali"), "lobby").await.unwrap_err();
    match error {
        HubError::NotSubscribed(status) => {
            assert_eq!(
                (status.code(), status.message()),
                (Code::Unavailable, "the first")
            );
        }
        other => panic!("{other}"),
    }
    let receipt = hub.channel("lobby").publish(&said("x")).await.unwrap();
    assert_eq!(receipt.reached, Some(2));
    let mut subscribed = 0;
    for tab in &mut tabs {
        settle().await;
        if hub.unsubscribe(tab.id(), "lobby", &Status::aborted("")).unwrap() == 1 {
            subscribed += 1;
            tab.hears::<Subscribed>().await;
            assert_eq!(tab.hears::<Said>().await, said("x"));
        } else {
            tab.hears_nothing().await;
        }
    }
    assert_eq!(subscribed, 2);
}

/// Says who is subscribed first, and has no snapshot for it as long as it is there.
#[derive(Clone, Default)]
struct WaitsForTheFirstToGo(Arc<Mutex<Option<ClientId>>>);

impl OnSubscribe<()> for WaitsForTheFirstToGo {
    async fn snapshot(&self, asks: &Asks, (): &()) -> Result<Snapshot, Status> {
        if *self.0.lock().unwrap().get_or_insert(asks.client()) == asks.client() {
            let mut states = asks.session().state_changes();
            let gone = states.wait_for(|state| *state == SessionState::Closed).await;
            assert!(gone.is_ok());
        }
        Ok(Snapshot::now(&said("")))
    }
}

#[tokio::test(start_paused = true)]
async fn a_tab_that_goes_while_its_user_is_subscribed_is_left_out() {
    let first = WaitsForTheFirstToGo::default();
    let (hub, mut tabs) = tabs(first.clone()).await;
    let subscribing = {
        let hub = hub.clone();
        tokio::spawn(async move { hub.subscribe(Subscriber::user("ali"), "lobby").await })
    };
    settle().await;
    let gone = first.0.lock().unwrap().expect("one is being subscribed");
    let place = tabs.iter().position(|tab| tab.id() == gone).unwrap();
    tabs.remove(place).vanish().await;
    assert_eq!(subscribing.await.unwrap().unwrap(), 2);
    for tab in &mut tabs {
        tab.hears::<Subscribed>().await;
    }
    // Who has gone before is none of them either.
    let missing = hub.subscribe(gone, "lobby").await.unwrap();
    assert_eq!(missing, 0);
}
