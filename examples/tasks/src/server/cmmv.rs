//! What clients of CMMV find here: the same tasks, in the frames that they know.

use axum::Router;
use axum::http::header;
use axum::routing::get;
use rpc_runtime::Cmmv;

use crate::contracts::TasksContract;

/// Where CMMV's own server has the script, and so where its pages look for it.
const SCRIPT: &str = "/core/contracts.min.js";

/// The contracts for clients of CMMV, which connect to wherever their page is.
pub(super) fn contracts() -> Cmmv {
    Cmmv::new().contract::<TasksContract>().on_any_path()
}

/// The script that tells them.
pub(super) fn routes() -> Router {
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let script = contracts().script();
    Router::new().route(SCRIPT, get(move || async move { (headers, script) }))
}
