//! A subscriber that takes next to nothing: a socket that asks for the upgrade, subscribes, answers pings, and looks at the
//! numbers of events. What is measured is the server.

use crate::peers::Speaks;
use crate::tick::Numbers;
use crate::wire::{self, BINARY, CLOSE};
use prost::Message as _;
use rpc_protocol::frame::{AnnouncedLimits, Greeting, Pong, Request};
use rpc_protocol::{Frame, FrameKind, method_number};
use rpc_runtime::bytes::Bytes;
use rpc_runtime::services::hub::{ChannelPosition, SubscribeChannel, SubscribeRequest, SubscribeResponse};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

/// Bytes read at once.
pub(crate) const SCRATCH: usize = 64 * 1024;
/// What a subscriber can take before it would have to give credit: more than it ever receives.
const WINDOW: u64 = 1 << 50;

/// What subscribes to channels.
const SUBSCRIBE: u64 = method_number("rpc.hub.v1.HubService/Subscribe");
/// The stream that relays a broadcast.
const WATCH: u64 = method_number("feed.FeedService/Watch");

/// One connection.
#[derive(Debug)]
pub(crate) struct Subscriber {
    stream: TcpStream,
    speaks: Speaks,
    stage: Stage,
    /// The part of a message that has come.
    rest: Vec<u8>,
    /// The number of the last event.
    last: u64,
    /// Where its channel is, as it was told last.
    position: Option<ChannelPosition>,
    /// Events that came with the answer to its subscribing.
    recovered: usize,
}

/// What a subscriber knows while it is not connected.
#[derive(Debug)]
pub(crate) struct Away {
    speaks: Speaks,
    last: u64,
    position: Option<ChannelPosition>,
}

/// How far a subscriber has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It waits for the answer to its upgrade.
    Upgrading,
    /// It waits for the answer to its call.
    Subscribing,
    /// It gets events.
    Subscribed,
}

impl Subscriber {
    /// Connects, which on loopback does not wait for the server, and asks for the upgrade.
    pub(crate) fn connect(server: SocketAddr, speaks: Speaks) -> io::Result<Self> {
        let mut stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        stream.write_all(wire::upgrade(server).as_bytes())?;
        Ok(Self {
            stream,
            speaks,
            stage: Stage::Upgrading,
            rest: Vec::new(),
            last: 0,
            position: None,
            recovered: 0,
        })
    }

    /// Leaves, and keeps what it knows.
    pub(crate) fn leave(self) -> Away {
        Away {
            speaks: self.speaks,
            last: self.last,
            position: self.position,
        }
    }

    /// Comes back: connects anew, and will ask for what came after the events that it has.
    pub(crate) fn come_back(server: SocketAddr, away: &Away) -> io::Result<Self> {
        let mut back = Self::connect(server, away.speaks)?;
        back.last = away.last;
        // Nothing else is published in the channel: an event's number is its offset.
        back.position = away.position.map(|position| ChannelPosition {
            offset: away.last,
            ..position
        });
        Ok(back)
    }

    /// The number of the last event.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// How many events came with the answer to its subscribing.
    pub(crate) fn recovered(&self) -> usize {
        self.recovered
    }

    /// How far it has come.
    pub(crate) fn stage(&self) -> Stage {
        self.stage
    }

    /// Reads once, and gives each event to `event`. One that is missing, twice there or out of order is an error.
    pub(crate) fn read(
        &mut self,
        scratch: &mut [u8; SCRATCH],
        mut event: impl FnMut(Numbers),
    ) -> io::Result<()> {
        let count = match self.stream.read(scratch) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        if self.rest.is_empty() {
            let taken = self.take(&scratch[..count], &mut event)?;
            self.rest.extend_from_slice(&scratch[taken..count]);
        } else {
            let mut rest = std::mem::take(&mut self.rest);
            rest.extend_from_slice(&scratch[..count]);
            let taken = self.take(&rest, &mut event)?;
            // Most have nothing left, and there are many of them.
            self.rest = rest[taken..].to_vec();
        }
        Ok(())
    }

