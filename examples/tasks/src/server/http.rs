//! What is answered beside the calls, on the same port: the page, the script for clients of CMMV, whether the server lives, whether it can serve, and its metrics.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::get;
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use rpc_page::Page;
use rpc_runtime::{Server, metrics::DURATION_BUCKETS};
use rust_embed::RustEmbed;

use super::cmmv;
use crate::failure::{Exit, Failure};
use crate::storage::Database;

/// The page, as Vite has built it from `page/`. It is committed, so that this program is built without Node.
#[derive(RustEmbed)]
#[folder = "page/dist"]
struct Files;

/// How long the database may take to answer a server that is ready.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often the histograms take in what was recorded, so that a server that nobody asks for its metrics does not keep it all.
const UPKEEP: Duration = Duration::from_secs(5);

/// The page, `/healthz`, `/readyz` and `/metrics` of a server that is told when it runs. The metrics are those of the process.
pub(super) fn routes(database: Database, server: Arc<OnceLock<Server>>) -> Result<Router, Failure> {
    let metrics = record().map_err(|error| Failure::new(Exit::Failed, format!("metrics: {error}")))?;
    let ready = move || {
        let (database, server) = (database.clone(), server.clone());
        async move { readiness(&database, server.get()).await }
    };
    let render = move || async move {
        let text = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
        (text, metrics.render())
    };
    Ok(Router::new()
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(render))
        .merge(cmmv::routes())
        .fallback_service(Page::of::<Files>()))
}

/// Whether calls would be served. Who watches is told which part is missing, and the log why.
async fn readiness(database: &Database, server: Option<&Server>) -> (StatusCode, &'static str) {
    let unavailable = |why| (StatusCode::SERVICE_UNAVAILABLE, why);
    if !server.is_some_and(Server::is_ready) {
        return unavailable("the server is stopping\n");
    }
    match tokio::time::timeout(PATIENCE, database.ping()).await {
        Ok(Ok(())) => (StatusCode::OK, "ready\n"),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the database does not answer");
            unavailable("the database does not answer\n")
        }
        Err(_) => unavailable("the database does not answer in time\n"),
    }
}

/// Installs what collects the metrics of this process.
fn record() -> Result<PrometheusHandle, BuildError> {
    let metrics = PrometheusBuilder::new()
        .set_buckets(&DURATION_BUCKETS)?
        .install_recorder()?;
    let upkeep = metrics.clone();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(UPKEEP);
        loop {
            ticks.tick().await;
            upkeep.run_upkeep();
        }
    });
    Ok(metrics)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Location;

    #[tokio::test]
    async fn a_server_is_ready_while_it_serves_and_its_database_answers() {
        let database = Database::open(&Location::memory()).await.unwrap();
        let server = Server::builder().build().unwrap();
        assert_eq!(
            readiness(&database, None).await.0,
            StatusCode::SERVICE_UNAVAILABLE
        );
        assert_eq!(
            readiness(&database, Some(&server)).await,
            (StatusCode::OK, "ready\n")
        );
        database.close().await;
        let (status, why) = readiness(&database, Some(&server)).await;
        assert_eq!(
            (status, why),
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
        );

        let database = Database::open(&Location::memory()).await.unwrap();
        server.shutdown().await;
        let (status, why) = readiness(&database, Some(&server)).await;
        assert_eq!(
            (status, why),
            (StatusCode::SERVICE_UNAVAILABLE, "the server is stopping\n")
        );
    }
}
