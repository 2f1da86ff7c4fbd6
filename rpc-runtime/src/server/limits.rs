//! What a server allows all connections together, all of it finite.

use std::time::Duration;

use crate::{
    Rate,
    limits::{check_finite, check_least, check_times},
    router::StartError,
};

/// What a server allows all connections together, on all its endpoints. What each connection may do is
/// [`Limits`](crate::Limits).
///
/// Every value is finite by default. Change the ones you need:
///
/// ```
/// # use rpc_runtime::ServerLimits;
/// let limits = ServerLimits { connections: 10_000, ..ServerLimits::default() };
/// assert_eq!(limits.handshakes, 1_000);
/// ```
#[derive(Debug, Clone)]
pub struct ServerLimits {
    /// Connections at once; one more is answered with HTTP 503. 100,000 by default, and never more than the limit on
    /// open files leaves room for (on Linux). As much clean-up, or sessions in their grace, as a connection may have calls
    /// counts as one.
    pub connections: usize,
    /// Accepted sockets whose upgrade is not over; one more is closed silently, but no more than 1,000 in a second: others wait in
    /// the system's queue of the listener. 1,000 by default.
    pub handshakes: usize,
    /// The same, of one address (of IPv6, of a network of 64 bits). Those of trusted proxies count among all alone. 20 by default.
    pub handshakes_per_address: usize,
    /// How long the HTTP request and the upgrade may take together, TLS and authentication included. Slower ones are closed
    /// silently; where only an authenticator is late, the client is told. 5 s by default.
    pub handshake_timeout: Duration,
    /// How many bytes the HTTP request's headers may have; one with more is answered with HTTP 431. `None`, the default, is
    /// 24 KiB where an endpoint has authenticators, because tokens travel in headers, and 8 KiB where none has.
    pub header_bytes: Option<usize>,
    /// Connections at once that were asked something by [`ServerBuilder::http`](crate::ServerBuilder::http)'s service; one more is
    /// answered with HTTP 503. 1,000 by default.
    pub http_connections: usize,
    /// The same, of one address (of IPv6, of a network of 64 bits). Those of trusted proxies count among all alone. 100 by default.
    pub http_connections_per_address: usize,
    /// How long the header of a further request on a connection may take, from its first byte to its last. The first
    /// request's is part of `handshake_timeout`. 5 s by default.
    pub http_header_time: Duration,
    /// How long a connection is kept between two requests. 60 s by default.
    pub http_idle_time: Duration,
    /// How long a client may take nothing of an answer that waits for it, or give nothing of a request's body that the
    /// service waits for. 30 s by default.
    pub http_stall_time: Duration,
    /// How long running calls may go on once the server is stopping; then they are cancelled and their connection is
    /// closed with 1012. 25 s by default.
    pub drain_grace: Duration,
    /// Sessions at once that wait without a connection for their clients to come back
    /// ([`Limits::resume_window`](crate::Limits::resume_window)); for one more, the one that has waited longest ends. Each takes some
    /// three kilobytes, what its events take that wait or are not acknowledged, and, where calls go on over a resume, those and up to
    /// [`Limits::replay_bytes`](crate::Limits::replay_bytes). 10,000 by default; none wait where it is 0.
    pub detached_sessions: usize,
    /// What all of those hold for their clients, in bytes: events that wait or are not acknowledged, each as if nobody else had it,
    /// and what there is of their calls. Where it is more, those end that hold most; so clients that make much of it wait do not
    /// cost others their sessions. 256 MiB by default.
    pub detached_bytes: usize,
    /// Connections of one user at once, over all addresses; one more is closed with 4429 when it becomes known as that
    /// user. 1,000 by default.
    pub connections_per_user: usize,
    /// Connections of one address at once (of IPv6, of a network of 64 bits); one more is answered with HTTP 429. 10,000 by
    /// default.
    pub connections_per_address: usize,
    /// Channels that one user's connections may hear at once, over all addresses, of those that it was the first to subscribe to and those
    /// that others have left to it; one more is answered RESOURCE_EXHAUSTED. What others hear already counts for them, and may be heard while
    /// there is room for one more, since they may leave it; those that the server subscribes count for nobody. How many a connection may
    /// hear is [`Limits::subscriptions`](crate::Limits::subscriptions). 50,000 by default.
    pub channels_per_user: usize,
    /// The same, of all clients together that are known as no user and come from one address (of IPv6, from a network of 64 bits). 50,000
    /// by default.
    pub channels_per_address: usize,
    /// New connections of one address; more are answered with HTTP 429 and the time after which to come back. 5 a second, and
    /// 20 at once, by default. 65,536 addresses are remembered until they may connect as before; while so many others are, one
    /// more is held to `connects` alone.
    pub connects_per_address: Rate,
    /// New connections in all; more are answered with HTTP 503 and the time after which to come back, at most half a
    /// minute, so that a crowd that returns does not hold up those that are there. Sockets are accepted half as fast again, but
    /// no slower than 1,000 a second; others wait in the system's queue of the listener. 3,000 a second, and 3,000 at once, by
    /// default.
    pub connects: Rate,
    /// Sockets of connections that are over, closed in a time. One that ends while no others do is closed at once. Of a crowd that is
    /// lost together the others have their turns one after the other, so that closing them holds up no calls of those that stay:
    /// within ten seconds, and faster than this where that takes it, or where clients may connect faster. Until then such a socket has its descriptor, and as much memory
    /// as an idle connection; its session has ended, or is detached, when its client was lost: calls, subscriptions, presence, the
    /// places of its user and its address, and what hooks are told wait for nothing, and it is not one of `connections`. 5,000 a
    /// second, and 256 at once, by default.
    pub disconnects: Rate,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: 100_000,
            handshakes: 1_000,
            handshakes_per_address: 20,
            handshake_timeout: Duration::from_secs(5),
            header_bytes: None,
            http_connections: 1_000,
            http_connections_per_address: 100,
            http_header_time: Duration::from_secs(5),
            http_idle_time: Duration::from_secs(60),
            http_stall_time: Duration::from_secs(30),
            drain_grace: Duration::from_secs(25),
            detached_sessions: 10_000,
            detached_bytes: 256 << 20,
            connections_per_user: 1_000,
            connections_per_address: 10_000,
            channels_per_user: 50_000,
            channels_per_address: 50_000,
            connects_per_address: Rate::per_second(5).burst(20),
            connects: Rate::per_second(3_000),
            disconnects: Rate::per_second(5_000).burst(256),
        }
    }
}

