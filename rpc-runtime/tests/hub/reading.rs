//! Reading history, and the rights to read.

use std::time::{Duration, SystemTime};

use rpc_runtime::{
    Code, Contract,
    hub::{Anyone, Asks, Hub, Namespace, Retention, Users},
    services::hub::{ChannelPosition, HistoryRequest, HistoryResponse, PresenceRequest, PresenceResponse},
};

use crate::common::{Peer, Said, client_as, no, rooms, said, serve};

fn of(channel: &str) -> HistoryRequest {
    HistoryRequest {
        channel: channel.to_owned(),
        ..HistoryRequest::default()
    }
}

fn offsets(response: &HistoryResponse) -> Vec<u64> {
    response.events.iter().map(|event| event.offset).collect()
}

#[tokio::test(start_paused = true)]
async fn history_is_read_after_a_position_before_an_offset_from_either_end_and_in_pages() {
    let hub = Hub::builder().namespace(rooms()).build().unwrap();
    let server = serve(&hub);
    let client = client_as(&server, "ali").await;
    for number in 1..=10 {
        hub.channel("room:5")
            .publish(&said(&number.to_string()))
            .await
            .unwrap();
    }
    let read = async |request| client.history(request).await.unwrap();
    let all = read(of("room:5")).await;
    let position = all.position.unwrap();
    assert_eq!(offsets(&all), (1..=10).collect::<Vec<_>>());
    assert_eq!((position.offset, all.more, all.complete), (10, false, true));
    assert_eq!(all.events[0].type_name, Said::FULL_NAME);
    let after = |offset| Some(ChannelPosition { offset, ..position });
    let page = read(HistoryRequest {
        after: after(3),
        limit: 3,
        ..of("room:5")
    })
    .await;
    assert_eq!(
        (offsets(&page), page.more, page.complete),
        (vec![4, 5, 6], true, true)
    );
    let page = read(HistoryRequest {
        before: 4,
        newest_first: true,
        limit: 2,
        ..of("room:5")
    })
    .await;
    assert_eq!((offsets(&page), page.more), (vec![3, 2], true));
    let page = read(HistoryRequest {
        after: after(11),
        ..of("room:5")
    })
    .await;
    assert_eq!((offsets(&page), page.complete), (vec![], false));
    let forged = Some(ChannelPosition {
        epoch: position.epoch ^ 1,
        offset: 1,
    });
    let page = read(HistoryRequest {
        after: forged,
        ..of("room:5")
    })
    .await;
    assert_eq!((offsets(&page), page.complete), (vec![], false));
    let now = SystemTime::now() + Duration::from_secs(60);
    let page = read(HistoryRequest {
        since: Some(now),
        ..of("room:5")
    })
    .await;
    assert_eq!(offsets(&page), [0; 0]);
    let page = read(HistoryRequest {
        until: Some(now),
        limit: 1,
        ..of("room:5")
    })
    .await;
    assert_eq!(offsets(&page), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_page_is_no_longer_than_the_client_takes_and_says_that_there_is_more() {
    let hub = Hub::builder().namespace(rooms()).build().unwrap();
    let server = serve(&hub);
    for _ in 1..=10 {
        hub.channel("room:5")
            .publish(&said(&"x".repeat(1_000)))
            .await
            .unwrap();
    }
    let mut ali = Peer::connect_as(&server, "ali").await;
    ali.announce(5_000).await;
    let mut read = Vec::new();
    let mut request = of("room:5");
    loop {
        let page: HistoryResponse = ali.call("History", &request).await.unwrap();
        read.extend(offsets(&page));
        assert!(page.complete && !page.events.is_empty());
        if !page.more {
            break;
        }
        let position = page.position.unwrap();
        let offset = page.events.last().unwrap().offset;
        request.after = Some(ChannelPosition { offset, ..position });
    }
    assert_eq!(read, (1..=10).collect::<Vec<_>>());
    // One that does not fit at all is told, and not left out.
    let mut ali = Peer::connect_as(&server, "ali").await;
    ali.announce(1_000).await;
    let refused = ali
        .call::<HistoryResponse>("History", &of("room:5"))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
}

#[tokio::test(start_paused = true)]
async fn a_channel_without_history_has_no_position_and_no_events() {
    let news = Namespace::<()>::new("news").subscribe(Anyone).history(Anyone);
    let hub = Hub::builder().namespace(news).build().unwrap();
    let server = serve(&hub);
    hub.channel("news").publish(&said("")).await.unwrap();
    let client = client_as(&server, "ali").await;
    let read = client.history(of("news")).await.unwrap();
    assert_eq!((read.position, read.events.len()), (None, 0));
}

#[tokio::test(start_paused = true)]
async fn reading_without_the_right_is_refused_in_the_same_bytes_as_where_no_channel_is() {
    let closed = Namespace::<()>::new("closed")
        .subscribe(Users)
        .history(|_: &Asks, (): &()| no())
        .presence(|_: &Asks, (): &()| no())
        .keep(Retention::of(10, Duration::from_secs(60)));
    let undeclared = Namespace::<()>::new("undeclared").subscribe(Users);
    let hub = Hub::builder()
        .namespace(closed)
        .namespace(undeclared)
        .build()
        .unwrap();
    let server = serve(&hub);
    hub.channel("closed").publish(&said("secret")).await.unwrap();
    let mut ali = Peer::connect_as(&server, "ali").await;
    ali.subscribe("closed").await;
    let mut answers = Vec::new();
    for channel in ["closed", "undeclared", "nowhere"] {
        let refused = ali
            .call::<HistoryResponse>("History", &of(channel))
            .await
            .unwrap_err();
        answers.push(format!("{refused:?}"));
        let request = PresenceRequest {
            channel: channel.to_owned(),
            counts_only: true,
            ..PresenceRequest::default()
        };
        let refused = ali
            .call::<PresenceResponse>("Presence", &request)
            .await
            .unwrap_err();
        answers.push(format!("{refused:?}"));
    }
    assert!(answers[0].contains("there is no such channel"), "{}", answers[0]);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_for_a_client_is_not_in_the_history_that_it_reads_and_pages_go_on_behind_it() {
    let hub = Hub::builder().namespace(rooms()).build().unwrap();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    let mut bea = Peer::connect_as(&server, "bea").await;
    for number in 1..=6 {
        let to = hub.channel("room:5");
        let to = if number % 2 == 0 { to.except(ali.id()) } else { to };
        to.publish(&said(&number.to_string())).await.unwrap();
    }
    let read = async |peer: &mut Peer, request: HistoryRequest| {
        peer.call::<HistoryResponse>("History", &request).await.unwrap()
    };
    let all = read(&mut ali, of("room:5")).await;
    assert_eq!(
        (offsets(&all), all.complete, all.last_offset),
        (vec![1, 3, 5], true, 6)
    );
    let all = read(&mut bea, of("room:5")).await;
    assert_eq!(offsets(&all), [1, 2, 3, 4, 5, 6]);
    // A page of which nothing is for it says where to read on.
    let position = all.position.unwrap();
    let page = HistoryRequest {
        after: Some(ChannelPosition {
            offset: 1,
            ..position
        }),
        limit: 1,
        ..of("room:5")
    };
    let page = read(&mut ali, page).await;
    assert_eq!((offsets(&page), page.more, page.last_offset), (vec![], true, 2));
    let page = HistoryRequest {
        before: 7,
        limit: 1,
        newest_first: true,
        ..of("room:5")
    };
    let page = read(&mut ali, page).await;
    assert_eq!((offsets(&page), page.more, page.last_offset), (vec![], true, 6));
    // Nor is it given when it recovers.
    let answer = ali
        .recover(
            "room:5",
            ChannelPosition {
                offset: 0,
                ..position
            },
        )
        .await;
    let recovered: Vec<_> = answer.events.iter().map(|event| event.offset).collect();
    assert_eq!((answer.recovered, recovered), (Some(true), vec![1, 3, 5]));
}
