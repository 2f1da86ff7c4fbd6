//! Plugins in a build script. The plugin here is `cat`, which answers with what lies in a file; what plugins are asked, and
//! what becomes of answers, is tested in `tests/protoc-plugin`.

use super::support::Crate;
use crate::plugin::Plugin;
use prost::Message;
use prost_types::compiler::{CodeGeneratorResponse, code_generator_response::File};

const TASK: &str = r#"
use rpc_runtime::contract;

/// A task.
#[contract(package = "task")]
pub struct Task {
    /// What is to be done.
    pub label: String,
}
"#;

/// A crate whose build script runs a plugin that answers so.
fn crate_with(program: &str, out_dir: &str, content: &str) -> Crate {
    let mut made = Crate::new(TASK);
    let answer = made.root().join("answer.binpb");
    let response = CodeGeneratorResponse {
        file: vec![File {
            name: Some("task.txt".to_owned()),
            content: Some(content.to_owned()),
            ..File::default()
        }],
        ..CodeGeneratorResponse::default()
    };
    std::fs::write(&answer, response.encode_to_vec()).expect("an answer");
    let plugin = Plugin::new(program).argument(&answer).out_dir(out_dir);
    made.builder = made.builder.clone().plugin(plugin);
    made
}

#[test]
fn what_a_plugin_generates_is_kept_in_the_sources_and_watched() {
    let made = crate_with("cat", "page/gen", "generated");
    let said = made.build();
    assert_eq!(made.read("page/gen/task.txt"), "generated");
    let watched = format!(
        "cargo::rerun-if-changed={}",
        made.path("page/gen/task.txt").display()
    );
    assert!(said.contains(&watched), "{said}");

    // A file that was edited is brought back by the next build, and one that is as it was is left alone.
    made.write("page/gen/task.txt", "edited");
    made.build();
    assert_eq!(made.read("page/gen/task.txt"), "generated");
}

#[test]
fn a_build_with_ci_set_changes_nothing_and_says_which_file_differs() {
    let mut made = crate_with("cat", "gen", "generated");
    made.build();
    made.environment.ci = true;
    assert_eq!(made.problems(), "");
    made.write("gen/task.txt", "edited");
    let problems = made.problems();
    assert!(problems.starts_with("cargo::error="), "{problems}");
    assert!(
        problems.contains("gen/task.txt` is not as it is generated, and a build with `CI`"),
        "{problems}"
    );
    assert_eq!(made.read("gen/task.txt"), "edited");
}

#[test]
fn without_the_plugin_what_is_committed_stays_and_ci_refuses_to_guess() {
    let mut made = crate_with("./protoc-gen-none", "gen", "generated");
    made.write("gen/task.txt", "committed");
    let said = made.build();
    assert!(said.contains("cargo::warning=there is no program"), "{said}");
    assert!(
        said.contains("what it generated for `gen` stays as it is"),
        "{said}"
    );
    // The build is asked again when the plugin is there.
    let watched = made.path("./protoc-gen-none");
    assert!(
        said.contains(&format!("cargo::rerun-if-changed={}", watched.display())),
        "{said}"
    );
    assert_eq!(made.read("gen/task.txt"), "committed");
    made.environment.ci = true;
    assert!(made.problems().starts_with("cargo::error=there is no program"));
}

#[test]
fn sources_that_are_not_the_users_are_not_generated_into() {
    let made = crate_with("cat", "gen", "generated");
    made.write("Cargo.toml.orig", "");
    assert_eq!(made.problems(), "");
    assert_eq!(made.read("gen/task.txt"), "<missing>");

    // What goes to `OUT_DIR` is generated wherever the crate comes from.
    let out = crate_with("cat", "../out/gen", "generated");
    out.write("Cargo.toml.orig", "");
    out.build();
    assert_eq!(out.read("../out/gen/task.txt"), "generated");
}

#[test]
fn nothing_is_generated_while_a_contract_is_wrong() {
    let made = crate_with("cat", "gen", "generated");
    made.write("src/contracts.rs", &TASK.replace("String", "Strin"));
    made.build();
    assert_eq!(made.read("gen/task.txt"), "<missing>");
}
