//! The hub against a reference model: clients of random users subscribe, publish, send, change users, stop reading, lose their
//! connections in every way and come back, on a virtual clock; what their programs are given must be what the model says.
//!
//! A run is decided by its seed alone. `RPC_SEEDS=1000000 cargo test -p rpc-runtime --test hub_model --release` runs more of them,
//! `RPC_SEED=42` replays one.

#![allow(
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test crate"
)]

mod line;
mod model;
mod program;
mod random;
mod recorder;
mod world;

use std::env;

/// So many runs without being told otherwise.
const SEEDS: u64 = 5_000;

#[test]
fn every_program_is_given_what_the_model_says() {
    let seeds = match from_env("RPC_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..from_env("RPC_SEEDS").unwrap_or(SEEDS),
    };
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let mut seen = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                let seeds = seeds.clone();
                scope.spawn(move || {
                    let mut seen = world::Seen::default();
                    for seed in seeds.filter(|seed| seed % threads == worker) {
                        let run = std::panic::catch_unwind(|| world::run(seed));
                        match run {
                            Ok(one) => seen.add(&one),
                            Err(_) => panic!("failed; replay with RPC_SEED={seed}"),
                        }
                    }
                    seen
                })
            })
            .collect();
        let mut seen = world::Seen::default();
        for worker in workers {
            seen.add(&worker.join().unwrap());
        }
        seen
    });
    println!("{seen:?}");
    if seeds.end - seeds.start >= 1_000 {
        seen.check_that_everything_happened();
    }
}

fn from_env(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number, and not {text:?}")),
    )
}
