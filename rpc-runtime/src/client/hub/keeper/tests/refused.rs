//! What a client makes of a question that is refused: whether the server still has it in the channel, and what it says of itself there.

use bytes::Bytes;

use super::*;
use crate::{
    Code::{
        self, Aborted, InvalidArgument, PermissionDenied, ResourceExhausted, Unauthenticated, Unavailable,
    },
    services::hub::TypedMessage,
};

pub(super) fn refused(code: Code, number: u64) -> SubscribeAnswer {
    SubscribeAnswer {
        refused: Some(Refused {
            code: code as i32,
            message: "no".to_owned(),
        }),
        number,
        ..SubscribeAnswer::default()
    }
}

/// The answer for a channel without history.
pub(super) fn plain() -> SubscribeAnswer {
    SubscribeAnswer {
        number: NUMBER,
        ..SubscribeAnswer::default()
    }
}

pub(super) fn presence(batch: &Batch) -> Option<String> {
    match &batch.asks {
        Asks::Subscribe(request) => {
            let presence = request.channels[0].presence.as_ref();
            presence.map(|presence| presence.type_name.clone())
        }
        Asks::Unsubscribe(_) => panic!("it is there"),
    }
}

fn is_unsubscribe(batch: &Batch) -> bool {
    matches!(batch.asks, Asks::Unsubscribe(_))
}

impl Hub {
    pub(super) fn says(&self, text: &str) -> (Arc<Inbox>, Told) {
        let presence = TypedMessage {
            type_name: text.to_owned(),
            body: Bytes::new(),
        };
        let (first, told) = oneshot::channel();
        let (_, inbox) = self.core.add("room:5", None, Some(presence), &[], first);
        (inbox, told)
    }

    /// What it asks, however long it waits with that.
    pub(super) fn asks_later(&self) -> Option<Batch> {
        let (mut batches, due) = self.core.lock().asks(Instant::now());
        if let Some(due) = due {
            assert!(batches.is_empty());
            (batches, _) = self.core.lock().asks(due);
        }
        batches.pop()
    }

    /// Every subscription of the program ends.
    pub(super) fn leave_all(&self) {
        let subs: Vec<_> = self
            .core
            .lock()
            .feeds
            .values()
            .next()
            .map_or_else(Vec::new, |feed| feed.subs.iter().map(|sub| sub.id).collect());
        for sub in subs {
            self.core.leave("room:5", sub, None);
        }
    }

    fn is_gone(&self) -> bool {
        self.asks_later().is_none() && self.core.lock().feeds.is_empty()
    }
}

#[test]
fn who_leaves_behind_a_refusal_that_passes_tells_the_server() {
    for code in [Unavailable, ResourceExhausted, Aborted] {
        let hub = Hub::new();
        let (_inbox, _told) = hub.add(None);
        hub.answer(1, hub.asks().unwrap(), answer(1, None, []));
        hub.event(1, NUMBER, 3);
        hub.answer(1, hub.asks().unwrap(), refused(code, 0));
        hub.leave_all();
        assert!(is_unsubscribe(&hub.asks_later().unwrap()), "{code:?}");
    }
    // Not where it is out by that, or has never been in.
    for code in [PermissionDenied, Unauthenticated] {
        let hub = Hub::new();
        let (inbox, _told) = hub.add(None);
        hub.answer(1, hub.asks().unwrap(), answer(1, None, []));
        hub.event(1, NUMBER, 3);
        hub.answer(1, hub.asks().unwrap(), refused(code, 0));
        assert!(matches!(end(&inbox), Some(SubscriptionError::Refused(_))));
        assert!(hub.is_gone(), "{code:?}");
    }
    for code in [Unavailable, InvalidArgument, PermissionDenied] {
        let hub = Hub::new();
        let (_inbox, mut told) = hub.add(None);
        hub.answer(1, hub.asks().unwrap(), refused(code, 0));
        assert!(told.try_recv().unwrap().is_err());
        assert!(hub.is_gone(), "{code:?}");
    }
}

