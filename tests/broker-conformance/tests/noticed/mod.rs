//! Whether the suite notices brokers that break their contract.

use std::fmt::Debug;

use broker_conformance::{Parameters, conforms};
use rpc_runtime::hub::Broker;

/// Checks that no broker conforms that has one of these things wrong with it, each by itself.
#[allow(
    dead_code,
    reason = "not every test that is about wrong brokers is about the whole suite"
)]
pub(crate) fn is_each_noticed<W, B>(parameters: Parameters, wrongs: &[W], make: fn(W) -> Vec<B>)
where
    W: Copy + Debug + Send + 'static,
    B: Broker,
{
    is_each_noticed_by(wrongs, async move |wrong| {
        conforms(parameters, async |_| make(wrong)).await;
    });
}

/// Checks that this panics with each of these things wrong.
pub(crate) fn is_each_noticed_by<W>(wrongs: &[W], suite: impl AsyncFn(W) + Copy + Send + 'static)
where
    W: Copy + Debug + Send + 'static,
{
    for &wrong in wrongs {
        let conforms = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .unwrap();
            runtime.block_on(suite(wrong));
        });
        assert!(conforms.join().is_err(), "{wrong:?}");
    }
}
