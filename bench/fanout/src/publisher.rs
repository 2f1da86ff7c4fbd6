//! The publisher, in the server's process. How many events it may publish, it is told by the subscribers' process over a
//! connection of their own: whoever measures decides how many events are under way.

use crate::contracts::Tick;
use crate::crowd::ASK;
use rpc_bench_measure::text;
use std::future::Future;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// How often it is looked whether all have subscribed.
const LOOK: Duration = Duration::from_millis(2);
/// They have so long for it.
const PATIENCE: Duration = Duration::from_secs(60);

/// What events are given to.
pub(crate) trait Publish: Send + Sync + 'static {
    /// Hands one event to all that have subscribed.
    fn publish(&self, tick: Tick) -> impl Future<Output = Result<(), String>> + Send;

    /// How many have subscribed.
    fn subscribers(&self) -> usize;
}

/// Takes one connection. A number with [`ASK`] is how many subscribers there are to be, and is answered with what was asked
/// once they are there; any other is how many events may be published in all.
pub(crate) async fn run(control: TcpListener, to: impl Publish) -> Result<(), String> {
    let (control, _) = control.accept().await.map_err(text)?;
    control.set_nodelay(true).map_err(text)?;
    let mut control = BufReader::new(control);
    let mut published = 0;
    // The subscribers' process ends when it has measured.
    while let Ok(told) = control.read_u64_le().await {
        if told & ASK != 0 {
            wait_for(told & !ASK, &to).await?;
            control.write_u64_le(told).await.map_err(text)?;
        }
        while told & ASK == 0 && published < told {
            published += 1;
            to.publish(Tick::now(published)?).await?;
        }
    }
    Ok(())
}

async fn wait_for(subscribers: u64, to: &impl Publish) -> Result<(), String> {
    let all_are_there = async {
        while (to.subscribers() as u64) < subscribers {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(PATIENCE, all_are_there)
        .await
        .map_err(|_| format!("{} of {subscribers} have subscribed", to.subscribers()))
}
