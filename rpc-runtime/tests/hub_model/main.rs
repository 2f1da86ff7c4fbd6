//! The hub against a reference model, on a virtual clock. README.md beside this says what is held to be so, how to run it, and what
//! it was seen to catch.

#![allow(
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test crate"
)]

mod house;
mod line;
mod model;
mod program;
mod random;
mod recorder;
mod rights;
mod seen;
mod truth;
mod world;

use std::{env, sync::Mutex, thread};

use seen::Seen;

/// So many runs without being told otherwise: about 85 s of one core in a debug build.
const SEEDS: u64 = 5_000;

/// Those beyond them that have found something, which runs besides. What each found is told in the README. These are what they were
/// then: no rights change but those to subscribe.
const FOUND: [u64; 27] = [
    20_497, 30_257, 148_619, 154_592, 160_803, 179_975, 191_491, 214_898, 216_625, 219_221, 224_816, 229_755,
    230_706, 462_041, 568_064, 618_668, 651_767, 659_349, 693_916, 717_039, 863_926, 938_652, 960_425,
    981_694, 981_860, 1_128_779, 1_455_649,
];

/// Those that have found something since all rights change.
const FOUND_SINCE: [u64; 2] = [418_435, 602_132];

/// In so many runs everything has happened.
const ENOUGH: u64 = 1_000;

#[test]
fn every_program_is_given_what_the_model_says() {
    let one = |name| from_env(name).map(|numbers| numbers[0]);
    let named = from_env("RPC_SEED");
    let is_range = named.is_none();
    let seeds = named.unwrap_or_else(|| match (one("RPC_FROM"), one("RPC_SEEDS")) {
        (None, None) => (0..SEEDS).chain(FOUND).chain(FOUND_SINCE).collect(),
        (from, count) => {
            let from = from.unwrap_or(0);
            (from..from + count.unwrap_or(SEEDS)).collect()
        }
    });
    let seeds = seeds.repeat(one("RPC_TIMES").unwrap_or(1) as usize);
    let tells = seeds.len() == 1;
    let goes_on = env::var_os("RPC_KEEP_GOING").is_some();
    let runs = seeds.len() as u64;
    let failed = Mutex::new(Vec::new());
    let left = Mutex::new(seeds.into_iter());
    let work = || {
        let mut seen = Seen::default();
        loop {
            let next = left.lock().unwrap().next();
            let Some(seed) = next else { return seen };
            // What the library keeps for each thread is as it was for the first run.
            match thread::spawn(move || world::run(seed, !FOUND.contains(&seed), tells)).join() {
                Ok(one) => seen.add(&one),
                Err(_) => {
                    // Maps are iterated over in another order each time, which may matter.
                    println!("failed; replay with RPC_SEED={seed}, or RPC_SEED={seed} RPC_TIMES=1000");
                    failed.lock().unwrap().push(seed);
                    assert!(goes_on, "{seed} has failed");
                }
            }
        }
    };
    let seen = thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, |count| count.get());
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut seen = Seen::default();
        for worker in workers {
            seen.add(&worker.join().unwrap());
        }
        seen
    });
    println!("{seen:?}");
    let failed = failed.into_inner().unwrap();
    assert!(
        failed.is_empty(),
        "{} of {runs} runs failed: {failed:?}",
        failed.len()
    );
    if is_range && runs >= ENOUGH {
        seen.check_that_everything_happened(runs);
        seen.check_that_what_is_rare_is(runs);
    }
}

/// One number, or several with commas between them.
fn from_env(name: &str) -> Option<Vec<u64>> {
    let text = env::var(name).ok()?;
    let numbers = text.split(',').map(|number| number.trim().parse());
    Some(
        numbers
            .collect::<Result<_, _>>()
            .unwrap_or_else(|_| panic!("{name} is a number, and not {text:?}")),
    )
}
