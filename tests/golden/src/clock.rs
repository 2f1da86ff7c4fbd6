//! A gateway that was written by hand, next to the generated ones.

use futures_util::{Stream, StreamExt, stream};
use rpc_runtime::{Context, Outgoing, Status, Streaming, contract, rpc};
use std::time::SystemTime;

/// Asks for the time.
#[contract(package = "clock")]
pub struct NowRequest {
    /// Hours ahead of UTC.
    #[field(range = -12..=14)]
    pub offset: i32,
}

/// The time.
#[contract(package = "clock")]
pub struct NowResponse {
    /// As the server's clock has it.
    pub now: SystemTime,
    /// The offset that was asked for.
    pub offset: i32,
}

/// Tells the time.
#[derive(Debug, Default)]
pub struct ClockGateway<Z> {
    /// Where the clock stands.
    pub zone: Z,
}

/// Tells the time.
#[rpc("clock")]
impl<Z: Send + Sync + 'static> ClockGateway<Z> {
    /// The time now.
    #[message("NowRequest")]
    async fn now(&self, _cx: &Context, data: NowRequest) -> Result<NowResponse, Status> {
        Ok(NowResponse {
            now: self.read(),
            offset: data.offset,
        })
    }

    /// Takes data alone.
    #[message("NowRequest", method = "Offset")]
    async fn offset(&self, data: NowRequest) -> Result<NowResponse, Status> {
        Ok(NowResponse {
            offset: data.offset,
            ..Default::default()
        })
    }

    /// Takes neither.
    #[message(method = "Tick")]
    async fn tick(&self) -> Result<NowResponse, Status> {
        Ok(NowResponse {
            now: self.read(),
            offset: 0,
        })
    }

    /// The time, so many times; what it gives borrows the gateway.
    #[message]
    async fn ticks(&self, count: u32) -> Result<impl Stream<Item = Result<NowResponse, Status>>, Status> {
        Ok(stream::iter(1..).take(count as usize).map(|offset| {
            Ok(NowResponse {
                now: self.read(),
                offset,
            })
        }))
    }

    /// Adds numbers up.
    #[message]
    async fn sum(&self, _cx: &Context, mut numbers: Streaming<i64>) -> Result<i64, Status> {
        let mut sum = 0;
        while let Some(number) = numbers.message().await? {
            sum += number;
        }
        Ok(sum)
    }

    /// Gives every line back, with the name of the method before it.
    #[message]
    async fn echo(
        &self,
        lines: Streaming<String>,
        cx: &Context,
    ) -> Result<impl Stream<Item = Result<String, Status>>, Status> {
        Ok(lines.map(move |line| line.map(|line| format!("{}: {line}", cx.method().name))))
    }

    /// Gives every offset that it is sent back as a time.
    #[message]
    async fn session(
        &self,
        mut input: Streaming<NowRequest>,
        output: Outgoing<NowResponse>,
    ) -> Result<(), Status> {
        while let Some(request) = input.message().await? {
            let now = self.read();
            let offset = request.offset;
            output.send(NowResponse { now, offset }).await?;
        }
        Ok(())
    }

    fn read(&self) -> SystemTime {
        SystemTime::now()
    }
}
