//! What Prometheus is told.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use rpc_runtime::{metrics, testing};

use crate::service::{Amount, amount, method, server};

#[tokio::test(start_paused = true)]
async fn the_exporter_renders_names_as_they_are_listed_and_latencies_in_buckets() {
    let latencies = Matcher::Full(metrics::CALL_DURATION.to_owned());
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(latencies, &metrics::DURATION_BUCKETS)
        .unwrap()
        .build_recorder();
    let handle = recorder.handle();
    let recorder: &'static _ = Box::leak(Box::new(recorder));
    let _local = ::metrics::set_default_local_recorder(recorder);
    let server = testing::serve(server().build().unwrap());
    let client = server.client();
    for millis in [3, 70] {
        let _: Amount = client.unary(method("Delay"), &amount(millis)).await.unwrap();
    }
    let page = handle.render();
    for line in [
        "# TYPE rpc_server_calls_total counter",
        "rpc_server_calls_total{method=\"metered.MeteredService/Delay\",code=\"OK\"} 2",
        "rpc_server_call_duration_seconds_bucket{method=\"metered.MeteredService/Delay\",le=\"0.0025\"} 0",
        "rpc_server_call_duration_seconds_bucket{method=\"metered.MeteredService/Delay\",le=\"0.005\"} 1",
        "rpc_server_call_duration_seconds_bucket{method=\"metered.MeteredService/Delay\",le=\"0.1\"} 2",
        "rpc_server_connections_total 1",
        "rpc_server_sessions{state=\"anonymous\"} 1",
    ] {
        assert!(page.lines().any(|candidate| candidate == line), "{line}\n{page}");
    }
}
