//! A server whose hooks, authenticator and handlers do as they are told, and write down what happens.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use rpc_runtime::{
    CloseCode, Context, Endpoint, Hooks, Refusal, Session, SessionError, SessionState, Status, Streaming,
    auth::{Attempt, AuthError, Authenticator, Identity, Purpose},
    codegen::{Gateway, MethodDescriptor},
    contract, rpc,
};
use tokio::sync::Notify;

/// What happened, in order.
#[derive(Clone, Default)]
pub struct Journal(Arc<Mutex<Vec<String>>>);

impl Journal {
    pub fn write(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// The lines that begin so, without that.
    pub fn of(&self, beginning: &str) -> Vec<String> {
        let lines = self.lines();
        let rest = |line: &String| line.strip_prefix(beginning).map(str::to_owned);
        lines.iter().filter_map(rest).collect()
    }
}

/// What a hook does.
#[derive(Clone, Default)]
pub enum Act {
    #[default]
    Admit,
    Refuse(CloseCode),
    Panic,
    Never,
    /// Admits when it is told to.
    When(Arc<Notify>),
    /// Closes the session, and admits.
    Close,
}

impl Act {
    async fn run(&self, session: &Arc<Session>) -> Result<(), Refusal> {
        match self {
            Self::Admit => Ok(()),
            Self::Refuse(code) => Err(Refusal::new(*code, "not today")),
            Self::Panic => panic!("a mistake in the hook"),
            Self::Never => std::future::pending().await,
            Self::When(told) => {
                told.notified().await;
                Ok(())
            }
            Self::Close => {
                session.close(CloseCode::Other(4_900), "closed by a hook");
                Ok(())
            }
        }
    }
}

/// What hooks leave in a session for handlers.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark(pub String);

/// Hooks that write down that they were called.
#[derive(Clone, Default)]
pub struct Watcher {
    pub name: &'static str,
    pub journal: Journal,
    pub connect: Act,
    pub authenticated: Act,
    pub disconnect: Act,
    /// Panics when it is told of states and errors.
    pub panics: bool,
}

impl Watcher {
    pub fn new(name: &'static str, journal: &Journal) -> Self {
        Self {
            name,
            journal: journal.clone(),
            ..Self::default()
        }
    }
}

impl Hooks for Watcher {
    async fn on_connect(&self, session: &Arc<Session>) -> Result<(), Refusal> {
        let (name, path) = (self.name, session.info().path());
        self.journal.write(format!("{name} connect {path}"));
        session.insert(Mark(format!("marked by {name}")));
        let _dropped = Dropped(self.journal.clone(), format!("{name} dropped"));
        self.connect.run(session).await
    }

    async fn on_authenticated(&self, session: &Arc<Session>, identity: &Identity) -> Result<(), Refusal> {
        let user = identity.user();
        assert_eq!(session.user().as_deref(), Some(user));
        self.journal.write(format!("{} authenticated {user}", self.name));
        self.authenticated.run(session).await
    }

    async fn on_disconnect(&self, session: &Arc<Session>, code: CloseCode, reason: &str) {
        assert_eq!(session.state(), SessionState::Closed);
        assert!(session.server().session(session.id()).is_none(), "off the list");
        self.journal
            .write(format!("{} disconnect {code} {reason}", self.name));
        let _ = self.disconnect.run(session).await;
    }

    fn on_error(&self, _: &Arc<Session>, error: &SessionError<'_>) {
        let last = if error.is_final() { "final" } else { "recoverable" };
        let text = match error {
            SessionError::Call {
                method, code, cause, ..
            } => format!("call {method} {code} {cause}"),
            SessionError::Authentication(error) => format!("authentication {error}"),
            SessionError::Protocol(error) => format!("protocol {error}"),
            SessionError::WebSocket { code, .. } => format!("websocket {code}"),
            SessionError::Socket(error) => format!("socket {}", error.kind()),
            other => format!("{other:?}"),
        };
        self.journal.write(format!("{} error {last} {text}", self.name));
        assert!(!self.panics, "a mistake in the hook");
    }

    fn on_state(&self, _: &Arc<Session>, from: SessionState, to: SessionState) {
        self.journal.write(format!("{} state {from} to {to}", self.name));
        assert!(!self.panics, "a mistake in the hook");
    }
}

/// Writes down that it is dropped.
struct Dropped(Journal, String);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.write(std::mem::take(&mut self.1));
    }
}

/// Knows users by credentials such as `ali`, `ali for 60` (seconds), `ali after 3`, `ali as staff`, and some that it does not
/// take.
#[derive(Clone, Default)]
pub struct Words {
    pub journal: Journal,
    pub asked: Arc<AtomicUsize>,
    pub told: Arc<Notify>,
}

