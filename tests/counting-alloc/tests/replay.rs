//! What it costs to keep frames of calls for a resume: nothing where one side does not, and a copy of each frame where both do.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test crate")]

use std::time::Duration;

use counting_alloc::{Counting, allocations};
use rpc_runtime::{ClientLimits, Limits, Server, Status, codegen::Gateway as _, contract, rpc, testing};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const CALLS: u64 = 2_000;

#[contract(package = "echo", detached)]
struct Note {
    text: String,
}

struct Echo;

#[rpc("echo", detached)]
impl Echo {
    /// Gives it back.
    #[message("Note", method = "Say")]
    async fn say(&self, data: Note) -> Result<Note, Status> {
        Ok(data)
    }
}

/// How many allocations calls make, one after the other, on both sides.
fn made(server_keeps: usize, client_keeps: usize) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let server = Server::builder().service(Echo).limits(Limits {
            resume_window: Duration::from_secs(60),
            replay_bytes: server_keeps,
            ..Limits::default()
        });
        let server = testing::serve(server.build().unwrap());
        let client = server.builder().limits(ClientLimits {
            replay_bytes: client_keeps,
            ..ClientLimits::default()
        });
        let client = client.lazy().unwrap();
        let method = &Echo::descriptor().methods[0];
        let note = Note {
            text: "a note of some length, which has to be copied somewhere".to_owned(),
        };
        let mut before = 0;
        for call in 0..2 * CALLS {
            if call == CALLS {
                // What is made once has been made.
                before = allocations();
            }
            let answer: Note = client.unary(method, &note).await.unwrap();
            assert_eq!(answer.text.len(), note.text.len());
        }
        allocations() - before
    })
}

#[test]
fn calls_make_no_allocation_more_unless_both_sides_keep_their_frames() {
    let without = made(0, 0);
    for (server, client) in [(1 << 20, 0), (0, 1 << 20)] {
        let more = made(server, client).saturating_sub(without);
        // Timers and the like come when they come.
        assert!(more < CALLS / 100, "{more} more than {without}");
    }
    let more = made(1 << 20, 1 << 20) - without;
    // A request and its answer are copied, and now and then somebody acknowledges.
    assert!(
        (2 * CALLS..3 * CALLS).contains(&more),
        "{more} more than {without}"
    );
}
