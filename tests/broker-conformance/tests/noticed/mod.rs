//! Whether the suite notices brokers that break their contract.

use std::fmt::Debug;

use broker_conformance::{Parameters, conforms};
use rpc_runtime::hub::Broker;

/// Checks that no broker conforms that has one of these things wrong with it, each by itself: with a part of the sentence that is
/// broken.
#[allow(
    dead_code,
    reason = "not every test that is about wrong brokers is about the whole suite"
)]
pub(crate) fn is_each_noticed<W, B>(parameters: Parameters, wrongs: &[(W, &str)], make: fn(W) -> Vec<B>)
where
    W: Copy + Debug + Send + 'static,
    B: Broker,
{
    is_each_noticed_by(wrongs, async move |wrong| {
        conforms(parameters, async |_| make(wrong)).await;
    });
}

/// Checks that this panics with each of these things wrong, and of what is wrong: with a part of what is said.
pub(crate) fn is_each_noticed_by<W>(wrongs: &[(W, &str)], suite: impl AsyncFn(W) + Copy + Send + 'static)
where
    W: Copy + Debug + Send + 'static,
{
    for &(wrong, why) in wrongs {
        let conforms = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .unwrap();
            runtime.block_on(suite(wrong));
        });
        let Err(panic) = conforms.join() else {
            panic!("{wrong:?} is not noticed");
        };
        let said = match panic.downcast::<String>() {
            Ok(said) => *said,
            Err(panic) => (*panic.downcast::<&str>().expect("a panic says a sentence")).to_owned(),
        };
        assert!(
            said.contains(why),
            "{wrong:?} is noticed for another reason: {said}"
        );
    }
}
