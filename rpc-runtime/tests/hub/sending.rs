//! Sending to users and clients, by clients and by the server.

use std::sync::Arc;

use rpc_runtime::{
    ClientId, Code, ConnectInfo, Endpoint,
    hub::{Anyone, Asks, Hub, Namespace, To, Users},
    services::hub::{
        Joined, Left, PublishRequest, PublishResponse, SendToClientsRequest, SendToClientsResponse,
        SendToUsersRequest, SendToUsersResponse, Subscribed, Unsubscribed,
    },
};

use crate::common::{Moved, Named, Peer, Said, builder, client_as, no, said, serve, typed};

fn to_users(users: &[&str]) -> SendToUsersRequest {
    SendToUsersRequest {
        users: users.iter().map(|user| (*user).to_owned()).collect(),
        event: typed(&said("hello")),
        except_self: false,
    }
}

fn to_client(client: &str) -> SendToClientsRequest {
    SendToClientsRequest {
        clients: vec![client.to_owned()],
        event: typed(&said("hello")),
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_may_send_until_it_is_declared() {
    let server = serve(&Hub::default());
    let mut ali = Peer::connect_as(&server, "ali").await;
    let own = ali.greeting.own_channel.clone();
    let id = ali.id().to_string();
    let refused = ali
        .call::<SendToUsersResponse>("SendToUsers", &to_users(&["ali"]))
        .await;
    assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied);
    let refused = ali
        .call::<SendToClientsResponse>("SendToClients", &to_client(&id))
        .await;
    assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied);
    let refused = ali.publish(&own, &said("")).await;
    assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied);
    ali.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn users_are_sent_to_on_all_their_connections_each_once_and_told_who_sends() {
    let hub = Hub::builder().send_to_users(Users).build().unwrap();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    let mut tabs = [
        Peer::connect_as(&server, "bea").await,
        Peer::connect_as(&server, "bea").await,
    ];
    let request = SendToUsersRequest {
        except_self: true,
        ..to_users(&["bea", "bea", "ali", "nobody-there"])
    };
    let response: SendToUsersResponse = ali.call("SendToUsers", &request).await.unwrap();
    for tab in &mut tabs {
        let event = tab.event().await;
        assert_eq!(
            (event.channel, event.channel_name.as_str(), event.id.as_str()),
            (0, "", response.id.as_str())
        );
        assert_eq!(
            (event.user_id.as_str(), event.client_id.as_str()),
            ("ali", ali.greeting.client_id.as_str())
        );
        tab.hears_nothing().await;
    }
    ali.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn the_right_is_asked_for_each_recipient_and_nothing_is_sent_where_one_is_refused() {
    let hub = Hub::builder()
        .send_to_users(|_: &Asks, to: &Arc<str>| match &**to {
            "root" => no(),
            _ => Ok(()),
        })
        .build()
        .unwrap();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    let mut bea = Peer::connect_as(&server, "bea").await;
    let refused = ali
        .call::<SendToUsersResponse>("SendToUsers", &to_users(&["bea", "root"]))
        .await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert!(!refused.message.contains("secret"), "{}", refused.message);
    bea.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn events_that_are_not_allowed_to_be_sent_are_invalid() {
    let hub = Hub::builder()
        .send_to_users(Anyone)
        .events_to_users::<Moved>()
        .send_to_clients(Anyone)
        .events_to_clients::<Moved>()
        .build()
        .unwrap();
    let server = serve(&hub);
    let client = client_as(&server, "ali").await;
    let mut bea = Peer::connect_as(&server, "bea").await;
    let refused = client.send_to_users(to_users(&["bea"])).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::InvalidArgument));
    let refused = client
        .send_to_clients(to_client(&bea.greeting.client_id))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Some(Code::InvalidArgument));
    bea.hears_nothing().await;
    let request = SendToUsersRequest {
        event: typed(&Moved { to: 3 }),
        ..to_users(&["bea"])
    };
    client.send_to_users(request).await.unwrap();
    assert_eq!(bea.hears::<Moved>().await, Moved { to: 3 });
}

