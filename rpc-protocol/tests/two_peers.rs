//! A client's and a server's end, joined by two links with random delays, on a virtual clock: whatever well-behaved
//! applications do on both sides, every call gets exactly one outcome, its own, and nothing is left over.
//!
//! A run is decided by its seed alone. `RPC_SEEDS=1000000 cargo test -p rpc-protocol --test two_peers --release` runs
//! more of them, `RPC_SEED=42` replays one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rpc_protocol::frame::{End, GoAway, Greeting, Request, Response};
use rpc_protocol::{
    ClientConnection, ClientEvent, Code, Limits, MethodRef, OpenError, ServerConnection, ServerEvent,
};

/// Shows a count in the output of a plain `cargo test`, which keeps what tests print.
macro_rules! report {
    ($($text:tt)*) => {{
        use std::io::Write;
        writeln!(std::io::stderr(), $($text)*).expect("standard error is there");
    }};
}

/// SplitMix64: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    fn pick<T: Copy>(&mut self, from: impl ExactSizeIterator<Item = T>) -> Option<T> {
        let mut from = from;
        match from.len() {
            0 => None,
            len => from.nth(self.below(len)),
        }
    }
}

/// Messages on their way, in order, each with the time of its arrival.
#[derive(Default)]
struct Link(VecDeque<(Instant, Bytes)>);

impl Link {
    fn send(&mut self, written: &mut Vec<Vec<u8>>, now: Instant, random: &mut Random) {
        for message in written.drain(..) {
            let delay = Duration::from_millis(random.below(80) as u64);
            let after = self.0.back().map_or(now, |(last, _)| (*last).max(now));
            self.0.push_back((after.max(now + delay), Bytes::from(message)));
        }
    }

    fn arrived(&mut self, now: Instant) -> Option<Bytes> {
        self.0
            .pop_front_if(|(at, _)| *at <= now)
            .map(|(_, message)| message)
    }
}

/// What the client's application knows of a call.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Call {
    Waiting,
    OneWay,
    Cancelled,
    Done(Code),
}

struct World {
    random: Random,
    now: Instant,
    client: ClientConnection,
    server: ServerConnection,
    up: Link,
    down: Link,
    from_client: Vec<Vec<u8>>,
    from_server: Vec<Vec<u8>>,
    calls: BTreeMap<u64, Call>,
    /// Calls that reached the server's application, in order.
    seen: Vec<u64>,
    /// Handlers that run; `true` where the call was cancelled or ended early and only the handler is left.
    handlers: BTreeMap<u64, bool>,
    max_streams: usize,
    drained: bool,
    /// What an answer was sent for, which must not happen twice.
    answered: BTreeSet<u64>,
}

