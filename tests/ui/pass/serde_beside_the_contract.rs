//! Serde's derives and attributes live beside the contract's.
#![deny(warnings)]

use rpc_runtime::contract;
use serde::{Deserialize, Serialize};

#[contract(package = "serde", detached)]
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Task {
    #[serde(rename = "title", skip_serializing_if = "String::is_empty")]
    #[field(min_len = 1)]
    pub label: String,
    #[field(default = true)]
    #[serde(alias = "done")]
    pub checked: bool,
    pub level: Level,
    #[cfg_attr(all(), serde(rename = "why"))]
    pub reason: Option<Reason>,
}

#[contract(package = "serde", detached)]
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Low,
    #[serde(rename = "urgent")]
    High,
}

#[contract(package = "serde", detached)]
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", content = "value")]
pub enum Reason {
    #[default]
    Unset,
    Text(String),
}

fn main() {
    let task = Task { label: "milk".into(), reason: Some(Reason::Text("x".into())), ..Task::default() };
    let json = serde_json::to_value(&task).unwrap();
    assert_eq!(json["title"], "milk");
    assert_eq!(json["why"]["value"], "x");
    assert_eq!(serde_json::from_value::<Task>(json).unwrap(), task);
}