    /// Takes whole messages; gives how many bytes they were.
    fn take(&mut self, bytes: &[u8], event: &mut impl FnMut(Numbers)) -> io::Result<usize> {
        let mut at = 0;
        if self.stage == Stage::Upgrading {
            match wire::upgraded(bytes)? {
                Some(head) => at = head,
                None => return Ok(0),
            }
            self.subscribe()?;
        }
        while let Some(whole) = wire::whole(&bytes[at..]) {
            let payload = &bytes[at + whole.from..at + whole.to];
            at += whole.to;
            let numbers = match self.stage {
                Stage::Subscribed => Numbers::at_end(payload),
                // An answer may end with an event.
                _ => None,
            };
            match (whole.kind, numbers) {
                (BINARY, Some(numbers)) => self.check(numbers, event)?,
                (BINARY, None) if self.speaks != Speaks::Nothing => self.handle(payload, event)?,
                (CLOSE, _) => {
                    let reason = String::from_utf8_lossy(payload.get(2..).unwrap_or_default());
                    return Err(io::Error::other(format!(
                        "the server closed the connection: {reason}"
                    )));
                }
                (kind, _) => return Err(io::Error::other(format!("an unexpected frame: {kind:#x}"))),
            }
        }
        Ok(at)
    }

    /// Sees to it that an event is the next one.
    fn check(&mut self, numbers: Numbers, event: &mut impl FnMut(Numbers)) -> io::Result<()> {
        if numbers.number != self.last + 1 {
            let (last, number) = (self.last, numbers.number);
            return Err(io::Error::other(format!("event {number} follows event {last}")));
        }
        self.last = numbers.number;
        event(numbers);
        Ok(())
    }

    /// Says what is needed to get events.
    fn subscribe(&mut self) -> io::Result<()> {
        match self.speaks {
            Speaks::Nothing => {}
            Speaks::Greeting => self.send(&greeting())?,
            Speaks::Stream => {
                let watch = Request {
                    method: WATCH,
                    ..Request::default()
                };
                self.send(&greeting())?;
                self.send(&Frame::new(1, FrameKind::Request(watch)))?;
            }
            Speaks::Channel(name) => {
                let channel = SubscribeChannel {
                    channel: name.to_owned(),
                    since: self.position,
                    ..SubscribeChannel::default()
                };
                let subscribe = SubscribeRequest {
                    channels: vec![channel],
                };
                let request = Request {
                    method: SUBSCRIBE,
                    body: subscribe.encode_to_vec().into(),
                    ..Request::default()
                };
                self.send(&greeting())?;
                self.send(&Frame::new(1, FrameKind::Request(request)))?;
                self.stage = Stage::Subscribing;
                return Ok(());
            }
        }
        self.stage = Stage::Subscribed;
        Ok(())
    }

    /// Takes the answer to the call, and the events that it carries.
    fn subscribed(&mut self, body: Bytes, event: &mut impl FnMut(Numbers)) -> io::Result<()> {
        let answers = SubscribeResponse::decode(body).map_err(io::Error::other)?.answers;
        let Some(answer) = answers.into_iter().next() else {
            return Err(io::Error::other("no answer to a subscription"));
        };
        if let Some(refused) = answer.refused {
            return Err(io::Error::other(format!(
                "a subscription was refused: {}",
                refused.message
            )));
        }
        if self.position.is_some() && answer.recovered != Some(true) {
            return Err(io::Error::other("a subscription was not recovered"));
        }
        self.position = answer.position;
        self.recovered = answer.events.len();
        for record in answer.events {
            let numbers = Numbers::at_end(&record.body).ok_or_else(|| io::Error::other("not our event"))?;
            self.check(numbers, event)?;
        }
        self.stage = Stage::Subscribed;
        Ok(())
    }

    /// Handles a frame that is no event.
    fn handle(&mut self, payload: &[u8], event: &mut impl FnMut(Numbers)) -> io::Result<()> {
        let frame = Frame::decode(Bytes::copy_from_slice(payload)).map_err(io::Error::other)?;
        match frame.kind {
            FrameKind::Greeting(_) | FrameKind::Credit(_) => Ok(()),
            FrameKind::Response(response) if response.open => Ok(()),
            FrameKind::Response(response) if self.stage == Stage::Subscribing => {
                self.subscribed(response.body, event)
            }
            FrameKind::Ping(ping) => {
                let pong = Pong {
                    payload: ping.payload,
                };
                self.send(&Frame::new(0, FrameKind::Pong(pong)))
            }
            other => Err(io::Error::other(format!("an unexpected frame: {other:?}"))),
        }
    }

    /// Writes a few bytes to a socket whose buffer is empty.
    fn send(&mut self, frame: &Frame) -> io::Result<()> {
        self.stream.write_all(&wire::masked(&frame.to_bytes())?)
    }
}

impl AsFd for Subscriber {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// Announces that nothing needs credit.
fn greeting() -> Frame {
    let limits = AnnouncedLimits {
        stream_window_bytes: WINDOW,
        connection_window_bytes: WINDOW,
        ..AnnouncedLimits::default()
    };
    let greeting = Greeting {
        limits: Some(limits),
        ..Greeting::default()
    };
    Frame::new(0, FrameKind::Greeting(Box::new(greeting)))
}
