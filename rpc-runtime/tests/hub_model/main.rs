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
mod seen;
mod truth;
mod world;

use std::env;

use seen::Seen;

/// So many runs without being told otherwise: about 85 s of one core in a debug build.
const SEEDS: u64 = 5_000;

/// In so many runs everything has happened.
const ENOUGH: u64 = 1_000;

#[test]
fn every_program_is_given_what_the_model_says() {
    let seed = from_env("RPC_SEED");
    let tells = seed.is_some();
    let seeds = match seed {
        Some(seed) => seed..seed + 1,
        None => {
            let from = from_env("RPC_FROM").unwrap_or(0);
            from..from + from_env("RPC_SEEDS").unwrap_or(SEEDS)
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let seen = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                let seeds = seeds.clone();
                scope.spawn(move || {
                    let mut seen = Seen::default();
                    for seed in seeds.filter(|seed| seed % threads == worker) {
                        let run = std::panic::catch_unwind(|| world::run(seed, tells));
                        match run {
                            Ok(one) => seen.add(&one),
                            Err(_) => panic!("failed; replay with RPC_SEED={seed}"),
                        }
                    }
                    seen
                })
            })
            .collect();
        let mut seen = Seen::default();
        for worker in workers {
            seen.add(&worker.join().unwrap());
        }
        seen
    });
    println!("{seen:?}");
    let runs = seeds.end - seeds.start;
    if runs >= ENOUGH {
        seen.check_that_everything_happened(runs);
    }
}

fn from_env(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number, and not {text:?}")),
    )
}
