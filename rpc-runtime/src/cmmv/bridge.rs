//! From CMMV's messages to calls, and from what comes of these to CMMV's messages; without IO.
//!
//! Towards the connection it is a client of `rpc.v1`, with `rpc_protocol`'s own state of one, so that windows, long bodies and a
//! server that goes away are seen to. It refuses nothing by itself that the connection would refuse, and so what a client does too much
//! of is counted where it is for all.

use std::{collections::HashMap, sync::Arc, time::Instant};

use bytes::Bytes;
use prost::Message as _;
use rpc_protocol::{
    ClientConnection, ClientEvent, Code, ConnectionError, Frame, FrameKind, Limits, OpenError,
    frame::{Compression, End, Greeting, Pong, Request, Response},
};

use super::{
    answers,
    contract::Table,
    explicit::{Explicit, Unsent},
    websocket::{ToConnection, ping},
    wire::{self, WsCall},
};
use crate::{server::ActiveEndpoint, transport::output::OutputBuffer};

/// An answer may be so long once all its fields are written, in bytes.
const LONGEST_ANSWER: usize = 8 << 20;

/// No frame: a message that the connection refuses as it does any that does not decode.
const NO_FRAME: u8 = 0;

/// The client's end of a connection that speaks CMMV.
#[derive(Debug)]
pub(super) struct Bridge {
    endpoint: Arc<ActiveEndpoint>,
    protocol: ClientConnection,
    /// Calls that are not answered, by their streams: contract and message, as the client named them.
    calls: HashMap<u64, (i32, i32)>,
    /// A call for which the connection's window is shut. Nothing is read before it is made.
    held: Option<WsCall>,
    /// The connection's last ping, until it is answered.
    asked: Option<u64>,
    pub(super) to_connection: ToConnection,
    pub(super) to_client: OutputBuffer,
}

impl Bridge {
    pub(super) fn new(endpoint: Arc<ActiveEndpoint>) -> Self {
        let mut limits = Limits::default();
        limits.compressions = &[];
        limits.max_queued_bytes = endpoint.limits.message_bytes;
        let now = Instant::now();
        let mut bridge = Self {
            protocol: ClientConnection::new(limits, now),
            endpoint,
            calls: HashMap::new(),
            held: None,
            asked: None,
            to_connection: ToConnection::default(),
            to_client: OutputBuffer::of_server(),
        };
        bridge.greet(now);
        bridge
    }

    /// Tells the client's end the limits that the connection's greeting will tell, but for that of streams: what is over it is refused
    /// by the connection, which counts that.
    fn greet(&mut self, now: Instant) {
        let mut limits = self.endpoint.protocol_limits.announced();
        limits.max_streams = u64::MAX;
        let greeting = Greeting {
            limits: Some(limits),
            ..Greeting::default()
        };
        let frame = Frame::new(0, FrameKind::Greeting(Box::new(greeting)));
        let greeted = self
            .protocol
            .handle_message(frame.to_bytes(), now, &mut self.to_connection);
        debug_assert!(greeted.is_ok(), "the first frame may be a greeting");
    }

    fn table(&self) -> Option<&Table> {
        self.endpoint.cmmv.as_ref()
    }

    /// Whether nothing may be read before something was answered.
    pub(super) fn holds(&self) -> bool {
        self.held.is_some()
    }

    /// The client has sent a message.
    pub(super) fn handle_message(&mut self, message: Bytes) {
        match WsCall::decode(message) {
            Ok(call) => self.call(call),
            Err(_) => rpc_protocol::Output::begin_message(&mut self.to_connection, 1).push(NO_FRAME),
        }
    }

    fn call(&mut self, call: WsCall) {
        let asked = self
            .table()
            .and_then(|table| table.find(call.contract, call.message));
        let request = match &asked {
            Some(asked) => Request {
                method: asked.number,
                ..Request::default()
            },
            // Nobody has it, which the connection finds, answers and counts.
            None => Request {
                method_name: format!("cmmv/{}/{}", call.contract, call.message),
                ..Request::default()
            },
        };
        match self.protocol.open(&request, &call.data, &mut self.to_connection) {
            Ok(stream_id) => {
                self.calls.insert(stream_id, (call.contract, call.message));
                self.protocol.transmit(usize::MAX, &mut self.to_connection);
            }
            Err(OpenError::WindowShut) => self.held = Some(call),
            Err(OpenError::GoingAway) => self.go_away((call.contract, call.message)),
            Err(error) => {
                let named = (call.contract, call.message);
                self.fail(named, Code::ResourceExhausted, &error.to_string());
            }
        }
    }

