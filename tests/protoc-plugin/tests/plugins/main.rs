//! `rpc_build::plugin` with a plugin that behaves, and with one that does not.

mod failing;

use prost::Message;
use protoc_plugin::{Field, File, Request, Set, Type};
use rpc_build::plugin::{DescriptorSet, Difference, Plugin, PluginError};
use std::fs;
use tempfile::TempDir;

const PROTOS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/protos");
const VALIDATE: &str = "buf/validate/validate.proto";

fn schemas() -> DescriptorSet {
    DescriptorSet::compile([PROTOS], ["shop/order.proto"]).expect("the schemas compile")
}

fn probe(folder: &TempDir, parameter: &str) -> Plugin {
    Plugin::new(env!("CARGO_BIN_EXE_probe"))
        .parameter(parameter)
        .out_dir(folder.path().join("gen"))
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// What the probe was asked, from the file that it left.
fn asked(folder: &TempDir, name: &str) -> Request {
    let path = folder.path().join(format!("gen/{name}.hex"));
    let hex = fs::read_to_string(path).expect("the probe's file");
    let digits = hex.as_bytes().chunks(2);
    let bytes = digits.map(|pair| {
        let pair = std::str::from_utf8(pair).expect("digits");
        u8::from_str_radix(pair, 16).expect("digits")
    });
    Request::decode(bytes.collect::<Vec<u8>>().as_slice()).expect("a request")
}

fn names(asked: &Request) -> Vec<&str> {
    asked.proto_file.iter().map(|file| file.name.as_str()).collect()
}

#[test]
fn an_encoded_set_shows_a_plugin_what_the_schemas_did() {
    let encoded = schemas().encode();
    let again = DescriptorSet::decode(&encoded, ["shop/order.proto"]).unwrap();
    let (first, second) = (folder(), folder());
    probe(&first, "").run(&schemas()).unwrap();
    probe(&second, "").run(&again).unwrap();
    let asked = [&first, &second].map(|folder| asked(folder, "shop/order.proto"));
    assert_eq!(asked[0], asked[1]);
    assert_eq!(again.encode(), encoded);
}

#[test]
fn a_plugin_sees_its_parameter_and_each_file_behind_those_that_it_imports() {
    let folder = folder();
    let generated = probe(&folder, "echo").run(&schemas()).unwrap();
    assert_eq!(generated.written.len(), 2, "{generated:?}");
    let asked = asked(&folder, "shop/order.proto");
    assert_eq!(asked.parameter.as_deref(), Some("echo"));
    assert_eq!(asked.file_to_generate, ["shop/order.proto"]);
    let names = names(&asked);
    for file in &asked.proto_file {
        let at = |wanted: &str| names.iter().position(|name| *name == wanted);
        for import in &file.dependency {
            assert!(
                at(import).is_some_and(|import| Some(import) < at(&file.name)),
                "{names:?}"
            );
        }
    }
    assert!(names.contains(&"google/protobuf/timestamp.proto"), "{names:?}");
}

#[test]
fn custom_options_and_comments_reach_the_plugin() {
    let folder = folder();
    probe(&folder, "").run(&schemas()).unwrap();
    let asked = asked(&folder, "shop/order.proto");
    let file = asked.proto_file.last().expect("a file");
    let field = &file.message_type[0].field[0];
    // Field 1159, buf.validate.field: its field 5, uint32: its field 3, lte, is 1000.
    let rules = [0xba, 0x48, 0x05, 0x2a, 0x03, 0x18, 0xe8, 0x07];
    assert_eq!(field.options, rules, "{:x?}", field.options);
    assert_eq!(field.json_name, "howMany");
    let comments = |name: &str| {
        let file = asked
            .proto_file
            .iter()
            .find(|file| file.name == name)
            .expect("a file");
        let comments = file.source_code_info.clone().unwrap_or_default();
        let lines = comments.location.into_iter().map(|place| place.leading_comments);
        lines.filter(|lines| !lines.is_empty()).collect::<Vec<_>>()
    };
    assert!(comments("shop/order.proto").contains(&" How much of it.\n".to_owned()));
    // Of an import too.
    assert!(comments("shop/money.proto").contains(&" In the smallest unit there is.\n".to_owned()));
}

#[test]
fn imports_are_generated_for_where_that_is_asked_for_and_wellknown_ones_never() {
    let folder = folder();
    probe(&folder, "").with_imports().run(&schemas()).unwrap();
    let asked = asked(&folder, "shop/order.proto");
    let mut files = asked.file_to_generate.clone();
    files.sort();
    assert_eq!(files, [VALIDATE, "shop/money.proto", "shop/order.proto"]);
}

#[test]
fn one_file_alone_is_asked_about_with_what_it_imports_and_nothing_else() {
    let folder = folder();
    probe(&folder, "")
        .file("shop/money.proto")
        .run(&schemas())
        .unwrap();
    let asked = asked(&folder, "shop/money.proto");
    assert_eq!(names(&asked), ["shop/money.proto"]);

    let error = probe(&folder, "")
        .file("shop/cash.proto")
        .run(&schemas())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "nothing can be generated for `shop/cash.proto`: the schemas are `shop/order.proto` and what they import"
    );
}

