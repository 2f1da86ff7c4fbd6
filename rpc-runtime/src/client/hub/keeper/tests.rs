//! What the hub asks and gives, without a server: frames, answers and reconnects in any order.

mod missing;
mod refused;
mod returning;
mod unanswered;

use std::task::{Context, Poll};

use rpc_protocol::frame::Event as EventFrame;
use tokio::sync::oneshot;

use super::*;
use crate::{
    client::hub::{
        error::{GapCause, SubscriptionError},
        feed::CHECK_EVERY,
        inbox::{Inbox, Item, Taken},
        routing::HubCell,
        wire::told_position,
    },
    contract::Contract,
    services::hub::{Dropped, EventRecord, Refused, SubscribeResponse, Subscribed, Unsubscribed},
};

const EPOCH: u64 = 7;
const NUMBER: u64 = 9;

struct Hub {
    cell: Arc<HubCell>,
    core: Arc<Core>,
}

type Told = oneshot::Receiver<Result<(), CallError>>;

impl Hub {
    /// On its first connection.
    fn new() -> Self {
        let cell = HubCell::new(10_000, 100 << 20);
        let core = cell.core().clone();
        cell.begins(1);
        Self { cell, core }
    }

    fn add(&self, since: Option<Position>) -> (Arc<Inbox>, Told) {
        let (first, told) = oneshot::channel();
        let (_, inbox) = self.core.add("room:5", since, None, &[], first);
        (inbox, told)
    }

    /// What it asks now, if anything: one call at most.
    fn asks(&self) -> Option<Batch> {
        let (mut batches, _) = self.core.lock().asks(Instant::now());
        assert!(batches.len() <= 1);
        batches.pop()
    }

    fn since(batch: &Batch) -> Option<u64> {
        batch.asked[0].since.map(|since| since.offset)
    }

    fn answer(&self, link: u64, batch: Batch, answer: SubscribeAnswer) {
        let SubscribeResponse { answers } = SubscribeResponse {
            answers: vec![answer],
        };
        self.finish(link, batch, Ok(Answers::Subscribed(answers)));
    }

    fn finish(&self, link: u64, batch: Batch, answers: Result<Answers, CallError>) {
        let outcome = Outcome {
            serial: batch.serial,
            link,
            asked: batch.asked,
            leaves: matches!(batch.asks, Asks::Unsubscribe(_)),
            answers,
        };
        let counts = self.core.lock().link == link;
        self.core
            .lock()
            .finish(outcome, counts, Instant::now(), &mut Vec::new());
    }

    fn event(&self, link: u64, channel: u64, offset: u64) {
        let frame = EventFrame {
            channel,
            offset,
            type_name: "x.X".to_owned(),
            ..EventFrame::default()
        };
        self.cell.on_event(link, frame, &mut Vec::new());
    }

    fn sent<E: Contract>(&self, event: &E) {
        let frame = EventFrame {
            type_name: E::FULL_NAME.to_owned(),
            body: event.encode_to_vec().into(),
            ..EventFrame::default()
        };
        self.cell.on_event(1, frame, &mut Vec::new());
    }
}

fn at(offset: u64) -> Position {
    Position { epoch: EPOCH, offset }
}

/// A channel with history, at this offset, behind these events.
fn answer(offset: u64, recovered: Option<bool>, events: impl IntoIterator<Item = u64>) -> SubscribeAnswer {
    let event = |offset| EventRecord {
        offset,
        type_name: "x.X".to_owned(),
        ..EventRecord::default()
    };
    SubscribeAnswer {
        number: NUMBER,
        position: Some(told_position(at(offset))),
        recovered,
        events: events.into_iter().map(event).collect(),
        ..SubscribeAnswer::default()
    }
}

/// What waits, as offsets; a gap is 0.
fn waiting(inbox: &Inbox) -> Vec<u64> {
    let mut offsets = Vec::new();
    while let (Poll::Ready(Taken::Item(item)), _) = inbox.poll_take(&Context::from_waker(Waker::noop())) {
        offsets.push(match item {
            Item::Event { raw, .. } => raw.offset,
            Item::Gap(_) => 0,
        });
    }
    offsets
}

fn end(inbox: &Inbox) -> Option<SubscriptionError> {
    match inbox.poll_take(&Context::from_waker(Waker::noop())).0 {
        Poll::Ready(Taken::End(end)) => end,
        other => panic!("no end: {other:?}"),
    }
}

