//! A gateway that was written by hand, next to the generated ones.

use rpc_runtime::{Context, Status, contract, rpc};
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

    fn read(&self) -> SystemTime {
        SystemTime::now()
    }
}