#[test]
fn an_import_that_is_left_out_leaves_its_options_and_the_places_of_the_others_right() {
    let folder = folder();
    probe(&folder, "")
        .without_import(VALIDATE)
        .run(&schemas())
        .unwrap();
    let asked = asked(&folder, "shop/order.proto");
    assert!(!names(&asked).contains(&VALIDATE));
    let file = asked.proto_file.last().expect("a file");
    assert_eq!(
        file.dependency,
        ["shop/money.proto", "google/protobuf/timestamp.proto"]
    );
    assert_eq!(file.public_dependency, [1], "the timestamp's place was 2");
    assert!(!file.message_type[0].field[0].options.is_empty());
}

#[test]
fn an_import_whose_types_are_used_cannot_be_left_out() {
    let folder = folder();
    let error = probe(&folder, "")
        .without_import("shop/money.proto")
        .run(&schemas());
    assert_eq!(
        error.unwrap_err().to_string(),
        "`shop/order.proto` cannot do without the import of `shop/money.proto`: `Order.price` has the type `.shop.Money`"
    );
}

#[test]
fn nor_can_one_whose_types_a_file_has_by_way_of_another() {
    let folder = folder();
    let head = "syntax = \"proto3\"; package shop;";
    let till = format!("{head} import public \"shop/money.proto\";");
    let cash = format!("{head} import \"till.proto\"; message Cash {{ Money held = 1; }}");
    fs::write(folder.path().join("till.proto"), till).unwrap();
    fs::write(folder.path().join("cash.proto"), cash).unwrap();
    let folders = [folder.path().to_path_buf(), PROTOS.into()];
    let schemas = DescriptorSet::compile(folders, ["cash.proto", "till.proto"]).unwrap();
    let error = probe(&folder, "")
        .without_import("shop/money.proto")
        .run(&schemas);
    assert_eq!(
        error.unwrap_err().to_string(),
        "`cash.proto` cannot do without the import of `shop/money.proto`: `Cash.held` has the type `.shop.Money`"
    );
}

#[test]
fn a_set_that_was_compiled_elsewhere_keeps_its_options_too() {
    let folder = folder();
    let field = Field {
        name: "x".to_owned(),
        options: vec![0xba, 0x48, 0x00],
        ..Field::default()
    };
    let message = Type {
        name: "M".to_owned(),
        field: vec![field.clone()],
    };
    let file = File {
        name: "elsewhere.proto".to_owned(),
        message_type: vec![message],
        ..File::default()
    };
    let set = Set { file: vec![file] }.encode_to_vec();
    let schemas = DescriptorSet::decode(&set, ["elsewhere.proto"]).unwrap();
    probe(&folder, "").run(&schemas).unwrap();
    let asked = asked(&folder, "elsewhere.proto");
    assert_eq!(asked.proto_file[0].message_type[0].field, [field]);

    let cut_off = DescriptorSet::decode(&set[..set.len() - 1], ["elsewhere.proto"]);
    assert!(matches!(cut_off, Err(PluginError::Schema(_))), "{cut_off:?}");
    let missing = DescriptorSet::decode(&set, ["other.proto"]).unwrap_err();
    assert_eq!(
        missing.to_string(),
        "the descriptor set has no file `other.proto`"
    );

    let importer = File {
        name: "importer.proto".to_owned(),
        dependency: vec!["imported.proto".to_owned()],
        ..File::default()
    };
    let set = Set { file: vec![importer] }.encode_to_vec();
    let without = DescriptorSet::decode(&set, ["importer.proto"]).unwrap_err();
    let text = without.to_string();
    assert!(
        text.contains("no `imported.proto` in front of `importer.proto`"),
        "{text}"
    );
}