#[test]
fn events_that_come_before_the_answer_are_given_behind_what_it_brings() {
    let hub = Hub::new();
    let (inbox, mut told) = hub.add(Some(at(1)));
    let batch = hub.asks().unwrap();
    assert_eq!(Hub::since(&batch), Some(1));
    for offset in 3..=6 {
        hub.event(1, NUMBER, offset);
        // Of a channel that nobody asks for.
        hub.event(1, NUMBER + 1, offset);
    }
    assert!(waiting(&inbox).is_empty());
    hub.answer(1, batch, answer(4, Some(true), 2..=4));
    assert!(told.try_recv().unwrap().is_ok());
    assert!(waiting(&inbox).into_iter().eq([2, 3, 4, 5, 6]));
    hub.event(1, NUMBER, 6);
    hub.event(1, NUMBER, 7);
    assert!(waiting(&inbox).into_iter().eq([7]));
    assert!(hub.asks().is_none());
}

#[test]
fn an_event_of_another_history_has_the_server_asked_at_once() {
    let hub = Hub::new();
    let (inbox, _told) = hub.add(None);
    hub.answer(1, hub.asks().unwrap(), answer(1, None, []));
    assert!(hub.asks().is_none());
    let frame = EventFrame {
        channel: NUMBER,
        epoch: EPOCH + 1,
        offset: 2,
        ..EventFrame::default()
    };
    hub.cell.on_event(1, frame, &mut Vec::new());
    assert!(waiting(&inbox).is_empty());
    assert_eq!(Hub::since(&hub.asks().unwrap()), Some(1));
}

#[test]
fn events_of_a_history_that_is_over_when_the_server_answers_are_not_taken_for_those_of_the_next() {
    let hub = Hub::new();
    let (inbox, _told) = hub.add(None);
    hub.answer(1, hub.asks().unwrap(), answer(1, None, []));
    // It waits for what came in between.
    hub.event(1, NUMBER, 3);
    let batch = hub.asks().unwrap();
    hub.event(1, NUMBER, 4);
    let next = SubscribeAnswer {
        position: Some(told_position(Position {
            epoch: EPOCH + 1,
            offset: 2,
        })),
        ..answer(0, Some(false), [])
    };
    hub.answer(1, batch, next);
    // A gap, and neither of the two.
    assert_eq!(waiting(&inbox), [0]);
    assert_eq!(Hub::since(&hub.asks().unwrap()), Some(2));
}

#[test]
fn without_history_all_that_came_before_the_answer_is_given() {
    let hub = Hub::new();
    let (inbox, _told) = hub.add(None);
    let batch = hub.asks().unwrap();
    hub.event(1, NUMBER, 0);
    hub.event(1, NUMBER, 0);
    let wire = SubscribeAnswer {
        number: NUMBER,
        ..SubscribeAnswer::default()
    };
    hub.answer(1, batch, wire);
    assert_eq!(waiting(&inbox).len(), 2);
}

#[test]
fn an_answer_of_a_connection_that_is_gone_does_not_count_and_neither_do_its_events() {
    let hub = Hub::new();
    let (inbox, mut told) = hub.add(None);
    let old = hub.asks().unwrap();
    hub.cell.begins(2);
    let new = hub.asks().unwrap();
    hub.answer(1, old, answer(5, None, []));
    assert!(told.try_recv().is_err());
    hub.event(1, NUMBER, 6);
    hub.answer(2, new, answer(5, None, []));
    assert!(told.try_recv().unwrap().is_ok());
    assert!(waiting(&inbox).is_empty());
    // The next connection shows itself by an event before anything else.
    hub.event(3, NUMBER, 6);
    assert!(waiting(&inbox).is_empty());
    let batch = hub.asks().unwrap();
    assert_eq!(Hub::since(&batch), Some(5));
    hub.answer(3, batch, answer(6, Some(true), [6]));
    assert!(waiting(&inbox).into_iter().eq([6]));
}

