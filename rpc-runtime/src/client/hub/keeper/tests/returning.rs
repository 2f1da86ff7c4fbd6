//! A client that comes back, to its session or to a channel: what was on its way meanwhile is neither taken for something else nor missed.

use bytes::Bytes;

use super::*;
use crate::services::hub::TypedMessage;

fn of_epoch(epoch: u64, offset: u64) -> Position {
    Position { epoch, offset }
}

/// The server has subscribed the client.
fn subscribed(position: Option<Position>) -> Subscribed {
    Subscribed {
        channel: "room:5".to_owned(),
        number: NUMBER,
        position: position.map(told_position),
        snapshot: None,
    }
}

/// What the program is given of what the server has subscribed it to.
fn untaken(hub: &Hub) -> Arc<Inbox> {
    let state = hub.core.lock();
    state
        .feeds
        .values()
        .next()
        .unwrap()
        .subs
        .last()
        .unwrap()
        .inbox
        .clone()
}

#[tokio::test(start_paused = true)]
async fn events_that_have_waited_since_before_another_history_are_not_taken_for_its_own() {
    let hub = Hub::new();
    let (inbox, _told) = hub.add(None);
    hub.answer(1, hub.asks().unwrap(), answer(1, None, []));
    hub.cell.begins(2);
    let next = EPOCH + 1;
    let later = |recovered| SubscribeAnswer {
        position: Some(told_position(of_epoch(next, 5))),
        frames_epoch: Some(EPOCH),
        ..answer(5, recovered, [])
    };
    hub.answer(2, hub.asks().unwrap(), later(Some(false)));
    assert_eq!(waiting(&inbox), [0]);
    hub.event(2, NUMBER, 6);
    assert_eq!(waiting(&inbox), [0; 0], "it is the sixth of the history before");
    while let Some(batch) = hub.asks() {
        assert_eq!(batch.asked[0].since, Some(of_epoch(next, 5)));
        hub.answer(2, batch, later(Some(true)));
        tokio::time::advance(CHECK_EVERY).await;
    }
    assert_eq!(waiting(&inbox), [0; 0]);
}

#[test]
fn a_subscription_of_the_servers_that_crosses_with_an_end_of_the_clients_is_asked_for() {
    let hub = Hub::new();
    let (inbox, _told) = hub.add(None);
    hub.answer(1, hub.asks().unwrap(), answer(1, None, []));
    let sub = hub.core.lock().feeds.values().next().unwrap().subs[0].id;
    drop(inbox);
    hub.core.leave("room:5", sub, None);
    let batch = hub.asks().unwrap();
    assert!(matches!(batch.asks, Asks::Unsubscribe(_)));
    hub.sent(&subscribed(Some(at(1))));
    hub.finish(1, batch, Ok(Answers::Unsubscribed));
    // Whether the server has taken the one before the other, the client cannot know.
    let batch = hub.asks().unwrap();
    assert!(matches!(batch.asks, Asks::Subscribe(_)));
    assert_eq!(Hub::since(&batch), Some(1));
}

#[test]
fn what_is_said_again_on_the_next_connection_of_a_session_was_said_before_what_is_lost() {
    for again in [0, 2] {
        let hub = Hub::new();
        hub.cell.greeted(1, true, again);
        // The first that is sent again is for nobody.
        hub.sent(&Dropped { count: 1 });
        hub.sent(&subscribed(None));
        let inbox = untaken(&hub);
        let plain = || SubscribeAnswer {
            number: NUMBER,
            ..SubscribeAnswer::default()
        };
        if let Some(batch) = hub.asks() {
            hub.answer(1, batch, plain());
        }
        let gap: &[u64] = if again > 0 { &[0] } else { &[] };
        assert_eq!(waiting(&inbox), gap, "{again} again");
        // And later, with nothing asked meanwhile.
        let id = hub.core.lock().feeds.values().next().unwrap().subs[0].id;
        hub.core.leave("room:5", id, None);
        let batch = hub.asks().unwrap();
        hub.finish(1, batch, Ok(Answers::Unsubscribed));
        hub.sent(&subscribed(None));
        assert!(hub.asks().is_none(), "it is told as it is");
        assert_eq!(waiting(&untaken(&hub)), [0; 0]);
    }
}

