//! Contracts over several files, modules and crates. Their generated code is pinned in `golden/`, compiled here, and called
//! in the tests.

pub mod clock;
pub mod contracts;

/// Generated from `contracts/note.rs`.
pub mod note {
    rpc_runtime::include_gateway!("note");
}

/// Generated from `contracts/task.rs`.
pub mod task {
    rpc_runtime::include_gateway!("task");
}

/// Generated from `contracts/ticker.rs`.
pub mod ticker {
    rpc_runtime::include_gateway!("ticker");
}

/// Generated from `clock.rs`: the client of a gateway that was written by hand.
pub mod clock_client {
    rpc_runtime::include_gateway!("clock");
}
