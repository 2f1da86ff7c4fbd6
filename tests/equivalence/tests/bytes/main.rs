//! A contract and what prost-build generates from its schema read the same bytes the same way and write the same bytes.
//!
//! The bytes are made up from the descriptor, in every form that protobuf allows: any order, unknown fields, messages
//! split over several occurrences, lists packed, unpacked and mixed, map entries without key or value; and cut off at any
//! place. The differences that are meant are tested as such in `differences.rs`.

mod differences;
mod wire;

use arbitrary::Unstructured;
use bytes::Bytes;
use equivalence::{contracts, twins, wrappers};
use proptest::prelude::*;
use prost::Message;
use prost::encoding::{DecodeContext, decode_key, skip_field};
use rpc_runtime::Contract;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::io::Write;

/// How the two are held together.
#[derive(Clone, Copy, PartialEq)]
enum Compare {
    /// The same bytes are written.
    Bytes,
    /// What is written reads as the same, since a map has no order.
    Meaning,
}

/// Reads made-up bytes with both and compares what comes out.
fn check<C: Contract + Debug, T: Message + Default + Debug>(
    entropy: &[u8],
    compare: Compare,
) -> Result<(), TestCaseError> {
    let mut source = Unstructured::new(entropy);
    let Ok(mut bytes) = wire::message(&mut source, C::descriptor(), 0) else {
        return Ok(());
    };
    if source.ratio(1, 10).unwrap_or(false) {
        let cut = source.int_in_range(0..=bytes.len()).unwrap_or(0);
        bytes.truncate(cut);
    }
    // From one contiguous buffer, of which `Bytes` fields are slices.
    let contract = C::decode(Bytes::from(bytes.clone()));
    let twin = T::decode(bytes.as_slice());
    let (contract, twin) = match (contract, twin) {
        (Ok(contract), Ok(twin)) => (contract, twin),
        (Err(_), Err(_)) => return Ok(()),
        (contract, twin) => {
            return Err(TestCaseError::fail(format!(
                "{} reads {bytes:02x?} as {contract:?}, and prost as {twin:?}",
                C::FULL_NAME
            )));
        }
    };
    let (written, expected) = (contract.encode_to_vec(), twin.encode_to_vec());
    prop_assert_eq!(written.len(), contract.encoded_len());
    if compare == Compare::Bytes {
        prop_assert_eq!(&written, &expected, "{} from {:02x?}", C::FULL_NAME, bytes);
    }
    let reread = T::decode(written.as_slice()).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(reread.encode_to_vec(), expected, "{} through prost", C::FULL_NAME);
    Ok(())
}

macro_rules! equivalent {
    ($($test:ident: $contract:ty, $twin:ty, $compare:expr;)*) => {
        proptest! {
            #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]
            $(
                #[test]
                fn $test(entropy in prop::collection::vec(any::<u8>(), 0..1200)) {
                    check::<$contract, $twin>(&entropy, $compare)?;
                }
            )*
        }
    };
}

equivalent! {
    scalars_equal_prost: contracts::Scalars, twins::Scalars, Compare::Bytes;
    optionals_equal_prost: contracts::Optionals, twins::Optionals, Compare::Bytes;
    lists_equal_prost: contracts::Lists, twins::Lists, Compare::Bytes;
    sorted_maps_equal_prost: contracts::SortedMaps, twins::SortedMaps, Compare::Bytes;
    maps_mean_the_same_as_in_prost: contracts::Maps, twins::Maps, Compare::Meaning;
    recursive_messages_equal_prost: contracts::Node, twins::Node, Compare::Bytes;
    oneofs_equal_prost: contracts::Choice, twins::Choice, Compare::Bytes;
    well_known_types_equal_prost: contracts::WellKnown, twins::WellKnown, Compare::Bytes;
    empty_messages_equal_prost: contracts::Marker, twins::Marker, Compare::Bytes;
}

// Scalars as requests, responses and items of streams.
equivalent! {
    a_bool_alone_equals_its_wrapper: bool, wrappers::BoolValue, Compare::Bytes;
    an_i32_alone_equals_its_wrapper: i32, wrappers::Int32Value, Compare::Bytes;
    an_i64_alone_equals_its_wrapper: i64, wrappers::Int64Value, Compare::Bytes;
    a_u32_alone_equals_its_wrapper: u32, wrappers::UInt32Value, Compare::Bytes;
    a_u64_alone_equals_its_wrapper: u64, wrappers::UInt64Value, Compare::Bytes;
    an_f32_alone_equals_its_wrapper: f32, wrappers::FloatValue, Compare::Bytes;
    an_f64_alone_equals_its_wrapper: f64, wrappers::DoubleValue, Compare::Bytes;
    a_string_alone_equals_its_wrapper: String, wrappers::StringValue, Compare::Bytes;
    bytes_alone_equal_their_wrapper: Bytes, wrappers::BytesValue, Compare::Bytes;
    a_vector_of_bytes_alone_equals_its_wrapper: Vec<u8>, wrappers::BytesValue, Compare::Bytes;
    nothing_alone_equals_the_empty_message: (), wrappers::Empty, Compare::Bytes;
}

/// How many bodies the reach of the generator is looked at with, for each message.
const BODIES: u32 = 3000;

/// The numbers of the fields that made-up bytes fill, and how many of the bodies are valid.
fn reach<C: Contract>() -> (BTreeSet<u32>, u32) {
    let (mut filled, mut valid) = (BTreeSet::new(), 0);
    for seed in 0..BODIES {
        let byte = |at: u32| {
            (at.wrapping_mul(2_654_435_761)
                .wrapping_add(seed.wrapping_mul(40_503))
                >> 11) as u8
        };
        let entropy: Vec<u8> = (0..800).map(byte).collect();
        let bytes = wire::message(&mut Unstructured::new(&entropy), C::descriptor(), 0).unwrap_or_default();
        let Ok(message) = C::decode(bytes.as_slice()) else {
            continue;
        };
        valid += 1;
        let written = message.encode_to_vec();
        let mut rest = written.as_slice();
        while let Ok((number, wire_type)) = decode_key(&mut rest) {
            filled.insert(number);
            skip_field(wire_type, number, &mut rest, DecodeContext::default()).expect("what was written");
        }
    }
    (filled, valid)
}

/// A generator that never fills a field, or makes up nothing valid, would prove nothing.
fn check_reach<C: Contract>() {
    let (filled, valid) = reach::<C>();
    let all: BTreeSet<u32> = C::descriptor().fields.iter().map(|field| field.number).collect();
    assert_eq!(filled, all, "{}", C::FULL_NAME);
    assert!(
        valid > BODIES / 2,
        "{}: {valid} of {BODIES} bodies are valid",
        C::FULL_NAME
    );
    let text = format!(
        "{}: {valid} of {BODIES} made-up bodies are valid and fill all {} fields\n",
        C::FULL_NAME,
        all.len()
    );
    std::io::stderr()
        .write_all(text.as_bytes())
        .expect("standard error is there");
}

#[test]
fn made_up_bytes_are_mostly_valid_and_reach_every_field_of_every_message() {
    check_reach::<contracts::Scalars>();
    check_reach::<contracts::Optionals>();
    check_reach::<contracts::Lists>();
    check_reach::<contracts::SortedMaps>();
    check_reach::<contracts::Maps>();
    check_reach::<contracts::Node>();
    check_reach::<contracts::Choice>();
    check_reach::<contracts::WellKnown>();
    check_reach::<String>();
    check_reach::<i64>();
    check_reach::<Bytes>();
}
