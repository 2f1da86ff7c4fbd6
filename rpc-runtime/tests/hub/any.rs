//! Events of whatever type, for programs that know the types when they run.

use rpc_runtime::{
    ClientId, Contract, Status,
    hub::{Anyone, Hub, Namespace, client::AnyEvent},
    prost::Message,
    services::hub::{Subscribed, Unsubscribed},
};

use crate::{
    common::{Moved, Said, said},
    typed::{client_of, hub_of, in_memory},
};

#[tokio::test(start_paused = true)]
async fn any_event_of_a_channel_is_heard_whatever_its_type() {
    let hub = hub_of(10);
    let server = in_memory(&hub);
    let client = client_of(&server, "ali");
    let mut log = client.hub().subscribe::<AnyEvent>("log:a").await.unwrap();
    let channel = hub.channel("log:a");
    channel.clone().publish(&said("hello")).await.unwrap();
    channel.publish(&Moved { to: 5 }).await.unwrap();
    let first = log.next().await.unwrap().unwrap();
    assert_eq!(first.event.type_name, Said::FULL_NAME);
    assert_eq!(Said::decode(first.event.body).unwrap(), said("hello"));
    let second = log.next().await.unwrap().unwrap();
    assert_eq!(second.event.type_name, Moved::FULL_NAME);
    assert_eq!(second.position.unwrap().offset, 2);
    let page = client.hub().history::<AnyEvent>("log:a").await.unwrap();
    assert_eq!((page.events.len(), page.skipped, log.skipped()), (2, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_channel_of_certain_events_lets_those_listen_who_take_any() {
    let rooms = Namespace::<(u64,)>::new("room:{id}")
        .subscribe(Anyone)
        .events::<Said>();
    let hub = Hub::builder().namespace(rooms).build().unwrap();
    let server = in_memory(&hub);
    let client = client_of(&server, "ali");
    client.hub().subscribe::<Moved>("room:5").await.unwrap_err();
    let mut room = client.hub().subscribe::<AnyEvent>("room:5").await.unwrap();
    hub.channel("room:5").publish(&said("hello")).await.unwrap();
    assert_eq!(
        room.next().await.unwrap().unwrap().event.type_name,
        Said::FULL_NAME
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_is_heard_by_those_who_take_any_and_by_those_who_name_it_each_once() {
    let hub = Hub::default();
    let server = in_memory(&hub);
    let client = client_of(&server, "ali");
    let (mut any, mut named) = (client.events::<AnyEvent>(), client.events::<Said>());
    client.greeted().await.unwrap();
    hub.all().publish(&Moved { to: 5 }).await.unwrap();
    hub.all().publish(&said("hello")).await.unwrap();
    for expected in [Moved::FULL_NAME, Said::FULL_NAME] {
        assert_eq!(any.next().await.unwrap().unwrap().event.type_name, expected);
    }
    assert_eq!(named.next().await.unwrap().unwrap().event, said("hello"));
    assert_eq!((any.unread(), named.unread(), client.hub().unheard()), (0, 0, 0));
    drop(any);
    hub.all().publish(&Moved { to: 6 }).await.unwrap();
    hub.all().publish(&said("last")).await.unwrap();
    assert_eq!(named.next().await.unwrap().unwrap().event, said("last"));
    assert_eq!(client.hub().unheard(), 1, "nobody takes any any more");
}

#[tokio::test(start_paused = true)]
async fn what_the_hub_says_of_subscriptions_is_heard_by_those_who_name_it_alone() {
    let hub = hub_of(10);
    let server = in_memory(&hub);
    let client = client_of(&server, "ali");
    let mut any = client.events::<AnyEvent>();
    let (mut begun, mut ended) = (client.events::<Subscribed>(), client.events::<Unsubscribed>());
    let greeting = client.greeted().await.unwrap();
    let id: ClientId = greeting.client_id().parse().unwrap();
    assert_eq!(hub.subscribe(id, "log:a").await.unwrap(), 1);
    assert_eq!(begun.next().await.unwrap().unwrap().event.channel, "log:a");
    hub.unsubscribe(id, "log:a", &Status::aborted("it is over"))
        .unwrap();
    hub.all().publish(&said("hello")).await.unwrap();
    assert_eq!(
        any.next().await.unwrap().unwrap().event.type_name,
        Said::FULL_NAME
    );
    assert_eq!(ended.next().await.unwrap().unwrap().event.channel, "log:a");
    assert_eq!(any.unread(), 0);
}
