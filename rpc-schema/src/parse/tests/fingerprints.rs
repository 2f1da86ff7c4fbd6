//! When a fingerprint changes, and when it stays.

use super::{read, told};
use crate::fingerprint::fingerprint;

pub(super) fn print(source: &str) -> String {
    let (parsed, errors) = read(source);
    assert!(errors.is_empty(), "{source}: {}", told(source));
    fingerprint(&parsed.expect("an item without errors is read"))
}

#[test]
fn a_fingerprint_is_of_facts_and_not_of_text() {
    let base = r#"#[contract(package = "task")] struct Task { label: String, size: Option<u32> }"#;
    for same in [
        "/// Documented.\n#[rpc_runtime::contract( package=\"task\", )] #[derive(Clone)] pub struct Task {\n/// A label.\npub label : String,\n\n// A comment.\n size: Option< u32 >\n}",
        r#"#[contract(package = "task", detached)] struct Task { label: String, size: Option<u32> }"#,
        r#"#[contract(package = "task")] struct Task { #[field(tag = 1)] label: String, #[field(tag = 2)] size: Option<u32> }"#,
        r#"#[contract(package = "task")] struct Task { label: String, size: std::option::Option<u32>, #[field(skip)] cache: u8 }"#,
        r#"#[contract(package = "task", message = "Task")] struct Other { #[field(rename = "label")] name: String, size: Option<u32> }"#,
    ] {
        assert_eq!(print(same), print(base), "{same}");
    }
}

#[test]
fn a_fingerprint_changes_with_every_fact() {
    let mut seen = std::collections::BTreeMap::new();
    for source in [
        r#"#[contract(package = "task")] struct Task { label: String }"#,
        r#"#[contract(package = "tasks")] struct Task { label: String }"#,
        r#"#[contract(package = "task", message = "Tasks")] struct Task { label: String }"#,
        r#"#[contract(package = "task", proto_path = "protos/t.proto")] struct Task { label: String }"#,
        r#"#[contract(package = "task", event)] struct Task { label: String }"#,
        r#"#[contract(package = "task", reserved(9))] struct Task { label: String }"#,
        r#"#[contract(package = "task", removed("Old"))] struct Task { label: String }"#,
        r#"#[contract(package = "task")] struct Task { title: String }"#,
        r#"#[contract(package = "task")] struct Task { #[field(tag = 2)] label: String }"#,
        r#"#[contract(package = "task")] struct Task { label: Bytes }"#,
        r#"#[contract(package = "task")] struct Task { label: Option<String> }"#,
        r#"#[contract(package = "task")] struct Task { label: Vec<String> }"#,
        r#"#[contract(package = "task")] struct Task { label: Label }"#,
        r#"#[contract(package = "task")] struct Task { #[field(id)] label: String }"#,
        r#"#[contract(package = "task")] struct Task { #[field(unique)] label: String }"#,
        r#"#[contract(package = "task")] struct Task { #[field(index)] label: String }"#,
        r#"#[contract(package = "task")] struct Task { #[field(default = "x")] label: String }"#,
        r#"#[contract(package = "task")] struct Task { #[field(default = "y")] label: String }"#,
        r#"#[contract(package = "task")] struct Task { #[field(min_len = 1)] label: String }"#,
        r#"#[contract(package = "task")] struct Task { #[field(min_len = 2)] label: String }"#,
        r#"#[contract(package = "task")] struct Task { #[field(deprecated)] label: String }"#,
        r#"#[contract(package = "task")] struct Task { label: String, size: u32 }"#,
        r#"#[contract(package = "task", controller = "Task")] struct Task { #[field(id)] label: String }"#,
        r#"#[contract(package = "task", controller = "Task", auth)] struct Task { #[field(id)] label: String }"#,
        r#"#[contract(package = "task", controller = "Task", operations(add))] struct Task { #[field(id)] label: String }"#,
        r#"#[contract(package = "task")] enum Task { Label }"#,
        r#"#[contract(package = "task")] enum Task { Label, #[field(other)] Other(i32) }"#,
        r#"#[contract(package = "task")] enum Task { #[default] Unset, Label(String) }"#,
        r#"#[contract(package = "task")] enum Task { #[default] Unset, Label }"#,
        r#"#[contract(package = "task")] trait Task { async fn a(&self) -> Result<(), Status>; }"#,
        r#"#[contract(package = "task")] trait Task { async fn a(&self, b: B) -> Result<(), Status>; }"#,
        r#"#[contract(package = "task")] trait Task { async fn a(&self, b: Streaming<B>) -> Result<(), Status>; }"#,
        r#"#[contract(package = "task")] trait Task { async fn a(&self) -> Result<B, Status>; }"#,
        r#"#[contract(package = "task")] trait Task { #[message(auth)] async fn a(&self) -> Result<(), Status>; }"#,
        r#"#[contract(package = "task")] trait Task { #[message(deadline = "1s")] async fn a(&self) -> Result<(), Status>; }"#,
        r#"#[contract(package = "task")] trait Task { #[message(number = 7)] async fn a(&self) -> Result<(), Status>; }"#,
        r#"#[rpc("task")] impl Task { #[message] async fn a(&self) -> Result<(), Status> { Ok(()) } }"#,
    ] {
        if let Some(first) = seen.insert(print(source), source) {
            panic!("these have one fingerprint:\n{first}\n{source}");
        }
    }
}
