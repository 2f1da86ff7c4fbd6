//! Somebody on the tour: the real client, whose lines the tour types and whose screen it shows.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use rpc_runtime::text::one_line;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::JoinHandle;

use crate::client::{self, Show, Visit};
use crate::failure::{Exit, Failure};

/// What should be on a screen by then is missing.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client, and who sits in front of it.
pub(super) struct Guest {
    name: &'static str,
    lines: mpsc::Sender<String>,
    shown: UnboundedReceiver<String>,
    talk: JoinHandle<Result<(), Failure>>,
}

impl Guest {
    /// Comes into a room, as a user whose password is `{name}'s password`.
    pub(super) fn comes(server: &str, name: &'static str, room: &str, doing: &str) -> Result<Self, Failure> {
        let visit = Visit {
            server: server.to_owned(),
            user: name.to_owned(),
            password: password(name),
            register: false,
            room: super::room(room)?,
            doing: doing.to_owned(),
        };
        let (lines, typed) = mpsc::channel(1);
        let (tell, shown) = mpsc::unbounded_channel();
        // The tour may be over before the client is.
        let show: Show = Arc::new(move |text: &str| {
            let _ = tell.send(text.to_owned());
            Ok(())
        });
        let talk = tokio::spawn(client::talk(visit, typed, show));
        Ok(Guest {
            name,
            lines,
            shown,
            talk,
        })
    }

    /// Types a line.
    pub(super) async fn types(&self, text: &str) -> Result<(), Failure> {
        line(&format!("  {}> {}", self.name, one_line(text)));
        let typed = self.lines.send(text.to_owned()).await;
        typed.map_err(|_| self.lost("has left too early"))
    }

    /// Waits for so many things on the screen, and shows them.
    pub(super) async fn sees(&mut self, count: usize) -> Result<(), Failure> {
        for _ in 0..count {
            let shown = tokio::time::timeout(PATIENCE, self.shown.recv()).await;
            let shown = shown.map_err(|_| self.lost("sees nothing"))?;
            let text = shown.ok_or_else(|| self.lost("has left too early"))?;
            for part in text.lines() {
                line(&format!("      {} sees  {part}", self.name));
            }
        }
        Ok(())
    }

    /// Leaves.
    pub(super) async fn leaves(mut self) -> Result<(), Failure> {
        self.types("/quit").await?;
        match (&mut self.talk).await {
            Ok(left) => left,
            Err(_) => Err(self.lost("did not leave well")),
        }
    }

    fn lost(&self, what: &str) -> Failure {
        Failure::new(Exit::Failed, format!("the tour is lost: {} {what}", self.name))
    }
}

/// What a guest's password is.
pub(super) fn password(name: &str) -> String {
    format!("{name}'s password")
}

/// Prints a line of the tour.
pub(super) fn line(text: &str) {
    // That nobody reads it is no reason to stop.
    let _ = writeln!(std::io::stdout(), "{text}");
}