#[test]
fn who_is_refused_and_hears_the_channel_all_the_same_goes_on_and_tells_the_server_when_it_leaves() {
    for code in [Unavailable, PermissionDenied, InvalidArgument] {
        let hub = Hub::new();
        let (inbox, _told) = hub.add(None);
        hub.answer(1, hub.asks().unwrap(), plain());
        let (_, mut told) = hub.add(None);
        hub.answer(1, hub.asks().unwrap(), refused(code, NUMBER));
        assert!(told.try_recv().unwrap().is_err());
        hub.event(1, NUMBER, 0);
        assert_eq!(waiting(&inbox).len(), 1, "it has missed nothing: {code:?}");
        assert!(hub.asks_later().is_none());
        hub.leave_all();
        assert!(is_unsubscribe(&hub.asks_later().unwrap()), "{code:?}");
    }
}

#[test]
fn an_end_that_crosses_with_a_refusal_is_not_undone_by_it() {
    let hub = Hub::new();
    let (inbox, _told) = hub.add(None);
    hub.answer(1, hub.asks().unwrap(), plain());
    let _new = hub.add(None);
    let batch = hub.asks().unwrap();
    hub.sent(&Unsubscribed {
        channel: "room:5".to_owned(),
        reason: None,
    });
    assert!(matches!(end(&inbox), Some(SubscriptionError::Ended(_))));
    let _newer = hub.add(None);
    hub.answer(1, batch, refused(Unavailable, NUMBER));
    assert!(!hub.core.lock().feeds.values().any(|feed| feed.confirmed));
}

#[test]
fn what_the_server_has_subscribed_the_client_to_while_it_was_refused_goes_on_and_is_ended_at_the_server() {
    for code in [Unavailable, PermissionDenied] {
        let hub = Hub::new();
        let (_inbox, mut told) = hub.add(None);
        let batch = hub.asks().unwrap();
        hub.sent(&Subscribed {
            channel: "room:5".to_owned(),
            number: NUMBER,
            position: None,
            snapshot: None,
        });
        // Of before: the server has let it wait behind what it has sent since.
        hub.answer(1, batch, refused(code, 0));
        assert!(told.try_recv().unwrap().is_err());
        let subs = |hub: &Hub| {
            hub.core
                .lock()
                .feeds
                .values()
                .map(|feed| feed.subs.len())
                .sum::<usize>()
        };
        assert_eq!(subs(&hub), 1, "{code:?}");
        let again = hub.asks_later().unwrap();
        assert!(!is_unsubscribe(&again));
        hub.answer(1, again, plain());
        assert_eq!(subs(&hub), 1, "{code:?}");
        hub.leave_all();
        assert!(is_unsubscribe(&hub.asks_later().unwrap()));
    }
}

#[test]
fn presence_that_there_is_no_room_for_is_as_if_it_had_not_been_said() {
    for code in [ResourceExhausted, Unavailable] {
        let hub = Hub::new();
        let (inbox, _told) = hub.add(None);
        hub.answer(1, hub.asks().unwrap(), plain());
        let (_, mut told) = hub.says("big");
        let batch = hub.asks().unwrap();
        assert_eq!(presence(&batch).as_deref(), Some("big"));
        hub.answer(1, batch, refused(code, NUMBER));
        assert!(told.try_recv().unwrap().is_err());
        hub.event(1, NUMBER, 0);
        assert_eq!(waiting(&inbox).len(), 1);
        assert!(hub.asks_later().is_none(), "{code:?}");
        // Nor is it said on another connection, where it would keep out who was there.
        hub.cell.begins(2);
        let batch = hub.asks().unwrap();
        assert_eq!(presence(&batch), None, "{code:?}");
        hub.answer(2, batch, plain());
        assert_eq!(hub.core.lock().feeds.values().next().unwrap().subs.len(), 1);
    }
}

#[test]
fn where_a_refusal_does_not_say_what_is_heard_it_is_asked_for_again_without_what_was_refused() {
    let hub = Hub::new();
    let (inbox, _told) = hub.add(None);
    hub.answer(1, hub.asks().unwrap(), plain());
    let _big = hub.says("big");
    hub.answer(1, hub.asks().unwrap(), refused(ResourceExhausted, 0));
    let batch = hub.asks_later().unwrap();
    assert_eq!(presence(&batch), None);
    hub.answer(1, batch, plain());
    assert_eq!(waiting(&inbox), [0], "it may have been out");
}

