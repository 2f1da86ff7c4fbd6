//! A client's and a server's end, joined by two links with random delays, on a virtual clock: whatever well-behaved
//! applications do on both sides, with calls of all kinds, every call gets exactly one outcome, its own; no message is
//! lost, doubled or out of order; windows hold and no credit is lost; what is held stays within its limits; nothing
//! is left over; and every authentication comes between the calls that it was sent between, and is answered once.
//!
//! A run is decided by its seed alone. `RPC_SEEDS=1000000 cargo test -p rpc-protocol --test two_peers --release` runs
//! more of them, `RPC_SEED=42` replays one.

mod calls;
mod client;
mod identity;
mod link;
mod random;
mod server;
mod tally;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rpc_protocol::frame::{GoAway, Greeting};
use rpc_protocol::{ClientConnection, Frame, Limits, ServerConnection};

use self::calls::{Call, Fate};
use self::identity::Authentications;
use self::link::{Link, Windows};
use self::random::Random;
use self::tally::{SeenOf, Tally};

/// Shows a count in the output of a plain `cargo test`, which keeps what tests print.
macro_rules! report {
    ($($text:tt)*) => {{
        use std::io::Write;
        writeln!(std::io::stderr(), $($text)*).expect("standard error is there");
    }};
}

struct World {
    random: Random,
    now: Instant,
    client: ClientConnection,
    server: ServerConnection,
    up: Link,
    down: Link,
    up_windows: Windows,
    down_windows: Windows,
    from_client: Vec<Vec<u8>>,
    from_server: Vec<Vec<u8>>,
    calls: BTreeMap<u64, Call>,
    authentications: Authentications,
    /// Calls that reached the server's application.
    seen: BTreeSet<u64>,
    /// Bodies over several frames and windows.
    heavy: bool,
    small_pending: bool,
    max_streams: usize,
    max_body: usize,
    client_pending: usize,
    server_pending: usize,
    client_greets: bool,
    drained: bool,
    /// Nobody consumes before the run settles, so that windows shut.
    lazy: bool,
    seen_of: SeenOf,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let now = Instant::now();
        let heavy = random.one_in(4);
        let small_pending = random.one_in(2);
        let mut limits = |max_streams: usize| {
            let mut limits = Limits::default();
            limits.max_streams = max_streams;
            limits.idle_timeout = None;
            if small_pending {
                limits.max_pending_bytes = 2 << 20;
            }
            if random.one_in(3) {
                limits.connection_window_bytes = random.below(2 << 20);
                limits.stream_window_bytes = random.below(1 << 20);
            }
            limits
        };
        let max_streams = 1 + seed as usize % 20;
        let (of_server, of_client) = (limits(max_streams), limits(100));
        let pending = |limits: &Limits| limits.max_pending_bytes.max(2 * limits.connection_window_bytes);
        let mut world = Self {
            now,
            client: ClientConnection::new(of_client.clone(), now),
            server: ServerConnection::new(of_server.clone(), now),
            up: Link::default(),
            down: Link::default(),
            up_windows: Windows::new(),
            down_windows: Windows::new(),
            from_client: Vec::new(),
            from_server: Vec::new(),
            calls: BTreeMap::new(),
            authentications: Authentications::default(),
            seen: BTreeSet::new(),
            heavy,
            small_pending,
            max_streams,
            max_body: of_server.max_body_bytes,
            client_pending: pending(&of_client),
            server_pending: pending(&of_server),
            client_greets: random.one_in(2),
            drained: false,
            lazy: random.one_in(2),
            seen_of: SeenOf::default(),
            random,
        };
        world.server.greet(Greeting::default(), &mut world.from_server);
        world
    }

    /// One of the client's calls that are not over, mostly a young one.
    fn any_call(&mut self) -> Option<u64> {
        let ids: Vec<u64> = self.client.waiting().collect();
        self.random.pick(&ids)
    }

    fn any_handler(&mut self) -> Option<u64> {
        let ids = self.handlers();
        self.random.pick(&ids)
    }

    fn act(&mut self) {
        match self.random.below(40) {
            0..=5 => self.open(),
            6..=12 => self.with_call(|world, id| {
                for _ in 0..=world.random.below(8) {
                    world.client_sends(id);
                }
            }),
            13..=15 if !self.lazy => {
                let count = self.random.below(5);
                self.with_call(|world, id| world.client_consumes(id, count));
            }
            16 if self.random.one_in(3) => self.with_call(Self::cancel),
            17..=23 => self.with_handler(|world, id| {
                for _ in 0..=world.random.below(8) {
                    world.server_sends(id);
                }
            }),
            24..=26 if !self.lazy => {
                let count = self.random.below(5);
                self.with_handler(|world, id| world.server_consumes(id, count));
            }
            27..=29 if !self.lazy || self.random.one_in(5) => self.with_handler(Self::finish),
            30 if self.random.one_in(3) => self.with_handler(Self::end_early),
            31 if self.random.one_in(3) => self.with_handler(Self::stop_reading),
            32 if self.random.one_in(20) => {
                self.drained = true;
                self.server.go_away(GoAway::default(), &mut self.from_server);
            }
            33 if self.client_greets => {
                self.client_greets = false;
                self.client.greet(Greeting::default(), &mut self.from_client);
            }
            34 if self.random.one_in(10) => self.pass(Duration::from_secs(self.random.0 % 40)),
            35 => {
                let room = self.random.below(300 << 10);
                self.client_transmits(room);
                self.server_transmits(room);
            }
            36 => self.authenticate(),
            37 => self.answer_authentication(),
            38 => self.ping(),
            _ => {
                let step = Duration::from_millis(self.random.below(60) as u64);
                self.pass(step);
            }
        }
        self.carry();
    }

    fn with_call(&mut self, act: impl FnOnce(&mut Self, u64)) {
        if let Some(id) = self.any_call() {
            act(self, id);
        }
    }

    fn with_handler(&mut self, act: impl FnOnce(&mut Self, u64)) {
        if let Some(id) = self.any_handler() {
            act(self, id);
        }
    }

    /// Lets time pass, stopping at every timer and arrival.
    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            self.carry();
            let next = [
                self.client.poll_timeout(),
                self.server.poll_timeout(),
                self.up.next(),
                self.down.next(),
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

    /// Puts what was written on the links, in the account of the windows too.
    fn account(&mut self) {
        for message in std::mem::take(&mut self.from_client) {
            let message = Bytes::from(message);
            let frame = Frame::decode(message.clone()).expect("a frame");
            self.seen_of.frame(&frame);
            self.up_windows.sent(&frame);
            self.down_windows.answered(&frame);
            self.up.send(message, self.now, &mut self.random);
        }
        for message in std::mem::take(&mut self.from_server) {
            let message = Bytes::from(message);
            let frame = Frame::decode(message.clone()).expect("a frame");
            self.seen_of.frame(&frame);
            self.down_windows.sent(&frame);
            self.up_windows.answered(&frame);
            self.down.send(message, self.now, &mut self.random);
        }
    }

    /// Takes what was written to the links, and what has arrived from them.
    fn carry(&mut self) {
        loop {
            self.account();
            self.client.handle_flushed();
            self.server.handle_flushed();
            if let Some(message) = self.up.arrived(self.now) {
                let frame = Frame::decode(message.clone()).expect("a frame");
                self.up_windows.received(&frame);
                self.down_windows.told(&frame);
                self.serve(message);
            } else if let Some(message) = self.down.arrived(self.now) {
                let frame = Frame::decode(message.clone()).expect("a frame");
                self.down_windows.received(&frame);
                self.up_windows.told(&frame);
                self.consume(message);
            } else {
                break;
            }
        }
    }

    /// Both applications consume everything and come to an end, sending only when they are told that they may; looks for
    /// what is left.
    fn settle(&mut self) {
        let mut rounds = 0;
        while !self.is_quiet() {
            rounds += 1;
            assert!(rounds < 5_000, "it does not come to an end: {:?}", self.fates());
            let ids: Vec<u64> = self.calls.keys().copied().collect();
            for id in ids {
                self.client_sends(id);
                self.client_consumes(id, usize::MAX);
                self.server_sends(id);
                self.server_consumes(id, usize::MAX);
                let call = &self.calls[&id];
                let done = call.handler.as_ref().is_some_and(|handler| {
                    let read = !call.kind.streams_up() || handler.half_closed || handler.stopped_reading;
                    handler.silent || (read && call.down.left == 0)
                });
                if done {
                    self.finish(id);
                }
            }
            self.answer_authentication();
            self.client_transmits(100 << 10);
            self.server_transmits(100 << 10);
            self.pass(Duration::from_millis(20));
        }
        assert_eq!(self.server.open_streams(), 0, "the server holds nothing");
        assert_eq!(self.client.open_streams(), 0, "the client holds nothing");
        self.up_windows.check_settled();
        self.down_windows.check_settled();
        self.pass(Duration::from_secs(300));
    }

    fn is_quiet(&self) -> bool {
        let over = |call: &Call| call.handler.is_none() && !call.is_waiting();
        self.calls.values().all(over)
            && self.authentications.are_over()
            && self.up.is_empty()
            && self.down.is_empty()
            && self.client.queued_bytes() + self.server.queued_bytes() == 0
            && self.server.open_streams() + self.client.open_streams() == 0
    }

    fn fates(&self) -> BTreeMap<u64, (calls::Kind, Fate, bool)> {
        let calls = self.calls.iter();
        calls
            .map(|(id, call)| (*id, (call.kind, call.fate, call.handler.is_some())))
            .collect()
    }
}

