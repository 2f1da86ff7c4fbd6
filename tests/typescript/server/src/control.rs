//! The switches: an HTTP service by which cases make worlds and say what is to happen to them.
//!
//! | request | answer |
//! |---|---|
//! | `POST /worlds`, what the case wishes | `{"id": …, "url": …, "direct": …}`: `url` can be cut, `direct` is the server itself |
//! | `POST /worlds/{id}`, an action | what came of it |
//! | `DELETE /worlds/{id}` | `null` |
//! | `POST /processes` | what the process says of itself |
//! | `DELETE /processes/{id}` | `null` |
//!
//! Bodies are JSON. Pages of any origin may ask: it listens on loopback, for as long as a test runs.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, post},
};
use serde_json::{Value, json};

use crate::{
    actions::Action,
    processes::Processes,
    world::{Failure, Wishes, World},
};

/// What there is.
#[derive(Debug, Default)]
struct Control {
    worlds: Mutex<HashMap<u64, Arc<World>>>,
    next: AtomicU64,
    processes: Processes,
}

/// The service.
pub(crate) fn router() -> Router {
    Router::new()
        .route("/worlds", post(make).options(preflight))
        .route("/worlds/{id}", any(act))
        .route("/processes", post(start).options(preflight))
        .route("/processes/{id}", any(kill))
        .with_state(Arc::new(Control::default()))
}

impl Control {
    fn worlds(&self) -> MutexGuard<'_, HashMap<u64, Arc<World>>> {
        self.worlds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn make(&self, wishes: &[u8]) -> Result<Value, Failure> {
        let wishes: Wishes = serde_json::from_slice(wishes)?;
        let world = World::new(wishes).await?;
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let said = json!({ "id": id, "url": world.url(), "direct": world.current().url() });
        self.worlds().insert(id, Arc::new(world));
        Ok(said)
    }

    async fn act(&self, id: u64, method: &Method, action: &[u8]) -> Result<Value, Failure> {
        if method == Method::DELETE {
            let world = self.worlds().remove(&id).ok_or("there is no such world")?;
            world.proxy.cut();
            return Ok(Value::Null);
        }
        let action: Action = serde_json::from_slice(action)?;
        let world = self.worlds().get(&id).cloned();
        action.run(&*world.ok_or("there is no such world")?).await
    }
}

async fn preflight() -> Response {
    answer(Ok(Value::Null))
}

async fn make(State(control): State<Arc<Control>>, wishes: Bytes) -> Response {
    answer(control.make(&wishes).await)
}

async fn act(
    State(control): State<Arc<Control>>,
    Path(id): Path<u64>,
    method: Method,
    action: Bytes,
) -> Response {
    if method == Method::OPTIONS {
        return preflight().await;
    }
    answer(control.act(id, &method, &action).await)
}

async fn start(State(control): State<Arc<Control>>) -> Response {
    answer(control.processes.start().await)
}

async fn kill(State(control): State<Arc<Control>>, Path(id): Path<u32>, method: Method) -> Response {
    if method == Method::OPTIONS {
        return preflight().await;
    }
    answer(control.processes.kill(id).await.map(|()| Value::Null))
}

fn answer(outcome: Result<Value, Failure>) -> Response {
    let (status, body) = match outcome {
        Ok(value) => (StatusCode::OK, value),
        Err(error) => (StatusCode::BAD_REQUEST, json!({ "error": error.to_string() })),
    };
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST, DELETE"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    (status, headers, body.to_string()).into_response()
}
