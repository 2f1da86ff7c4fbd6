//! The encoded request of a call, and its compressed form where the server reads that.

use bytes::Bytes;
use rpc_protocol::frame::{Compression, Request};

use crate::{client::link::Link, compression};

/// An encoded request that may be sent more than once, to servers that read different compressions.
#[derive(Debug, Clone)]
pub(super) struct RequestBody {
    plain: Bytes,
    /// What came of compressing it, once that was tried.
    deflated: Option<Box<Option<Bytes>>>,
}

impl RequestBody {
    pub(super) fn new(plain: Bytes) -> Self {
        Self {
            plain,
            deflated: None,
        }
    }

    /// As it was encoded.
    pub(super) fn plain(&self) -> Bytes {
        self.plain.clone()
    }

    /// What is sent over a link; the request says how it is compressed.
    #[inline]
    pub(super) fn over(&mut self, link: &Link, request: &mut Request) -> &Bytes {
        if self.plain.len() > link.deflate_above() {
            let deflated = self
                .deflated
                .get_or_insert_with(|| Box::new(compression::deflate(&self.plain)));
            if let Some(deflated) = &**deflated {
                request.compression = Compression::DEFLATE;
                return deflated;
            }
        }
        request.compression = Compression::NONE;
        &self.plain
    }
}
