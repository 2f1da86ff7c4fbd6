//! Masking of what a client sends (RFC 6455, section 5.3).

use crate::random;

/// How many bytes of randomness are fetched at a time: four for each message.
const FETCHED: usize = 256;

/// Where a client's masking keys come from: the operating system's randomness, so that none follows from another.
#[derive(Debug)]
pub(crate) struct Keys {
    /// Boxed: a server's connection has no keys, and shall not take their space.
    fetched: Box<[u8; FETCHED]>,
    used: usize,
}

impl Keys {
    /// The keys of one connection.
    pub(crate) fn new() -> Self {
        Self {
            fetched: Box::new(random::bytes()),
            used: 0,
        }
    }

    /// The next masking key.
    pub(crate) fn next(&mut self) -> [u8; 4] {
        if self.used == FETCHED {
            *self.fetched = random::bytes();
            self.used = 0;
        }
        let mut key = [0; 4];
        key.copy_from_slice(&self.fetched[self.used..self.used + 4]);
        self.used += 4;
        key
    }
}

/// Masks, or unmasks, in place.
pub(crate) fn apply(key: [u8; 4], payload: &mut [u8]) {
    let wide = u64::from(u32::from_ne_bytes(key)) * 0x1_0000_0001;
    let (words, rest) = payload.as_chunks_mut();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    // Most messages are short, and end within a word: their last bytes weigh as much as the words before them.
    for (byte, key) in rest.iter_mut().zip(wide.to_ne_bytes()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

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
        let all: HashSet<_> = (0..300).flat_map(|_| [one.next(), other.next()]).collect();
        // Of 600 keys two are the same once in 24,000 runs; three pairs never.
        assert!(all.len() > 597, "{} keys", all.len());
    }
}
