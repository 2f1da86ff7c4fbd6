//! Being told to stop, by Ctrl-C, or on Unix by SIGTERM.

use tokio::sync::watch;

/// Whether the program has been told to stop: known from when this is made, whatever it waits for then and whenever it looks.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// From now on being told so does not end the program by itself. Being told a second time does: it may be waiting for whoever reads
    /// its output, or for a server.
    pub(crate) fn listen() -> Self {
        let mut signals = Signals::new();
        let (tell, told) = watch::channel(false);
        tokio::spawn(async move {
            signals.next().await;
            tell.send_replace(true);
            signals.next().await;
            // As a shell has it of a program that Ctrl-C ended.
            std::process::exit(130);
        });
        Self(told)
    }

    /// Waits until it has been told so, which may have been before.
    pub(crate) async fn asked(&self) {
        let mut told = self.0.clone();
        if told.wait_for(|told| *told).await.is_err() {
            // The runtime is gone, and with it whoever waits here.
            std::future::pending().await
        }
    }

    /// One that is told by a test.
    #[cfg(test)]
    pub(crate) fn told_by(told: watch::Receiver<bool>) -> Self {
        Self(told)
    }
}

/// What comes while nobody waits for it is not lost.
#[cfg(unix)]
struct Signals(Vec<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Signals {
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::interrupt(), SignalKind::terminate()];
        // One that cannot be listened for ends the program as it always does.
        Self(kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect())
    }

    async fn next(&mut self) {
        std::future::poll_fn(|cx| {
            let mut come = self.0.iter_mut().map(|signal| signal.poll_recv(cx));
            match come.any(|signal| signal.is_ready()) {
                true => std::task::Poll::Ready(()),
                false => std::task::Poll::Pending,
            }
        })
        .await;
    }
}

#[cfg(windows)]
struct Signals(Option<tokio::signal::windows::CtrlC>);

#[cfg(windows)]
impl Signals {
    fn new() -> Self {
        // Where it cannot be listened for, it ends the program as it always does.
        Self(tokio::signal::windows::ctrl_c().ok())
    }

    async fn next(&mut self) {
        let come = match &mut self.0 {
            Some(signal) => signal.recv().await,
            None => None,
        };
        if come.is_none() {
            std::future::pending().await
        }
    }
}
