//! The type table, and what is said where a type is not in it.

use super::*;
use crate::diagnostics::Errors;

fn check(ty: &str) -> String {
    let parsed: Type = syn::parse_str(ty).expect("the case is a Rust type");
    let mut errors = Errors::new();
    match parse_field_type(&parsed, &mut errors) {
        Some(found) => format!(
            "{:?} {}{}",
            found.cardinality,
            if found.boxed { "box " } else { "" },
            found.value.describe()
        ),
        None => errors
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; "),
    }
}

#[test]
fn the_type_table_reads_what_the_design_lists() {
    for (rust, told) in [
        ("bool", "Singular bool"),
        ("i64", "Singular int64"),
        ("String", "Singular string"),
        ("std::string::String", "Singular string"),
        ("Bytes", "Singular bytes"),
        ("bytes::Bytes", "Singular bytes"),
        ("Vec<u8>", "Singular bytes"),
        ("Option<Vec<u8>>", "Optional bytes"),
        ("Vec<Vec<u8>>", "Repeated bytes"),
        ("Vec<String>", "Repeated string"),
        ("Option<Box<Node>>", "Optional box Node"),
        (
            "HashMap<String, Node>",
            "Map { key: String, ordered: false } Node",
        ),
        (
            "std::collections::BTreeMap<u32, f64>",
            "Map { key: Uint32, ordered: true } double",
        ),
        ("()", "Singular google.protobuf.Empty"),
        ("prost_types::Timestamp", "Singular prost_types::Timestamp"),
    ] {
        assert_eq!(check(rust), told, "{rust}");
    }
}

#[test]
fn an_unsupported_type_says_what_to_use() {
    for (rust, needle) in [
        ("usize", "use `u64`"),
        ("u8", "use `u32`"),
        ("&'static str", "write `String`"),
        ("[u8; 16]", "`Bytes` or `Vec<u8>`"),
        ("(i32, i32)", "named fields"),
        ("HashSet<String>", "use `Vec<String>`"),
        ("Option<Vec<String>>", "absent list"),
        ("Vec<Option<i32>>", "no absent items"),
        ("Vec<Vec<i32>>", "contract of its own"),
        ("HashMap<f64, i32>", "key of a map"),
        ("HashMap<Bytes, i32>", "key of a map"),
        ("Box<i32>", "write `i32`"),
        ("Wrapper<i32>", "no generics"),
    ] {
        let told = check(rust);
        assert!(told.contains(needle), "{rust}: {told}");
    }
}

#[test]
fn types_are_told_as_people_write_them() {
    let ty: Type =
        syn::parse_str("Option<std::collections::HashMap<String, Vec<&'static str>>>").expect("a type");
    assert_eq!(
        text(&ty),
        "Option<std::collections::HashMap<String, Vec<&'static str>>>"
    );
}
