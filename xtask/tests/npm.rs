//! What npm installs is the same everywhere: on each machine, for each platform, and by each registry.

use semver::{Version, VersionReq};
use serde_json::{Map, Value};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> Value {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn object<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value[key].as_object().into_iter().flatten()
}

/// The places where Node looks for what a package at this place wants.
fn places(package: &str, wanted: &str) -> Vec<String> {
    let mut folders = vec![package];
    let mut rest = package;
    while let Some((above, _)) = rest.rsplit_once("/node_modules/") {
        folders.push(above);
        rest = above;
    }
    folders.push("");
    let place = |folder: &str| match folder {
        "" => format!("node_modules/{wanted}"),
        folder => format!("{folder}/node_modules/{wanted}"),
    };
    folders.into_iter().map(place).collect()
}

fn missing(packages: &Map<String, Value>) -> Vec<String> {
    let mut missing = Vec::new();
    for (package, facts) in packages {
        for (wanted, version) in object(facts, "optionalDependencies") {
            if !places(package, wanted)
                .iter()
                .any(|place| packages.contains_key(place))
            {
                missing.push(format!("{package} wants {wanted} {version}"));
            }
        }
    }
    missing
}

/// npm leaves out of the lock what it cannot find for another platform, or what stands below a workspace; `npm ci` fails then,
/// or the package does when it runs. A tool that each package has stands in the root's package.json.
#[test]
fn the_locks_have_the_packages_of_every_platform() {
    for lock in ["package-lock.json", "tests/breaking/package-lock.json"] {
        let lock = read(lock);
        let packages = lock["packages"].as_object().expect("packages");
        assert_eq!(missing(packages), Vec::<String>::new());
    }
}

#[test]
fn the_locks_name_no_registry() {
    for path in ["package-lock.json", "tests/breaking/package-lock.json"] {
        let lock = read(path);
        for (package, facts) in object(&lock, "packages") {
            let resolved = facts["resolved"].as_str().unwrap_or_default();
            assert!(!resolved.contains("://"), "{path}: {package} is from {resolved}");
        }
    }
}

/// Whether a version is one of those that `^20.19.0 || >=22.12.0` names. They are read as cargo reads them, by which npm means
/// the same unless one is a whole version without an operator; what cargo cannot read names none.
fn is_in(wanted: &Version, ranges: &str) -> bool {
    let read = |range: &str| VersionReq::parse(range.trim());
    ranges
        .split("||")
        .any(|range| read(range).is_ok_and(|range| range.matches(wanted)))
}

/// npm says of each package that wants another Node, and goes on: a newcomer would not know what to make of that.
#[test]
fn every_package_runs_on_the_oldest_node_that_is_said_to_do() {
    let root = read("package.json");
    let oldest = root["engines"]["node"].as_str().expect("engines.node");
    let oldest = oldest.strip_prefix(">=").expect("`>=` and a version");
    let oldest = Version::parse(&format!("{oldest}.0")).expect("two numbers");
    let mut asked = 0;
    for path in ["package-lock.json", "tests/breaking/package-lock.json"] {
        let lock = read(path);
        for (package, facts) in object(&lock, "packages") {
            let Some(ranges) = facts["engines"]["node"].as_str() else {
                continue;
            };
            asked += 1;
            assert!(is_in(&oldest, ranges), "{path}: {package} wants Node {ranges}");
        }
    }
    assert!(asked > 50, "{asked} packages say what they want");
}

#[test]
fn a_range_of_versions_is_read_as_npm_reads_it() {
    for (ranges, is_there) in [
        (">=20", true),
        (">= 12.0.0", true),
        (">=20.19.1", false),
        (">=22", false),
        ("^20.19.0 || >=22.12.0", true),
        ("^18.1.0 || ^22.13.0 || >=23.5.0", false),
    ] {
        assert_eq!(is_in(&Version::new(20, 19, 0), ranges), is_there, "{ranges}");
    }
}

/// Node 20 takes the names of test files as they stand; later ones look for patterns themselves, which hides that.
#[test]
fn scripts_leave_patterns_of_tests_to_the_shell() {
    let workspaces = read("package.json");
    let paths = workspaces["workspaces"].as_array().expect("workspaces");
    for path in paths.iter().filter_map(Value::as_str) {
        let package = read(&format!("{path}/package.json"));
        for (name, script) in object(&package, "scripts") {
            let script = script.as_str().unwrap_or_default();
            let quoted = script.split(['"', '\'']).skip(1).step_by(2);
            for pattern in quoted.filter(|_| script.contains("node --test")) {
                assert!(
                    !pattern.contains('*'),
                    "{path}: `{name}` quotes {pattern}; Node 20 finds no such file"
                );
            }
        }
    }
}

#[test]
fn packages_pin_what_they_are_built_with() {
    let workspaces = read("package.json");
    let paths = workspaces["workspaces"].as_array().expect("workspaces");
    let paths = paths.iter().filter_map(Value::as_str);
    let files = paths.map(|path| format!("{path}/package.json"));
    for file in files.chain(["package.json".to_owned()]) {
        let package = read(&file);
        for kind in ["dependencies", "devDependencies"] {
            for (name, version) in object(&package, kind) {
                let version = version.as_str().unwrap_or_default();
                // A package that goes by another name, such as `npm:@cmmv/view@0.8.32`.
                let version = match version.strip_prefix("npm:") {
                    Some(alias) => alias.rsplit_once('@').map_or("", |(_, version)| version),
                    None => version,
                };
                let is_exact = version
                    .split(['.', '-'])
                    .take(3)
                    .all(|part| part.parse::<u32>().is_ok());
                assert!(is_exact, "{file}: {name} is {version}; write the version alone");
            }
        }
    }
}

#[test]
fn a_package_is_looked_for_in_each_folder_above() {
    let places = places("a/node_modules/b/node_modules/@c/d", "e");
    let expected = [
        "a/node_modules/b/node_modules/@c/d/node_modules/e",
        "a/node_modules/b/node_modules/e",
        "a/node_modules/e",
        "node_modules/e",
    ];
    assert_eq!(places, expected);
    let packages = serde_json::json!({
        "node_modules/b": { "optionalDependencies": { "b-linux": "1.0.0", "b-mac": "1.0.0" } },
        "node_modules/b-linux": {},
    });
    assert_eq!(
        missing(packages.as_object().expect("an object")),
        ["node_modules/b wants b-mac \"1.0.0\""]
    );
}
