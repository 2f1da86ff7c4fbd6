//! What clients say of themselves for presence is validated where the namespace names its types.

use rpc_runtime::{
    Code, Limits, contract,
    hub::{Asks, Hub, Namespace, Users},
    services::hub::{SubscribeChannel, SubscribeRequest, SubscribeResponse, TypedMessage},
};

use crate::{
    common::{Peer, Said, builder, no, said, serve, to, typed},
    validating::{laid, with_body},
};

/// What others see of somebody at a board.
#[contract(package = "hubtest", detached)]
pub struct Card {
    #[field(max_len = 5)]
    pub doing: String,
}

fn card(doing: &str) -> TypedMessage {
    typed(&Card {
        doing: doing.to_owned(),
    })
}

/// Subscribes, with what presence is to say of the client. Gives the code and text of a refusal.
async fn enter(peer: &mut Peer, channel: &str, presence: TypedMessage) -> Result<(), (Code, String)> {
    let asked = SubscribeChannel {
        presence: Some(presence),
        ..to(channel)
    };
    match peer.ask(asked).await.refused {
        Some(refused) => Err((Code::from_i32(refused.code), refused.message)),
        None => Ok(()),
    }
}

#[tokio::test(start_paused = true)]
async fn what_presence_is_to_say_is_validated_where_its_type_is_named() {
    let hub = Hub::builder()
        .namespace(
            Namespace::<(u64,)>::new("board:{id}")
                .subscribe(Users)
                .presence(Users)
                .presence_data::<Card>(),
        )
        .namespace(
            Namespace::<()>::new("closed")
                .subscribe(|_: &Asks, (): &()| no())
                .presence_data::<Card>(),
        )
        .build()
        .unwrap();
    let server = serve(&hub);
    let mut ali = Peer::connect_as(&server, "ali").await;
    let wrong = [
        (
            typed(&said("hi")),
            "presence data is a `hubtest.Card` here, and this is a `hubtest.Said`",
        ),
        (
            card("sleeping"),
            "doing: must be at most 5 characters [string.max_len]",
        ),
        (
            with_body::<Card>(&[10, 9]),
            "the presence data does not decode, at field doing",
        ),
    ];
    for (presence, told) in &wrong {
        let refused = enter(&mut ali, "board:5", presence.clone()).await;
        assert_eq!(refused, Err((Code::InvalidArgument, (*told).to_owned())));
        // Who may not come in is told that, and no more.
        let (code, _) = enter(&mut ali, "closed", presence.clone()).await.unwrap_err();
        assert_eq!(code, Code::PermissionDenied);
    }
    let there = || async {
        let members = hub.members("board:5").await.unwrap();
        members.into_iter().map(|member| member.data).collect::<Vec<_>>()
    };
    assert_eq!(there().await, []);
    assert_eq!(enter(&mut ali, "board:5", card("plays")).await, Ok(()));
    let plays = there().await;
    assert_eq!(plays.len(), 1);
    assert!(plays[0].is_some());
    // Whoever is refused something else stays as it was.
    for (presence, told) in wrong {
        let refused = enter(&mut ali, "board:5", presence).await;
        assert_eq!(refused, Err((Code::InvalidArgument, told.to_owned())));
        assert_eq!(there().await, plays);
    }
    assert_eq!(enter(&mut ali, "board:5", card("waits")).await, Ok(()));
    assert_ne!(there().await, plays);
    // And who says nothing comes in as ever.
    let mut bea = Peer::connect_as(&server, "bea").await;
    bea.subscribe("board:5").await;
    assert_eq!(there().await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn presence_data_of_many_channels_is_no_fault_and_may_be_of_several_types() {
    let boards = Namespace::<(u64,)>::new("board:{id}")
        .subscribe(Users)
        .presence(Users)
        .presence_data::<Card>()
        .presence_data::<Said>();
    let hub = Hub::builder().namespace(boards).build().unwrap();
    let limits = Limits {
        // So little that everything is decoded on another thread.
        inline_elements: 0,
        ..Limits::default()
    };
    let server = builder(&hub).limits(limits).build().unwrap();
    let mut ali = Peer::connect_as(&server, "ali").await;
    for presence in [card("plays"), typed(&said("of another type"))] {
        assert_eq!(enter(&mut ali, "board:5", presence).await, Ok(()));
    }
    let (_, told) = enter(&mut ali, "board:5", typed(&laid(1))).await.unwrap_err();
    assert_eq!(
        told,
        "presence data is a `hubtest.Card` or `hubtest.Said` here, and this is a `hubtest.Laid`"
    );
    // One mistake of a program, in as many channels as one call may name.
    let channels = (0..100).map(|number| SubscribeChannel {
        presence: Some(with_body::<Card>(&[10, 9])),
        ..to(&format!("board:{}", 100 + number))
    });
    let request = SubscribeRequest {
        channels: channels.collect(),
    };
    let response: SubscribeResponse = ali.call("Subscribe", &request).await.unwrap();
    for answer in response.answers {
        let refused = answer.refused.unwrap();
        assert_eq!(
            refused.message,
            "the presence data does not decode, at field doing"
        );
    }
    ali.subscribe("board:6").await;
}
