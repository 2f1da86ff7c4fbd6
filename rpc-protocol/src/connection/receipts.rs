//! What has come of the peer's sequenced frames, and when it is told so.
//!
//! Shared by both ends. The other half, what is kept until the peer has told, is [`Replay`](crate::Replay).

use std::time::{Duration, Instant};

use crate::Output;
use crate::frame::{Acknowledgement, FrameKind};

/// So many frames are acknowledged together ...
pub(crate) const FRAMES_TOGETHER: u64 = 32;

/// ... or fewer, so long after the first of them.
pub(crate) const LONGEST_SILENCE: Duration = Duration::from_secs(1);

/// Counts the peer's sequenced frames since the session began, over all its connections.
#[derive(Clone, Debug)]
pub(crate) struct Receipts {
    /// Frames of calls are counted as well, not direct events alone.
    streams: bool,
    received: u64,
    /// What the peer knows of that.
    told: u64,
    /// The bytes of what it does not know of. The peer keeps so much.
    bytes: usize,
    /// From so many on it is told at once: a quarter of what it may keep.
    most_bytes: usize,
    /// When the first of these came.
    since: Option<Instant>,
}

impl Receipts {
    /// `replay_bytes`: what the peer keeps of frames of calls; 0: direct events alone are counted. `received`: in the session
    /// so far, which the peer knows.
    pub(crate) fn new(replay_bytes: usize, received: u64) -> Self {
        Self {
            streams: replay_bytes > 0,
            received,
            told: received,
            bytes: 0,
            most_bytes: match replay_bytes {
                0 => usize::MAX,
                bytes => bytes / 4,
            },
            since: None,
        }
    }

    pub(crate) fn counts_calls(&self) -> bool {
        self.streams
    }

    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// The peer was told in another way, such as by a greeting.
    pub(crate) fn are_told(&mut self) {
        self.told = self.received;
        self.bytes = 0;
        self.since = None;
    }

    /// A message of so many bytes has come.
    pub(crate) fn on_frame(&mut self, kind: &FrameKind, len: usize, now: Instant, out: &mut impl Output) {
        if !kind.is_sequenced(self.streams) {
            return;
        }
        self.received += 1;
        self.bytes = self.bytes.saturating_add(len);
        if self.received - self.told >= FRAMES_TOGETHER || self.bytes >= self.most_bytes {
            self.tell(false, out);
        } else {
            self.since.get_or_insert(now);
        }
    }

    /// When [`on_timeout`](Self::on_timeout) has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.since?.checked_add(LONGEST_SILENCE)
    }

    pub(crate) fn on_timeout(&mut self, now: Instant, out: &mut impl Output) {
        if self.deadline().is_some_and(|deadline| now >= deadline) {
            self.tell(false, out);
        }
    }

    /// Tells the peer now. `token`: and that the last resume token is stored.
    pub(crate) fn tell(&mut self, token: bool, out: &mut impl Output) {
        self.are_told();
        Acknowledgement {
            received_frames: self.received,
            resume_token: token,
            ..Acknowledgement::default()
        }
        .encode(0, out);
    }
}