fn body_of(stream_id: u64) -> Bytes {
    Bytes::from(stream_id.to_le_bytes().repeat((stream_id % 5) as usize))
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let now = Instant::now();
        let mut limits = Limits::default();
        limits.max_streams = 1 + random.below(8);
        let mut world = Self {
            now,
            client: ClientConnection::new(Limits::default(), now),
            server: ServerConnection::new(limits.clone(), now),
            up: Link::default(),
            down: Link::default(),
            from_client: Vec::new(),
            from_server: Vec::new(),
            calls: BTreeMap::new(),
            seen: Vec::new(),
            handlers: BTreeMap::new(),
            max_streams: limits.max_streams,
            drained: false,
            answered: BTreeSet::new(),
            random,
        };
        world.server.greet(Greeting::default(), &mut world.from_server);
        world
    }

    fn act(&mut self) {
        match self.random.below(16) {
            0..=4 => self.open(),
            5 => self.cancel(),
            6..=9 => self.end_handler(),
            10 => self.end_early(),
            11 if self.random.one_in(20) => self.drain(),
            12 if self.random.one_in(10) => self.pass(Duration::from_secs(self.random.0 % 40)),
            _ => {
                let step = Duration::from_millis(self.random.below(60) as u64);
                self.pass(step);
            }
        }
        self.carry();
    }

    fn open(&mut self) {
        let one_way = self.random.one_in(6);
        let id = self.calls.len() as u64 + 1;
        let request = Request {
            method: id,
            one_way,
            ..Request::default()
        };
        match self.client.open(&request, &body_of(id), &mut self.from_client) {
            Ok(opened) => {
                assert_eq!(opened, id, "ids count up by one");
                self.calls
                    .insert(id, if one_way { Call::OneWay } else { Call::Waiting });
            }
            // Above the limit where calls were sent before the greeting told it.
            Err(OpenError::NoStreamFree { limit }) => assert!(self.client.open_streams() >= limit),
            Err(OpenError::GoingAway) => assert!(self.drained),
            Err(error) => panic!("{error}"),
        }
    }

    fn cancel(&mut self) {
        let ids: Vec<u64> = self.client.waiting().collect();
        if let Some(id) = self.random.pick(ids.into_iter()) {
            self.client.cancel(id, &mut self.from_client);
            self.calls.insert(id, Call::Cancelled);
        }
    }

    fn end_handler(&mut self) {
        let ids: Vec<u64> = self.handlers.keys().copied().collect();
        if let Some(id) = self.random.pick(ids.into_iter()) {
            self.finish(id);
        }
    }

    /// The handler of `id` ends, in one of the ways in which it can.
    fn finish(&mut self, id: u64) {
        let silent = self.handlers.remove(&id).expect("a handler that runs");
        let before = self.from_server.len();
        match self.random.below(3) {
            0 if silent => self.server.finished(id),
            1 => {
                let end = End::new(Code::NotFound, "none");
                self.server
                    .end(id, &end, &mut self.from_server)
                    .expect("within the limit");
            }
            _ => {
                self.server
                    .respond(id, &Response::default(), &body_of(id), &mut self.from_server)
                    .expect("within the limit");
            }
        }
        self.check_answer(id, before, silent);
    }

    fn end_early(&mut self) {
        let ids: Vec<u64> = self.handlers.keys().copied().collect();
        if let Some(id) = self.random.pick(ids.into_iter()) {
            let silent = self.handlers.insert(id, true).expect("a handler that runs");
            let before = self.from_server.len();
            let end = End::new(Code::DeadlineExceeded, "");
            self.server
                .end_running(id, &end, &mut self.from_server)
                .expect("within the limit");
            self.check_answer(id, before, silent);
        }
    }

    fn check_answer(&mut self, id: u64, before: usize, silent: bool) {
        let sent = self.from_server.len() - before;
        let one_way = self.calls[&id] == Call::OneWay;
        assert_eq!(sent, usize::from(!silent && !one_way), "call {id}");
        assert!(
            sent == 0 || self.answered.insert(id),
            "call {id} is answered once"
        );
    }

    fn drain(&mut self) {
        self.drained = true;
        self.server.go_away(GoAway::default(), &mut self.from_server);
    }

    /// Lets time pass, stopping at every timer and arrival.
    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            self.carry();
            let next = [
                self.client.poll_timeout(),
                self.server.poll_timeout(),
                self.up.0.front().map(|(at, _)| *at),
                self.down.0.front().map(|(at, _)| *at),
            ];
            self.now = next
                .into_iter()
                .flatten()
                .min()
                .map_or(until, |next| next.clamp(self.now, until));
            self.client
                .handle_timeout(self.now, &mut self.from_client)
                .expect("the server is there");
            self.server
                .handle_timeout(self.now, &mut self.from_server)
                .expect("the client is there");
            if self.now == until {
                break;
            }
        }
        self.carry();
    }

    /// Takes what was written to the links, and what has arrived from them.
    fn carry(&mut self) {
        loop {
            self.up.send(&mut self.from_client, self.now, &mut self.random);
            self.client.handle_flushed();
            self.down.send(&mut self.from_server, self.now, &mut self.random);
            self.server.handle_flushed();
            if let Some(message) = self.up.arrived(self.now) {
                self.serve(message);
            } else if let Some(message) = self.down.arrived(self.now) {
                self.consume(message);
            } else {
                break;
            }
        }
    }

    fn serve(&mut self, message: Bytes) {
        let event = self
            .server
            .handle_message(message, self.now, &mut self.from_server);
        match event.expect("the client behaves") {
            ServerEvent::Request(request) => {
                let id = request.stream_id;
                assert_eq!(request.method, MethodRef::Number(id), "call {id}");
                assert_eq!(request.body, body_of(id), "call {id}");
                assert!(
                    self.seen.last().is_none_or(|last| *last < id),
                    "in order and once"
                );
                self.seen.push(id);
                self.handlers.insert(id, false);
                match self.random.below(3) {
                    0 => self.finish(id),
                    1 => self.server.park(id),
                    _ => {}
                }
            }
            ServerEvent::Cancelled { stream_id, code } => {
                assert_eq!(code, Code::Cancelled);
                let silent = self.handlers.insert(stream_id, true);
                assert_eq!(
                    silent,
                    Some(false),
                    "call {stream_id} ran and was not cancelled before"
                );
            }
            ServerEvent::None | ServerEvent::Greeting(_) => {}
            event => panic!("{event:?}"),
        }
        assert_eq!(
            self.server.open_streams(),
            self.handlers.len(),
            "a slot for each handler, and no other"
        );
        assert!(self.handlers.len() <= self.max_streams);
    }

    fn consume(&mut self, message: Bytes) {
        let event = self
            .client
            .handle_message(message, self.now, &mut self.from_client);
        match event.expect("the server behaves") {
            ClientEvent::Response { stream_id, response } => {
                assert_eq!(response.body, body_of(stream_id), "the outcome is the call's own");
                self.outcome(stream_id, Code::Ok);
            }
            ClientEvent::End { stream_id, end } => {
                let code = end.status.expect("a status").code();
                match code {
                    Code::NotFound | Code::DeadlineExceeded => assert!(self.answered.contains(&stream_id)),
                    // The client keeps to the limit, but the server's slots outlive a cancel, and one-way calls
                    // take some that the client does not count.
                    Code::ResourceExhausted => assert!(!self.seen.contains(&stream_id)),
                    Code::Unavailable => assert!(self.drained && !self.seen.contains(&stream_id)),
                    code => panic!("call {stream_id} ended with {code}"),
                }
                self.outcome(stream_id, code);
            }
            ClientEvent::GoAway { not_run, .. } => {
                for id in not_run {
                    self.outcome(id, Code::Unavailable);
                }
            }
            ClientEvent::None | ClientEvent::Greeting(_) => {}
            event => panic!("{event:?}"),
        }
    }

    fn outcome(&mut self, stream_id: u64, code: Code) {
        let before = self.calls.insert(stream_id, Call::Done(code));
        assert_eq!(before, Some(Call::Waiting), "call {stream_id} gets one outcome");
    }

    /// Lets everything run out, and looks for what is left.
    fn settle(&mut self) {
        while !self.handlers.is_empty() || !self.up.0.is_empty() || !self.down.0.is_empty() {
            self.end_handler();
            self.pass(Duration::from_millis(20));
        }
        assert_eq!(self.server.open_streams(), 0, "the server holds nothing");
        assert!(
            self.calls.values().all(|call| *call != Call::Waiting),
            "{:?}",
            self.calls
        );
        self.pass(Duration::from_secs(300));
    }
}

