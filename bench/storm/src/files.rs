//! Threads with a table of open files each: where the system's limit cannot be raised, it holds for each of them.

use nix::sched::{CloneFlags, CpuSet, sched_getaffinity, sched_setaffinity, unshare};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::Pid;
pub(crate) use rpc_bench_measure::text;
use std::future::Future;

/// Connections of one thread. Sockets whose handshake is refused, and what the kernel's choice of a listener strays by,
/// come on top.
pub(crate) const CONNECTIONS: usize = 14_000;

/// How many threads that many connections need.
pub(crate) fn threads(connections: usize) -> usize {
    connections.div_ceil(CONNECTIONS).max(1)
}

/// Lets this process have as many files open as the system allows.
pub(crate) fn allow_most() -> Result<(), String> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(text)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).map_err(text)
}

/// Runs a future on a thread that has a table of open files, and a runtime, of its own. Where that fails the process ends: it
/// would measure something else.
pub(crate) fn spawn<F>(future: impl FnOnce() -> F + Send + 'static)
where
    F: Future<Output = Result<(), String>>,
{
    std::thread::spawn(move || {
        let ended = unshare(CloneFlags::CLONE_FILES)
            .map_err(text)
            .and_then(|()| {
                tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .map_err(text)
            })
            .and_then(|runtime| runtime.block_on(future()));
        if let Err(error) = ended {
            eprintln!("rpc-storm-bench: {error}");
            std::process::exit(1);
        }
    });
}

/// Whose process this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Server,
    Clients,
}

/// Gives the server the first half of the processors and its clients the others, as two machines would have their own;
/// a single one is shared. Called before any other thread is started. Gives how many this process may use.
pub(crate) fn place(side: Side) -> Result<usize, String> {
    let this = Pid::from_raw(0);
    let all = sched_getaffinity(this).map_err(text)?;
    let all: Vec<usize> = (0..CpuSet::count())
        .filter(|processor| all.is_set(*processor).unwrap_or(false))
        .collect();
    let (servers, clients) = all.split_at(all.len() / 2);
    let chosen = match side {
        _ if servers.is_empty() => clients,
        Side::Server => servers,
        Side::Clients => clients,
    };
    let mut set = CpuSet::new();
    for &processor in chosen {
        set.set(processor).map_err(text)?;
    }
    sched_setaffinity(this, &set).map_err(text)?;
    Ok(chosen.len())
}
