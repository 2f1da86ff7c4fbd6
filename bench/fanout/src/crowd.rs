//! All subscribers of one process, and the line to the publisher. One thread waits for all sockets, so that subscribers cost
//! less than the server does.

use crate::peers::Speaks;
use crate::subscriber::{Away, SCRATCH, Stage, Subscriber};
use crate::tick::now_ns;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use rpc_bench_measure::text;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// Sockets that one look finds readable.
const READABLE: usize = 1024;
/// Milliseconds without any event after which the server is not waited for.
const PATIENCE_MS: u16 = 10_000;
/// Upgrades under way at a time: fewer than a server has room for.
const AT_ONCE: usize = 200;

/// All subscribers, and the line to the publisher.
pub(crate) struct Crowd {
    addr: SocketAddr,
    speaks: Speaks,
    subscribers: Vec<Subscriber>,
    epoll: Epoll,
    readable: Vec<EpollEvent>,
    scratch: Box<[u8; SCRATCH]>,
    control: TcpStream,
    /// How many events may be published in all.
    allowed: u64,
    /// Events that came to subscribers.
    deliveries: u64,
}

impl Crowd {
    /// Nobody yet.
    pub(crate) fn new(addr: SocketAddr, control: SocketAddr, speaks: Speaks) -> Result<Self, String> {
        let control = TcpStream::connect(control).map_err(text)?;
        control.set_nodelay(true).map_err(text)?;
        Ok(Self {
            addr,
            speaks,
            subscribers: Vec::new(),
            epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(text)?,
            readable: vec![EpollEvent::empty(); READABLE],
            scratch: Box::new([0; SCRATCH]),
            control,
            allowed: 0,
            deliveries: 0,
        })
    }

    /// Connects so many more, and waits until all have subscribed. Nothing is published meanwhile.
    pub(crate) fn connect(&mut self, more: usize) -> Result<(), String> {
        let wanted = self.subscribers.len() + more;
        while self.subscribers.len() < wanted {
            let first = self.subscribers.len();
            for number in first..wanted.min(first + AT_ONCE) {
                let subscriber = Subscriber::connect(self.addr, self.speaks);
                self.add(subscriber.map_err(|error| format!("subscriber {number}: {error}"))?)?;
            }
            self.wait_for_subscribed(first)?;
        }
        self.ask(wanted as u64)
    }

    fn add(&mut self, subscriber: Subscriber) -> Result<(), String> {
        let event = EpollEvent::new(EpollFlags::EPOLLIN, self.subscribers.len() as u64);
        self.epoll.add(&subscriber, event).map_err(text)?;
        self.subscribers.push(subscriber);
        Ok(())
    }

    fn wait_for_subscribed(&mut self, first: usize) -> Result<(), String> {
        // In any order: each is waited for in turn.
        for number in first..self.subscribers.len() {
            while self.subscribers[number].stage() != Stage::Subscribed {
                self.receive(|_| ())?;
            }
        }
        Ok(())
    }

    /// All leave.
    pub(crate) fn leave(&mut self) -> Vec<Away> {
        self.subscribers.drain(..).map(Subscriber::leave).collect()
    }

    /// Those that left come back at once, and are waited for until all have subscribed.
    pub(crate) fn come_back(&mut self, away: &[Away]) -> Result<(), String> {
        for (number, away) in away.iter().enumerate() {
            let subscriber = Subscriber::come_back(self.addr, away);
            self.add(subscriber.map_err(|error| format!("subscriber {number}: {error}"))?)?;
        }
        self.wait_for_subscribed(0)
    }

    /// From now on nobody reads what comes to the last `count` of them, which are not counted any more.
    pub(crate) fn silence(&mut self, count: usize) -> Result<Vec<Subscriber>, String> {
        let silent = self.subscribers.split_off(self.subscribers.len() - count);
        for subscriber in &silent {
            self.epoll.delete(subscriber).map_err(text)?;
        }
        self.deliveries -= self.allowed * count as u64;
        Ok(silent)
    }

    /// Has `events` more published, at most `in_flight` under way, and waits until all have them.
    pub(crate) fn publish(&mut self, events: u64, in_flight: u64) -> Result<(), String> {
        let until = self.allowed + events;
        while self.reached() < until {
            self.allow(until.min(self.reached() + in_flight))?;
            self.receive(|_| ())?;
        }
        Ok(())
    }

    /// Has `events` more published while nobody is there, and waits until they are.
    pub(crate) fn publish_unheard(&mut self, events: u64) -> Result<(), String> {
        self.allow(self.allowed + events)?;
        self.ask(0)
    }

    /// Waits until the server has that many subscribers, and has published all that it may.
    fn ask(&mut self, subscribers: u64) -> Result<(), String> {
        self.tell(ASK | subscribers)?;
        let mut answer = [0; 8];
        self.control
            .read_exact(&mut answer)
            .map_err(|_| "not all have subscribed")?;
        Ok(())
    }

    fn tell(&mut self, number: u64) -> Result<(), String> {
        self.control.write_all(&number.to_le_bytes()).map_err(text)
    }

    /// Lets the publisher publish up to that event.
    pub(crate) fn allow(&mut self, events: u64) -> Result<(), String> {
        if events > self.allowed {
            self.allowed = events;
            self.tell(events)?;
        }
        Ok(())
    }

    /// All of them.
    pub(crate) fn subscribers(&self) -> &[Subscriber] {
        &self.subscribers
    }

    /// How many events were published, or may be.
    pub(crate) fn allowed(&self) -> u64 {
        self.allowed
    }

    /// How many events came to subscribers.
    pub(crate) fn deliveries(&self) -> u64 {
        self.deliveries
    }

    /// Up to which event all have them.
    pub(crate) fn reached(&self) -> u64 {
        self.deliveries / self.subscribers.len() as u64
    }

    /// Reads what has come, once; gives how long each event took to `took`, in nanoseconds.
    pub(crate) fn receive(&mut self, mut took: impl FnMut(u64)) -> Result<(), String> {
        let count = self.epoll.wait(&mut self.readable, PATIENCE_MS).map_err(text)?;
        if count == 0 {
            let (deliveries, subscribers) = (self.deliveries, self.subscribers.len());
            return Err(format!(
                "nothing came any more: {deliveries} deliveries of {} events to {subscribers} subscribers",
                self.allowed
            ));
        }
        for readable in &self.readable[..count] {
            let number = usize::try_from(readable.data()).map_err(text)?;
            let deliveries = &mut self.deliveries;
            let now = now_ns()?;
            self.subscribers[number]
                .read(&mut self.scratch, |event| {
                    *deliveries += 1;
                    took(now.saturating_sub(event.published_ns));
                })
                .map_err(|error| format!("subscriber {number}: {error}"))?;
        }
        Ok(())
    }

    /// Receives all that was published: none may be missing at the end.
    pub(crate) fn settle(&mut self) -> Result<(), String> {
        while self.reached() < self.allowed {
            self.receive(|_| ())?;
        }
        Ok(())
    }
}

/// What is told to the publisher with this bit is how many subscribers there shall be; without, how many events.
pub(crate) const ASK: u64 = 1 << 63;
