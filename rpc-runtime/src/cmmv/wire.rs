//! CMMV's two messages: what every WebSocket message of its wire is, and what an error is.

use bytes::Bytes;
use prost::encoding::{encode_varint, encoded_len_varint};
use rpc_protocol::{Code, Output};

/// One WebSocket message: a message of a contract, both by the indexes that the server has announced.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct WsCall {
    #[prost(int32, tag = "1")]
    pub(super) contract: i32,
    #[prost(int32, tag = "2")]
    pub(super) message: i32,
    #[prost(bytes = "bytes", tag = "3")]
    pub(super) data: Bytes,
}

/// `int32 contract = 1`, `int32 message = 2`, `bytes data = 3`.
const CONTRACT: u8 = 0x08;
const MESSAGE: u8 = 0x10;
const DATA: u8 = 0x1a;

/// `string message = 1`, `int32 code = 2`, `string context = 3`.
const TEXT: u8 = 0x0a;
const CODE: u8 = 0x10;
const CONTEXT: u8 = 0x1a;

/// Writes a `WsCall` as one WebSocket message, with indexes that are 0: what protobuf leaves out is `undefined` in a copy of what
/// CMMV's client decodes.
pub(super) fn write_call(contract: u32, message: u32, data: &[u8], out: &mut impl Output) {
    let length = data.len() as u64;
    let len = 3
        + encoded_len_varint(contract.into())
        + encoded_len_varint(message.into())
        + encoded_len_varint(length)
        + data.len();
    let buffer = out.begin_message(len);
    buffer.push(CONTRACT);
    encode_varint(contract.into(), buffer);
    buffer.push(MESSAGE);
    encode_varint(message.into(), buffer);
    buffer.push(DATA);
    encode_varint(length, buffer);
    buffer.extend_from_slice(data);
}

/// An encoded `WsError`.
pub(super) fn error(code: Code, message: &str, context: &str) -> Vec<u8> {
    let mut error = Vec::with_capacity(message.len() + context.len() + 16);
    write_bytes(TEXT, message.as_bytes(), &mut error);
    error.push(CODE);
    encode_varint(u64::from(code.as_i32().unsigned_abs()), &mut error);
    write_bytes(CONTEXT, context.as_bytes(), &mut error);
    error
}

/// Writes a field that begins with its length.
pub(super) fn write_bytes(key: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(key);
    encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;

    #[test]
    fn what_is_written_is_read_back_with_indexes_of_zero_and_of_many_bytes() {
        for (contract, message, data) in [(0, 0, &b""[..]), (1, 300, b"abc"), (70_000, 9, &[7; 300])] {
            let mut out: Vec<Vec<u8>> = Vec::new();
            write_call(contract, message, data, &mut out);
            let call = WsCall::decode(&out[0][..]).unwrap();
            assert_eq!(
                (call.contract as u32, call.message as u32, &call.data[..]),
                (contract, message, data)
            );
            assert_eq!(out[0][0], CONTRACT, "also where it is 0");
        }
    }
}
