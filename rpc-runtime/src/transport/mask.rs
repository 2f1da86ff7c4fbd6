//! Masking of what a client sends (RFC 6455, section 5.3).

use std::hash::{BuildHasher, Hasher, RandomState};

/// Where a client's masking keys come from: xorshift64* over a seed that the operating system's randomness gave.
#[derive(Debug)]
pub(crate) struct Keys(u64);

impl Keys {
    /// Seeds the keys of one connection.
    pub(crate) fn new() -> Self {
        // RandomState is keyed from the operating system's randomness; an odd seed is never zero.
        Self(RandomState::new().build_hasher().finish() | 1)
    }

    /// The next masking key.
    pub(crate) fn next(&mut self) -> [u8; 4] {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let mixed = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes();
        [mixed[4], mixed[5], mixed[6], mixed[7]]
    }
}

/// Masks, or unmasks, in place.
pub(crate) fn apply(key: [u8; 4], payload: &mut [u8]) {
    let [a, b, c, d] = key;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let mut chunks = payload.chunks_exact_mut(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        chunk.copy_from_slice(&(u64::from_ne_bytes(word) ^ wide).to_ne_bytes());
    }
    for (byte, key) in chunks.into_remainder().iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masking_is_byte_by_byte_with_the_key_repeated() {
        let key = [1, 2, 4, 8];
        for len in 0..40 {
            let mut payload: Vec<u8> = (0..len).collect();
            apply(key, &mut payload);
            let expected: Vec<u8> = (0..len).map(|i| i ^ key[usize::from(i) % 4]).collect();
            assert_eq!(payload, expected);
        }
    }

    #[test]
    fn keys_differ_from_message_to_message_and_from_connection_to_connection() {
        let (mut one, mut other) = (Keys::new(), Keys::new());
        assert_ne!(one.next(), one.next());
        assert_ne!((one.next(), one.next()), (other.next(), other.next()));
    }
}