#[test]
fn what_the_server_has_taken_it_still_has_behind_a_question_without_that() {
    for is_out in [false, true] {
        let hub = Hub::new();
        let _here = hub.says("here");
        hub.answer(1, hub.asks().unwrap(), plain());
        let _second = hub.add(None);
        hub.answer(1, hub.asks().unwrap(), refused(ResourceExhausted, NUMBER));
        let _third = hub.add(None);
        if is_out {
            hub.answer(1, hub.asks_later().unwrap(), refused(Unavailable, 0));
        }
        let batch = hub.asks_later().unwrap();
        assert_eq!(presence(&batch), None);
        hub.answer(1, batch, plain());
        // It may have room now.
        let batch = hub.asks_later().unwrap();
        assert_eq!(presence(&batch).as_deref(), Some("here"));
        hub.answer(1, batch, refused(ResourceExhausted, NUMBER));
        assert!(hub.asks_later().is_none());
        hub.cell.begins(2);
        let says = presence(&hub.asks().unwrap());
        assert_eq!(
            says.is_some(),
            !is_out,
            "where it was out it has nothing any more"
        );
    }
}

#[test]
fn presence_that_nobody_is_told_of_is_said_again_when_it_could_not_be_taken() {
    let hub = Hub::new();
    let _here = hub.says("here");
    let batch = hub.asks().unwrap();
    let (_inbox, mut told) = hub.says("away");
    hub.answer(1, batch, plain());
    assert!(told.try_recv().unwrap().is_ok());
    for _ in 0..2 {
        let batch = hub.asks_later().unwrap();
        assert_eq!(presence(&batch).as_deref(), Some("away"));
        hub.answer(1, batch, refused(Unavailable, NUMBER));
    }
    let batch = hub.asks_later().unwrap();
    assert_eq!(presence(&batch).as_deref(), Some("away"));
    hub.answer(1, batch, plain());
    assert!(hub.asks_later().is_none());
}

#[test]
fn where_only_presence_is_new_the_server_is_asked_for_no_snapshot_and_no_more_than_there_is() {
    let cell = HubCell::new(1, 100 << 20);
    let core = cell.core().clone();
    cell.begins(1);
    let hub = Hub { cell, core };
    // Nobody reads this one, which goes no further than the first.
    let _here = hub.says("here");
    let batch = hub.asks().unwrap();
    let (inbox, _told) = hub.says("away");
    hub.answer(1, batch, answer(4, None, []));
    hub.event(1, NUMBER, 5);
    assert_eq!(waiting(&inbox), [5]);
    hub.event(1, NUMBER, 6);
    let batch = hub.asks().unwrap();
    assert_eq!(presence(&batch).as_deref(), Some("away"));
    let since = Hub::since(&batch);
    assert_eq!(since, Some(6), "without a position there would be a snapshot");
    assert_eq!(waiting(&inbox), [6]);
    hub.event(1, NUMBER, 7);
    assert_eq!(waiting(&inbox), [7]);
    hub.answer(1, batch, answer(7, Some(true), [7]));
    hub.event(1, NUMBER, 8);
    assert_eq!(waiting(&inbox), [8]);
}

#[test]
fn whoever_begins_in_a_channel_without_history_is_given_nothing_of_before_it_is_asked_for() {
    let hub = Hub::new();
    let (here, _told) = hub.says("here");
    let batch = hub.asks().unwrap();
    let (_away, _told) = hub.says("away");
    hub.answer(1, batch, plain());
    // Presence alone is new, so that the answer begins nothing.
    let batch = hub.asks().unwrap();
    assert_eq!(Hub::since(&batch), Some(0));
    let (later, _told) = hub.add(None);
    hub.event(1, NUMBER, 0);
    hub.answer(1, batch, plain());
    assert_eq!(waiting(&here).len(), 1);
    let batch = hub.asks().unwrap();
    assert_eq!(Hub::since(&batch), None);
    hub.event(1, NUMBER, 0);
    hub.answer(1, batch, plain());
    assert_eq!(
        waiting(&later).len(),
        1,
        "its snapshot would have the one of before"
    );
    hub.event(1, NUMBER, 0);
    assert_eq!((waiting(&here).len(), waiting(&later).len()), (2, 1));
}

