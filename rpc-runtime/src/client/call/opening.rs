//! How a session's call is opened: on a connection, or in front of the client's layers.

use bytes::Bytes;

use super::attempts::{Attempts, until};
use crate::{
    CallError,
    client::link::{OpenedStream, Shape},
    middleware::{Next, Outbound},
};

/// What a session's closure is joined to.
pub(super) enum Opened {
    Stream(OpenedStream),
    /// The client's layers. What is behind them is opened while the closure runs already.
    Layers(Next<Outbound>),
}

/// Joins the session to the client's layers, or to a call of its own.
pub(super) async fn open(mut attempts: Attempts) -> (Attempts, Result<Opened, CallError>) {
    match attempts.options.begin(&attempts.client) {
        Err(error) => (attempts, Err(error)),
        Ok(Some(next)) => {
            attempts.look_again();
            // Without a connection the closure does not run.
            let deadline = attempts.deadline();
            let opened = match until(deadline, attempts.link()).await {
                Some(Ok(_)) => Ok(Opened::Layers(next)),
                Some(Err(error)) => Err(error),
                None => Err(attempts.timed_out()),
            };
            (attempts, opened)
        }
        Ok(None) => {
            attempts.look_again();
            let (attempts, opened) = send(attempts).await;
            (attempts, opened.map(Opened::Stream))
        }
    }
}

/// Sends the request, which takes a connection and a free stream.
pub(super) async fn send(mut attempts: Attempts) -> (Attempts, Result<OpenedStream, CallError>) {
    attempts.options.request.open = true;
    let deadline = attempts.deadline();
    let shape = Shape {
        requests: true,
        responses: true,
        goes_on_unread: true,
        deadline,
    };
    let sending = async {
        loop {
            let link = attempts.link().await?;
            match link
                .open_stream(&attempts.options.request, &Bytes::new(), shape)
                .await
            {
                Ok(opened) => return Ok(opened),
                Err(why) => attempts.not_opened(why)?,
            }
        }
    };
    let opened = match until(deadline, sending).await {
        Some(opened) => opened,
        None => Err(attempts.timed_out()),
    };
    (attempts, opened)
}