#[tokio::test(start_paused = true)]
async fn a_client_is_sent_to_by_its_id_or_its_own_channel_and_nobody_learns_whether_it_is_there() {
    let hub = Hub::builder()
        .send_to_clients(|asks: &Asks, _: &ClientId| match asks.user() {
            Some(_) => Ok(()),
            None => no(),
        })
        .build()
        .unwrap();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    let mut bea = Peer::connect(&server).await;
    let (id, own) = (bea.greeting.client_id.clone(), bea.greeting.own_channel.clone());
    assert_eq!(own, format!("client:{id}"));
    let missing = "0".repeat(32);
    for client in [&id, &missing] {
        let response: SendToClientsResponse = ali.call("SendToClients", &to_client(client)).await.unwrap();
        assert!(!response.id.is_empty());
        let request = PublishRequest {
            channel: format!("client:{client}"),
            event: typed(&said("own")),
            ..PublishRequest::default()
        };
        let response: PublishResponse = ali.call("Publish", &request).await.unwrap();
        assert_eq!((response.reached, response.position), (None, None));
    }
    assert_eq!(bea.hears::<Said>().await, said("hello"));
    assert_eq!(bea.hears::<Said>().await, said("own"));
    // Who may not, may not either way.
    for client in [ali.greeting.client_id.clone(), missing] {
        let refused = bea
            .call::<SendToClientsResponse>("SendToClients", &to_client(&client))
            .await;
        assert_eq!(refused.unwrap_err().code(), Code::Unauthenticated);
    }
    let refused = ali
        .call::<SendToClientsResponse>("SendToClients", &to_client("bea"))
        .await;
    assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);
    ali.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn nobody_subscribes_to_a_clients_own_channel() {
    let hub = Hub::builder().send_to_clients(Anyone).build().unwrap();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    let bea = Peer::connect(&server).await;
    for own in [bea.greeting.own_channel.clone(), ali.greeting.own_channel.clone()] {
        let refused = ali.try_subscribe(&own).await.refused.unwrap();
        assert_eq!(Code::from_i32(refused.code), Code::PermissionDenied);
    }
}