#[test]
fn what_a_session_has_left_over_is_ended_where_it_goes_on_and_nowhere_else() {
    for (resumed, is_asked_for) in [(false, false), (true, false), (false, true), (true, true)] {
        let hub = Hub::new();
        let (_inbox, _told) = hub.add(None);
        let batch = hub.asks().unwrap();
        if !is_asked_for {
            hub.answer(1, batch, answer(1, None, []));
        }
        hub.cell.begins(2);
        hub.leave_all();
        assert!(hub.asks().is_none(), "whose session it is, is not known yet");
        hub.cell.greeted(2, resumed, 0);
        match hub.asks() {
            Some(batch) => assert!(resumed && is_unsubscribe(&batch)),
            // What the server has made of the client's address in the new one is not for it to end.
            None => assert!(!resumed && hub.core.lock().feeds.is_empty()),
        }
    }
}

#[test]
fn who_leaves_a_channel_and_waits_for_that_is_told_when_there_is_another_session() {
    let hub = Hub::new();
    let (_inbox, _told) = hub.add(None);
    hub.answer(1, hub.asks().unwrap(), answer(1, None, []));
    let sub = hub.core.lock().feeds.values().next().unwrap().subs[0].id;
    let (waits, mut left) = oneshot::channel();
    hub.core.leave("room:5", sub, Some(waits));
    hub.asks().unwrap();
    // A connection that nobody answers on leaves it open.
    for link in 2..4 {
        hub.cell.begins(link);
        assert!(hub.asks().is_none() && left.try_recv().is_err());
    }
    hub.cell.greeted(3, false, 0);
    assert!(hub.asks().is_none());
    assert!(left.try_recv().unwrap().is_ok());
}

#[test]
fn what_is_asked_for_before_the_server_has_greeted_is_of_the_new_session() {
    let hub = Hub::new();
    let (_inbox, _told) = hub.add(None);
    hub.answer(1, hub.asks().unwrap(), answer(1, None, []));
    hub.cell.begins(2);
    let batch = hub.asks().unwrap();
    hub.cell.greeted(2, false, 0);
    hub.answer(2, batch, answer(1, Some(true), []));
    hub.leave_all();
    assert!(is_unsubscribe(&hub.asks().unwrap()));
}

#[test]
fn an_end_that_is_told_again_does_not_hide_what_was_asked_for_behind_it() {
    for is_failed in [false, true] {
        let hub = Hub::new();
        let (_inbox, _told) = hub.add(None);
        // The server answers behind what it has said by itself, and neither comes.
        let batch = hub.asks().unwrap();
        if is_failed {
            hub.finish(1, batch, Ok(Answers::Lost));
        }
        hub.cell.begins(2);
        hub.leave_all();
        hub.cell.greeted(2, true, 2);
        hub.sent(&Subscribed {
            channel: "room:5".to_owned(),
            number: NUMBER,
            position: None,
            snapshot: None,
        });
        hub.sent(&Unsubscribed {
            channel: "room:5".to_owned(),
            reason: None,
        });
        assert!(is_unsubscribe(&hub.asks_later().unwrap()));
    }
}

#[test]
fn of_an_end_and_a_beginning_around_a_refusal_the_later_one_holds() {
    let subscribed = Subscribed {
        channel: "room:5".to_owned(),
        number: NUMBER,
        position: None,
        snapshot: None,
    };
    let unsubscribed = Unsubscribed {
        channel: "room:5".to_owned(),
        reason: None,
    };
    let subs = |hub: &Hub| -> Vec<u64> {
        let state = hub.core.lock();
        let subs = state.feeds.values().flat_map(|feed| &feed.subs);
        subs.map(|sub| sub.id).collect()
    };
    for number in [0, NUMBER] {
        for is_in in [true, false] {
            let hub = Hub::new();
            let (_inbox, _told) = hub.add(None);
            hub.answer(1, hub.asks().unwrap(), plain());
            let (_new, mut told) = hub.add(None);
            let batch = hub.asks().unwrap();
            hub.sent(&unsubscribed);
            let asked_for = subs(&hub);
            hub.sent(&subscribed);
            let mut of_server = subs(&hub);
            of_server.retain(|sub| !asked_for.contains(sub));
            assert_eq!((asked_for.len(), of_server.len()), (1, 1));
            if !is_in {
                hub.sent(&unsubscribed);
                of_server.clear();
            }
            hub.answer(1, batch, refused(PermissionDenied, number));
            assert_eq!(subs(&hub), of_server, "{number}");
            assert!(told.try_recv().unwrap().is_err(), "{number}");
        }
    }
}
