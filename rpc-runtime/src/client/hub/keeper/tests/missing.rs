//! What is missed while a subscription goes on: jumps, what the server has dropped, and the gaps that a program is told of.

use super::*;

#[test]
fn what_is_held_before_the_answer_is_bounded_and_the_rest_is_asked_for() {
    let hub = Hub::new();
    let (inbox, _told) = hub.add(None);
    let batch = hub.asks().unwrap();
    for offset in 1..=3_000 {
        hub.event(1, NUMBER, offset);
    }
    hub.answer(1, batch, answer(0, None, []));
    assert!(waiting(&inbox).into_iter().eq(1..=1_024));
    let batch = hub.asks().unwrap();
    assert_eq!(Hub::since(&batch), Some(1_024));
    // Held until that is answered.
    hub.event(1, NUMBER, 3_001);
    assert!(waiting(&inbox).is_empty());
    hub.answer(1, batch, answer(3_000, Some(true), 1_025..=3_000));
    assert!(waiting(&inbox).into_iter().eq(1_025..=3_001));
    assert!(hub.asks().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_jump_is_asked_about_at_most_every_tenth_of_a_second() {
    let hub = Hub::new();
    let (inbox, _told) = hub.add(None);
    hub.answer(1, hub.asks().unwrap(), answer(0, None, []));
    let mut asked = 0;
    for offset in (2..400).step_by(2) {
        hub.event(1, NUMBER, offset);
        if let Some(batch) = hub.asks() {
            asked += 1;
            let since = Hub::since(&batch).unwrap();
            hub.answer(
                1,
                batch,
                answer(offset, Some(true), (since + 2..=offset).step_by(2)),
            );
        }
        tokio::time::advance(Duration::from_millis(10)).await;
    }
    tokio::time::advance(CHECK_EVERY).await;
    if let Some(batch) = hub.asks() {
        let since = Hub::since(&batch).unwrap();
        hub.answer(1, batch, answer(398, Some(true), (since + 2..=398).step_by(2)));
    }
    assert!((18..=22).contains(&asked), "{asked}");
    let given = waiting(&inbox);
    assert!(given.iter().copied().eq((2..=398).step_by(2)), "{given:?}");
}

#[test]
fn gaps_that_follow_each_other_are_one_and_an_unread_inbox_does_not_grow() {
    let hub = Hub::new();
    let (inbox, _told) = hub.add(None);
    let wire = SubscribeAnswer {
        number: NUMBER,
        ..SubscribeAnswer::default()
    };
    hub.answer(1, hub.asks().unwrap(), wire.clone());
    for link in 2..100 {
        hub.cell.begins(link);
        hub.answer(link, hub.asks().unwrap(), wire.clone());
    }
    assert_eq!(inbox.len(), 1);
    match inbox.poll_take(&Context::from_waker(Waker::noop())).0 {
        Poll::Ready(Taken::Item(Item::Gap(gap))) => assert_eq!(gap.cause, GapCause::NoHistory),
        other => panic!("no gap: {other:?}"),
    }
}

impl Hub {
    /// The server has dropped events of the channel.
    fn dropped(&self, count: u64) {
        let frame = EventFrame {
            channel: NUMBER,
            type_name: Dropped::FULL_NAME.to_owned(),
            body: prost::Message::encode_to_vec(&Dropped { count }).into(),
            ..EventFrame::default()
        };
        self.cell.on_event(1, frame, &mut Vec::new());
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_for_one_subscription_is_none_for_another_that_is_beyond_it() {
    let hub = Hub::new();
    let (ahead, _told) = hub.add(None);
    hub.answer(1, hub.asks().unwrap(), answer(4, None, []));
    let (behind, _told) = hub.add(Some(at(3)));
    let batch = hub.asks().unwrap();
    assert_eq!(Hub::since(&batch), Some(3));
    // Of behind the answer that is on its way, and then one that is not the next.
    hub.event(1, NUMBER, 5);
    hub.event(1, NUMBER, 7);
    tokio::time::advance(CHECK_EVERY).await;
    hub.answer(1, batch, answer(4, Some(true), [4]));
    let mut seen = [waiting(&ahead), waiting(&behind)];
    while let Some(batch) = hub.asks() {
        let since = Hub::since(&batch).unwrap();
        hub.answer(1, batch, answer(7, Some(true), since + 1..=7));
        seen[0].extend(waiting(&ahead));
        seen[1].extend(waiting(&behind));
        tokio::time::advance(CHECK_EVERY).await;
    }
    assert_eq!(seen, [vec![5, 6, 7], vec![4, 5, 6, 7]]);
}

#[tokio::test(start_paused = true)]
async fn what_the_server_says_it_has_dropped_is_asked_for_at_once_and_once() {
    let hub = Hub::new();
    let (inbox, _told) = hub.add(None);
    hub.answer(1, hub.asks().unwrap(), answer(5, None, []));
    hub.dropped(3);
    let batch = hub.asks().expect("no later event has to come");
    assert_eq!(Hub::since(&batch), Some(5));
    hub.answer(1, batch, answer(8, Some(true), [6, 7, 8]));
    assert_eq!(waiting(&inbox), [6, 7, 8]);
    assert!(hub.asks().is_none());
    // One that comes while the server is asked may be of what its answer does not have.
    hub.event(1, NUMBER, 10);
    tokio::time::advance(CHECK_EVERY).await;
    let batch = hub.asks().unwrap();
    hub.dropped(1);
    hub.answer(1, batch, answer(10, Some(true), [9, 10]));
    assert_eq!(waiting(&inbox), [9, 10]);
    tokio::time::advance(CHECK_EVERY).await;
    let batch = hub.asks().expect("what was dropped meanwhile is asked for");
    assert_eq!(Hub::since(&batch), Some(10));
    hub.answer(1, batch, answer(11, Some(true), [11]));
    assert_eq!(waiting(&inbox), [11]);
    assert!(hub.asks().is_none());
}

#[tokio::test(start_paused = true)]
async fn what_the_server_has_dropped_in_a_channel_without_history_is_a_gap() {
    let hub = Hub::new();
    let (inbox, _told) = hub.add(None);
    let begun = SubscribeAnswer {
        number: NUMBER,
        ..SubscribeAnswer::default()
    };
    hub.answer(1, hub.asks().unwrap(), begun);
    hub.event(1, NUMBER, 0);
    hub.dropped(3);
    hub.event(1, NUMBER, 0);
    assert!(hub.asks().is_none());
    let items: Vec<_> = std::iter::from_fn(|| match inbox.poll_take(&Context::from_waker(Waker::noop())).0 {
        Poll::Ready(Taken::Item(item)) => Some(item),
        _ => None,
    })
    .collect();
    let [Item::Event { .. }, Item::Gap(gap), Item::Event { .. }] = &items[..] else {
        panic!("{items:?}");
    };
    assert_eq!((gap.missed, gap.cause), (Some(3), GapCause::NotRead));
}
