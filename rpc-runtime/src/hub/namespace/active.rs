//! Namespaces that are served: who may do what in their channels, and which namespace a channel belongs to.

use std::{collections::BTreeSet, fmt, future::poll_fn, sync::Arc, task::Poll, time::Duration};

use super::{Declared, Retention, SlowConsumer, Taken};
use crate::{
    Contract, Session, Status,
    hub::{
        AllowedEvents, ChannelName, PresenceData,
        counted::Counted,
        heard::Granted,
        pattern::{Pattern, PatternError, Spelling},
        rights::{Asks, Later, denied},
    },
    services::hub::{Joined, Left},
};

/// What a right is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Subscribe,
    Publish,
    Presence,
    History,
}

/// A namespace that is served.
pub(crate) struct ActiveNamespace {
    pattern: Pattern,
    declared: Declared,
    pub(crate) counted: Counted,
}

impl ActiveNamespace {
    pub(crate) fn new(declared: Declared) -> Result<Self, NamespaceError> {
        let pattern = Pattern::parse(&declared.pattern)?;
        if pattern.parameters() != declared.parameters {
            return Err(NamespaceError::Parameters {
                pattern: declared.pattern,
                expected: declared.parameters,
            });
        }
        Ok(Self {
            pattern,
            declared,
            counted: Counted::default(),
        })
    }

    /// The pattern, as it was written.
    pub(crate) fn pattern(&self) -> &str {
        self.pattern.as_str()
    }

    /// Whether a channel belongs here.
    pub(crate) fn takes_in(&self, name: &str) -> bool {
        self.pattern.matches(name).is_some()
    }

    /// Asks whether a client may do something in one of the channels.
    pub(crate) async fn check(&self, act: Act, asks: &Asks, name: &str) -> Result<(), Status> {
        let values = self.pattern.matches(name).ok_or_else(|| denied(asks))?;
        let right = match act {
            Act::Subscribe => &self.declared.subscribe,
            Act::Publish => &self.declared.publish,
            Act::Presence => &self.declared.presence,
            Act::History => &self.declared.history,
        };
        in_time(self.declared.answers_within, LATE, right.check(asks, &values)).await?;
        // Told to whom has the right alone: others learn nothing of what the channels are.
        match self.spelling(name) {
            Spelling::Canonical => Ok(()),
            Spelling::Other(canonical) => Err(not_canonical(name, &canonical)),
            Spelling::Unreadable => Err(denied(asks)),
        }
    }

    /// Asks whether a client may hear one of the channels, unless the server has subscribed it as whom it is known.
    pub(crate) async fn check_heard(
        &self,
        asks: &Asks,
        name: &ChannelName,
        granted: Option<&Granted>,
    ) -> Result<(), Status> {
        match granted.is_some_and(|granted| granted.holds_for(asks.user())) {
            true => Ok(()),
            false => self.check(Act::Subscribe, asks, name.as_str()).await,
        }
    }

    /// Validates what a client says of itself for presence. Asked once it may hear the channel.
    pub(crate) async fn check_presence(
        &self,
        session: &Arc<Session>,
        data: &PresenceData,
    ) -> Result<(), Status> {
        let allowed = &self.declared.presence_data;
        let Some((type_name, body)) = data else {
            return Ok(());
        };
        match allowed.get(&**type_name) {
            Some(check) => check.check(session, body).await,
            None if allowed.is_empty() => Ok(()),
            None => {
                let allowed: Vec<_> = allowed.keys().copied().collect();
                let allowed = allowed.join("` or `");
                Err(Status::invalid_argument(format!(
                    "presence data is a `{allowed}` here, and this is a `{type_name}`"
                )))
            }
        }
    }

    /// How the parameters of a name that belongs here are written.
    pub(crate) fn spelling(&self, name: &str) -> Spelling {
        if self.declared.takes_any_text {
            return Spelling::Canonical;
        }
        match self.pattern.matches(name) {
            Some(values) => (self.declared.spelling)(&self.pattern, &values),
            None => Spelling::Unreadable,
        }
    }

    /// The snapshot for a new subscriber, where the namespace has any.
    pub(crate) async fn snapshot(&self, asks: &Asks, name: &str) -> Result<Option<Taken>, Status> {
        let Some(snapshot) = &self.declared.snapshot else {
            return Ok(None);
        };
        let values = self.pattern.matches(name).ok_or_else(|| denied(asks))?;
        let late = "the channel's snapshot could not be made in time; try again";
        let made = snapshot.snapshot(asks, &values);
        Ok(in_time(self.declared.answers_within, late, made).await?.0)
    }

    /// Whether subscribers have snapshots.
    pub(crate) fn has_snapshot(&self) -> bool {
        self.declared.snapshot.is_some()
    }

