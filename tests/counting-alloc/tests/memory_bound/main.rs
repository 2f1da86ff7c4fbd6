//! Decoding never takes more than `CostModel::weigh` says, whatever the bytes are.

#![allow(unreachable_pub, reason = "contracts are public where users write them")]

#[path = "../../../../rpc-runtime/tests/codec/hostile.rs"]
mod hostile;
mod messages;

use bytes::Bytes;
use counting_alloc::{Counting, peak_of};
use hostile::Hostile;
use messages::{Deep, Everything, Lists, Many, Maps, Packed, Row, Strings, derived};
use prost::Message;
use rpc_runtime::Contract;
use rpc_runtime::memory::{CostModel, DEFAULT_BUDGET};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What every body is counted at least, for the error of one that does not decode.
const ERROR: u64 = 8 << 10;

/// Decodes `bytes`, checks both bounds, the rough one and that of the scan, and gives the real peak and the scan's bound.
fn check<M: Contract>(what: &str, bytes: Vec<u8>) -> (u64, u64) {
    let model = CostModel::of::<M>();
    let body = Bytes::from(bytes);
    let copy = body.clone();
    let (decoded, peak) = peak_of(|| M::decode(copy).map(drop).is_ok());
    // What is kept back for an error must not hide what a body without one takes; 128 bytes are for the shared buffer.
    let needed = if decoded { peak + ERROR - 128 } else { peak };
    let (cost, by_weighing) = peak_of(|| model.measure(&body));
    assert!(
        cost.bytes >= needed,
        "{what}: the scan says {cost:?}, the peak is {peak}"
    );
    let rough = model.weigh(&body, usize::MAX).expect("fits any budget").bytes;
    assert!(
        rough >= needed,
        "{what}: the rough bound is {rough}, the peak {peak}"
    );
    // Where the body is malformed, prost makes an error.
    assert!(by_weighing <= 128, "{what}: weighing took {by_weighing} bytes");
    (peak, cost.bytes)
}

/// `count` times `bytes`.
fn times(count: usize, bytes: &[u8]) -> Vec<u8> {
    bytes.repeat(count)
}

#[test]
fn a_mebibyte_of_empty_elements_is_refused_before_it_becomes_76() {
    // The key of field 2 and a length of zero: two bytes on the wire for each whole message.
    let body = times(1 << 19, &[0x12, 0x00]);
    let wire = body.len() as u64;
    let (peak, bound) = check::<Many>("76 times", body.clone());
    println!(
        "76 times: {wire} bytes on the wire, {peak} at the peak ({}×), bound {bound}",
        peak / wire
    );
    assert!(peak / wire >= 70);
    let model = CostModel::of::<Many>();
    let (refused, taken) = peak_of(|| model.weigh(&body, DEFAULT_BUDGET).is_err());
    assert!(refused && taken == 0);
    let (peak, bound) = check::<derived::Many>("76 times, read by prost", body);
    println!("76 times, read by prost: {peak} at the peak, bound {bound}");
}

#[test]
fn a_mebibyte_of_packed_numbers_is_honest_and_passes() {
    let numbers = Packed {
        signed: vec![1; 1 << 20],
        ..Packed::default()
    };
    let body = numbers.encode_to_vec();
    let (peak, bound) = check::<Packed>("packed", body.clone());
    println!(
        "packed: {} bytes on the wire, {peak} at the peak, bound {bound}",
        body.len()
    );
    assert_eq!(peak, 8 << 20);
    assert!(CostModel::of::<Packed>().weigh(&body, DEFAULT_BUDGET).is_ok());
    let (peak, bound) = check::<derived::Packed>("packed, read by prost", body);
    println!("packed, read by prost: {peak} at the peak, bound {bound}");
}

#[test]
fn honest_lists_are_not_counted_at_more_than_four_times_what_they_take() {
    let row = |at: usize| Row {
        label: format!("row number {at}"),
        count: at as i64,
        ..Row::default()
    };
    let rows = Lists {
        rows: (0..1000).map(row).collect(),
        ..Lists::default()
    };
    let names = Strings {
        texts: (0..5000).map(|at| format!("name {at}")).collect(),
        ..Strings::default()
    };
    let entries = Maps {
        hashed: (0..1000).map(|at| (format!("key {at}"), row(at))).collect(),
        ..Maps::default()
    };
    let sorted = Maps {
        sorted: (0..1000).map(|at| (at, row(at as usize))).collect(),
        ..Maps::default()
    };
    let cases = [
        ("rows", check::<Lists>("rows", rows.encode_to_vec())),
        ("strings", check::<Strings>("strings", names.encode_to_vec())),
        ("hash map", check::<Maps>("hash map", entries.encode_to_vec())),
        ("tree map", check::<Maps>("tree map", sorted.encode_to_vec())),
    ];
    for (what, (peak, bound)) in cases {
        println!("{what}: {peak} at the peak, bound {bound}");
        assert!(bound <= 4 * peak, "{what}: {peak} at the peak, bound {bound}");
    }
}

