//! A message that stays as it was encoded.

use bytes::{Buf, BufMut, Bytes};
use prost::{
    DecodeError, Message,
    encoding::{DecodeContext, WireType},
};

use crate::contract::{ContractField, Kind};

/// The bytes of one message, in the place of the message: what moves typed messages moves encoded ones as well.
///
/// It has no fields: it takes in whatever it is decoded from, costs nothing to decode, and keeps no rules. What it takes to decode
/// the bytes is not bounded then: the limits of bodies are what holds.
///
/// A client calls with it what it was not compiled against, such as methods that
/// [reflection](crate::services::reflection) tells of:
///
/// ```
/// use rpc_runtime::{CallError, Client, Contract, Encoded, contract::{MethodDescriptor, MethodKind}};
///
/// /// What is known of the method; the messages are of types that are not.
/// static LIST: MethodDescriptor = MethodDescriptor::new(
///     "GetAllTask",
///     "task.TaskService/GetAllTask",
///     0x2f5e_7c4a_91d3_b608,
///     MethodKind::Unary,
///     <() as Contract>::descriptor,
///     <() as Contract>::descriptor,
/// );
///
/// async fn list(client: &Client) -> Result<Vec<u8>, CallError> {
///     let request = Encoded::default();
///     let response = client.unary::<Encoded>(&LIST, &request).await?;
///     Ok(response.into_bytes().to_vec())
/// }
/// # let _ = list;
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Encoded(pub(crate) Bytes);

impl Encoded {
    /// A message that was encoded elsewhere.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// The bytes, which may be decoded elsewhere.
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl Message for Encoded {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        buf.put_slice(&self.0);
    }

    /// Not reached: a whole body is taken in by [`merge`](Message::merge).
    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        cx: DecodeContext,
    ) -> Result<(), DecodeError> {
        prost::encoding::skip_field(wire_type, tag, buf, cx)
    }

    fn encoded_len(&self) -> usize {
        self.0.len()
    }

    fn decode(mut buf: impl Buf) -> Result<Self, DecodeError> {
        Ok(Self(buf.copy_to_bytes(buf.remaining())))
    }

    fn merge(&mut self, buf: impl Buf) -> Result<(), DecodeError> {
        *self = Self::decode(buf)?;
        Ok(())
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

/// As `bytes`, which it is: nothing inside is weighed or checked.
impl ContractField for Encoded {
    const KIND: Kind = Kind::Bytes;
    const WIRE_TYPE: WireType = WireType::LengthDelimited;
    const PACKED: bool = false;

    fn zero() -> Self {
        Self::default()
    }

    fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    fn encode_value(&self, buf: &mut impl BufMut) {
        crate::codegen::encode_message(self, buf);
    }

    fn value_len(&self) -> usize {
        crate::codegen::message_len(self)
    }

    fn merge_value(
        &mut self,
        wire_type: WireType,
        buf: &mut impl Buf,
        cx: DecodeContext,
    ) -> Result<(), DecodeError> {
        prost::encoding::bytes::merge(wire_type, &mut self.0, buf, cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::RequestPlan;

    #[test]
    fn an_encoded_message_is_taken_in_and_given_out_as_it_is_without_a_copy() {
        let body = Bytes::from(vec![0xff; 100_000]);
        let plan = RequestPlan::of::<Encoded>();
        assert_eq!(plan.weigh(&body, 0).map(|cost| cost.bytes).ok(), Some(0));
        let encoded = plan.decode::<Encoded>(body.clone()).expect("decodes");
        assert_eq!(encoded.0.as_ptr(), body.as_ptr());
        assert_eq!(encoded.encode_to_vec(), body);
        assert!(plan.check(&encoded).is_ok());
    }
}
