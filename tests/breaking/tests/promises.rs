//! Proves that whoever compares folders or descriptor sets, as `rpc check` does, hears what a build says of the same change.

use std::fs;
use std::path::{Path, PathBuf};

use breaking_corpus::{Case, Side, folder, judge, read_cases};
use rpc_build::promise::Promise;

/// One side as a folder of `.proto` files, and as a descriptor set with comments beside it.
fn written(side: &Side, at: &Path) -> (PathBuf, PathBuf) {
    for (name, text) in &side.files {
        let path = at.join(name);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("the folder is made");
        fs::write(path, text).expect("the file is written");
    }
    // What a folder need not have.
    let rules = at.with_file_name("rules");
    fs::create_dir_all(rules.join("buf/validate")).expect("the folder is made");
    fs::write(
        rules.join("buf/validate/validate.proto"),
        rpc_build::VALIDATE_PROTO,
    )
    .expect("the rules are written");
    let mut compiler = protox::Compiler::new([at, &rules]).expect("the folders are there");
    compiler.include_imports(true).include_source_info(true);
    let names = side.files.iter().map(|(name, _)| name);
    compiler.open_files(names).expect("it compiles");
    let set = at.with_extension("binpb");
    fs::write(&set, compiler.encode_file_descriptor_set()).expect("the set is written");
    (at.to_path_buf(), set)
}

fn said(before: &Path, after: &Path) -> Vec<String> {
    let read = |path| Promise::read(path).unwrap_or_else(|error| panic!("{error}"));
    let violations = read(before).broken_by(&read(after));
    violations.iter().map(ToString::to_string).collect()
}

#[test]
fn folders_and_descriptor_sets_are_judged_as_builds_are() {
    let cases = read_cases(&folder().join("cases")).expect("the corpus is well-formed");
    // Which enums refuse unknown numbers is said by contracts alone; a value more in one is a warning.
    let cases: Vec<Case> = cases
        .into_iter()
        .filter(|case| case.closed_enums.is_empty())
        .collect();
    assert!(cases.len() > 100, "{}", cases.len());
    let mut breaking = 0;
    for case in &cases {
        let here = tempfile::tempdir().expect("a folder");
        let before = written(&case.before, &here.path().join("before"));
        let after = written(&case.after, &here.path().join("after"));
        let violations = judge(case).unwrap_or_else(|error| panic!("{error}"));
        let expected: Vec<String> = violations.iter().map(ToString::to_string).collect();
        assert_eq!(said(&before.0, &after.0), expected, "{} as folders", case.name);
        assert_eq!(said(&before.1, &after.1), expected, "{} as sets", case.name);
        assert_eq!(
            said(&before.0, &after.1),
            expected,
            "{} as one of each",
            case.name
        );
        breaking += usize::from(!expected.is_empty());
    }
    assert!(breaking > 50, "{breaking}");
}