impl Authenticator for Words {
    async fn authenticate(&self, attempt: &Attempt<'_>) -> Result<Identity, AuthError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if attempt.credential().scheme() != "word" {
            return Err(AuthError::UnknownScheme);
        }
        let word = attempt.credential().text().unwrap_or_default().to_owned();
        let purpose = match attempt.purpose() {
            Purpose::ChangeUser => "change",
            _ => "authenticate",
        };
        self.journal.write(format!("asked {purpose} {word}"));
        attempt.session().insert(Mark(format!("marked for {word}")));
        let _dropped = Dropped(self.journal.clone(), format!("answered {word}"));
        match word.split(' ').collect::<Vec<_>>()[..] {
            ["wrong"] => Err(AuthError::invalid("no such word: \u{1b}[31m\nforged line")),
            ["expired"] => Err(AuthError::Expired),
            ["down"] => Err(AuthError::unavailable("the database is away")),
            ["panic"] => panic!("a mistake in the authenticator"),
            ["never"] => std::future::pending().await,
            ["nobody"] => Ok(Identity::new("")),
            [user, "told"] => {
                self.told.notified().await;
                Ok(Identity::new(user))
            }
            [user, "after", seconds] => {
                tokio::time::sleep(Duration::from_secs(seconds.parse().unwrap())).await;
                Ok(Identity::new(user))
            }
            [user, "past"] => Ok(Identity::new(user).expires_at(SystemTime::now() - Duration::from_secs(1))),
            [user, "ages"] => {
                // The last second that the system's clock can hold.
                let last = (0..63).rev().map(|bit| Duration::from_secs(1 << bit));
                let last = last.fold(SystemTime::now(), |time, step| {
                    time.checked_add(step).unwrap_or(time)
                });
                Ok(Identity::new(user).expires_at(last))
            }
            [user, "as", role] => Ok(Identity::new(user).with_role(role)),
            [user, "for", seconds] => Ok(identity_for(user, seconds.parse().unwrap())),
            [user] => Ok(Identity::new(user)),
            _ => Err(AuthError::invalid("no such word")),
        }
    }
}

/// A user, for so many seconds. A little longer, since the wall clock goes on in tests too.
pub fn identity_for(user: &str, seconds: u64) -> Identity {
    let left = Duration::from_secs(seconds) + Duration::from_millis(500);
    Identity::new(user).expires_at(SystemTime::now() + left)
}

#[contract(package = "house", detached)]
pub struct Note {
    pub text: String,
}

pub fn note(text: &str) -> Note {
    Note {
        text: text.to_owned(),
    }
}

/// Handlers that wait, and count how many are there.
#[derive(Clone, Default)]
pub struct House {
    pub waiting: Arc<AtomicUsize>,
    pub release: Arc<Notify>,
}

struct Waits(Arc<AtomicUsize>);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl House {
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    async fn wait(&self, cx: &Context) -> Note {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let _waits = Waits(self.waiting.clone());
        self.release.notified().await;
        note(cx.user().unwrap_or("nobody"))
    }
}

#[rpc("house", detached)]
impl House {
    /// Who calls, by the call and by the session.
    #[message("Note", method = "Who")]
    async fn who(&self, cx: &Context) -> Result<Note, Status> {
        let mark = cx.session().get::<Mark>().map(|mark| mark.0);
        Ok(note(&format!(
            "{} {} {} {:?}",
            cx.user().unwrap_or("nobody"),
            cx.session().user().as_deref().unwrap_or("nobody"),
            cx.session().state(),
            mark
        )))
    }

    /// How the caller connected.
    #[message("Note", method = "Whence")]
    async fn whence(&self, cx: &Context) -> Result<Note, Status> {
        let request = cx.request();
        Ok(note(&format!(
            "{} {:?} {:?} {:?}",
            request.path(),
            cx.param("room"),
            request.query_value("q"),
            request.remote_addr().map(|addr| addr.to_string())
        )))
    }

    /// For anybody.
    #[message("Note", method = "Wait")]
    async fn wait_open(&self, cx: &Context) -> Result<Note, Status> {
        Ok(self.wait(cx).await)
    }

    /// For whoever is known.
    #[message("Note", method = "WaitKnown", auth)]
    async fn wait_known(&self, cx: &Context) -> Result<Note, Status> {
        Ok(self.wait(cx).await)
    }

    /// For whoever passes a guard.
    #[message("Note", method = "WaitGuarded", guard = "anybody")]
    async fn wait_guarded(&self, cx: &Context) -> Result<Note, Status> {
        Ok(self.wait(cx).await)
    }

    /// The same, on a task of its own.
    #[message("Note", method = "WaitApart", auth, spawn)]
    async fn wait_apart(&self, cx: &Context) -> Result<Note, Status> {
        Ok(self.wait(cx).await)
    }

    /// A stream without an end, for whoever is known.
    #[message("Note", method = "WatchKnown", auth)]
    async fn watch_known(
        &self,
        cx: &Context,
        data: Note,
    ) -> Result<impl futures_core::Stream<Item = Result<Note, Status>> + use<>, Status> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let waits = Waits(self.waiting.clone());
        let (outgoing, streaming) = Streaming::channel(2);
        let user = cx.user().unwrap_or("nobody").to_owned();
        outgoing.send(note(&format!("{user} {}", data.text))).await?;
        cx.on_close(async move { drop((outgoing, waits)) });
        Ok(streaming)
    }

    /// Closes its own session.
    #[message("Note", method = "Leave")]
    async fn leave(&self, cx: &Context) -> Result<Note, Status> {
        cx.session().close(CloseCode::Other(4_901), "closed by a handler");
        Ok(note("bye"))
    }

    /// Disconnects a user, by the server that it runs on.
    #[message("Note", method = "Expel")]
    async fn expel(&self, cx: &Context, data: Note) -> Result<Note, Status> {
        let expelled = cx
            .server()
            .disconnect_user(&data.text, CloseCode::Other(4_902), "expelled");
        Ok(note(&expelled.to_string()))
    }

    #[message("Note", method = "Break")]
    async fn broken(&self) -> Result<Note, Status> {
        panic!("a mistake in the handler")
    }
}

pub fn method(name: &str) -> &'static MethodDescriptor {
    let methods = House::descriptor().methods;
    let found = methods.iter().find(|method| method.name == name);
    found.unwrap_or_else(|| panic!("no method {name}"))
}

/// The house behind an authenticator.
pub fn endpoint(house: &House, words: &Words) -> Endpoint {
    Endpoint::new()
        .service(house.clone())
        .authenticator(words.clone())
        .guard("anybody", |_: &Context| Ok(()))
}
