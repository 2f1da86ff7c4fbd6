//! The messages that every peer carries, and the one handler that every peer runs.
//!
//! One set of types for all: prost for those that speak protobuf, serde for those that speak JSON or bincode. A peer
//! differs in how a call reaches [`add`], never in what `add` does.

use serde::{Deserialize, Serialize};

/// A thing to be done.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
pub(crate) struct Task {
    #[prost(string, tag = "1")]
    pub(crate) label: String,
    #[prost(bool, tag = "2")]
    pub(crate) checked: bool,
    #[prost(bool, tag = "3")]
    pub(crate) removed: bool,
    #[prost(string, tag = "4")]
    pub(crate) id: String,
}

/// `AddTask`'s request.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
pub(crate) struct AddTaskRequest {
    #[prost(message, optional, tag = "1")]
    pub(crate) item: Option<Task>,
}

/// `AddTask`'s response.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
pub(crate) struct AddTaskResponse {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) item: Option<Task>,
}

/// The identifier that every added task is given.
pub(crate) const ID: &str = "4f1c0a7de2";

/// A request whose task has a label of `label` bytes.
pub(crate) fn request(label: usize) -> AddTaskRequest {
    AddTaskRequest {
        item: Some(Task {
            label: "x".repeat(label),
            ..Task::default()
        }),
    }
}

/// What every server answers: the task under its identifier.
pub(crate) fn add(request: AddTaskRequest) -> AddTaskResponse {
    let mut item = request.item.unwrap_or_default();
    item.id = ID.to_owned();
    AddTaskResponse {
        id: item.id.clone(),
        item: Some(item),
    }
}

/// Whether a response is the answer to a request with a label of `label` bytes.
pub(crate) fn is_answer(response: &AddTaskResponse, label: usize) -> bool {
    response.id == ID
        && response
            .item
            .as_ref()
            .is_some_and(|item| item.label.len() == label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::SMALL_LABEL;
    use prost::Message;

    #[test]
    fn the_small_task_is_seventy_bytes_on_the_wire() {
        let task = request(SMALL_LABEL).item.expect("the request carries a task");
        assert_eq!(task.encoded_len(), 70);
    }

    #[test]
    fn the_answer_to_a_request_is_recognised() {
        assert!(is_answer(&add(request(5)), 5));
        assert!(!is_answer(&add(request(5)), 6));
    }
}
