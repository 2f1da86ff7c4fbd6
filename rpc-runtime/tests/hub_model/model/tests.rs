//! The reference itself: it accepts what is right, and nothing else.

use std::{
    panic::AssertUnwindSafe,
    sync::LazyLock,
    time::{Duration, SystemTime},
};

use rpc_runtime::hub::{HistoryQuery, Position, Retention, client::GapCause};
use tokio::time::Instant;

use super::*;
use crate::program::UNREAD;

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
        at: Instant::now(),
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

/// What a program was given that always reads, in a channel that lets go of nothing, from the first event to the last.
fn passing(items: &[Item]) -> Passing<'_> {
    static MINE: LazyLock<[String; 1]> = LazyLock::new(|| [ME.to_owned()]);
    Passing {
        items,
        began: (0, 0),
        connections: 1,
        interrupted: 0,
        unread: false,
        ids: &*MINE,
        losing: Losing::Nothing,
        snapshots: false,
        slow_at: &|_| false,
        to_end: true,
    }
}

fn is_right(log: &Log, passing: &Passing<'_>) -> bool {
    log.check_passing(passing).is_ok()
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
        began: &Began::Between(at(2), at(2)),
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
            began: &Began::Between(at(8), at(8)),
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
            began: (1, 1),
            losing,
            slow_at: slow,
            ..passing(&items)
        };
        is_right(&log, &passing)
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

/// What a subscription in a channel of two histories is given: the log's, and then of which only the second event is there.
fn over_two(began: Began, items: &[Item]) -> bool {
    let now = Instant::now();
    let mut log = log(now);
    let next = |offset| Position { epoch: 8, offset };
    for offset in 1..=2 {
        log.published(entry(offset * 1_000 + 1, None, now), Some(next(offset)), true);
    }
    let query = HistoryQuery {
        after: Some(at(10)),
        ..HistoryQuery::default()
    };
    assert!(!log.read(&query, now).complete);
    let subscribed = Subscribed {
        items,
        began: &began,
        ids: &[ME.to_owned()],
        snapshots: false,
        to_end: true,
    };
    holds(|| log.check(&subscribed))
}

#[test]
fn a_subscription_begins_in_a_history_that_was_there_while_it_was_asked_for() {
    let next = |offset| Position { epoch: 8, offset };
    let of_next = |number, offset| item(Given::Event(What::Tick(number), Some(next(offset))));
    let gap = item(Given::Gap(Gap {
        last: Some(at(10)),
        next: Some(next(0)),
        missed: None,
        cause: GapCause::NotRecovered,
    }));
    let both = [of_next(1_001, 1), of_next(2_001, 2)];
    let over = [&[event(1_000, 10), gap], &both[..]].concat();
    assert!(over_two(Began::Between(at(9), at(9)), &over));
    assert!(
        over_two(Began::Between(at(9), next(0)), &over),
        "it began meanwhile"
    );
    assert!(over_two(Began::Between(next(0), next(0)), &both));
    assert!(
        !over_two(Began::Between(next(0), next(0)), &over),
        "that history was over"
    );
    assert!(
        !over_two(Began::Between(at(10), at(10)), &both),
        "that history had not begun, and nothing is told"
    );
    let nowhere = Position { epoch: 9, offset: 1 };
    let of_none = [item(Given::Event(What::Tick(1), Some(nowhere)))];
    assert!(
        !over_two(Began::Between(at(9), next(0)), &of_none),
        "there was never such a history"
    );
    assert!(
        !over_two(Began::Between(at(10), next(0)), &over),
        "it was published before it was asked for"
    );
}

#[test]
fn only_what_was_published_while_a_subscription_began_may_have_come_at_once() {
    let now = Instant::now();
    let after = |seconds| now + Duration::from_secs(seconds);
    let mut log = Log::new(Retention::NONE);
    for number in 1..=6 {
        log.published(entry(number, None, after(number)), None, true);
    }
    let check = |items: &[Item]| {
        let passing = Passing {
            began: (1, 3),
            losing: Losing::Replaced,
            snapshots: true,
            ..passing(items)
        };
        is_right(&log, &passing)
    };
    let state = |count| item(Given::Snapshot(log.tally_of_passed(count), None));
    assert!(check(&[state(1), plain(4), plain(5), plain(6)]));
    assert!(check(&[state(1), plain(3), plain(4), plain(5), plain(6)]));
    assert!(
        !check(&[state(1), plain(5), plain(6)]),
        "the fourth was published behind the answer"
    );
    // And where it begins anew.
    let gap = Item {
        at: after(4),
        ..item(Given::Gap(Gap {
            last: None,
            next: None,
            missed: None,
            cause: GapCause::NoHistory,
        }))
    };
    let begun = [state(1), plain(2), gap, state(2)];
    assert!(check(&[&begun[..], &[plain(5), plain(6)]].concat()));
    assert!(
        !check(&[&begun[..], &[plain(6)]].concat()),
        "the fifth was published behind the gap"
    );
}