#[tokio::test(start_paused = true)]
async fn the_server_sends_to_one_client_to_users_to_all_and_to_the_anonymous() {
    let hub = Hub::default();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    let mut bea = Peer::connect_as(&server, "bea").await;
    let mut anonymous = Peer::connect(&server).await;
    assert_eq!(
        hub.client(ali.id()).publish(&said("one")).await.unwrap().reached,
        Some(1)
    );
    assert_eq!(
        hub.users(["ali", "bea"])
            .publish(&said("users"))
            .await
            .unwrap()
            .reached,
        Some(2)
    );
    assert_eq!(hub.all().publish(&said("all")).await.unwrap().reached, Some(3));
    assert_eq!(
        hub.all()
            .except(bea.id())
            .publish(&said("most"))
            .await
            .unwrap()
            .reached,
        Some(2)
    );
    assert_eq!(
        hub.anonymous().publish(&said("anonymous")).await.unwrap().reached,
        Some(1)
    );
    let heard = async |peer: &mut Peer, texts: &[&str]| {
        for text in texts {
            assert_eq!(peer.hears::<Said>().await, said(text));
        }
        peer.hears_nothing().await;
    };
    heard(&mut ali, &["one", "users", "all", "most"]).await;
    heard(&mut bea, &["users", "all"]).await;
    heard(&mut anonymous, &["all", "most", "anonymous"]).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_to_all_reaches_nobody_who_has_still_to_log_in() {
    let hub = Hub::default();
    let endpoint = Endpoint::new().authenticator(Named).require_authentication();
    let server = builder(&hub).endpoint("/known", endpoint).build().unwrap();
    let at = |path: &str| {
        let request = http::Request::get(path).body(()).unwrap();
        ConnectInfo::from_request(&request)
    };
    let mut ali = Peer::connect_with(&server, at("/known")).await;
    let mut open = Peer::connect(&server).await;
    for (all, anonymous) in [(1, 1), (2, 1)] {
        let to_all = hub.all().publish(&said("all")).await.unwrap();
        let to_anonymous = hub.anonymous().publish(&said("anonymous")).await.unwrap();
        assert_eq!(
            (to_all.reached, to_anonymous.reached),
            (Some(all), Some(anonymous))
        );
        assert_eq!(open.hears::<Said>().await, said("all"));
        assert_eq!(open.hears::<Said>().await, said("anonymous"));
        if all == 1 {
            ali.hears_nothing().await;
            ali.become_user("ali").await;
        }
    }
    assert_eq!(ali.hears::<Said>().await, said("all"));
    ali.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn several_channels_and_clients_are_reached_together_and_who_is_named_twice_once() {
    let hub = Hub::builder()
        .namespace(Namespace::<(u64,)>::new("room:{id}").subscribe(Anyone))
        .build()
        .unwrap();
    let server = serve(&hub);
    let mut peers = Vec::new();
    for user in ["ali", "bea"] {
        let mut peer = Peer::connect_as(&server, user).await;
        peer.subscribe("room:1").await;
        peers.push(peer);
    }
    peers[1].subscribe("room:2").await;
    let ids = [peers[0].id(), peers[1].id(), peers[0].id()];
    let reached = async |to: To| to.publish(&said("x")).await.unwrap().reached;
    assert_eq!(reached(hub.channels(["room:1", "room:2"])).await, Some(3));
    assert_eq!(reached(hub.clients(ids)).await, Some(2));
    assert_eq!(reached(hub.users(["bea", "ali", "bea"])).await, Some(2));
    for (peer, times) in peers.iter_mut().zip([3, 4]) {
        for _ in 0..times {
            assert_eq!(peer.hears::<Said>().await, said("x"));
        }
        peer.hears_nothing().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_is_not_for_any_of_many_that_it_leaves_out() {
    let hub = Hub::builder()
        .namespace(Namespace::<()>::new("news").subscribe(Anyone))
        .build()
        .unwrap();
    let server = serve(&hub);
    let mut peers = Vec::new();
    for _ in 0..12 {
        let mut peer = Peer::connect_as(&server, "ali").await;
        peer.subscribe("news").await;
        peers.push(peer);
    }
    let all_but_two: Vec<_> = peers[2..].iter().map(Peer::id).collect();
    assert!(all_but_two.len() > 8, "so many are looked up");
    let to = hub.channel("news").except_all(all_but_two);
    assert_eq!(to.publish(&said("for two")).await.unwrap().reached, Some(2));
    for (number, peer) in peers.iter_mut().enumerate() {
        if number < 2 {
            assert_eq!(peer.hears::<Said>().await, said("for two"));
        }
        peer.hears_nothing().await;
    }
}

#[tokio::test(start_paused = true)]
async fn no_client_says_what_is_the_hubs_own_to_say() {
    let hub = Hub::builder()
        .namespace(Namespace::<()>::new("open").subscribe(Anyone).publish(Anyone))
        .send_to_users(Anyone)
        .send_to_clients(Anyone)
        .build()
        .unwrap();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    let mut bea = Peer::connect_as(&server, "bea").await;
    bea.subscribe("open").await;
    let (id, own) = (bea.greeting.client_id.clone(), bea.greeting.own_channel.clone());
    for event in [
        typed(&Subscribed::default()),
        typed(&Unsubscribed::default()),
        typed(&Joined::default()),
        typed(&Left::default()),
    ] {
        for channel in ["open", own.as_str()] {
            let request = PublishRequest {
                channel: channel.to_owned(),
                event: event.clone(),
                ..PublishRequest::default()
            };
            let refused = ali.call::<PublishResponse>("Publish", &request).await;
            assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument, "{event:?}");
        }
        let request = SendToUsersRequest {
            event: event.clone(),
            ..to_users(&["bea"])
        };
        let refused = ali.call::<SendToUsersResponse>("SendToUsers", &request).await;
        assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument, "{event:?}");
        let request = SendToClientsRequest {
            event,
            ..to_client(&id)
        };
        let refused = ali.call::<SendToClientsResponse>("SendToClients", &request).await;
        assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);
    }
    bea.hears_nothing().await;
}
