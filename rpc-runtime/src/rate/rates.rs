//! The rates of an endpoint, what each session has taken of them, and what a method's calls and messages count on.
//!
//! A session has a state for each rate of its endpoint: its own, that of its user or its address, or the one that all share.
//! Which these are is settled when it begins, and when its user changes; a call only goes through a list.

use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::time::Instant;

use super::{
    Counts, RateLimit, Scope,
    limiter::{Limiter, Moment, Refused, State},
    table::Table,
};
use crate::{
    ConnectInfo, Status, metrics::RefusedCall, router::StartError, server::network, session::Session,
};

/// The rates of an endpoint. Invariant: sorted by scope, the narrowest first, so that what is refused takes nothing of what
/// others share.
#[derive(Debug)]
pub(crate) struct Rates {
    limits: Box<[Limit]>,
    users: Table<Arc<str>>,
    addresses: Table<IpAddr>,
    /// When they were first asked.
    epoch: OnceLock<Instant>,
}

#[derive(Debug)]
struct Limit {
    limiter: Limiter,
    counts: Counts,
    scope: Scope,
    method: Option<String>,
    /// What all share, where it is so.
    shared: State,
}

/// One state for each rate, in the order of the rates.
type States = Box<[State]>;

impl Rates {
    /// The rates of an endpoint; `None` where there are none.
    pub(crate) fn build(mut limits: Vec<RateLimit>) -> Result<Option<Arc<Self>>, StartError> {
        if limits.is_empty() {
            return Ok(None);
        }
        limits.sort_by_key(|limit| limit.scope);
        let limits = limits.into_iter().map(Limit::new);
        let limits = limits.collect::<Result<Box<[_]>, _>>()?;
        let count = |scope| limits.iter().filter(|limit| limit.scope == scope).count();
        Ok(Some(Arc::new(Self {
            users: Table::new(count(Scope::User)),
            addresses: Table::new(count(Scope::Address)),
            epoch: OnceLock::new(),
            limits,
        })))
    }

    /// The methods that have a rate of their own.
    pub(crate) fn methods(&self) -> impl Iterator<Item = &str> {
        self.limits.iter().filter_map(|limit| limit.method.as_deref())
    }

    /// What the calls of a method count on; `None` where that is nothing.
    pub(crate) fn of_method(self: &Arc<Self>, full_name: &str) -> Option<Arc<Metered>> {
        let counted = |limit: &Limit| match &limit.method {
            None => true,
            Some(method) => method == full_name,
        };
        let places = self.limits.iter().enumerate();
        let places: Box<[usize]> = places
            .filter_map(|(at, limit)| counted(limit).then_some(at))
            .collect();
        (!places.is_empty()).then(|| {
            Arc::new(Metered {
                rates: self.clone(),
                places,
            })
        })
    }

    fn moment(&self, now: Instant) -> Moment {
        let since = now.saturating_duration_since(*self.epoch.get_or_init(|| now));
        // It fits for 584 years.
        since.as_nanos() as Moment
    }

    /// Puts the states of a user, or of an address, in their places.
    fn place(&self, states: &mut States, scope: Scope, of: &[State]) {
        let places = self.limits.iter().zip(states.iter_mut());
        let places = places.filter(|(limit, _)| limit.scope == scope);
        for ((_, place), state) in places.zip(of) {
            *place = state.clone();
        }
    }
}

impl Limit {
    fn new(limit: RateLimit) -> Result<Self, StartError> {
        let limiter = Limiter::new(limit.rate).map_err(|problem| StartError::Rate {
            problem: format!("{:?} {problem}", limit.rate),
        })?;
        Ok(Self {
            limiter,
            counts: limit.counts,
            scope: limit.scope,
            method: limit.method,
            shared: State::default(),
        })
    }

    /// What is told to whom is over it.
    #[cold]
    fn status(&self, refused: Refused, amount: usize) -> Status {
        let (what, whose) = (self.counts, self.scope);
        match refused {
            Refused::Until(time) => {
                let status = Status::resource_exhausted(format!(
                    "too many {what} of {whose}: try again in {} ms",
                    time.as_micros().div_ceil(1_000)
                ));
                status.retry_after(time.max(Duration::from_nanos(1)))
            }
            Refused::TooMuch => Status::resource_exhausted(format!(
                "{amount} {what} at once are more than {whose} may ever send: at most {}",
                self.limiter.burst()
            )),
        }
    }
}

