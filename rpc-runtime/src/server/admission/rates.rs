//! How often clients may connect: each address, and all together.

use std::{
    net::IpAddr,
    num::NonZeroU32,
    sync::{Mutex, PoisonError, TryLockError},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};

use super::recent::{Recent, Tidying, TokioClock};
use crate::{Rate, ServerLimits};

/// Nobody is told to come back later than this.
const LONGEST: Duration = Duration::from_secs(30);

/// Sockets are accepted no slower than so many per second, however few connections are let in: who is refused is to hear
/// of it.
const LEAST_ACCEPTED: u32 = 1_000;

/// As many sockets as come in this time may be accepted at once: the runtime's timer counts milliseconds.
const ACCEPTED_AT_ONCE: Duration = Duration::from_millis(2);

/// Why a client has to come back later, and after how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TooOften {
    /// Its address connects too often.
    Address(Duration),
    /// Too many connect.
    All(Duration),
}

type Limiter<K, S> = RateLimiter<K, S, TokioClock, NoOpMiddleware<Duration>>;

/// The rates of new connections.
#[derive(Debug)]
pub(crate) struct ConnectRates {
    addresses: Limiter<IpAddr, Recent<IpAddr>>,
    tidying: Mutex<Tidying>,
    all: Limiter<NotKeyed, InMemoryState>,
    queue: Mutex<Queue>,
    pace: Limiter<NotKeyed, InMemoryState>,
    clock: TokioClock,
}

impl ConnectRates {
    pub(crate) fn new(limits: &ServerLimits) -> Self {
        let clock = TokioClock::start();
        Self {
            addresses: RateLimiter::new(quota(limits.connects_per_address), Recent::default(), clock),
            tidying: Mutex::new(Tidying::new()),
            all: RateLimiter::direct_with_clock(quota(limits.connects), clock),
            queue: Mutex::new(Queue::new(quota(limits.connects))),
            pace: RateLimiter::direct_with_clock(pace(limits.connects), clock),
            clock,
        }
    }

    /// Counts a handshake that is to begin; else how long it has to wait before it may be asked for again.
    ///
    /// Half as many handshakes begin as connections are let in on top of those. A crowd that comes faster waits where it
    /// costs nothing: in the system's queue of the listener, and behind that in the clients' own, whose SYN is sent again after a
    /// second. Otherwise refusing it would take the time of those that are there.
    pub(crate) fn accept(&self) -> Result<(), Duration> {
        self.pace
            .check()
            .map_err(|until| until.wait_time_from(self.clock.now()))
    }

    /// Counts a client that wants to connect, from an address where that is known.
    pub(crate) fn check(&self, address: Option<IpAddr>) -> Result<(), TooOften> {
        if let Some(address) = address {
            self.tidy();
            self.addresses
                .check_key(&address)
                .map_err(|until| TooOften::Address(until.wait_time_from(self.clock.now()).min(LONGEST)))?;
        }
        self.all.check().map_err(|_| {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            TooOften::All(queue.turn(self.clock.now()))
        })
    }

    /// Forgets addresses that have waited out their rate.
    fn tidy(&self) {
        let mut tidying = match self.tidying.try_lock() {
            Ok(tidying) => tidying,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Another does it just now.
            Err(TryLockError::WouldBlock) => return,
        };
        let now = self.clock.now();
        if tidying.is_due(self.addresses.len(), now) {
            self.addresses.retain_recent();
            tidying.done(self.addresses.len(), now);
        }
    }
}

/// Tells clients that are turned away different times, at the rate at which they can be let in: a crowd comes back
/// spread over as long as it takes to let it in.
#[derive(Debug)]
struct Queue {
    each: Duration,
    /// When the next one that is turned away could be let in.
    next: Duration,
}

impl Queue {
    fn new(quota: Quota) -> Self {
        Self {
            each: quota.replenish_interval(),
            next: Duration::ZERO,
        }
    }

    /// How long the next one has to wait.
    fn turn(&mut self, now: Duration) -> Duration {
        self.next = self.next.max(now).saturating_add(self.each);
        let wait = self.next - now;
        if wait > LONGEST {
            // There is no telling; what is told goes round.
            self.next = now;
            return LONGEST;
        }
        wait
    }
}

/// How fast sockets are accepted, where connections are let in at a rate.
fn pace(connects: Rate) -> Quota {
    let least = Duration::from_secs(1) / LEAST_ACCEPTED;
    let each = (quota(connects).replenish_interval() * 2 / 3).clamp(Duration::from_nanos(1), least);
    let at_once = ACCEPTED_AT_ONCE.as_nanos().div_ceil(each.as_nanos());
    let at_once = u32::try_from(at_once).ok().and_then(NonZeroU32::new);
    Quota::with_period(each)
        .unwrap_or(Quota::per_second(NonZeroU32::MIN))
        .allow_burst(at_once.unwrap_or(NonZeroU32::MIN))
}

