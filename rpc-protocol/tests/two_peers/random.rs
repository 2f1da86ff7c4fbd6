//! Chance that is decided by a seed, and bodies that are decided by their place.

use std::sync::OnceLock;

use bytes::Bytes;

/// SplitMix64: small, and the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub(crate) fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        match from.len() {
            0 => None,
            len => Some(from[self.below(len)]),
        }
    }

    /// A body whose bytes are told by `place`; long ones, over many frames and windows, only in heavy runs.
    pub(crate) fn body(&mut self, heavy: bool, place: u64) -> Bytes {
        let len = match self.below(if heavy { 12 } else { 8 }) {
            0..=1 => 0,
            2..=6 => self.below(200),
            7 => self.below(5_000),
            8..=10 => self.below(150 << 10),
            _ => self.below(600 << 10),
        };
        body(place, len)
    }
}

/// `len` bytes out of a pattern without repetition, from where `place` says.
pub(crate) fn body(place: u64, len: usize) -> Bytes {
    static PATTERN: OnceLock<Bytes> = OnceLock::new();
    let pattern = PATTERN.get_or_init(|| {
        let mut random = Random(1);
        let words = (0..(1 << 20) / 8).flat_map(|_| random.next().to_le_bytes());
        words.collect::<Vec<u8>>().into()
    });
    let start = Random(place).below(pattern.len() - len);
    pattern.slice(start..start + len)
}
