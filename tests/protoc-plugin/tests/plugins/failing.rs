//! A plugin that misbehaves, and one that is not there.

use rpc_build::plugin::{DescriptorSet, Plugin, PluginError};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{PROTOS, folder, probe, schemas};

/// The error of a run, which must have left nothing.
fn refused(parameter: &str) -> PluginError {
    let folder = folder();
    let error = probe(&folder, parameter)
        .run(&schemas())
        .expect_err("it is refused");
    assert!(!folder.path().join("gen").exists(), "nothing is written");
    error
}

#[test]
fn names_that_leave_the_folder_are_refused() {
    for name in [
        "../a",
        "/a",
        "a/../../b",
        "a//b",
        "./a",
        "a\\b",
        "C:a",
        "a/",
        "a\u{7}",
    ] {
        let error = refused(&format!("names={name}"));
        let text = error.to_string();
        assert!(matches!(error, PluginError::Response { .. }), "{name}: {text}");
        assert!(
            text.contains("is not a path below the output folder"),
            "{name}: {text}"
        );
    }
}

#[test]
fn answers_that_cannot_be_written_as_they_stand_are_refused_in_a_sentence() {
    let says = [
        ("names=a,b,a", "it has the file `a` twice"),
        ("names=a,a/b", "`a` is both a file and the folder of `a/b`"),
        ("no_name", "its first file has no name"),
        (
            "insert",
            "it inserts into a file of another plugin, at `imports` of `other.txt`",
        ),
        ("garbage", "it is no `CodeGeneratorResponse`"),
        ("old", "`shop/order.proto` has `optional` fields in proto3"),
    ];
    for (parameter, text) in says {
        let error = refused(parameter).to_string();
        assert!(
            error.starts_with("the answer of the plugin `probe` is refused: "),
            "{error}"
        );
        assert!(error.contains(text), "{error}");
    }
}

#[test]
fn an_error_that_the_plugin_reports_is_told_in_its_words() {
    let error = refused("error=shop.Order is not to its taste");
    assert_eq!(
        error.to_string(),
        "the plugin `probe` reports: shop.Order is not to its taste"
    );
}

#[test]
fn what_the_plugin_says_beside_its_answer_is_kept() {
    let folder = folder();
    let generated = probe(&folder, "say=the wind is fair").run(&schemas()).unwrap();
    assert_eq!(generated.messages, "the wind is fair\n");
    let error = refused("fail=the wind is foul").to_string();
    assert_eq!(
        error,
        "the plugin `probe` failed (exit status: 3): the wind is foul"
    );
}

#[test]
fn a_plugin_that_hangs_is_ended_and_told_of() {
    let folder = folder();
    let id = folder.path().join("id");
    let plugin = probe(&folder, &format!("hang={}", id.display())).time_limit(Duration::from_millis(200));
    let error = plugin.run(&schemas()).unwrap_err();
    assert!(matches!(error, PluginError::TimedOut { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        "the plugin `probe` was ended after 200ms without an answer; if it needs longer, give it a `time_limit`"
    );
    // If it came so far within the time: where the system shows processes, it shows this one no more.
    if let Ok(id) = fs::read_to_string(id) {
        assert!(
            !Path::new("/proc").join(&id).exists(),
            "the plugin {id} still runs"
        );
    }
}

#[test]
fn a_plugin_that_is_not_there_is_told_of_with_what_to_install() {
    let run = |program: &str| Plugin::new(program).run(&schemas()).unwrap_err();
    let missing = run("protoc-gen-nobody-has-this");
    assert!(matches!(missing, PluginError::Missing { .. }), "{missing:?}");
    assert_eq!(
        missing.to_string(),
        "there is no program `protoc-gen-nobody-has-this` on the PATH; install the plugin, or give the path to it"
    );
    let path = Path::new("nowhere").join("protoc-gen-es");
    let text = run(&path.to_string_lossy()).to_string();
    assert!(
        text.contains("npm install --save-dev @bufbuild/protoc-gen-es"),
        "{text}"
    );
}

#[cfg(unix)]
#[test]
fn a_plugin_whose_interpreter_is_missing_or_that_is_no_program_is_told_from_one_that_is_missing() {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let run = |name: &str| Plugin::new(scripts.join(name)).run(&schemas()).unwrap_err();
    let error = run("no-interpreter");
    assert!(matches!(error, PluginError::Start { .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        text.ends_with("; what it is written for is not installed"),
        "{text}"
    );
    let text = run("no-program").to_string();
    assert!(text.contains("cannot be run: Permission denied"), "{text}");
    let text = run("no-node").to_string();
    assert!(text.contains("is what it runs on installed"), "{text}");
    assert!(text.ends_with(": no such interpreter"), "{text}");
}

#[test]
fn schemas_that_are_missing_or_do_not_compile_are_told_of() {
    let missing = DescriptorSet::compile([PROTOS], ["shop/cash.proto"])
        .unwrap_err()
        .to_string();
    assert!(
        missing.starts_with("there is no `shop/cash.proto` to read in "),
        "{missing}"
    );
    let folder = folder();
    fs::write(
        folder.path().join("a.proto"),
        "syntax = \"proto3\"; message A { B b = 1; }",
    )
    .unwrap();
    let folders: [PathBuf; 1] = [folder.path().to_owned()];
    let broken = DescriptorSet::compile(folders, ["a.proto"])
        .unwrap_err()
        .to_string();
    assert!(broken.contains("'B'") && broken.contains("a.proto"), "{broken}");
}