fn run(seed: u64) -> (usize, BTreeMap<&'static str, usize>) {
    let mut world = World::new(seed);
    for _ in 0..world.random.below(300) {
        world.act();
    }
    world.settle();
    let mut outcomes = BTreeMap::new();
    for call in world.calls.values() {
        let name = match call {
            Call::Done(code) => code.name(),
            Call::Cancelled => "cancelled by the caller",
            Call::OneWay => "one-way",
            Call::Waiting => unreachable!("settled"),
        };
        *outcomes.entry(name).or_default() += 1;
    }
    (world.calls.len(), outcomes)
}

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|value| value.parse().expect("a number"))
}

#[test]
fn every_call_gets_exactly_one_outcome_and_nothing_is_left_over() {
    let seeds = match from_env("RPC_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..from_env("RPC_SEEDS").unwrap_or(10_000),
    };
    let mut calls = 0;
    let mut outcomes = BTreeMap::new();
    for seed in seeds.clone() {
        let result = std::panic::catch_unwind(|| run(seed));
        let (count, some) = result.unwrap_or_else(|_| panic!("failed; replay with RPC_SEED={seed}"));
        calls += count;
        for (name, count) in some {
            *outcomes.entry(name).or_insert(0_usize) += count;
        }
    }
    report!("{} seeds, {calls} calls: {outcomes:?}", seeds.end - seeds.start);
    if seeds.end - seeds.start >= 1_000 {
        // A run that never gets to what it is to prove proves nothing.
        for name in [
            "OK",
            "NOT_FOUND",
            "DEADLINE_EXCEEDED",
            "RESOURCE_EXHAUSTED",
            "UNAVAILABLE",
            "one-way",
        ] {
            assert!(outcomes.contains_key(name), "no call ended as {name}");
        }
    }
}
