//! The standard library's times as the well-known types.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{Buf, BufMut};
use prost::DecodeError;
use prost::encoding::{DecodeContext, WireType};

use super::glue::{encode_message, merge_message, message_len};
use super::{Contract, ContractField, Kind};
use crate::codec::decode_error;

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// Implements [`ContractField`] for a time by way of the well-known type that it is on the wire. A field that comes in
/// several pieces is merged as that type merges, so that `{seconds: 5}` and `{nanos: 3}` are five seconds and three
/// nanoseconds.
macro_rules! through_well_known {
    ($time:ty, $wire:ty, $zero:expr, $to_wire:ident, $from_wire:ident) => {
        impl ContractField for $time {
            const KIND: Kind = Kind::Message(<$wire as Contract>::descriptor);
            const WIRE_TYPE: WireType = WireType::LengthDelimited;
            const PACKED: bool = false;

            fn zero() -> Self {
                $zero
            }
            fn is_zero(&self) -> bool {
                false
            }
            fn encode_value(&self, buf: &mut impl BufMut) {
                encode_message(&$to_wire(*self), buf);
            }
            fn value_len(&self) -> usize {
                message_len(&$to_wire(*self))
            }
            fn merge_value(
                &mut self,
                wire_type: WireType,
                buf: &mut impl Buf,
                cx: DecodeContext,
            ) -> Result<(), DecodeError> {
                let mut wire = $to_wire(*self);
                merge_message(&mut wire, wire_type, buf, cx)?;
                *self = $from_wire(wire)?;
                Ok(())
            }
        }
    };
}

through_well_known!(
    SystemTime,
    prost_types::Timestamp,
    UNIX_EPOCH,
    timestamp_of,
    system_time_of
);
through_well_known!(
    Duration,
    prost_types::Duration,
    Duration::ZERO,
    wire_duration_of,
    duration_of
);

/// Seconds and nanoseconds of a time, the nanoseconds never negative. Seconds beyond 64 bits, which no clock shows,
/// become the largest there are.
fn timestamp_of(time: SystemTime) -> prost_types::Timestamp {
    let nanos = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_nanos() as i128,
        Err(before) => -(before.duration().as_nanos() as i128),
    };
    prost_types::Timestamp {
        seconds: saturate(nanos.div_euclid(NANOS_PER_SECOND)),
        nanos: nanos.rem_euclid(NANOS_PER_SECOND) as i32,
    }
}

fn system_time_of(timestamp: prost_types::Timestamp) -> Result<SystemTime, DecodeError> {
    let nanos = total_nanos(timestamp.seconds, timestamp.nanos);
    let distance = magnitude(nanos);
    let time = if nanos < 0 {
        UNIX_EPOCH.checked_sub(distance)
    } else {
        UNIX_EPOCH.checked_add(distance)
    };
    time.ok_or_else(|| decode_error("timestamp out of range"))
}

/// A duration of more than 2^63 seconds becomes that many: the wire holds no more.
fn wire_duration_of(duration: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: saturate(i128::from(duration.as_secs())),
        nanos: duration.subsec_nanos() as i32,
    }
}

fn duration_of(duration: prost_types::Duration) -> Result<Duration, DecodeError> {
    let nanos = total_nanos(duration.seconds, duration.nanos);
    if nanos < 0 {
        Err(decode_error("negative duration"))
    } else {
        Ok(magnitude(nanos))
    }
}

fn total_nanos(seconds: i64, nanos: i32) -> i128 {
    i128::from(seconds) * NANOS_PER_SECOND + i128::from(nanos)
}

fn magnitude(nanos: i128) -> Duration {
    let nanos = nanos.unsigned_abs();
    let second = NANOS_PER_SECOND.unsigned_abs();
    Duration::new((nanos / second) as u64, (nanos % second) as u32)
}

fn saturate(seconds: i128) -> i64 {
    i64::try_from(seconds).unwrap_or(if seconds < 0 { i64::MIN } else { i64::MAX })
}
