//! A client of CMMV's by hand, over a pipe in memory.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rpc_runtime::{
    ConnectInfo, Server,
    bytes::Bytes,
    prost::{self, Message as Prost},
};
use tokio::{
    io::{AsyncWriteExt, DuplexStream},
    task::JoinHandle,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};

#[derive(Clone, PartialEq, prost::Message)]
pub struct WsCall {
    #[prost(int32, tag = "1")]
    pub contract: i32,
    #[prost(int32, tag = "2")]
    pub message: i32,
    #[prost(bytes = "bytes", tag = "3")]
    pub data: Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct WsError {
    #[prost(string, tag = "1")]
    pub message: String,
    #[prost(int32, tag = "2")]
    pub code: i32,
    #[prost(string, tag = "3")]
    pub context: String,
}

/// CMMV's own view of a task: fields 1–3, whose presence is looked at.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Item {
    #[prost(string, optional, tag = "1")]
    pub label: Option<String>,
    #[prost(bool, optional, tag = "2")]
    pub checked: Option<bool>,
    #[prost(bool, optional, tag = "3")]
    pub removed: Option<bool>,
    #[prost(string, optional, tag = "4")]
    pub id: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Changed {
    #[prost(string, optional, tag = "1")]
    pub id: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub item: Option<Item>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Deleted {
    #[prost(bool, optional, tag = "1")]
    pub success: Option<bool>,
    #[prost(int32, optional, tag = "2")]
    pub affected: Option<i32>,
    #[prost(string, optional, tag = "3")]
    pub id: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct List {
    #[prost(message, optional, tag = "1")]
    pub items: Option<Items>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Items {
    #[prost(message, repeated, tag = "1")]
    pub items: Vec<Item>,
}

pub const ADD: i32 = 2;
pub const UPDATE: i32 = 4;
pub const DELETE: i32 = 6;
pub const GET_ALL: i32 = 8;
/// The index of the contract of errors, where there is one of the program's.
pub const ERRORS: i32 = 2;

pub fn item(label: &str) -> Item {
    Item {
        label: Some(label.to_owned()),
        ..Item::default()
    }
}

/// `AddTaskRequest { item = 1 }`
pub fn add_request(label: &str) -> Vec<u8> {
    let item = item(label).encode_to_vec();
    let mut request = vec![0x0a];
    prost::encoding::encode_varint(item.len() as u64, &mut request);
    request.extend(item);
    request
}

pub fn id(id: &str) -> Changed {
    Changed {
        id: Some(id.to_owned()),
        item: None,
    }
}

pub struct Peer {
    pub socket: WebSocketStream<DuplexStream>,
    pub serving: JoinHandle<()>,
}

impl Peer {
    pub async fn connect(server: &Server) -> Self {
        Self::connect_as(server, ConnectInfo::new(), 256 * 1024).await
    }

    pub async fn connect_as(server: &Server, info: ConnectInfo, room: usize) -> Self {
        let (near, far) = tokio::io::duplex(room);
        Self {
            serving: tokio::spawn(server.serve_cmmv_connection(far, info)),
            socket: WebSocketStream::from_raw_socket(near, Role::Client, None).await,
        }
    }

    pub async fn send(&mut self, message: i32, data: &[u8]) {
        self.send_to(0, message, data).await;
    }

    pub async fn send_to(&mut self, contract: i32, message: i32, data: &[u8]) {
        let call = WsCall {
            contract,
            message,
            data: Bytes::copy_from_slice(data),
        };
        self.send_bytes(call.encode_to_vec()).await;
    }

    pub async fn send_bytes(&mut self, bytes: Vec<u8>) {
        self.socket.send(Message::Binary(bytes.into())).await.unwrap();
    }

    /// Writes bytes that need not be WebSocket.
    pub async fn write(&mut self, bytes: &[u8]) {
        self.socket.get_mut().write_all(bytes).await.unwrap();
    }

    /// The next message as it came.
    pub async fn bytes(&mut self) -> Bytes {
        loop {
            match self.socket.next().await.expect("a message").expect("a message") {
                Message::Binary(message) => return message,
                Message::Close(frame) => panic!("closed: {frame:?}"),
                _ => {}
            }
        }
    }

    pub async fn call(&mut self) -> WsCall {
        WsCall::decode(self.bytes().await).unwrap()
    }

    /// The next answer, which is of this type.
    pub async fn answer<T: Prost + Default>(&mut self, message: i32) -> T {
        let call = self.call().await;
        assert_eq!((call.contract, call.message), (0, message), "{call:?}");
        T::decode(call.data).unwrap()
    }

    /// The next message, which is an error: its code, text and context.
    pub async fn error(&mut self) -> (i32, String, String) {
        let call = self.call().await;
        assert_eq!((call.contract, call.message), (ERRORS, 0), "{call:?}");
        let error = WsError::decode(call.data).unwrap();
        (error.code, error.message, error.context)
    }

    /// Waits for the close frame. What comes before it is skipped.
    pub async fn closed(&mut self) -> (u16, String) {
        let wait = async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Close(Some(frame)))) => {
                        return (frame.code.into(), frame.reason.as_str().to_owned());
                    }
                    Some(Ok(_)) => {}
                    other => panic!("no close frame: {other:?}"),
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wait)
            .await
            .expect("a close frame in time")
    }
}