/// What one session has taken of the rates of its endpoint.
#[derive(Debug)]
pub(crate) struct SessionRates {
    rates: Arc<Rates>,
    /// Those of now.
    states: ArcSwap<States>,
    /// Those while nobody is known.
    anonymous: States,
    address: Option<IpAddr>,
    user: Mutex<Option<Arc<str>>>,
}

impl SessionRates {
    pub(crate) fn new(rates: &Arc<Rates>, info: &ConnectInfo) -> Self {
        let limits = rates.limits.iter();
        let mut anonymous: States = limits
            .map(|limit| match limit.scope {
                Scope::All => limit.shared.clone(),
                _ => State::default(),
            })
            .collect();
        let address = info
            .client_addr()
            .map(network)
            .filter(|_| !rates.addresses.is_unused());
        if let Some(address) = &address {
            let states = rates.addresses.get(address, rates.moment(Instant::now()));
            rates.place(&mut anonymous, Scope::Address, &states);
        }
        Self {
            states: ArcSwap::from_pointee(anonymous.clone()),
            anonymous,
            address,
            user: Mutex::default(),
            rates: rates.clone(),
        }
    }

    /// Another user is known from now on, or none.
    pub(crate) fn set_user(&self, user: Option<&Arc<str>>) {
        if self.rates.users.is_unused() {
            return;
        }
        let mut current = self.user.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref() == user {
            return;
        }
        let now = self.rates.moment(Instant::now());
        let mut states = self.anonymous.clone();
        if let Some(user) = user {
            let of_user = self.rates.users.get(user, now);
            self.rates.place(&mut states, Scope::User, &of_user);
        }
        self.states.store(Arc::new(states));
        let before = std::mem::replace(&mut *current, user.cloned());
        if let Some(before) = before {
            self.rates.users.left(&before, now);
        }
    }
}

impl Drop for SessionRates {
    fn drop(&mut self) {
        // Its own hold on the states goes first, so that the tables see who is left.
        self.states.store(Arc::default());
        self.anonymous = States::default();
        let user = self.user.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if user.is_none() && self.address.is_none() {
            return;
        }
        let now = self.rates.moment(Instant::now());
        if let Some(user) = user {
            self.rates.users.left(&user, now);
        }
        if let Some(address) = &self.address {
            self.rates.addresses.left(address, now);
        }
    }
}

/// The rates that one method's calls, and the messages of their streams, count on.
#[derive(Debug)]
pub(crate) struct Metered {
    rates: Arc<Rates>,
    places: Box<[usize]>,
}

impl Metered {
    /// For the messages of a stream.
    pub(crate) fn meter(self: &Arc<Self>, session: &Arc<Session>) -> Meter {
        Meter {
            metered: self.clone(),
            session: session.clone(),
        }
    }

    /// Takes one call, or one message, of so many bytes on the wire.
    ///
    /// # Errors
    ///
    /// RESOURCE_EXHAUSTED, with the time after which it may pass, where it ever may.
    #[inline]
    pub(crate) fn take(&self, session: &Session, bytes: usize, now: Instant) -> Result<(), Status> {
        let Some(taken) = session.rates() else {
            // Not reached: an endpoint's sessions have what it has.
            return Ok(());
        };
        let now = self.rates.moment(now);
        let states = taken.states.load();
        for &at in &self.places {
            let (limit, state) = (&self.rates.limits[at], &states[at]);
            let amount = match limit.counts {
                Counts::Messages => 1,
                Counts::Bytes => bytes,
            };
            if let Err(refused) = limit.limiter.take(state, amount, now) {
                session.endpoint.meter.refused(RefusedCall::Rate);
                return Err(limit.status(refused, amount));
            }
        }
        Ok(())
    }
}

/// The same for the messages of one stream.
#[derive(Debug)]
pub(crate) struct Meter {
    metered: Arc<Metered>,
    session: Arc<Session>,
}

impl Meter {
    /// Takes one message; see [`Metered::take`].
    pub(crate) fn take(&self, bytes: usize, now: Instant) -> Result<(), Status> {
        self.metered.take(&self.session, bytes, now)
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Messages => "messages",
            Self::Bytes => "bytes",
        })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Session => "this connection",
            Self::Address => "this address",
            Self::User => "this user",
            Self::All => "all clients together",
        })
    }
}