    /// The client has taken a part of what waits for it and still has much to take, in front of pings and before anything else is
    /// read of it. So it is there, and says so as it would by a pong.
    pub(super) fn handle_progress(&mut self) {
        if let Some(number) = self.asked {
            self.handle_pong(number);
        }
    }

    /// The client has answered a ping.
    pub(super) fn handle_pong(&mut self, number: u64) {
        self.asked = None;
        Pong { payload: number }.encode(0, &mut self.to_connection);
    }

    /// The connection has sent a frame.
    ///
    /// # Errors
    ///
    /// It breaks the protocol, which a connection does not.
    pub(super) fn handle_frame(&mut self, message: Bytes, now: Instant) -> Result<(), ConnectionError> {
        match Frame::decode(message.clone())?.kind {
            FrameKind::Ping(asked) => {
                self.asked = Some(asked.payload);
                self.to_client.append(&ping(asked.payload));
                return Ok(());
            }
            // CMMV has no words for these, and limits are known.
            FrameKind::Greeting(_) | FrameKind::Event(_) | FrameKind::Identity(_) => return Ok(()),
            _ => {}
        }
        match self
            .protocol
            .handle_message(message, now, &mut self.to_connection)?
        {
            ClientEvent::Response { stream_id, response } => self.answer(stream_id, &response),
            ClientEvent::End { stream_id, end } => self.end(stream_id, end),
            // A CRUD service has no streams, but a fallback may answer with one what nobody has.
            ClientEvent::Opened { stream_id, .. } => {
                self.protocol.cancel(stream_id, &mut self.to_connection);
                self.end(stream_id, End::new(Code::Unimplemented, "the answer is a stream"));
            }
            ClientEvent::GoAway { not_run, .. } => {
                for stream_id in not_run {
                    if let Some(named) = self.calls.remove(&stream_id) {
                        self.go_away(named);
                    }
                }
            }
            _ => {}
        }
        self.protocol.transmit(usize::MAX, &mut self.to_connection);
        if let Some(call) = self.held.take() {
            self.call(call);
        }
        Ok(())
    }

    fn answer(&mut self, stream_id: u64, response: &Response) {
        let Some(named) = self.calls.remove(&stream_id) else {
            return;
        };
        let Some(asked) = self.table().and_then(|table| table.find(named.0, named.1)) else {
            return self.unknown(named);
        };
        let explicit = Explicit {
            item: asked.item,
            limit: LONGEST_ANSWER,
        };
        let (contract, message) = (asked.contract, asked.response());
        let answer = match response.compression {
            Compression::NONE => answers::answer(asked.operation, &response.body, explicit),
            _ => Err(Unsent::Malformed),
        };
        match answer {
            Ok(answer) => wire::write_call(contract, message, &answer, &mut self.to_client),
            Err(Unsent::TooLong) => {
                let text = format!("with all its fields the answer is longer than {LONGEST_ANSWER} bytes");
                self.fail(named, Code::ResourceExhausted, &text);
            }
            Err(Unsent::Malformed) => {
                tracing::error!("an answer is not what its contract's descriptor says");
                self.fail(named, Code::Internal, "the answer has no form on this wire");
            }
        }
    }

    fn end(&mut self, stream_id: u64, end: End) {
        let Some(named) = self.calls.remove(&stream_id) else {
            return;
        };
        let status = end.status.unwrap_or_default();
        let known = self
            .table()
            .is_some_and(|table| table.find(named.0, named.1).is_some());
        match status.code() {
            Code::Unimplemented if !known => self.unknown(named),
            code => self.fail(named, code, &status.message),
        }
    }

    fn unknown(&mut self, named: (i32, i32)) {
        let text = format!(
            "this server has no request {} in its contract {}: load the script that it announces them by",
            named.1, named.0
        );
        self.fail(named, Code::Unimplemented, &text);
    }

    fn go_away(&mut self, named: (i32, i32)) {
        self.fail(named, Code::Unavailable, "the server is stopping");
    }

    /// Tells the client that a call has failed.
    fn fail(&mut self, named: (i32, i32), code: Code, text: &str) {
        let table = self.endpoint.cmmv.as_ref();
        let asked = table.and_then(|table| table.find(named.0, named.1));
        let context = asked.as_ref().map_or("", |asked| asked.name);
        let error = wire::error(code, text, context);
        let contract = table.map_or(1, Table::errors);
        wire::write_call(contract, 0, &error, &mut self.to_client);
    }
}
