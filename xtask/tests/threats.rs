//! The page of threats names tests: each of them is one.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Adds the names of the tests in a file: functions with an attribute above them that ends in `test`, or is an argument of
/// proptest's.
fn add_tests(source: &str, tests: &mut BTreeSet<String>) {
    let mut is_test = false;
    for line in source.lines().map(str::trim) {
        if line.starts_with("#[") {
            let name = line.trim_start_matches("#[").split(['(', ']']).next();
            is_test |= name.is_some_and(|name| name == "test" || name.ends_with("::test"));
        } else if let Some((before, rest)) = line.split_once("fn ") {
            let is_function = before
                .split_whitespace()
                .all(|word| matches!(word, "async" | "pub"));
            if is_function && is_test {
                tests.extend(rest.split(['(', '<']).next().map(str::to_owned));
            }
            is_test = false;
        } else if !line.starts_with("//") && !line.is_empty() {
            is_test = false;
        }
    }
}

/// Adds the names of the tests in a file of TypeScript: calls of `test` with the name on the same line.
fn add_tests_of_typescript(source: &str, tests: &mut BTreeSet<String>) {
    let calls = source.lines().filter_map(|line| line.strip_prefix("test(\""));
    tests.extend(calls.filter_map(|call| Some(call.split_once('"')?.0.to_owned())));
}

fn add_tests_below(directory: &Path, tests: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display())) {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() && !matches!(name, "target" | "node_modules") && !name.starts_with('.') {
            add_tests_below(&path, tests);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).expect("a source file");
            add_tests(&source, tests);
        } else if name.ends_with(".test.ts") {
            let source = fs::read_to_string(&path).expect("a source file");
            add_tests_of_typescript(&source, tests);
        }
    }
}

/// The rows of the page's tables, without their heads: what happens, and the names in the last cell.
fn rows(page: &str) -> Vec<(&str, Vec<&str>)> {
    let lines = page.lines().filter(|line| line.starts_with("| "));
    let rows = lines.filter(|line| !line.contains("| shown by"));
    rows.map(|line| {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").collect();
        let (first, last) = (cells[0], cells[cells.len() - 1]);
        (first.trim(), last.split('`').skip(1).step_by(2).collect())
    })
    .collect()
}

#[test]
fn every_threat_on_the_page_is_shown_by_tests_that_exist() {
    let page = fs::read_to_string(root().join("docs/threats.md")).expect("the page");
    let mut tests = BTreeSet::new();
    add_tests_below(&root(), &mut tests);
    let rows = rows(&page);
    assert!(rows.len() >= 60, "{} rows", rows.len());
    let mut problems = Vec::new();
    for (threat, names) in rows {
        if names.is_empty() {
            problems.push(format!("{threat}: no test"));
        }
        let missing = names.into_iter().filter(|name| !tests.contains(*name));
        problems.extend(missing.map(|name| format!("{threat}: there is no test `{name}`")));
    }
    assert!(
        problems.is_empty(),
        "in docs/threats.md:\n{}",
        problems.join("\n")
    );
}

#[test]
fn calls_of_test_count_in_typescript() {
    let source = "test(\"a_test\", async () => {\n  test(\"within\", () => {});\n// test(\"commented\")\n";
    let mut tests = BTreeSet::new();
    add_tests_of_typescript(source, &mut tests);
    assert_eq!(tests.into_iter().collect::<Vec<_>>(), ["a_test"]);
}

#[test]
fn only_functions_with_the_attribute_of_a_test_count() {
    let mut tests = BTreeSet::new();
    let source = "
        #[test]
        fn a_test() {}
        #[tokio::test(start_paused = true)]
        /// Says why.
        async fn another_test() {}
        #[cfg(test)]
        fn no_test() {}
        fn no_test_either() {}
        #[test]
        const NO_TEST: u8 = 0;
        fn nor_this() {}
        // fn commented() {}
    ";
    add_tests(source, &mut tests);
    assert_eq!(tests.into_iter().collect::<Vec<_>>(), ["a_test", "another_test"]);
}