#[test]
fn a_subscription_that_is_ended_while_it_is_asked_for_is_asked_for_once_more() {
    let hub = Hub::new();
    let (inbox, _told) = hub.add(None);
    hub.answer(1, hub.asks().unwrap(), answer(3, None, []));
    let (_other, mut told) = hub.add(None);
    let batch = hub.asks().unwrap();
    let ended = Unsubscribed {
        channel: "room:5".to_owned(),
        reason: None,
    };
    hub.sent(&ended);
    assert!(matches!(end(&inbox), Some(SubscriptionError::Ended(_))));
    // The answer may be older than the end.
    hub.answer(1, batch, answer(3, None, []));
    let batch = hub.asks().unwrap();
    let refused = SubscribeAnswer {
        refused: Some(Refused {
            code: 7,
            message: "no".to_owned(),
        }),
        ..SubscribeAnswer::default()
    };
    hub.answer(1, batch, refused);
    assert_eq!(
        told.try_recv().unwrap().unwrap_err().code(),
        Some(crate::Code::PermissionDenied)
    );
    // Nobody is left, and the server knows.
    assert!(hub.asks().is_none());
    assert!(hub.core.lock().feeds.is_empty());
}

#[test]
fn a_server_that_answers_nonsense_fails_who_waits_and_breaks_nothing() {
    let hub = Hub::new();
    for answers in [
        vec![],
        vec![answer(1, None, []), answer(1, None, [])],
        vec![SubscribeAnswer::default()],
    ] {
        let (_inbox, mut told) = hub.add(None);
        hub.finish(1, hub.asks().unwrap(), Ok(Answers::Subscribed(answers)));
        let error = told.try_recv().unwrap().unwrap_err();
        assert_eq!(error.code(), Some(crate::Code::Internal));
        // It may have subscribed all the same.
        hub.core
            .lock()
            .feeds
            .values_mut()
            .for_each(|feed| feed.not_before = None);
        let batch = hub.asks().unwrap();
        assert!(matches!(batch.asks, Asks::Unsubscribe(_)));
        hub.finish(1, batch, Ok(Answers::Unsubscribed));
        assert!(hub.asks().is_none());
    }
    // Told of subscriptions that are none.
    hub.sent(&Subscribed::default());
    hub.cell.on_event(
        1,
        EventFrame {
            type_name: Unsubscribed::FULL_NAME.to_owned(),
            body: vec![0xff].into(),
            ..EventFrame::default()
        },
        &mut Vec::new(),
    );
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_asked_is_asked_again_after_a_while_and_the_subscription_goes_on() {
    let hub = Hub::new();
    let (inbox, _told) = hub.add(None);
    hub.answer(1, hub.asks().unwrap(), answer(3, None, []));
    hub.cell.begins(2);
    for _ in 0..5 {
        let batch = hub.asks().unwrap();
        hub.finish(2, batch, Err(Status::unavailable("later").into()));
        assert!(hub.asks().is_none());
        let due = hub.core.lock().asks(Instant::now()).1.unwrap();
        tokio::time::sleep_until(due).await;
    }
    hub.answer(2, hub.asks().unwrap(), answer(4, Some(true), [4]));
    assert!(waiting(&inbox).into_iter().eq([4]));
}

#[tokio::test(start_paused = true)]
async fn who_is_put_out_while_it_asks_for_what_it_has_missed_sees_the_end() {
    let hub = Hub::new();
    let (inbox, _told) = hub.add(None);
    hub.answer(1, hub.asks().unwrap(), answer(5, None, []));
    hub.event(1, NUMBER, 7);
    let batch = hub.asks().unwrap();
    let (other, mut told) = hub.add(None);
    hub.sent(&Unsubscribed {
        channel: "room:5".to_owned(),
        reason: Some(Refused {
            code: crate::Code::PermissionDenied as i32,
            message: "be polite".to_owned(),
        }),
    });
    let end = end(&inbox);
    let is_kick = |end: &SubscriptionError| matches!(end, SubscriptionError::Ended(status) if status.message() == "be polite");
    assert!(end.as_ref().is_some_and(is_kick), "{end:?}");
    // One that has not begun is asked for, whatever the answer to the other question is.
    hub.answer(1, batch, answer(7, Some(true), [6, 7]));
    assert!(told.try_recv().is_err());
    tokio::time::advance(CHECK_EVERY).await;
    let batch = hub.asks().unwrap();
    assert_eq!(Hub::since(&batch), None);
    hub.answer(1, batch, answer(7, None, []));
    assert!(matches!(told.try_recv(), Ok(Ok(()))));
    drop(other);
}