#[test]
fn growth_is_bounded_at_every_size() {
    for count in (0..70).chain([
        126, 127, 128, 129, 255, 256, 257, 448, 449, 895, 897, 1025, 1793, 2049, 4097,
    ]) {
        check::<Many>("messages", times(count, &[0x12, 0x00]));
        check::<Strings>("strings", times(count, &[0x0a, 0x01, b'x']));
        check::<Packed>("unpacked", times(count, &[0x08, 0x01]));
        check::<Packed>("packed runs of one", times(count, &[0x0a, 0x01, 0x01]));
        check::<Packed>("packed runs of three", times(count, &[0x0a, 0x03, 1, 1, 1]));
        check::<Packed>("packed flags", times(count, &[0x12, 0x03, 1, 1, 1]));
        check::<derived::Packed>("packed, read by prost", times(count, &[0x0a, 0x03, 1, 1, 1]));
        check::<Packed>("one packed run", {
            let mut body = vec![0x0a];
            prost::encoding::encode_varint(count as u64, &mut body);
            body.extend(times(count, &[1]));
            body
        });
        let keyed = |field: u8| -> Vec<u8> {
            (0..count as u32)
                .flat_map(|at| {
                    let mut entry = vec![8];
                    prost::encoding::encode_varint(u64::from(at), &mut entry);
                    [vec![field, entry.len() as u8], entry].concat()
                })
                .collect()
        };
        for field in [0x12, 0x1a, 0x22, 0x2a] {
            check::<Maps>("entries", keyed(field));
        }
        let mut reversed: Vec<Vec<u8>> = keyed(0x12).chunks(4).map(<[u8]>::to_vec).collect();
        reversed.reverse();
        check::<Maps>("entries in reverse", reversed.concat());
    }
}

#[test]
fn a_value_that_reaches_past_its_message_is_counted() {
    // A nested message of two bytes whose own list says that it is as long as all that follows: prost's decoder reads
    // that list before it notices.
    let list = times(1 << 14, &[0x12, 0x00]);
    let mut inner = vec![0x12];
    prost::encoding::encode_varint(list.len() as u64, &mut inner);
    let mut body = vec![0x0a, inner.len() as u8];
    body.extend(inner);
    body.extend(list);
    let (peak, bound) = check::<Deep>("overrun", body);
    assert!(peak > 1 << 20, "the overrun was decoded: {peak}, bound {bound}");
}

#[test]
fn an_entry_with_a_key_of_another_wire_type_is_counted_where_prost_reads_it() {
    // Field 1 with the key of a varint; the entry holds a value of 3,000 bytes.
    let value = [vec![0x0a], vec![0xb8, 0x17], vec![b'x'; 3000]].concat();
    let entry = [vec![0x12], vec![0xbb, 0x17], value].concat();
    let body = [vec![0x08], vec![0xbe, 0x17], entry].concat();
    let (peak, _) = check::<derived::Everything>("wire type", times(10, &body));
    assert!(peak > 3000, "prost did not read it: {peak}");
    let (peak, _) = check::<Maps>("wire type", times(10, &body));
    assert!(peak < 3000, "we read it: {peak}");
}

#[test]
fn hostile_bodies_take_no_more_than_their_bound() {
    fn attack<M: Contract>(seed: u64, worst: &mut (f64, &'static str)) -> usize {
        const CASES: usize = 1000;
        let mut hostile = Hostile::new(seed);
        for _ in 0..CASES {
            let (peak, bound) = check::<M>(M::FULL_NAME, hostile.body(M::descriptor()));
            let slack = bound as f64 / peak.max(16 << 10) as f64;
            if slack > worst.0 {
                *worst = (slack, M::FULL_NAME);
            }
        }
        CASES
    }

    let mut worst = (0.0, "");
    let cases = attack::<Everything>(1, &mut worst)
        + attack::<Lists>(2, &mut worst)
        + attack::<Maps>(3, &mut worst)
        + attack::<Packed>(4, &mut worst)
        + attack::<Strings>(5, &mut worst)
        + attack::<Deep>(6, &mut worst)
        + attack::<derived::Packed>(7, &mut worst)
        + attack::<derived::Everything>(8, &mut worst)
        + attack::<prost_types::Struct>(9, &mut worst)
        + attack::<prost_types::Value>(10, &mut worst)
        + attack::<prost_types::FieldMask>(11, &mut worst);
    println!(
        "{cases} hostile bodies; the largest bound was {:.1} times the peak ({})",
        worst.0, worst.1
    );
}
