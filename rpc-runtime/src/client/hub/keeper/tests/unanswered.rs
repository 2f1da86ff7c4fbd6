//! Questions that the server has not answered, or not as it would have: what a program has said of itself then, and who goes on.

use super::{
    refused::{plain, presence, refused},
    *,
};
use crate::Code::{
    self, DeadlineExceeded, InvalidArgument, PermissionDenied, ResourceExhausted, Unavailable,
};

impl Hub {
    /// The connection is lost before the answer, and the client does not know yet whether there is another.
    fn lost(&self, link: u64, batch: Batch) {
        self.finish(link, batch, Ok(Answers::Lost));
    }

    /// The call as a whole has failed.
    fn fails(&self, batch: Batch, code: Code) {
        self.finish(1, batch, Err(Status::new(code, "no").into()));
    }

    fn count(&self) -> usize {
        let state = self.core.lock();
        state.feeds.values().map(|feed| feed.subs.len()).sum()
    }
}

fn is_refused(told: &mut Told) -> bool {
    matches!(told.try_recv(), Ok(Err(_)))
}

fn is_there(told: &mut Told) -> bool {
    matches!(told.try_recv(), Ok(Ok(())))
}

#[test]
fn a_subscription_whose_connection_is_lost_before_the_answer_waits_for_the_next_one() {
    for resumed in [false, true] {
        let hub = Hub::new();
        let (_inbox, mut told) = hub.says("here");
        hub.lost(1, hub.asks().unwrap());
        assert!(told.try_recv().is_err());
        hub.cell.begins(2);
        hub.cell.greeted(2, resumed, 0);
        let batch = hub.asks().unwrap();
        assert_eq!(presence(&batch).as_deref(), Some("here"));
        hub.answer(2, batch, plain());
        assert!(is_there(&mut told));
    }
}

#[test]
fn what_was_said_in_a_question_that_was_not_answered_is_not_said_again_and_what_was_taken_before_is() {
    // Some of them may have been done all the same.
    for (code, is_doubtful) in [
        (DeadlineExceeded, true),
        (Unavailable, true),
        (PermissionDenied, false),
    ] {
        let hub = Hub::new();
        let _here = hub.says("here");
        hub.answer(1, hub.asks().unwrap(), plain());
        let (_, mut told) = hub.says("away");
        hub.fails(hub.asks().unwrap(), code);
        assert!(is_refused(&mut told));
        match hub.asks_later() {
            Some(batch) => {
                assert!(is_doubtful, "{code:?}");
                assert_eq!(presence(&batch).as_deref(), Some("here"), "{code:?}");
                hub.answer(1, batch, plain());
            }
            None => assert!(!is_doubtful, "{code:?}"),
        }
        assert!(hub.asks_later().is_none(), "{code:?}");
        assert_eq!(hub.count(), 1, "{code:?}");
    }
}

#[test]
fn what_was_said_first_of_all_in_a_question_that_was_not_answered_is_not_said_again() {
    for code in [DeadlineExceeded, PermissionDenied] {
        let hub = Hub::new();
        let _inbox = hub.add(None);
        hub.answer(1, hub.asks().unwrap(), plain());
        let (_, mut told) = hub.says("away");
        hub.fails(hub.asks().unwrap(), code);
        assert!(is_refused(&mut told));
        assert!(hub.asks_later().is_none(), "{code:?}");
        hub.cell.begins(2);
        assert_eq!(presence(&hub.asks().unwrap()), None, "{code:?}");
    }
}

#[test]
fn where_there_is_no_room_for_what_was_said_before_the_channel_is_heard_without_it() {
    for resumed in [false, true] {
        for has_room_later in [false, true] {
            let hub = Hub::new();
            let (inbox, _told) = hub.says("here");
            hub.answer(1, hub.asks().unwrap(), answer(1, None, []));
            hub.cell.begins(2);
            hub.cell.greeted(2, resumed, 0);
            let batch = hub.asks().unwrap();
            assert_eq!(presence(&batch).as_deref(), Some("here"));
            let number = if resumed { NUMBER } else { 0 };
            hub.answer(2, batch, refused(ResourceExhausted, number));
            let batch = hub.asks_later().unwrap();
            assert_eq!(presence(&batch), None);
            hub.answer(2, batch, answer(2, Some(true), [2]));
            assert_eq!(waiting(&inbox), [2]);
            // It may have been the channel that had none.
            let batch = hub.asks_later().unwrap();
            assert_eq!(presence(&batch).as_deref(), Some("here"));
            match has_room_later {
                true => hub.answer(2, batch, answer(2, Some(true), [])),
                false => hub.answer(2, batch, refused(ResourceExhausted, NUMBER)),
            }
            assert!(hub.asks_later().is_none());
            hub.event(2, NUMBER, 3);
            assert_eq!(waiting(&inbox), [3]);
            // Another session is told what this one has: also what the server had already where it was the same session all the time.
            hub.cell.begins(3);
            hub.cell.greeted(3, false, 0);
            let said = presence(&hub.asks().unwrap());
            assert_eq!(said.as_deref(), (has_room_later || resumed).then_some("here"));
        }
    }
}

#[test]
fn what_another_session_took_and_this_one_does_not_is_not_said_again() {
    let hub = Hub::new();
    let (inbox, _told) = hub.says("here");
    hub.answer(1, hub.asks().unwrap(), answer(1, None, []));
    hub.cell.begins(2);
    hub.cell.greeted(2, false, 0);
    hub.answer(2, hub.asks().unwrap(), refused(InvalidArgument, 0));
    let batch = hub.asks_later().unwrap();
    assert_eq!(presence(&batch), None);
    hub.answer(2, batch, answer(2, Some(true), [2]));
    assert_eq!(waiting(&inbox), [2]);
    assert!(hub.asks_later().is_none());
}

#[test]
fn who_comes_back_while_the_channel_is_left_is_not_failed_by_that() {
    for code in [DeadlineExceeded, PermissionDenied] {
        let hub = Hub::new();
        let _inbox = hub.add(None);
        hub.answer(1, hub.asks().unwrap(), plain());
        hub.leave_all();
        let batch = hub.asks().unwrap();
        assert!(matches!(batch.asks, Asks::Unsubscribe(_)));
        let (_, mut told) = hub.says("here");
        hub.fails(batch, code);
        assert!(told.try_recv().is_err(), "{code:?}");
        let batch = hub.asks_later().unwrap();
        assert_eq!(presence(&batch).as_deref(), Some("here"), "{code:?}");
        hub.answer(1, batch, plain());
        assert!(is_there(&mut told), "{code:?}");
    }
}

#[test]
fn who_leaves_and_is_refused_meanwhile_has_left() {
    let hub = Hub::new();
    let _inbox = hub.add(None);
    hub.answer(1, hub.asks().unwrap(), plain());
    let _other = hub.add(None);
    let batch = hub.asks().unwrap();
    let subs: Vec<_> = hub
        .core
        .lock()
        .feeds
        .values()
        .next()
        .unwrap()
        .subs
        .iter()
        .map(|sub| sub.id)
        .collect();
    let (waits, mut left) = oneshot::channel();
    hub.core.leave("room:5", subs[0], None);
    hub.core.leave("room:5", subs[1], Some(waits));
    hub.answer(1, batch, refused(PermissionDenied, 0));
    assert!(matches!(left.try_recv(), Ok(Ok(()))));
    assert!(hub.asks_later().is_none());
}