impl ServerLimits {
    /// How many bytes of headers a request may have, where tokens travel in them, or do not.
    pub(crate) fn header_bytes_with(&self, tokens: bool) -> usize {
        self.header_bytes
            .unwrap_or(if tokens { 24 << 10 } else { 8 << 10 })
    }

    /// Finds a value with which nothing would work.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        check_least(&[
            ("handshakes", self.handshakes, 1),
            ("handshakes_per_address", self.handshakes_per_address, 1),
            ("http_connections", self.http_connections, 1),
            (
                "http_connections_per_address",
                self.http_connections_per_address,
                1,
            ),
            ("connections_per_user", self.connections_per_user, 1),
            ("connections_per_address", self.connections_per_address, 1),
            ("channels_per_user", self.channels_per_user, 1),
            ("channels_per_address", self.channels_per_address, 1),
        ])?;
        check_rates(&[
            ("connects_per_address", self.connects_per_address),
            ("connects", self.connects),
            ("disconnects", self.disconnects),
        ])?;
        check_times(&[
            ("handshake_timeout", self.handshake_timeout),
            ("http_header_time", self.http_header_time),
            ("http_idle_time", self.http_idle_time),
            ("http_stall_time", self.http_stall_time),
        ])?;
        check_finite(&[
            ("handshake_timeout", self.handshake_timeout),
            ("http_header_time", self.http_header_time),
            ("http_idle_time", self.http_idle_time),
            ("http_stall_time", self.http_stall_time),
            ("drain_grace", self.drain_grace),
        ])
    }
}

/// Refuses a rate at which nobody comes or goes.
fn check_rates(limits: &[(&'static str, Rate)]) -> Result<(), StartError> {
    for &(limit, rate) in limits {
        if rate.amount == 0 || rate.burst == 0 || rate.time.is_zero() {
            return Err(StartError::Limit {
                limit,
                problem: "lets nobody pass: its amount, its time and its burst must be above 0".to_owned(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_no_clock_can_hold_are_refused_before_a_stop_would_fail_by_them() {
        let limits = ServerLimits {
            drain_grace: Duration::MAX,
            ..ServerLimits::default()
        };
        let problem = limits.check().expect_err("is refused").to_string();
        assert!(
            problem.starts_with("the limit `drain_grace` is longer"),
            "{problem}"
        );
        let none = ServerLimits {
            drain_grace: Duration::ZERO,
            ..ServerLimits::default()
        };
        assert!(none.check().is_ok(), "whoever wants none waits for none");
    }
}