#[test]
fn files_are_written_when_they_differ_and_removed_when_only_an_earlier_run_had_them() {
    let folder = folder();
    let root = folder.path().join("gen");
    let first = probe(&folder, "names=a.txt,old/deep/b.txt")
        .run(&schemas())
        .unwrap();
    assert_eq!(first.files, first.written);
    fs::write(root.join("own.txt"), "written by hand").unwrap();

    let again = probe(&folder, "names=a.txt,old/deep/b.txt")
        .run(&schemas())
        .unwrap();
    assert!(again.written.is_empty() && again.removed.is_empty(), "{again:?}");

    let moved = probe(&folder, "names=a.txt,old").run(&schemas()).unwrap();
    assert_eq!(moved.removed, [root.join("old/deep/b.txt")]);
    assert_eq!(moved.written, [root.join(".probe.files"), root.join("old")]);
    assert_eq!(
        fs::read_to_string(root.join("own.txt")).unwrap(),
        "written by hand"
    );
}

#[test]
fn a_list_that_names_files_outside_of_the_folder_or_is_not_ours_removes_nothing() {
    let folder = folder();
    let root = folder.path().join("gen");
    fs::create_dir(&root).unwrap();
    let kept = [folder.path().join("kept.txt"), root.join("kept.txt")];
    for path in &kept {
        fs::write(path, "kept").unwrap();
    }
    let list = root.join(".probe.files");
    probe(&folder, "names=a.txt").run(&schemas()).unwrap();
    let mut listed = fs::read_to_string(&list).unwrap();
    listed.push_str(&format!("../kept.txt\n{}\n", kept[0].display()));
    fs::write(&list, listed).unwrap();
    probe(&folder, "names=a.txt").run(&schemas()).unwrap();
    fs::write(&list, "kept.txt\nkept.txt\n").unwrap();
    probe(&folder, "names=a.txt").run(&schemas()).unwrap();
    assert!(kept.iter().all(|path| path.exists()));
}

#[test]
fn a_check_names_each_file_that_a_run_would_change_and_changes_none() {
    let folder = folder();
    let root = folder.path().join("gen");
    probe(&folder, "names=a.txt,b.txt,c.txt").run(&schemas()).unwrap();
    let same = probe(&folder, "names=a.txt,b.txt,c.txt")
        .check(&schemas())
        .unwrap();
    assert_eq!(same, []);
    fs::write(root.join("a.txt"), "edited").unwrap();
    fs::remove_file(root.join("b.txt")).unwrap();
    let mut found = probe(&folder, "names=a.txt,b.txt").check(&schemas()).unwrap();
    found.sort_by_key(|difference| difference.path().to_owned());
    assert_eq!(
        found,
        [
            Difference::Changed(root.join(".probe.files")),
            Difference::Changed(root.join("a.txt")),
            Difference::Missing(root.join("b.txt")),
            Difference::Stale(root.join("c.txt")),
        ]
    );
    assert_eq!(fs::read_to_string(root.join("a.txt")).unwrap(), "edited");
    assert!(root.join("c.txt").exists());
}

#[test]
fn a_file_may_come_in_pieces() {
    let folder = folder();
    probe(&folder, "pieces").run(&schemas()).unwrap();
    let text = fs::read_to_string(folder.path().join("gen/one.txt")).unwrap();
    assert_eq!(text, "one goes on");
}
