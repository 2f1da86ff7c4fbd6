//! The broker of one process conforms; and the suite notices brokers that do not.

use broker_conformance::{Cluster, Parameters, conforms, history, order};
use rpc_runtime::hub::LocalBroker;

const ONE: Parameters = Parameters { nodes: 1 };

#[tokio::test(start_paused = true)]
async fn the_broker_of_one_process_conforms() {
    conforms(ONE, async |_| vec![LocalBroker::default()]).await;
}

/// With publishers that really run at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_keeps_order_among_publishers_on_several_threads() {
    for _ in 0..20 {
        let cluster = Cluster::start(vec![LocalBroker::default()]);
        order::all(&cluster).await;
        history::what_was_acknowledged_is_in_history_at_once(&cluster).await;
    }
}