#[test]
fn a_subscription_of_the_servers_is_interrupted_by_what_was_on_its_way_then_and_by_nothing_else() {
    let now = Instant::now();
    let after = |seconds| now + Duration::from_secs(seconds);
    let count = |granted: &[Instant], left: &[Instant], resumed: bool| {
        let made = Made {
            granted,
            left,
            again: resumed.then(|| after(10)..=after(20)),
            crosses: after(15)..=after(30),
        };
        made.interruptions()
    };
    assert_eq!(count(&[after(12)], &[], true), 1);
    assert_eq!(count(&[after(25)], &[], true), 0, "it was made behind the resume");
    assert_eq!(count(&[after(5)], &[], true), 0, "it was told long before");
    assert_eq!(count(&[after(12)], &[], false), 0, "the session is new");
    assert_eq!(count(&[], &[after(20)], true), 1);
    assert_eq!(count(&[], &[after(5)], true), 0, "it was left long before");
    assert_eq!(count(&[after(12)], &[after(20)], true), 2);
}

#[test]
fn what_one_session_has_missed_excuses_nothing_in_another() {
    let sent = Sent {
        numbers: vec![1, 2, 5],
        missed: [("first".to_owned(), 2)].into(),
    };
    let check = |session, owed: &[u64]| {
        holds(|| {
            sent.check_session(session, owed.iter().copied());
        })
    };
    assert_eq!(sent.check_session("first", [1, 2, 3, 4].into_iter()), 2);
    assert!(!check("first", &[3, 4, 6]), "it is told of two");
    assert!(check("second", &[1, 2, 5]));
    assert!(!check("second", &[5, 6]), "it is told of none");
    let order = |numbers| Sent {
        numbers,
        ..Sent::default()
    };
    assert!(holds(|| order(vec![1, 3]).check_order()));
    assert!(!holds(|| order(vec![3, 1]).check_order()));
    assert!(!holds(|| order(vec![1, 1]).check_order()), "it comes twice");
}

/// A gap for what a program has not read, of which so many are told.
fn not_read(missed: u64) -> Item {
    item(Given::Gap(Gap {
        last: None,
        next: None,
        missed: Some(missed),
        cause: GapCause::NotRead,
    }))
}

#[test]
fn a_program_that_reads_has_missed_something_only_where_more_came_at_once_than_waits_for_it() {
    let now = Instant::now();
    let after = |seconds| now + Duration::from_secs(seconds);
    let waits = UNREAD as u64;
    let check = |at_once: u64| {
        let mut log = Log::new(Retention::NONE);
        let all = 1..=waits + 2;
        all.clone()
            .for_each(|number| log.published(entry(number, None, after(number)), None, true));
        // What was published one after the other, and waited for a connection to come back, is read at the end of that time.
        let told = after(waits + 1);
        let read = |number: u64| match number > waits - at_once {
            true => told,
            false => after(number),
        };
        let mut items: Vec<_> = (1..=waits)
            .map(|number| Item {
                at: read(number),
                ..plain(number)
            })
            .collect();
        items.push(Item {
            at: told,
            ..not_read(1)
        });
        items.push(plain(waits + 2));
        is_right(&log, &passing(&items))
    };
    assert!(check(waits));
    assert!(!check(waits - 1), "there was room for it");
}

#[test]
fn what_was_published_twice_around_a_lost_connection_may_be_either() {
    let now = Instant::now();
    let mut log = Log::new(Retention::NONE);
    // The second and the fourth are one, of a publisher that has tried again.
    for number in [1, 2, 3, 2, 4] {
        log.published(entry(number, None, now), None, true);
    }
    let gap = item(Given::Gap(Gap {
        last: None,
        next: None,
        missed: None,
        cause: GapCause::NoHistory,
    }));
    let check = |items: &[Item]| {
        let passing = Passing {
            connections: 0,
            ..passing(items)
        };
        is_right(&log, &passing)
    };
    let (one, two, three, four) = (plain(1), plain(2), plain(3), plain(4));
    let lost = |items: &[&Item]| items.iter().map(|item| (*item).clone()).collect::<Vec<_>>();
    assert!(check(&lost(&[&one, &gap, &two, &four])), "the second");
    assert!(check(&lost(&[&one, &gap, &two, &three, &two, &four])), "both");
    assert!(check(&lost(&[&gap, &two, &three, &two, &four])));
    assert!(!check(&lost(&[&one, &two, &four])), "nothing was lost");
    assert!(
        !check(&lost(&[&one, &gap, &two, &three, &four])),
        "the second of them is missing"
    );
}
