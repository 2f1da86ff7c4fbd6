//! Being told to stop.

/// Waits for Ctrl-C, or on Unix for SIGTERM.
pub(crate) async fn asked() {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            // It then ends the program as it always does.
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = interrupted => {}
        () = terminated() => {}
    }
}

/// Ends the program when it is told so a second time: the first time it may be waiting for whoever reads its output.
pub(crate) async fn when_asked_again() {
    asked().await;
    asked().await;
    // As a shell has it of a program that Ctrl-C ended.
    std::process::exit(130);
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
