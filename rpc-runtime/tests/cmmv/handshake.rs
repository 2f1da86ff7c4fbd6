//! Which connections speak CMMV's wire, on which paths.

use std::future::pending;

use futures_util::{SinkExt, StreamExt};
use prost::Message as _;
use rpc_runtime::{Endpoint, Server, prost};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

use crate::{
    peer::{GET_ALL, WsCall},
    service::{TaskGateway, builder, cmmv},
};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn serve(server: Server) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { server.serve_with_listener(listener, pending()).await });
    format!("ws://{address}")
}

async fn connect(url: &str, subprotocol: Option<&str>) -> Result<Socket, Error> {
    let mut request = url.into_client_request().unwrap();
    if let Some(subprotocol) = subprotocol {
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", subprotocol.parse().unwrap());
    }
    connect_async(request).await.map(|(socket, _)| socket)
}

/// Whether a list is answered.
async fn lists(socket: &mut Socket) -> bool {
    let call = WsCall {
        contract: 0,
        message: GET_ALL,
        data: Vec::new().into(),
    };
    socket
        .send(Message::Binary(call.encode_to_vec().into()))
        .await
        .unwrap();
    match socket.next().await {
        Some(Ok(Message::Binary(message))) => WsCall::decode(message).unwrap().message == GET_ALL + 1,
        _ => false,
    }
}

async fn closed(socket: &mut Socket) -> (u16, String) {
    match socket.next().await {
        Some(Ok(Message::Close(Some(frame)))) => (frame.code.into(), frame.reason.to_string()),
        other => panic!("{other:?}"),
    }
}

fn is_404(connected: Result<Socket, Error>) -> bool {
    matches!(connected, Err(Error::Http(response)) if response.status() == 404)
}

#[tokio::test]
async fn a_connection_without_a_subprotocol_speaks_cmmv_on_the_endpoints_path_and_rpc_goes_on_beside_it() {
    let url = serve(builder(TaskGateway::default()).build().unwrap()).await;
    let rpc = format!("{url}/rpc");
    assert!(lists(&mut connect(&rpc, None).await.unwrap()).await);
    let mut ours = connect(&rpc, Some("rpc.v1")).await.unwrap();
    assert!(
        matches!(ours.next().await, Some(Ok(Message::Binary(_)))),
        "a greeting"
    );
    // The path is not served to those who come elsewhere.
    assert!(is_404(connect(&format!("{url}/"), None).await));
}

#[tokio::test]
async fn where_it_is_turned_on_every_path_that_is_no_endpoints_takes_it_and_nothing_else() {
    let server = builder(TaskGateway::default()).cmmv(cmmv().on_any_path());
    let server = server.endpoint("/other", Endpoint::new()).build().unwrap();
    let url = serve(server).await;
    for path in ["/", "/index.html", "/a/b?c=d", "/rpc"] {
        let mut socket = connect(&format!("{url}{path}"), None).await.unwrap();
        assert!(lists(&mut socket).await, "{path}");
    }
    for offer in ["rpc.v1", "other"] {
        assert!(is_404(connect(&format!("{url}/"), Some(offer)).await), "{offer}");
    }
    let mut other = connect(&format!("{url}/other"), None).await.unwrap();
    let (code, reason) = closed(&mut other).await;
    assert_eq!((code, &*reason), (4504, "no subprotocol: offer rpc.v1"));
}

#[tokio::test]
async fn a_page_of_another_origin_is_refused() {
    let url = serve(builder(TaskGateway::default()).build().unwrap()).await;
    let mut request = format!("{url}/rpc").into_client_request().unwrap();
    request
        .headers_mut()
        .insert("origin", "http://elsewhere.example".parse().unwrap());
    match connect_async(request).await {
        Err(Error::Http(response)) => assert_eq!(response.status(), 403),
        other => panic!("{other:?}"),
    }
}