fn quota(rate: Rate) -> Quota {
    let one = NonZeroU32::MIN;
    let amount = NonZeroU32::new(rate.amount).unwrap_or(one);
    let each = (rate.time / amount.get()).max(Duration::from_nanos(1));
    Quota::with_period(each)
        .unwrap_or(Quota::per_second(one))
        .allow_burst(NonZeroU32::new(rate.burst).unwrap_or(one))
}

#[cfg(test)]
mod tests {
    use super::super::recent::MOST;
    use super::*;

    fn rates(of_address: Rate, all: Rate) -> ConnectRates {
        ConnectRates::new(&ServerLimits {
            connects_per_address: of_address,
            connects: all,
            ..ServerLimits::default()
        })
    }

    fn address(number: u32) -> Option<IpAddr> {
        Some(number.to_be_bytes().into())
    }

    const PLENTY: Rate = Rate::per_second(1_000_000);

    #[tokio::test(start_paused = true)]
    async fn an_address_has_its_burst_and_then_its_rate_and_others_have_theirs() {
        let rates = rates(Rate::per_second(5).burst(20), PLENTY);
        for _ in 0..20 {
            assert_eq!(rates.check(address(1)), Ok(()));
        }
        assert_eq!(
            rates.check(address(1)),
            Err(TooOften::Address(Duration::from_millis(200)))
        );
        assert_eq!(rates.check(address(2)), Ok(()));
        tokio::time::advance(Duration::from_millis(199)).await;
        assert!(rates.check(address(1)).is_err());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(rates.check(address(1)), Ok(()));
        assert!(rates.check(address(1)).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_is_told_to_come_back_spread_over_the_time_that_it_takes_to_let_it_in() {
        let rates = rates(PLENTY, Rate::per_second(100));
        for number in 0..100 {
            assert_eq!(rates.check(address(number)), Ok(()));
        }
        let waits: Vec<_> = (0..2_000)
            .map(|number| match rates.check(address(number)) {
                Err(TooOften::All(wait)) => wait,
                other => panic!("{other:?}"),
            })
            .collect();
        for second in 0..20 {
            let within = Duration::from_secs(second)..Duration::from_secs(second + 1);
            let count = waits.iter().filter(|wait| within.contains(*wait)).count();
            assert!((95..=105).contains(&count), "{count} in second {second}");
        }
        assert!((0..10_000).all(|_| !matches!(
            rates.check(None),
            Err(TooOften::All(wait)) if wait > LONGEST
        )));
    }

    #[tokio::test(start_paused = true)]
    async fn sockets_are_accepted_half_again_as_fast_as_connections_are_let_in_and_never_slower_than_a_thousand()
     {
        for (connects, expected) in [
            (Rate::per_second(3_000), 4_500),
            (Rate::per_second(1_000_000), 1_500_000),
            (Rate::per(1, Duration::from_secs(3_600)), 1_000),
        ] {
            let rates = rates(PLENTY, connects);
            let (mut accepted, until) = (0, tokio::time::Instant::now() + Duration::from_secs(1));
            while tokio::time::Instant::now() < until {
                match rates.accept() {
                    Ok(()) => accepted += 1,
                    Err(wait) => tokio::time::sleep(wait).await,
                }
            }
            let strays = accepted as f64 / f64::from(expected);
            assert!((0.95..1.05).contains(&strays), "{connects:?}: {accepted}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_that_is_turned_away_takes_nothing_from_all_others() {
        let rates = rates(Rate::per_second(1), Rate::per_second(3));
        assert_eq!(rates.check(address(1)), Ok(()));
        (0..100).for_each(|_| assert!(matches!(rates.check(address(1)), Err(TooOften::Address(_)))));
        assert_eq!(rates.check(address(2)), Ok(()));
        assert_eq!(rates.check(address(3)), Ok(()));
        assert!(matches!(rates.check(address(4)), Err(TooOften::All(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_are_forgotten_once_they_have_waited_and_their_number_is_bounded() {
        let rates = rates(Rate::per_second(5).burst(20), PLENTY);
        for number in 0..10_000 {
            let _ = rates.check(address(number));
        }
        assert_eq!(rates.addresses.len(), 10_000);
        // One connection is forgotten after 200 ms; the table is gone through at the next connection.
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(rates.check(address(1)), Ok(()));
        assert_eq!(rates.addresses.len(), 1);
        // With an hour to wait, nobody is forgotten, and no more than so many are remembered.
        let rates = self::rates(Rate::per(1, Duration::from_secs(3_600)), PLENTY);
        for number in 0..100_000 {
            assert_eq!(rates.check(address(number)), Ok(()));
        }
        assert_eq!(rates.addresses.len(), MOST);
        assert!(rates.check(address(1)).is_err(), "the first are still held");
    }

    #[tokio::test(start_paused = true)]
    async fn odd_rates_neither_panic_nor_let_everyone_in() {
        for rate in [
            Rate::per(u32::MAX, Duration::from_nanos(1)).burst(1),
            Rate::per(1, Duration::from_secs(86_400 * 365)).burst(1),
        ] {
            let rates = rates(rate, rate);
            assert_eq!(rates.check(address(1)), Ok(()));
            assert!(rates.check(address(1)).is_err(), "{rate:?}");
        }
    }
}
