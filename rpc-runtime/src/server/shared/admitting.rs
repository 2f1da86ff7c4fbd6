//! Who is let in: connections, their sockets while these wait to be closed, and handshakes.

use std::{
    net::IpAddr,
    sync::{Arc, atomic::Ordering},
};

use tokio::time::Instant;

use super::Shared;
use crate::server::admission::{NoPlace, Place, network};

impl Shared {
    /// Lets one more connection in, if the limits allow; from an address where that is known.
    pub(crate) fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> Result<Admission, NoPlace> {
        let admitted = self.admitted.fetch_add(1, Ordering::AcqRel);
        // Made first: dropping it takes the count back.
        let mut admission = self.admission();
        // What connections leave behind counts as they did, or clients that come and go would not be bounded.
        let behind = self.afterwards.running() / self.routes.main().limits.streams;
        let sockets = admitted.saturating_add(self.parting.load(Ordering::Acquire));
        if admitted.saturating_add(behind) >= self.limits.connections || sockets >= self.most_sockets {
            return Err(NoPlace::AtAll);
        }
        if let Some(address) = address {
            admission.of_address = Some(self.addresses.take(Some(network(address)))?);
        }
        Ok(admission)
    }

    fn admission(self: &Arc<Self>) -> Admission {
        Admission {
            shared: self.clone(),
            of_address: None,
            parts: false,
        }
    }

    /// Counts a connection that was let in elsewhere.
    pub(crate) fn admit_always(self: &Arc<Self>) -> Admission {
        self.admitted.fetch_add(1, Ordering::AcqRel);
        self.admission()
    }

    /// A place among the handshakes that may be under way, in all and of one address. A trusted proxy's are many clients'.
    pub(crate) fn begin_handshake(&self, peer: IpAddr) -> Result<Place, NoPlace> {
        let address = (!self.front.proxies.contains(peer)).then(|| network(peer));
        self.handshakes.take(address)
    }

    /// One connection less.
    fn give_back(&self) {
        if self.admitted.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.empty.notify_waiters();
        }
    }
}

/// A place among the connections that the limit allows.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) shared: Arc<Shared>,
    of_address: Option<Place>,
    /// The connection is over, and its place is free.
    parts: bool,
}

impl Admission {
    /// Gives the place back of a connection that is over, and waits until its socket may be closed; no more wait than may be
    /// connected. Dropping the future is fine.
    pub(crate) async fn part(mut self) {
        let shared = &self.shared;
        if shared.is_draining() {
            return;
        }
        let parting = shared.parting.load(Ordering::Relaxed);
        if parting >= shared.limits.connections {
            return;
        }
        let sockets = shared.admitted.load(Ordering::Relaxed) + parting;
        let Some(turn) = shared.partings.turn(sockets, Instant::now()) else {
            return;
        };
        shared.parting.fetch_add(1, Ordering::AcqRel);
        shared.give_back();
        self.parts = true;
        self.of_address = None;
        tokio::time::sleep_until(turn).await;
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if self.parts {
            self.shared.parting.fetch_sub(1, Ordering::AcqRel);
        } else {
            self.shared.give_back();
        }
    }
}

/// How many files this process may have open, where the system says so.
pub(super) fn open_files() -> Option<usize> {
    if cfg!(feature = "__file_tables") {
        return None;
    }
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let soft = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    soft.split_whitespace().next()?.parse().ok()
}

/// How many connections leave room for handshakes, which are then answered with 503, for connections of HTTP, and for the
/// application's own files.
pub(super) fn connections_within(files: usize, others: usize) -> usize {
    files.saturating_sub(32 + others.min(files / 8)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Rate,
        server::{Endpoint, ServerLimits, routes::Routes},
    };

    fn shared(limits: ServerLimits) -> Shared {
        let routes = Routes::build(vec![("/rpc".to_owned(), Endpoint::new())]).unwrap();
        Arc::into_inner(Shared::new(routes, limits)).unwrap()
    }

    /// A server that closes one socket in a second, after one connection of an address has ended, and another.
    async fn whose_second_socket_waits(shared: Shared) -> (Arc<Shared>, tokio::task::JoinHandle<()>) {
        let shared = Arc::new(shared);
        shared.admit(ADDRESS).unwrap().part().await;
        let parts = tokio::spawn(shared.admit(ADDRESS).unwrap().part());
        tokio::task::yield_now().await;
        assert!(!parts.is_finished());
        (shared, parts)
    }

    const ADDRESS: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
    const SLOW: Rate = Rate::per_second(1);

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_is_over_has_no_place_any_more_while_its_socket_waits_to_be_closed() {
        let shared = shared(ServerLimits {
            connections: 1,
            connections_per_address: 1,
            disconnects: SLOW,
            connects: SLOW.burst(100),
            ..ServerLimits::default()
        });
        let (shared, parts) = whose_second_socket_waits(shared).await;
        let held = shared
            .admit(ADDRESS)
            .expect("there is a place, also of its address");
        assert_eq!(shared.admit(ADDRESS).err(), Some(NoPlace::AtAll));
        parts.await.unwrap();
        assert_eq!(
            shared.admit(ADDRESS).err(),
            Some(NoPlace::AtAll),
            "it was given back once"
        );
        drop(held);
        assert!(shared.admit(ADDRESS).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_sockets_wait_than_may_be_connected() {
        let shared = shared(ServerLimits {
            connections: 1,
            disconnects: SLOW,
            connects: SLOW.burst(100),
            ..ServerLimits::default()
        });
        let (shared, parts) = whose_second_socket_waits(shared).await;
        shared.admit(ADDRESS).unwrap().part().await;
        assert!(!parts.is_finished(), "the third did not wait");
    }

    #[tokio::test(start_paused = true)]
    async fn where_descriptors_run_out_nobody_is_let_in_until_sockets_that_wait_are_closed() {
        let mut shared = shared(ServerLimits {
            disconnects: SLOW,
            connects: SLOW.burst(100),
            ..ServerLimits::default()
        });
        shared.most_sockets = 2;
        let (shared, parts) = whose_second_socket_waits(shared).await;
        let _held = shared.admit(None).unwrap();
        assert_eq!(shared.admit(None).err(), Some(NoPlace::AtAll));
        parts.await.unwrap();
        assert!(shared.admit(None).is_ok());
    }

    #[test]
    fn the_limit_on_open_files_leaves_room_to_answer_503() {
        assert!(open_files().is_none_or(|files| files > 0));
        assert_eq!(connections_within(64, 1_000), 24);
        assert_eq!(connections_within(1_024, 1_000), 864);
        assert_eq!(connections_within(1_000_000, 1_000), 998_968);
        assert_eq!(connections_within(10, 1_000), 1);
    }
}
