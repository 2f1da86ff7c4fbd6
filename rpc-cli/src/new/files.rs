//! What is in a new crate. The files are those of the folder `starter`, in which `crate-name` and `crate_name` stand for its name.

use std::path::Path;

use crate::failure::Failure;

use super::name::CrateName;
use super::origin::Origin;

/// Of cargo's and git's own names, these are not theirs in the folder: a manifest would make it a package, which cargo leaves out of
/// the one that it is in.
const MANIFEST: &str = include_str!("../../starter/Cargo.toml.in");
const IGNORED: &str = include_str!("../../starter/gitignore");

/// What is the same in every new crate but for its name.
const FILES: &[(&str, &str)] = &[
    (".gitignore", IGNORED),
    ("README.md", include_str!("../../starter/README.md")),
    ("build.rs", include_str!("../../starter/build.rs")),
    (
        "examples/client.rs",
        include_str!("../../starter/examples/client.rs"),
    ),
    ("src/contracts.rs", include_str!("../../starter/src/contracts.rs")),
    ("src/lib.rs", include_str!("../../starter/src/lib.rs")),
    ("src/main.rs", include_str!("../../starter/src/main.rs")),
    ("src/service.rs", include_str!("../../starter/src/service.rs")),
    (
        "tests/guest_book.rs",
        include_str!("../../starter/tests/guest_book.rs"),
    ),
];

/// What stands in a manifest in the folder of a workspace that does not name it: without it, cargo would refuse to build the crate.
pub(super) const APART: &str = "
# It lies in the folder of a workspace, and is none of its members. To make it one, name it there, and take these lines out.
[workspace]
";

/// Each file, by its path in the crate, whose folder is there and given canonically.
pub(super) fn filled(
    name: &CrateName,
    origin: &Origin,
    folder: &Path,
) -> Result<Vec<(&'static str, String)>, Failure> {
    let identifier = name.identifier();
    let runtime = origin.dependency("rpc-runtime", folder)?;
    let build = origin.dependency("rpc-build", folder)?;
    let values = [
        ("crate-name", name.package()),
        ("crate_name", identifier.as_str()),
        ("RUST_VERSION", env!("CARGO_PKG_RUST_VERSION")),
        ("RPC_RUNTIME", runtime.as_str()),
        ("RPC_BUILD", build.as_str()),
    ];
    let all = [("Cargo.toml", MANIFEST)]
        .into_iter()
        .chain(FILES.iter().copied());
    Ok(all.map(|(path, text)| (path, fill(text, &values))).collect())
}

/// A text with each marker replaced by its value. Markers in values are part of these: a crate may be called like one.
fn fill(mut text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len());
    let next = |text: &str| {
        let found = values
            .iter()
            .filter_map(|&(marker, value)| Some((text.find(marker)?, marker, value)));
        found.min()
    };
    while let Some((at, marker, value)) = next(text) {
        filled.push_str(&text[..at]);
        filled.push_str(value);
        text = &text[at + marker.len()..];
    }
    filled + text
}

/// The names of the crates that a new one depends on.
pub(super) fn dependencies() -> impl Iterator<Item = &'static str> {
    let lines = MANIFEST.lines().filter_map(|line| line.split_once(" = {"));
    lines.map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// The paths of all files in a folder.
    fn files_in(folder: &Path, found: &mut Vec<String>, root: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => files_in(&path, found, root),
                false => found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned()),
            }
        }
    }

    #[test]
    fn every_file_of_the_starter_is_in_a_new_crate() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/starter"));
        let mut there = Vec::new();
        files_in(root, &mut there, root);
        let mut made: Vec<_> = FILES
            .iter()
            .map(|(path, _)| path.trim_start_matches('.').to_owned())
            .collect();
        made.push("Cargo.toml.in".to_owned());
        there.sort();
        made.sort();
        assert_eq!(there, made);
    }

    #[test]
    fn a_new_crate_depends_on_the_framework_and_little_else() {
        let all: Vec<_> = dependencies().collect();
        assert_eq!(all, ["futures-util", "rpc-runtime", "tokio", "rpc-build"]);
    }

    #[test]
    fn a_published_framework_is_asked_for_in_the_version_of_the_command() {
        let name = CrateName::parse("my-app").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let files = filled(&name, &Origin::Published, folder.path()).unwrap();
        let version = env!("CARGO_PKG_VERSION");
        let expected = format!("rpc-runtime = {{ version = \"{version}\", features = [\"explorer\"] }}\n");
        assert!(files[0].1.contains(&expected), "{}", files[0].1);
        for (path, text) in files {
            for marker in [
                "crate-name",
                "crate_name",
                "RPC_RUNTIME",
                "RPC_BUILD",
                "RUST_VERSION",
            ] {
                assert!(!text.contains(marker), "{path} has {marker}:\n{text}");
            }
        }
    }

    #[test]
    fn names_and_folders_may_contain_what_stands_for_them() {
        let name = CrateName::parse("my-crate_name").unwrap();
        let clone = Origin::Clone("/src/crate-name/RPC_BUILD".into());
        let files = filled(&name, &clone, Path::new("/src/crate-name/my-crate_name")).unwrap();
        let manifest = &files[0].1;
        for line in [
            "name = \"my-crate_name\"\n",
            "rpc-build = { path = \"../RPC_BUILD/rpc-build\" }\n",
        ] {
            assert!(manifest.contains(line), "{manifest}");
        }
        let lib = files.iter().find(|(path, _)| *path == "src/lib.rs").unwrap();
        assert!(
            lib.1.contains("include_gateway!(\"my_crate_name\");\n"),
            "{}",
            lib.1
        );
    }
}
