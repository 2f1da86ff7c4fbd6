//! The reference itself: it accepts what is right, and nothing else.

use std::{
    panic::AssertUnwindSafe,
    time::{Duration, SystemTime},
};

use rpc_runtime::hub::{HistoryQuery, Position, Retention};
use tokio::time::Instant;

use super::*;

const ME: &str = "me";

fn at(offset: u64) -> Position {
    Position { epoch: 7, offset }
}

fn entry(number: u64, except: Option<&str>, came: Instant) -> Entry {
    Entry {
        what: What::Tick(number),
        except: except.map(str::to_owned).into_iter().collect(),
        id: Some(number.to_string()),
        key: None,
        time: SystemTime::UNIX_EPOCH,
        came,
        bytes: 10,
    }
}

fn item(given: Given) -> Item {
    let id = match &given {
        Given::Event(What::Tick(number), _) => Some(number.to_string()),
        _ => None,
    };
    Item {
        given,
        id,
        by: Some(ME.to_owned()),
        connections: 2,
    }
}

fn event(number: u64, offset: u64) -> Item {
    item(Given::Event(What::Tick(number), Some(at(offset))))
}

fn plain(number: u64) -> Item {
    item(Given::Event(What::Tick(number), None))
}

fn holds(check: impl FnOnce()) -> bool {
    std::panic::catch_unwind(AssertUnwindSafe(check)).is_ok()
}

/// Ten events, of which the fourth is not for me, and the last three are kept.
fn log(now: Instant) -> Log {
    let mut log = Log::new(Retention::of(3, Duration::from_secs(60)));
    for offset in 1..=10 {
        let except = (offset == 4).then_some(ME);
        log.published(entry(offset * 100, except, now), Some(at(offset)), true);
    }
    log
}

fn judge(items: &[Item]) -> bool {
    let log = log(Instant::now());
    let subscribed = Subscribed {
        items,
        began: &Began::Answered(at(2)),
        ids: &[ME.to_owned()],
        snapshots: false,
        to_end: true,
    };
    holds(|| log.check(&subscribed))
}

#[test]
fn the_reference_accepts_every_event_in_order_and_nothing_else() {
    let all: Vec<_> = [3, 5, 6, 7, 8, 9, 10]
        .map(|offset| event(offset * 100, offset))
        .into();
    assert!(judge(&all));
    assert!(!judge(&all[1..]), "the first is missing");
    assert!(!judge(&all[..6]), "the last is missing");
    assert!(
        !judge(&[&all[..3], &all[4..]].concat()),
        "one in between is missing"
    );
    assert!(!judge(&[&all[..3], &all[2..]].concat()), "one is doubled");
    assert!(
        !judge(&[&[all[1].clone(), all[0].clone()], &all[2..]].concat()),
        "two are in the wrong order"
    );
    assert!(
        !judge(&[&all[..1], &[event(400, 4)], &all[1..]].concat()),
        "one that is not for it"
    );
    let mut wrong = all;
    wrong[3] = event(1, 7);
    assert!(!judge(&wrong), "another event");
}

#[test]
fn a_state_comes_first_and_is_that_of_its_position() {
    let log = log(Instant::now());
    let check = |items: &[Item]| {
        let subscribed = Subscribed {
            items,
            began: &Began::Answered(at(8)),
            ids: &[ME.to_owned()],
            snapshots: true,
            to_end: true,
        };
        holds(|| log.check(&subscribed))
    };
    let state = |offset| item(Given::Snapshot(log.tally(at(offset)), Some(at(offset))));
    assert!(check(&[state(8), event(900, 9), event(1_000, 10)]));
    assert!(!check(&[event(900, 9), event(1_000, 10)]), "there is none");
    assert!(
        !check(&[state(8), event(1_000, 10)]),
        "what came behind it is missing"
    );
    assert!(
        !check(&[state(8), event(900, 9), state(9), event(1_000, 10)]),
        "there is another"
    );
    let wrong = item(Given::Snapshot(log.tally(at(7)), Some(at(8))));
    assert!(
        !check(&[wrong, event(900, 9), event(1_000, 10)]),
        "it is another's"
    );
}

#[test]
fn history_keeps_by_count_and_by_time_and_remembers_what_it_did_not_have() {
    let now = Instant::now();
    let mut log = log(now);
    let query = |offset| HistoryQuery {
        after: Some(at(offset)),
        limit: 100,
        ..HistoryQuery::default()
    };
    let page = log.read(&query(7), now);
    assert_eq!(
        (page.offsets.as_slice(), page.complete, page.more),
        ([8, 9, 10].as_slice(), true, false)
    );
    assert!(!log.was_not_covered(at(7)));
    assert!(!log.read(&query(6), now).complete && log.was_not_covered(at(6)));
    assert!(!log.read(&query(7), now + Duration::from_secs(60)).complete && log.was_not_covered(at(7)));
    let few = HistoryQuery { limit: 2, ..query(7) };
    assert!(log.page(&few, now).more);
}

#[test]
fn without_history_nothing_is_missing_but_what_the_policy_lets_go_of_while_nothing_is_taken() {
    let now = Instant::now();
    let mut log = Log::new(Retention::NONE);
    for number in 1..=6 {
        let came = now + Duration::from_secs(number);
        log.published(entry(number, None, came), None, true);
    }
    let check = |numbers: &[u64], losing, slow: &dyn Fn(Instant) -> bool| {
        let items: Vec<_> = numbers.iter().map(|number| plain(*number)).collect();
        let passing = Passing {
            items: &items,
            began: (1, 1),
            connections: 1,
            interrupted: 0,
            ids: &[ME.to_owned()],
            losing,
            snapshots: false,
            slow_at: slow,
            to_end: true,
        };
        holds(|| {
            log.check_passing(&passing);
        })
    };
    let (never, always) = (|_: Instant| false, |_: Instant| true);
    assert!(check(&[2, 3, 4, 5, 6], Losing::Nothing, &never));
    assert!(!check(&[2, 3, 5, 6], Losing::Nothing, &always));
    assert!(!check(&[2, 3, 5, 6], Losing::Oldest, &never));
    assert!(check(&[2, 3, 5, 6], Losing::Oldest, &always));
    assert!(check(&[2, 6], Losing::Replaced, &always));
    assert!(
        !check(&[2, 5], Losing::Replaced, &always),
        "the latest waits for it"
    );
    assert!(
        !check(&[2, 3, 3, 4, 5, 6], Losing::Oldest, &always),
        "one is doubled"
    );
    assert!(
        !check(&[1, 2, 3, 4, 5, 6], Losing::Nothing, &never),
        "it came before it subscribed"
    );
}
