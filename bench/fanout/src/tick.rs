//! The event as bytes, and the clock that both processes read.

use crate::contracts::Tick;
use nix::time::{ClockId, clock_gettime};
use rpc_bench_measure::text;
use rpc_runtime::bytes::Bytes;
use std::time::Duration;

/// Bytes of an event, encoded.
pub(crate) const TICK: usize = 100;
/// Its two numbers with their keys, at the end.
const NUMBERS: usize = 18;
/// What fills it: the payload's key and length take two bytes.
const PAYLOAD: usize = TICK - NUMBERS - 2;
/// The keys of the two numbers: fields 2 and 3, eight bytes each.
const NUMBER_KEY: u8 = 0x11;
const PUBLISHED_KEY: u8 = 0x19;

impl Tick {
    /// Event number `number`, published now.
    pub(crate) fn now(number: u64) -> Result<Self, String> {
        Ok(Self {
            payload: Bytes::from_static(&[b'x'; PAYLOAD]),
            number,
            published_ns: now_ns()?,
        })
    }
}

/// The two numbers of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// Which it is.
    pub(crate) number: u64,
    /// When it was published.
    pub(crate) published_ns: u64,
}

impl Numbers {
    /// Reads the event at the end of a message; nothing where there is none.
    pub(crate) fn at_end(message: &[u8]) -> Option<Self> {
        if message.len() < TICK {
            return None;
        }
        let numbers: &[u8; NUMBERS] = message.last_chunk()?;
        let (number, published) = numbers.split_at(NUMBERS / 2);
        let read = |key: u8, field: &[u8]| {
            let (first, value) = field.split_first()?;
            (*first == key).then(|| value.first_chunk().map(|value| u64::from_le_bytes(*value)))?
        };
        Some(Self {
            number: read(NUMBER_KEY, number)?,
            published_ns: read(PUBLISHED_KEY, published)?,
        })
    }
}

/// The machine's monotonic clock, which is the same in every process.
pub(crate) fn now_ns() -> Result<u64, String> {
    let now = Duration::from(clock_gettime(ClockId::CLOCK_MONOTONIC).map_err(text)?);
    u64::try_from(now.as_nanos()).map_err(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message as _;

    #[test]
    fn the_numbers_of_an_event_of_100_bytes_stand_at_its_end() {
        let tick = Tick::now(7).expect("a clock");
        let bytes = tick.encode_to_vec();
        assert_eq!(bytes.len(), TICK);
        let expected = Numbers {
            number: 7,
            published_ns: tick.published_ns,
        };
        assert_eq!(Numbers::at_end(&bytes), Some(expected));
        assert_eq!(
            Numbers::at_end(&[b"in front", &bytes[..]].concat()),
            Some(expected)
        );
        assert_eq!(Numbers::at_end(&bytes[1..]), None);
        assert_eq!(Numbers::at_end(&[0; TICK]), None);
    }
}
