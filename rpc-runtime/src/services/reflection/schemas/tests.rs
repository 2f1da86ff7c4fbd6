//! Sets of several crates, as they go together or do not.

use std::slice::from_ref;

use prost_types::{FileDescriptorSet, ServiceDescriptorProto, SourceCodeInfo, source_code_info::Location};

use super::*;
use crate::Code;

fn message(name: &str) -> DescriptorProto {
    DescriptorProto {
        name: Some(name.to_owned()),
        ..DescriptorProto::default()
    }
}

fn file(name: &str, package: &str, messages: &[&str], imports: &[&str]) -> FileDescriptorProto {
    FileDescriptorProto {
        name: Some(name.to_owned()),
        package: Some(package.to_owned()),
        message_type: messages.iter().map(|name| message(name)).collect(),
        dependency: imports.iter().map(|import| (*import).to_owned()).collect(),
        ..FileDescriptorProto::default()
    }
}

fn commented(mut file: FileDescriptorProto) -> FileDescriptorProto {
    file.source_code_info = Some(SourceCodeInfo {
        location: vec![Location {
            path: vec![4, 0],
            leading_comments: Some(" What it is for.".to_owned()),
            ..Location::default()
        }],
    });
    file
}

fn schemas(sets: &[&[FileDescriptorProto]]) -> Schemas {
    let sets = sets.iter().map(|files| {
        let set = FileDescriptorSet { file: files.to_vec() };
        &*Vec::leak(set.encode_to_vec())
    });
    Schemas::of(sets.collect::<Vec<_>>().into_iter())
}

fn names(files: Result<Vec<SchemaFile>, Status>) -> Vec<String> {
    files.unwrap().into_iter().map(|file| file.name).collect()
}

#[test]
fn sets_of_several_crates_are_put_together_with_what_they_share_in_them_once() {
    let shared = file("shared.proto", "shared", &["Id"], &[]);
    let one = file("one.proto", "one", &["A"], &["shared.proto"]);
    let two = file("two.proto", "two", &["B"], &["shared.proto"]);
    let sets = schemas(&[
        &[shared.clone(), one.clone()],
        &[shared.clone(), two],
        &[shared, one],
    ]);
    assert_eq!(names(sets.files(&[])), ["shared.proto", "one.proto", "two.proto"]);
    let both = ["two.B".to_owned(), "one.A".to_owned()];
    assert_eq!(
        names(sets.files(&both)),
        ["shared.proto", "two.proto", "one.proto"]
    );
}

#[test]
fn of_two_copies_of_a_file_the_one_with_comments_is_given_in_whatever_order_they_come() {
    let shared = file("shared.proto", "shared", &["Id"], &[]);
    let documented = commented(shared.clone());
    for sets in [
        schemas(&[from_ref(&shared), from_ref(&documented)]),
        schemas(&[from_ref(&documented), from_ref(&shared)]),
    ] {
        let files = sets.files(&[]).unwrap();
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].descriptor, documented.encode_to_vec());
    }
}

#[test]
fn files_that_contradict_each_other_are_refused_together_and_given_alone() {
    let one = [
        file("common.proto", "common", &["X"], &[]),
        file("one.proto", "one", &["A"], &["common.proto"]),
    ];
    let two = [
        file("common.proto", "common", &["X", "Y"], &[]),
        file("two.proto", "two", &["B"], &["common.proto"]),
    ];
    let sets = schemas(&[&one, &two]);
    for together in [&[][..], &["one.A".to_owned(), "two.B".to_owned()]] {
        let status = sets.files(together).unwrap_err();
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert!(status.message().contains("\"common.proto\""), "{status}");
    }
    for (symbol, common) in [("one.A", &one[0]), ("two.B", &two[0])] {
        let files = sets.files(&[symbol.to_owned()]).unwrap();
        assert_eq!(files[0].descriptor, common.encode_to_vec(), "{symbol}");
    }
}

#[test]
fn one_name_that_two_files_declare_is_a_contradiction_too() {
    let sets = schemas(&[
        &[file("one.proto", "common", &["X"], &[])],
        &[file("two.proto", "common", &["X"], &[])],
    ]);
    let status = sets.files(&[]).unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(status.message().contains("common.X"), "{status}");
}

#[test]
fn a_symbol_brings_all_that_its_file_imports_and_nothing_else() {
    let mut outer = file("outer.proto", "a.b", &[], &["middle.proto"]);
    outer.service.push(ServiceDescriptorProto {
        name: Some("S".to_owned()),
        ..ServiceDescriptorProto::default()
    });
    let mut nested = message("Outer");
    nested.nested_type.push(message("Inner"));
    outer.message_type.push(nested);
    let sets = schemas(&[&[
        file("inner.proto", "", &["Bare"], &[]),
        file("other.proto", "o", &["O"], &[]),
        file("middle.proto", "m", &["M"], &["inner.proto"]),
        outer,
    ]]);
    for symbol in ["a.b.S", "a.b.Outer", "a.b.Outer.Inner"] {
        assert_eq!(
            names(sets.files(&[symbol.to_owned()])),
            ["inner.proto", "middle.proto", "outer.proto"],
            "{symbol}"
        );
    }
    assert_eq!(names(sets.files(&["Bare".to_owned()])), ["inner.proto"]);
    let missing = sets.files(&["a.b.T".to_owned()]).unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    let long = sets.files(&["x".repeat(100_000)]).unwrap_err();
    assert!(long.message().len() < 400, "it is told back whole");
    assert!(sets.declares("o.O") && !sets.declares("o"));
}

#[test]
fn what_does_not_decode_is_left_out() {
    let good: &'static [u8] = Vec::leak(
        FileDescriptorSet {
            file: vec![file("good.proto", "g", &["G"], &[])],
        }
        .encode_to_vec(),
    );
    for broken in [&[0x0a, 0x7f][..], &[0x0a, 0x01, 0xff], &[0xff]] {
        let broken: &'static [u8] = Vec::leak(broken.to_vec());
        let sets = Schemas::of([broken, good, &[]].into_iter());
        assert_eq!(names(sets.files(&[])), ["good.proto"]);
    }
}
