//! A service whose calls end in every way.

use std::time::Duration;

use futures_util::{Stream, stream};
use rpc_runtime::{
    Context, Limits, Server, ServerBuilder, Status, Streaming,
    bytes::Bytes,
    codegen::{Gateway as _, MethodDescriptor, publish_added},
    contract, rpc,
};

#[contract(package = "metered", detached)]
pub struct Amount {
    pub amount: u64,
}

pub fn amount(amount: u64) -> Amount {
    Amount { amount }
}

#[contract(package = "metered", detached)]
#[derive(Clone)]
pub struct Blob {
    pub bytes: Bytes,
}

fn blob(Amount { amount }: Amount) -> Blob {
    Blob {
        bytes: vec![0; usize::try_from(amount).unwrap()].into(),
    }
}

/// As the build step writes it for a controller with `changes`.
#[contract(package = "metered", event, channels = "amounts", detached)]
pub enum AmountChanged {
    #[default]
    Unset,
    Added(Amount),
}

#[derive(Default)]
pub struct MeteredGateway;

#[rpc("metered", detached)]
impl MeteredGateway {
    #[message]
    async fn echo(&self, data: Amount) -> Result<Amount, Status> {
        Ok(data)
    }

    /// Answers after as many milliseconds.
    #[message]
    async fn delay(&self, data: Amount) -> Result<Amount, Status> {
        tokio::time::sleep(Duration::from_millis(data.amount)).await;
        Ok(data)
    }

    /// Fails with the code of this number, or panics where it is 0.
    #[message]
    async fn fail(&self, data: Amount) -> Result<Amount, Status> {
        let number = i32::try_from(data.amount).unwrap();
        assert!(number != 0, "asked to");
        Err(Status::new(rpc_runtime::Code::from_i32(number), "asked to"))
    }

    /// Answers with so many bytes.
    #[message]
    async fn fill(&self, data: Amount) -> Result<Blob, Status> {
        Ok(blob(data))
    }

    /// Sends messages of so many bytes without end.
    #[message]
    async fn flood(&self, data: Amount) -> Result<impl Stream<Item = Result<Blob, Status>> + use<>, Status> {
        let blob = blob(data);
        Ok(stream::repeat_with(move || Ok(blob.clone())))
    }

    #[message(one_way)]
    async fn note(&self, data: Amount) -> Result<(), Status> {
        match data.amount {
            0 => Ok(()),
            _ => Err(Status::internal("asked to")),
        }
    }

    /// Publishes an amount, as a generated gateway does with what was added.
    #[message]
    async fn change(&self, cx: &Context, data: Amount) -> Result<Amount, Status> {
        publish_added::<AmountChanged>(cx, &data).await;
        Ok(data)
    }

    /// Counts up to an amount, then waits for ever where it is odd.
    #[message]
    async fn count(
        &self,
        data: Amount,
    ) -> Result<impl Stream<Item = Result<Amount, Status>> + use<>, Status> {
        let waits = data.amount % 2 == 1;
        Ok(stream::unfold(0, move |made| async move {
            if made == data.amount {
                if waits {
                    std::future::pending::<()>().await;
                }
                return None;
            }
            Some((Ok(amount(made)), made + 1))
        }))
    }

    #[message]
    async fn sum(&self, _cx: &Context, mut amounts: Streaming<Amount>) -> Result<Amount, Status> {
        let mut sum = 0;
        while let Some(Amount { amount }) = amounts.message().await? {
            sum += amount;
        }
        Ok(amount(sum))
    }
}

pub fn method(name: &str) -> &'static MethodDescriptor {
    let methods = MeteredGateway::descriptor().methods;
    methods
        .iter()
        .find(|method| method.full_name.ends_with(&format!("/{name}")))
        .unwrap()
}

/// A server that records.
pub fn server() -> ServerBuilder {
    Server::builder()
        .service(MeteredGateway)
        .limits(Limits {
            streams: 4,
            ..Limits::default()
        })
        .metrics()
}