#[test]
fn nobody_begins_by_an_answer_that_may_be_older_than_an_end_and_has_a_gap_behind_the_next() {
    let hub = Hub::new();
    let plain = || SubscribeAnswer {
        number: NUMBER,
        ..SubscribeAnswer::default()
    };
    let (inbox, mut told) = hub.add(None);
    let batch = hub.asks().unwrap();
    hub.sent(&Unsubscribed {
        channel: "room:5".to_owned(),
        reason: None,
    });
    hub.event(1, NUMBER, 2);
    hub.answer(1, batch, plain());
    assert!(told.try_recv().is_err());
    hub.event(1, NUMBER, 3);
    hub.answer(1, hub.asks().unwrap(), plain());
    assert!(told.try_recv().unwrap().is_ok());
    hub.event(1, NUMBER, 4);
    // What came behind the first answer may have been before the end.
    assert_eq!(waiting(&inbox), [3, 4]);
    assert!(hub.asks().is_none());
}

#[test]
fn what_comes_before_and_behind_an_end_of_the_clients_is_not_put_together() {
    let hub = Hub::new();
    let plain = || SubscribeAnswer {
        number: NUMBER,
        ..SubscribeAnswer::default()
    };
    let (_inbox, _told) = hub.add(None);
    hub.answer(1, hub.asks().unwrap(), plain());
    let id = hub.core.lock().feeds.values().next().unwrap().subs[0].id;
    hub.core.leave("room:5", id, None);
    let batch = hub.asks().unwrap();
    hub.core.lock().again = 1;
    hub.sent(&subscribed(None));
    hub.event(1, NUMBER, 2);
    hub.finish(1, batch, Ok(Answers::Unsubscribed));
    hub.event(1, NUMBER, 3);
    hub.answer(1, hub.asks().unwrap(), plain());
    assert_eq!(waiting(&untaken(&hub)), [0, 3]);
}

#[test]
fn who_may_not_hear_a_channel_any_more_is_told_so_behind_what_it_has_not_read() {
    let cell = HubCell::new(1, 100 << 20);
    let core = cell.core().clone();
    cell.begins(1);
    let hub = Hub { cell, core };
    let (inbox, _told) = hub.add(None);
    hub.answer(1, hub.asks().unwrap(), answer(1, None, []));
    hub.event(1, NUMBER, 2);
    hub.event(1, NUMBER, 3);
    assert!(hub.asks().is_none(), "its program is to read first");
    hub.cell.begins(2);
    hub.cell.greeted(2, false, 0);
    let refused = SubscribeAnswer {
        refused: Some(Refused {
            code: 7,
            message: "not any more".to_owned(),
        }),
        ..SubscribeAnswer::default()
    };
    hub.answer(2, hub.asks().unwrap(), refused);
    match inbox.poll_take(&Context::from_waker(Waker::noop())).0 {
        Poll::Ready(Taken::Item(Item::Event { raw, .. })) => assert_eq!(raw.offset, 2),
        other => panic!("it has not read this: {other:?}"),
    }
    assert!(matches!(end(&inbox), Some(SubscriptionError::Refused(_))));
    assert!(hub.asks().is_none() && hub.core.lock().feeds.is_empty());
}

