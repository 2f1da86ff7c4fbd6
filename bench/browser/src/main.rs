//! The service of the TypeScript client's benchmark, over Connect and HTTP, and the page that measures both.
//!
//! `rpc-browser-bench SCRIPT` listens on a free port of the loopback address, says where in one line of JSON, and ends when its standard
//! input does. The page at `/` can import SCRIPT as `/script.mjs`; everything else is Connect's. So a page calls its own origin, and
//! no request is preceded by a question of the browser's.

use std::{error::Error, sync::Arc};

use axum::{http::header, response::IntoResponse, routing::get};
use connectrpc::{
    ConnectError, Encodable, RequestContext, Router, ServiceRequest, ServiceResult, ServiceStream,
};
use futures_util::{StreamExt, stream};
use tokio::{
    io::{AsyncReadExt, stdin},
    net::TcpListener,
};

#[allow(
    clippy::all,
    clippy::pedantic,
    missing_docs,
    unreachable_pub,
    unused,
    reason = "generated"
)]
mod connect {
    include!(concat!(env!("OUT_DIR"), "/connect.rs"));
}

use connect::cases::{CasesService, CasesServiceExt, Number, Range, Text};

const PAGE: &str = "<!doctype html><meta charset=\"utf-8\"><title>benchmark</title>";

/// The two methods that are measured; they do what tests/typescript/server does.
struct Service;

impl CasesService for Service {
    async fn echo<'a>(
        &'a self,
        _: RequestContext,
        request: ServiceRequest<'_, Text>,
    ) -> ServiceResult<impl Encodable<Text> + Send + use<'a>> {
        Ok(request.to_owned_message().into())
    }

    async fn numbers(
        &self,
        _: RequestContext,
        range: ServiceRequest<'_, Range>,
    ) -> ServiceResult<ServiceStream<impl Encodable<Number> + Send + use<>>> {
        let Range { count, bytes, .. } = range.to_owned_message();
        let number = move |value| -> Result<Number, ConnectError> {
            Ok(Number {
                value,
                body: vec![7; bytes as usize],
                ..Number::default()
            })
        };
        let numbers: ServiceStream<Number> = stream::iter(0..count).map(number).boxed();
        Ok(numbers.into())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let script = std::env::args()
        .nth(1)
        .ok_or("say which script the page imports")?;
    let script = Arc::<str>::from(std::fs::read_to_string(script)?);
    let connect = Arc::new(Service).register(Router::new());
    let pages = axum::Router::new()
        .route("/", get(async || ([(header::CONTENT_TYPE, "text/html")], PAGE)))
        .route(
            "/script.mjs",
            get(async move || {
                ([(header::CONTENT_TYPE, "text/javascript")], script.to_string()).into_response()
            }),
        )
        .fallback_service(connect.into_axum_service());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!(
        "{}",
        serde_json::json!({ "url": format!("http://{}", listener.local_addr()?) })
    );
    tokio::select! {
        served = axum::serve(listener, pages) => served?,
        () = input_ends() => {}
    }
    Ok(())
}

/// Returns when whoever has started this program closes its standard input, or is gone.
async fn input_ends() {
    let mut bytes = [0; 64];
    while let Ok(1..) = stdin().read(&mut bytes).await {}
}
