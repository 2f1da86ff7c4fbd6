//! What the programs that this project learned from do with events, one test for each.

use std::{net::SocketAddr, time::Duration};

use axum::{Router, extract::State, routing::post};
use rpc_protocol::{
    FrameKind,
    frame::{Metadata, Request},
};
use rpc_runtime::{
    Client, Context, Server, Status,
    auth::Credential,
    contract,
    hub::{Anyone, DataChanged, Hub, NamedEvent, Namespace, Notification, Users},
    prost::Message as _,
    prost_types::Value,
    rpc,
    services::hub::{
        NotificationLevel, SendToClientsRequest, SendToUsersRequest, Subscribed, UnsubscribeRequest,
        Unsubscribed,
    },
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};

use crate::common::{Moved, Peer, Said, builder, client_as, rooms, said, serve, to, typed};

/// A walk through a graph: it reports where it is while it goes.
#[contract(package = "walk", detached)]
pub struct Walk {
    pub steps: i32,
}

struct Walker;

#[rpc("walk", detached)]
impl Walker {
    /// Walks, tells the caller of every step, and answers how far it came.
    #[message("Walk", method = "Go")]
    async fn go(&self, cx: &Context, data: Walk) -> Result<Walk, Status> {
        for to in 1..=data.steps {
            tokio::time::sleep(Duration::from_millis(10)).await;
            cx.notify(&Moved { to }).await?;
        }
        Ok(data)
    }

    /// The same, without an answer.
    #[message("Walk", method = "Wander", one_way)]
    async fn wander(&self, cx: &Context, data: Walk) -> Result<(), Status> {
        self.go(cx, data).await.map(drop)
    }

    /// Has the caller hear a channel that it may not subscribe to by itself.
    #[message("Walk", method = "Join")]
    async fn join(&self, cx: &Context, data: Walk) -> Result<Walk, Status> {
        let hub = cx.hub();
        hub.subscribe(cx.session(), "staff").await?;
        hub.channel("staff").publish(&said("come in")).await?;
        Ok(data)
    }

    /// And no more.
    #[message("Walk", method = "Part")]
    async fn part(&self, cx: &Context, data: Walk) -> Result<Walk, Status> {
        cx.hub()
            .unsubscribe(cx.session(), "staff", &Status::aborted("that is all"))?;
        cx.hub().channel("staff").publish(&said("unheard")).await?;
        Ok(data)
    }

    /// Tells others: a user, a channel, the client that the metadata names, all.
    #[message("Walk", method = "Tell")]
    async fn tell(&self, cx: &Context, data: Walk) -> Result<Walk, Status> {
        let hub = cx.hub();
        hub.user("bea").from(cx).publish(&said("to a user")).await?;
        hub.channel("room:5")
            .from(cx)
            .publish(&said("to a channel"))
            .await?;
        let client = cx.metadata().get("client").unwrap_or_default();
        let client = client
            .parse()
            .map_err(|_| Status::invalid_argument("no client"))?;
        hub.client(client).from(cx).publish(&said("to a client")).await?;
        hub.all()
            .except(cx.session().id())
            .publish(&said("to all others"))
            .await?;
        Ok(data)
    }
}

fn hub() -> Hub {
    Hub::builder()
        .namespace(rooms())
        .namespace(Namespace::<()>::new("lobby").subscribe(Anyone))
        .namespace(Namespace::<()>::new("staff"))
        .send_to_users(Users)
        .send_to_clients(Users)
        .build()
        .unwrap()
}

fn walking(hub: &Hub) -> Server {
    builder(hub).service(Walker).build().unwrap()
}