    /// Whether events of a type may be published.
    pub(crate) fn allows(&self, type_name: &str) -> bool {
        self.declared
            .events
            .as_ref()
            .is_none_or(|events| events.contains(type_name))
    }

    /// The events that may be published; `None`: any.
    pub(crate) fn events(&self) -> Option<&AllowedEvents> {
        self.declared.events.as_ref()
    }

    /// The schemas of those events.
    pub(crate) fn files(&self) -> &[&'static [u8]] {
        &self.declared.files
    }

    /// The types of all events that a subscriber may be given, who begins with this snapshot. None: any may be.
    pub(crate) fn types_told(&self, snapshot: Option<&Taken>) -> Vec<String> {
        let Some(events) = &self.declared.events else {
            return Vec::new();
        };
        if self.has_snapshot() && snapshot.is_none() {
            // Of which type the next one is, nobody knows before it is made.
            return Vec::new();
        }
        let mut types: BTreeSet<&str> = events.names().collect();
        types.extend(snapshot.map(|snapshot| snapshot.type_name));
        if self.tells_joins() {
            types.extend([Joined::FULL_NAME, Left::FULL_NAME]);
        }
        types.into_iter().map(str::to_owned).collect()
    }

    pub(crate) fn keep(&self) -> &Retention {
        &self.declared.keep
    }

    pub(crate) fn slow(&self) -> SlowConsumer {
        self.declared.slow
    }

    pub(crate) fn tells_publisher(&self) -> bool {
        self.declared.tells_publisher
    }

    pub(crate) fn shows_presence(&self) -> bool {
        self.declared.shows_presence
    }

    pub(crate) fn tells_joins(&self) -> bool {
        self.declared.tells_joins
    }

    pub(crate) fn tells_reached(&self) -> bool {
        self.declared.tells_reached
    }

    pub(crate) fn most_subscribers(&self) -> usize {
        self.declared.most_subscribers
    }
}

/// What is told where a right is not answered in time.
pub(crate) const LATE: &str = "the right could not be asked for in time; try again";

/// What a program answers, if that does not take longer than it may.
pub(crate) async fn in_time<T>(
    limit: Duration,
    late: &'static str,
    mut answer: Later<'_, Result<T, Status>>,
) -> Result<T, Status> {
    // Most answer at once, and need no timer.
    if let Poll::Ready(answer) = poll_fn(|cx| Poll::Ready(answer.as_mut().poll(cx))).await {
        return answer;
    }
    let answer = tokio::time::timeout(limit, answer).await;
    answer.unwrap_or_else(|_| Err(Status::unavailable(late)))
}

#[cold]
fn not_canonical(name: &str, canonical: &str) -> Status {
    Status::invalid_argument(format!("the channel `{name}` is written `{canonical}`"))
}

impl fmt::Debug for ActiveNamespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActiveNamespace({})", self.pattern())
    }
}

/// Why namespaces cannot be served.
///
/// Its `Debug` is its sentence, because that is what a `main` prints which returns it.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NamespaceError {
    /// A pattern has a mistake.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// A pattern has another number of parameters than its type.
    #[error(
        "`{pattern}` is declared with {expected} parameters in `Namespace::<(…)>`, and has another number of them in its braces"
    )]
    Parameters {
        /// The pattern.
        pattern: String,
        /// How many the type has.
        expected: usize,
    },
    /// Two namespaces have one pattern.
    #[error("`{pattern}` is declared twice")]
    Twice {
        /// The pattern.
        pattern: String,
    },
}

impl fmt::Debug for NamespaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// All namespaces of a hub, in the order in which they are asked.
#[derive(Debug, Default)]
pub(crate) struct Namespaces(Vec<Arc<ActiveNamespace>>);

impl Namespaces {
    pub(crate) fn build(declared: Vec<Declared>) -> Result<Self, NamespaceError> {
        let mut namespaces = Vec::with_capacity(declared.len());
        for declared in declared {
            let namespace = ActiveNamespace::new(declared)?;
            if namespaces
                .iter()
                .any(|other: &Arc<ActiveNamespace>| other.pattern() == namespace.pattern())
            {
                return Err(NamespaceError::Twice {
                    pattern: namespace.pattern().to_owned(),
                });
            }
            namespaces.push(Arc::new(namespace));
        }
        Ok(Self(namespaces))
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<ActiveNamespace>> {
        self.0.iter()
    }

    /// The namespace that a channel belongs to.
    pub(crate) fn find(&self, name: &str) -> Option<&Arc<ActiveNamespace>> {
        self.0.iter().find(|namespace| namespace.takes_in(name))
    }
}