fn run(seed: u64, tally: &mut Tally) {
    let mut world = World::new(seed);
    for _ in 0..world.random.below(400) {
        world.act();
    }
    world.settle();
    tally.calls += world.calls.len();
    tally.seen_of.add(&world.seen_of);
    for call in world.calls.values() {
        tally.seen_of.messages += call.up.sent + call.down.sent;
        let name = match call.fate {
            Fate::Done(code) => code.name(),
            Fate::Cancelled => "cancelled by the caller",
            Fate::OneWay => "one-way",
            Fate::Waiting => unreachable!("settled"),
        };
        *tally
            .outcomes
            .entry(format!("{:?} {name}", call.kind))
            .or_default() += 1;
    }
}

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|value| value.parse().expect("a number"))
}

#[test]
fn every_call_gets_its_messages_and_exactly_one_outcome_and_nothing_is_left_over() {
    let seeds = match from_env("RPC_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..from_env("RPC_SEEDS").unwrap_or(10_000),
    };
    let mut tally = Tally::default();
    for seed in seeds.clone() {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(seed, &mut tally)));
        assert!(result.is_ok(), "failed; replay with RPC_SEED={seed}");
    }
    let Tally {
        calls,
        seen_of,
        outcomes,
    } = &tally;
    report!(
        "{} seeds, {calls} calls: {seen_of:?}, {outcomes:#?}",
        seeds.end - seeds.start
    );
    if seeds.end - seeds.start >= 1_000 {
        // A run that never gets to what it is to prove proves nothing.
        for count in [
            seen_of.queued,
            seen_of.waited,
            seen_of.window_shut,
            seen_of.parts,
            seen_of.credits,
            seen_of.stream_credits,
            seen_of.authentications,
            seen_of.round_trips,
        ] {
            assert!(count > 0);
        }
        for kind in ["Unary", "Client", "Server", "Bidirectional"] {
            for name in [
                "OK",
                "NOT_FOUND",
                "DEADLINE_EXCEEDED",
                "RESOURCE_EXHAUSTED",
                "UNAVAILABLE",
                "cancelled by the caller",
            ] {
                let outcome = format!("{kind} {name}");
                assert!(outcomes.contains_key(&outcome), "no {outcome}");
            }
        }
    }
}
