//! What all channels may take together, what one publisher may, and who is refused then.

use super::{
    super::{ledger::Ledger, people::MEMBER, topic::Topic},
    *,
};
use crate::hub::broker::Publisher;

fn by(user: &str, publication: Publication) -> Publication {
    Publication {
        origin: Origin::User(user.into()),
        ..publication
    }
}

fn is_of_publisher(refused: &Result<Receipt, BrokerError>) -> bool {
    matches!(refused, Err(BrokerError::AccountFull(_)))
}

#[tokio::test(start_paused = true)]
async fn one_channel_more_than_there_may_be_is_refused_until_another_is_over() {
    let (broker, given) = started(LocalBroker::default().most_channels(100));
    for number in 0..100 {
        let channel = name(format!("room:{number}"));
        broker.publish(&channel, &KEEP, text("text")).await.unwrap();
    }
    let more = name("room:more");
    let refused = broker.publish(&more, &KEEP, text("text")).await;
    assert!(matches!(refused, Err(BrokerError::Full(_))), "{refused:?}");
    assert_eq!(given.0.lock().unwrap().len(), 100, "nothing is delivered of it");
    assert!(broker.subscribe(&more, &KEEP).await.is_err());
    assert!(broker.join(&more, member("a")).await.is_err());
    // What keeps nothing needs no place, and those that have one go on.
    broker
        .publish(&more, &Retention::NONE, text("text"))
        .await
        .unwrap();
    broker
        .publish(&name("room:5"), &KEEP, text("text"))
        .await
        .unwrap();
    tokio::time::advance(Duration::from_secs(61)).await;
    broker.publish(&more, &KEEP, text("text")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn channels_take_no_more_memory_together_than_they_may() {
    let most = 10 * (TOPIC + 6 + TEXT);
    let (broker, given) = started(LocalBroker::default().most_history_bytes(most));
    for number in 0..10 {
        let channel = name(format!("room:{number}"));
        broker.publish(&channel, &KEEP, text("text")).await.unwrap();
    }
    for channel in ["room:1", "room:more"].map(name) {
        let refused = broker.publish(&channel, &KEEP, text("text")).await;
        assert!(matches!(refused, Err(BrokerError::Full(_))), "{refused:?}");
        assert!(broker.join(&channel, member("a")).await.is_err());
    }
    assert_eq!(given.0.lock().unwrap().len(), 10, "nothing is delivered of it");
    tokio::time::advance(Duration::from_secs(61)).await;
    // Nobody has to look at them before: what is over makes room.
    for number in 0..10 {
        let channel = name(format!("next:{number}"));
        broker.publish(&channel, &KEEP, text("text")).await.unwrap();
    }
    assert!(broker.shelf.room.weight() <= most);
}

#[tokio::test(start_paused = true)]
async fn everything_that_a_channel_holds_counts_and_counts_no_more_once_it_is_gone() {
    let (broker, _given) = started(LocalBroker::default());
    let channel = name("room:1");
    let publication = Publication {
        id: Some("id".into()),
        key: Some("k".repeat(100).into()),
        publisher: Some(Publisher {
            client: member("a").client,
            user: Some("u".repeat(200).into()),
        }),
        except: Arc::from([member("a").client; 50]),
        ..by("ali", text("text"))
    };
    broker.publish(&channel, &KEEP, publication).await.unwrap();
    let weight = broker.shelf.room.weight();
    assert!(weight >= TOPIC + TEXT + 2 + 100 + 200 + 50 * 16, "{weight}");
    let says = Member {
        user: Some("u".repeat(300).into()),
        data: Some(("test.Text".into(), Bytes::from(vec![0; 4_096]))),
        ..member("b")
    };
    broker.join(&channel, says.clone()).await.unwrap();
    let with_member = broker.shelf.room.weight();
    assert_eq!(with_member, weight + MEMBER + 300 + 9 + 4_096);
    // It says less.
    broker.join(&channel, member("b")).await.unwrap();
    assert_eq!(broker.shelf.room.weight(), weight + MEMBER);
    broker.leave(&channel, says.client).await.unwrap();
    assert_eq!(broker.shelf.room.weight(), weight);
    tokio::time::advance(Duration::from_secs(61)).await;
    // Whoever looks at it sees that there is nothing any more; it begins anew.
    position(&broker, &channel).await;
    assert_eq!(broker.shelf.room.weight(), TOPIC + 6);
    assert_eq!(broker.shelf.ledger.len(), 0);
}

/// Sizes of today: a channel, or an account, that grows is to be counted for more.
#[test]
fn what_is_counted_is_no_less_than_what_is_taken() {
    assert!(TOPIC >= size_of::<Topic>() + 2 * size_of::<(Instant, ChannelName)>() + 128);
    assert!(EVENT >= size_of::<Published>() + 2 * size_of::<(Instant, Arc<Published>)>() + 64);
    assert!(MEMBER >= 2 * size_of::<Member>() + 64);
    assert!(size_of::<Ledger>() < 4_096);
}

#[tokio::test(start_paused = true)]
async fn one_publisher_who_takes_all_that_one_may_leaves_room_for_the_others() {
    let broker = LocalBroker::default()
        .most_channels(1_000)
        .most_of_one_account(50, 1 << 20);
    let (broker, given) = started(broker);
    for number in 0..50 {
        let channel = name(format!("room:{number}"));
        broker
            .publish(&channel, &KEEP, by("mallory", text("text")))
            .await
            .unwrap();
    }
    let more = name("room:more");
    let refused = broker.publish(&more, &KEEP, by("mallory", text("text"))).await;
    assert!(is_of_publisher(&refused), "{refused:?}");
    assert_eq!(given.0.lock().unwrap().len(), 50, "nothing is delivered of it");
    // In the channels that it has it goes on, and others begin channels of their own; so does the program.
    broker
        .publish(&name("room:5"), &KEEP, by("mallory", text("text")))
        .await
        .unwrap();
    broker
        .publish(&more, &KEEP, by("ali", text("text")))
        .await
        .unwrap();
    for number in 0..100 {
        let channel = name(format!("server:{number}"));
        broker.publish(&channel, &KEEP, text("text")).await.unwrap();
    }
    // And in a channel that somebody else has begun.
    broker
        .publish(&more, &KEEP, by("mallory", text("text")))
        .await
        .unwrap();
    tokio::time::advance(Duration::from_secs(61)).await;
    broker
        .publish(&name("room:new"), &KEEP, by("mallory", text("text")))
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_publisher_takes_no_more_bytes_of_all_histories_than_one_may() {
    let broker = LocalBroker::default().most_of_one_account(50, 100_000);
    let (broker, _given) = started(broker);
    let long = || by("mallory", text(&"x".repeat(10_000)));
    let mut stored = 0;
    let refused = loop {
        let channel = name(format!("room:{}", stored % 3));
        match broker.publish(&channel, &KEEP, long()).await {
            Ok(_) => stored += 1,
            refused => break refused,
        }
    };
    assert!(is_of_publisher(&refused), "{refused:?}");
    assert_eq!(stored, 9);
    broker
        .publish(&name("room:0"), &KEEP, by("ali", text("text")))
        .await
        .unwrap();
    // What history lets go of is given back, however it goes: here by the number of events that is kept.
    for _ in 0..10 {
        broker
            .publish(&name("room:0"), &KEEP, text("text"))
            .await
            .unwrap();
    }
    broker.publish(&name("room:1"), &KEEP, long()).await.unwrap();
    tokio::time::advance(Duration::from_secs(61)).await;
    for number in 0..3 {
        position(&broker, &name(format!("room:{number}"))).await;
    }
    assert_eq!(broker.shelf.ledger.len(), 0, "nobody has anything in a history");
}

#[tokio::test(start_paused = true)]
async fn what_presence_says_of_a_users_clients_is_on_the_users_account_until_they_leave() {
    let broker = LocalBroker::default().most_of_one_account(50, 100_000);
    let (broker, _given) = started(broker);
    let of = |user: &str, client: usize, length: usize| Member {
        user: Some(user.into()),
        data: Some(("test.Text".into(), Bytes::from(vec![0; length]))),
        ..member(&client.to_string())
    };
    let mut joined = 0;
    let refused = loop {
        let channel = name(format!("room:{}", joined % 3));
        match broker.join(&channel, of("mallory", joined, 10_000)).await {
            Ok(change) => assert!(change.changed),
            refused => break refused,
        }
        joined += 1;
    };
    assert!(matches!(refused, Err(BrokerError::AccountFull(_))), "{refused:?}");
    assert_eq!(joined, 9);
    let refused = broker
        .publish(&name("room:9"), &KEEP, by("mallory", text(&"x".repeat(10_000))))
        .await;
    assert!(is_of_publisher(&refused), "{refused:?}");
    // Whoever was refused is not there, and nobody else is concerned.
    let everybody = MembersQuery {
        after: None,
        limit: 9,
    };
    assert_eq!(
        broker.members(&name("room:0"), &everybody).await.unwrap().clients,
        3
    );
    broker
        .join(&name("room:0"), of("ali", 100, 10_000))
        .await
        .unwrap();
    broker.join(&name("room:0"), member("101")).await.unwrap();
    // Who is there already may say as much, less, and as much again, and become somebody else.
    for (user, length) in [
        ("mallory", 10_000),
        ("mallory", 1),
        ("mallory", 10_000),
        ("bea", 10_000),
    ] {
        broker.join(&name("room:0"), of(user, 0, length)).await.unwrap();
    }
    broker
        .join(&name("room:0"), of("mallory", 9, 10_000))
        .await
        .unwrap();
    for client in (0..10).chain([100, 101]) {
        for room in 0..3 {
            let client = member(&client.to_string()).client;
            broker.leave(&name(format!("room:{room}")), client).await.unwrap();
        }
    }
    assert_eq!(broker.shelf.ledger.len(), 0, "nobody is in a channel");
    assert_eq!(broker.shelf.room.held(), Taken::default());
}

#[tokio::test(start_paused = true)]
async fn those_who_listen_leave_a_quarter_of_the_broker_to_those_who_publish() {
    let (broker, _given) = started(LocalBroker::default().most_channels(100));
    for number in 0..75 {
        let channel = name(format!("room:{number}"));
        match number % 2 {
            0 => drop(broker.subscribe(&channel, &KEEP).await.unwrap()),
            _ => drop(broker.join(&channel, member("a")).await.unwrap()),
        }
    }
    let more = name("room:more");
    assert!(matches!(
        broker.subscribe(&more, &KEEP).await,
        Err(BrokerError::Full(_))
    ));
    assert!(matches!(
        broker.join(&more, member("a")).await,
        Err(BrokerError::Full(_))
    ));
    // Those that are listened to already can be by others.
    broker.subscribe(&name("room:0"), &KEEP).await.unwrap();
    broker.join(&name("room:0"), member("b")).await.unwrap();
    for number in 0..25 {
        let channel = name(format!("published:{number}"));
        broker.publish(&channel, &KEEP, text("text")).await.unwrap();
    }
    broker.unsubscribe(&name("room:2")).await.unwrap();
    broker.subscribe(&more, &KEEP).await.unwrap();

    // So it is with memory.
    let most = 100 * (TOPIC + MEMBER + 6);
    let (broker, _given) = started(LocalBroker::default().most_history_bytes(most));
    let mut joined = 0;
    while broker
        .join(&name(format!("room:{joined}")), member("a"))
        .await
        .is_ok()
    {
        joined += 1;
    }
    assert!((70..=76).contains(&joined), "{joined}");
    for _ in 0..10 {
        broker
            .publish(&name("room:1"), &KEEP, text("text"))
            .await
            .unwrap();
    }
    // Who is there already may say something else that is no longer, also where all the rest is taken.
    let mut refused = 0;
    for number in 0..200 {
        let channel = name(format!("more:{number}"));
        refused += usize::from(broker.publish(&channel, &KEEP, text("text")).await.is_err());
    }
    assert!((100..200).contains(&refused), "{refused}");
    broker.join(&name("room:0"), member("a")).await.unwrap();
    assert!(broker.join(&name("room:0"), member("b")).await.is_err());
}