#[test]
fn what_a_program_says_of_itself_while_the_channel_is_asked_for_is_told_behind_the_answer_and_once() {
    let hub = Hub::new();
    let says = |text: &str| {
        let presence = TypedMessage {
            type_name: text.to_owned(),
            body: Bytes::new(),
        };
        let (first, told) = oneshot::channel();
        (hub.core.add("room:5", None, Some(presence), &[], first), told)
    };
    let said = |batch: &Batch| match &batch.asks {
        Asks::Subscribe(request) => request.channels[0].presence.clone().unwrap().type_name,
        Asks::Unsubscribe(_) => panic!("it is there"),
    };
    let _here = says("here");
    let batch = hub.asks().unwrap();
    assert_eq!(said(&batch), "here");
    let _away = says("away");
    hub.answer(1, batch, answer(1, None, []));
    let batch = hub.asks().unwrap();
    assert_eq!(said(&batch), "away");
    hub.answer(1, batch, answer(1, None, []));
    assert!(hub.asks().is_none());
    // Also where it is not taken.
    let (_, mut told) = says("nonsense");
    let refused = SubscribeAnswer {
        refused: Some(Refused {
            code: 3,
            message: "no".to_owned(),
        }),
        ..SubscribeAnswer::default()
    };
    hub.answer(1, hub.asks().unwrap(), refused);
    let refused = told.try_recv().unwrap().unwrap_err();
    assert_eq!(refused.code(), Some(crate::Code::InvalidArgument));
    let (batches, due) = hub.core.lock().asks(Instant::now());
    assert!(
        batches.is_empty() && due.is_none(),
        "it is not asked again, now or later"
    );
    // The others live on, with what was taken, also where all is asked for again.
    hub.cell.begins(2);
    let batch = hub.asks().unwrap();
    assert_eq!(said(&batch), "away");
    hub.answer(2, batch, answer(1, None, []));
    assert_eq!(hub.core.lock().feeds.values().next().unwrap().subs.len(), 2);
}

#[test]
fn what_a_program_says_of_itself_and_is_refused_ends_nobody_who_was_there() {
    let hub = Hub::new();
    let (inbox, _told) = hub.add(None);
    hub.answer(1, hub.asks().unwrap(), answer(1, None, []));
    hub.cell.begins(2);
    // It is asked for again for the one who was there and for the new one, in one question.
    let presence = TypedMessage {
        type_name: "nonsense".to_owned(),
        body: Bytes::new(),
    };
    let (first, mut told) = oneshot::channel();
    let _new = hub.core.add("room:5", None, Some(presence), &[], first);
    let refused = SubscribeAnswer {
        refused: Some(Refused {
            code: 3,
            message: "no".to_owned(),
        }),
        ..SubscribeAnswer::default()
    };
    hub.answer(2, hub.asks().unwrap(), refused);
    assert!(told.try_recv().unwrap().is_err());
    let (batches, due) = hub.core.lock().asks(Instant::now());
    assert!(batches.is_empty());
    let (mut batches, _) = hub.core.lock().asks(due.unwrap());
    let batch = batches.pop().unwrap();
    match &batch.asks {
        Asks::Subscribe(request) => assert_eq!(request.channels[0].presence, None),
        Asks::Unsubscribe(_) => panic!("it is there"),
    }
    hub.answer(2, batch, answer(2, Some(true), [2]));
    assert_eq!(waiting(&inbox), [2]);
}

#[test]
fn a_snapshot_behind_a_gap_has_the_room_that_there_was_in_front_of_it() {
    let cell = HubCell::new(1, 10);
    let core = cell.core().clone();
    cell.begins(1);
    let hub = Hub { cell, core };
    let (inbox, _told) = hub.add(None);
    hub.answer(1, hub.asks().unwrap(), answer(1, None, []));
    hub.cell.begins(2);
    let snapshot = EventRecord {
        offset: 5,
        type_name: "x.X".to_owned(),
        ..EventRecord::default()
    };
    let later = SubscribeAnswer {
        snapshot: Some(snapshot),
        ..answer(5, Some(false), [])
    };
    hub.answer(2, hub.asks().unwrap(), later);
    assert_eq!(waiting(&inbox), [0, 5]);
}