fn request(method: &str, steps: i32) -> Request {
    Request {
        method_name: format!("walk.WalkerService/{method}"),
        body: Walk { steps }.encode_to_vec().into(),
        one_way: method == "Wander",
        ..Request::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_is_answered_while_notifications_of_it_arrive() {
    let server = walking(&hub());
    let mut ali = Peer::connect(&server).await;
    ali.send(1, FrameKind::Request(request("Go", 3))).await;
    let answer = ali.answer(1).await.unwrap();
    assert_eq!(Walk::decode(answer).unwrap().steps, 3);
    assert!(ali.events.len() >= 2, "they do not wait for the answer");
    for step in 1..=3 {
        assert_eq!(ali.hears::<Moved>().await.to, step);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_without_an_answer_still_notifies_its_caller() {
    let server = walking(&hub());
    let mut ali = Peer::connect(&server).await;
    ali.send(1, FrameKind::Request(request("Wander", 3))).await;
    for step in 1..=3 {
        assert_eq!(ali.hears::<Moved>().await.to, step);
    }
    ali.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_has_its_caller_hear_a_channel_and_no_more() {
    let server = walking(&hub());
    let mut ali = Peer::connect(&server).await;
    let mut eve = Peer::connect(&server).await;
    assert!(ali.try_subscribe("staff").await.refused.is_some());
    ali.send(21, FrameKind::Request(request("Join", 0))).await;
    ali.answer(21).await.unwrap();
    assert_eq!(ali.hears::<Subscribed>().await.channel, "staff");
    assert_eq!(ali.hears::<Said>().await, said("come in"));
    ali.send(23, FrameKind::Request(request("Part", 0))).await;
    ali.answer(23).await.unwrap();
    let ended = ali.hears::<Unsubscribed>().await;
    assert_eq!(ended.reason.unwrap().message, "that is all");
    ali.hears_nothing().await;
    eve.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_notifies_a_user_a_channel_a_client_and_everybody_else() {
    let server = walking(&hub());
    let mut ali = Peer::connect_as(&server, "ali").await;
    let mut bea = Peer::connect_as(&server, "bea").await;
    ali.subscribe("room:5").await;
    bea.subscribe("room:5").await;
    let tell = Request {
        metadata: vec![Metadata::text("client", bea.greeting.client_id.clone())],
        ..request("Tell", 0)
    };
    ali.send(9, FrameKind::Request(tell)).await;
    ali.answer(9).await.unwrap();
    for text in ["to a user", "to a channel", "to a client", "to all others"] {
        assert_eq!(bea.hears::<Said>().await, said(text));
    }
    assert_eq!(ali.hears::<Said>().await, said("to a channel"));
    ali.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_notifies_a_user_a_client_and_a_channel_and_itself() {
    let server = serve(&hub());
    let ali = client_as(&server, "ali").await;
    let mut bea = Peer::connect_as(&server, "bea").await;
    bea.subscribe("room:5").await;
    let users = SendToUsersRequest {
        users: vec!["bea".to_owned()],
        event: typed(&said("user")),
        except_self: false,
    };
    ali.send_to_users(users).await.unwrap();
    let clients = SendToClientsRequest {
        clients: vec![bea.greeting.client_id.clone()],
        event: typed(&said("client")),
    };
    ali.send_to_clients(clients.clone()).await.unwrap();
    bea.publish("room:5", &said("channel and self")).await.unwrap();
    let own: rpc_runtime::services::hub::SendToClientsResponse =
        bea.call("SendToClients", &clients).await.unwrap();
    assert!(!own.id.is_empty());
    for text in ["user", "client", "channel and self", "client"] {
        assert_eq!(bea.hears::<Said>().await, said(text));
    }
}

#[tokio::test(start_paused = true)]
async fn broadcasts_reach_all_users_subscribers_or_one_client() {
    let hub = hub();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    let mut bea = Peer::connect_as(&server, "bea").await;
    let mut anonymous = Peer::connect(&server).await;
    anonymous.subscribe("lobby").await;
    ali.subscribe("lobby").await;
    hub.all().publish(&said("all")).await.unwrap();
    hub.users(["ali", "bea"]).publish(&said("users")).await.unwrap();
    hub.channel("lobby").publish(&said("subscribers")).await.unwrap();
    hub.client(bea.id()).publish(&said("one")).await.unwrap();
    for (peer, heard) in [
        (&mut ali, ["all", "users", "subscribers"].as_slice()),
        (&mut bea, &["all", "users", "one"]),
        (&mut anonymous, &["all", "subscribers"]),
    ] {
        for text in heard {
            assert_eq!(peer.hears::<Said>().await, said(text));
        }
        peer.hears_nothing().await;
    }
}

#[tokio::test(start_paused = true)]
async fn subscribing_and_unsubscribing_are_acknowledged() {
    let server = serve(&hub());
    let ali = client_as(&server, "ali").await;
    let request = rpc_runtime::services::hub::SubscribeRequest {
        channels: vec![to("lobby"), to("room:5")],
    };
    let answers = ali.subscribe(request).await.unwrap().answers;
    assert!(
        answers
            .iter()
            .all(|answer| answer.refused.is_none() && answer.number > 0)
    );
    let channels = vec!["lobby".to_owned(), "room:5".to_owned()];
    let answers = ali
        .unsubscribe(UnsubscribeRequest { channels })
        .await
        .unwrap()
        .answers;
    assert!(answers.iter().all(|answer| answer.was_subscribed));
}

#[tokio::test(start_paused = true)]
async fn the_ready_events_are_heard_as_they_were_made() {
    let hub = hub();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    let notification =
        Notification::warning("Disk", "It is nearly full.").action("Clean up", "clean", "disk-1");
    assert_eq!(notification.level, NotificationLevel::Warning);
    let changed = DataChanged::new("tasks", Value::from("all of them"));
    let named = NamedEvent::new("cursor", Value::from(5.0));
    hub.user("ali").publish(&notification).await.unwrap();
    hub.user("ali").publish(&changed).await.unwrap();
    hub.user("ali")
        .publish(&DataChanged::again("users"))
        .await
        .unwrap();
    hub.user("ali").publish(&named).await.unwrap();
    assert_eq!(ali.hears::<Notification>().await, notification);
    assert_eq!(ali.hears::<DataChanged>().await, changed);
    assert_eq!(ali.hears::<DataChanged>().await.data, None);
    assert_eq!(ali.hears::<NamedEvent>().await, named);
}

#[tokio::test]
async fn a_route_of_the_same_axum_application_notifies_users() {
    let hub = hub();
    let server = serve(&hub);
    async fn notify(State(hub): State<Hub>) -> String {
        let receipt = hub.user("ali").publish(&said("from a route")).await.unwrap();
        format!("{:?}", receipt.reached)
    }
    let application = Router::new()
        .route("/notify", post(notify))
        .with_state(server.hub())
        .route_service("/rpc", server.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let served = tokio::spawn(async move { axum::serve(listener, application).await });
    // By the same listener as the request, each over a socket of its own.
    let comes = async |user: &str| {
        let client = Client::builder(format!("ws://{address}/rpc")).credential(Credential::bearer(user));
        let client = client.connect().await.unwrap();
        let events = client.events::<Said>();
        client.greeted().await.unwrap();
        (client, events)
    };
    let ((_ali, mut of_ali), (_bea, mut of_bea)) = (comes("ali").await, comes("bea").await);
    let mut posted = TcpStream::connect(address).await.unwrap();
    posted
        .write_all(
            b"POST /notify HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        )
        .await
        .unwrap();
    let mut answer = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut posted, &mut answer)
        .await
        .unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("Some(1)"),
        "{answer}"
    );
    assert_eq!(of_ali.next().await.unwrap().unwrap().event, said("from a route"));
    hub.all().publish(&said("for all")).await.unwrap();
    for events in [&mut of_ali, &mut of_bea] {
        assert_eq!(events.next().await.unwrap().unwrap().event, said("for all"));
    }
    served.abort();
}
