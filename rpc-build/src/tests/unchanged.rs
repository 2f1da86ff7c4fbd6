//! Nothing is rewritten when nothing changed, and the same contracts give the same bytes.

use super::support::Crate;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

const CONTRACTS: &str = "mod more;
#[contract(package = \"task\", controller = \"Task\")]
pub struct TaskContract { pub tags: HashMap<String, more::Tag>, #[field(id)] pub id: String }
#[contract(package = \"other\")]
pub trait Other { async fn ping(&self) -> Result<more::Tag, Status>; }
";

fn made() -> Crate {
    let made = Crate::new(CONTRACTS);
    made.write(
        "src/contracts/more.rs",
        "#[contract(package = \"tags\")] pub struct Tag { #[field(pattern = \"^a\")] pub name: String }",
    );
    made
}

/// Every file below a folder with its content and age.
fn state(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else {
                let age = entry.metadata().and_then(|file| file.modified()).expect("an age");
                found.insert(path.clone(), (std::fs::read(&path).expect("a file"), age));
            }
        }
    }
    found
}

#[test]
fn an_unchanged_build_says_the_same_and_writes_nothing() {
    let made = made();
    let said = made.build();
    let before = state(made.root());
    std::thread::sleep(std::time::Duration::from_millis(20));
    assert_eq!(made.build(), said);
    assert_eq!(state(made.root()), before);
}

#[test]
fn a_touched_source_rewrites_nothing() {
    let made = made();
    made.build();
    let before = state(&made.environment.out_dir);
    made.write("src/contracts.rs", &format!("// A comment.\n{CONTRACTS}"));
    std::thread::sleep(std::time::Duration::from_millis(20));
    made.build();
    let after = state(&made.environment.out_dir);
    let changed: Vec<_> = after
        .iter()
        .filter(|(path, state)| before.get(*path) != Some(state))
        .map(|(path, _)| path.file_name().map(|name| name.to_string_lossy().into_owned()))
        .collect();
    assert_eq!(changed, [Some("stamp.txt".to_owned())]);
}

#[test]
fn an_output_that_was_lost_is_written_again() {
    let made = made();
    made.build();
    let module = made.module("task");
    std::fs::remove_file(made.environment.out_dir.join("rpc/task.rs")).expect("the module");
    made.build();
    assert_eq!(made.module("task"), module);
    std::fs::remove_file(made.path("protos/task/task.proto")).expect("the schema");
    made.build();
    assert_ne!(made.read("protos/task/task.proto"), "<missing>");
}

#[test]
fn a_schema_that_was_written_is_no_younger_than_its_sources() {
    let made = made();
    std::thread::sleep(std::time::Duration::from_millis(20));
    let start = SystemTime::now();
    made.build();
    let age = crate::files::age(&made.path("protos/task/task.proto")).expect("an age");
    assert!(age < start, "cargo would run the build script again");
}

#[test]
fn the_same_contracts_give_the_same_bytes() {
    let outputs = || {
        let made = made();
        let text = made.build();
        let cut = |text: &str| text.replace(&*made.root().to_string_lossy(), "");
        let files: Vec<(String, Vec<u8>)> = state(made.root())
            .into_iter()
            .filter(|(path, _)| !path.ends_with("stamp.txt") && !path.ends_with("contracts.txt"))
            .map(|(path, (content, _))| (cut(&path.to_string_lossy()), content))
            .collect();
        (cut(&text), files)
    };
    let first = outputs();
    for _ in 0..20 {
        assert!(outputs() == first, "two builds of the same contracts differ");
    }
}
