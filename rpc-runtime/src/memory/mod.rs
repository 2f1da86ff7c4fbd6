//! What decoding a message will take in memory, known before any is taken.
//!
//! A few bytes on the wire can become many in memory: an empty element of a list is two bytes there and a whole struct
//! here. Owns the bound on that: [`CostModel`] is worked out once per type, and [`CostModel::weigh`] gives an upper bound
//! on the heap that decoding a body takes at its peak, by a scan that collects nothing. Bodies that cannot exceed the
//! budget whatever they hold are not scanned. It decodes nothing and knows no calls.
//!
//! ```
//! use rpc_runtime::contract;
//! use rpc_runtime::memory::{CostModel, DEFAULT_BUDGET};
//!
//! #[contract(package = "shop", detached)]
//! pub struct Orders {
//!     pub customers: Vec<String>,
//! }
//!
//! // A key and a length of zero: two bytes for each empty string, which takes 24.
//! let body = [0x0a, 0x00].repeat(1 << 19);
//! assert!(CostModel::of::<Orders>().weigh(&body, DEFAULT_BUDGET).is_err());
//! ```
//!
//! The bound holds for bodies that are decoded from [`bytes::Bytes`], and counts what is asked of the allocator. How
//! the standard library's collections grow is written down in the `growth` module; a test with a counting allocator
//! (`tests/counting-alloc`) holds it against what really happens.

mod growth;
mod scan;
mod worst;

use crate::contract::{ContractField, Kind, MessageDescriptor};

/// What decoding one message may take in memory by default: 16 MiB.
pub const DEFAULT_BUDGET: usize = 16 << 20;

/// How many elements are decoded on the connection's own turn; more are decoded elsewhere, so that they do not hold up
/// its other calls.
pub const ELEMENTS_IN_TURN: u64 = 4096;

/// Taken once for a body: what sharing its buffer takes, and the error of one that does not decode, whose path of up to
/// 100 steps takes 6 KiB while it grows.
const ONCE: u64 = 8 << 10;

/// What messages of one type can cost, worked out once.
#[derive(Debug, Clone, Copy)]
pub struct CostModel {
    descriptor: Option<&'static MessageDescriptor>,
    /// The most bytes of heap that one byte on the wire can become.
    worst_factor: u64,
}

/// An upper bound on what decoding one body takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Cost {
    /// Bytes of heap at the peak, and of the message itself.
    pub bytes: u64,
    /// Values that are decoded one by one: strings, messages, entries, items. Sixteen packed numbers count as one.
    pub elements: u64,
}

/// A body would take more memory than its budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("decoding would take more than {budget} bytes of memory")]
pub struct OverBudget {
    /// The budget, in bytes.
    pub budget: usize,
}

impl CostModel {
    /// The costs of messages of type `M`.
    #[must_use]
    pub fn of<M: ContractField>() -> Self {
        match M::KIND {
            Kind::Message(descriptor) => CostModel {
                descriptor: Some(descriptor()),
                worst_factor: worst::factor(descriptor()),
            },
            _ => CostModel {
                descriptor: None,
                worst_factor: 0,
            },
        }
    }

    /// The most bytes of heap that one byte on the wire can become.
    #[must_use]
    pub fn worst_factor(&self) -> u64 {
        self.worst_factor
    }

    /// An upper bound on what decoding `body` takes. Allocates nothing, but for the error of a body that is malformed.
    ///
    /// Small bodies get a rough bound by their length; what is larger is scanned, which stops at the budget. A body that
    /// is no valid message is weighed up to where decoding stops.
    ///
    /// # Errors
    ///
    /// When the bound exceeds `budget` bytes.
    pub fn weigh(&self, body: &[u8], budget: usize) -> Result<Cost, OverBudget> {
        let Some(descriptor) = self.descriptor else {
            return Ok(Cost::default());
        };
        let wire = body.len() as u64;
        let once = ONCE + descriptor.size as u64;
        // Every element takes two bytes on the wire, its key and its length or value.
        let rough = Cost {
            bytes: wire.saturating_mul(self.worst_factor).saturating_add(once),
            elements: wire / 2,
        };
        if rough.bytes <= budget as u64 && rough.elements <= ELEMENTS_IN_TURN {
            return Ok(rough);
        }
        let cost = scan::scan(descriptor, body, once, budget as u64);
        if cost.bytes > budget as u64 {
            Err(OverBudget { budget })
        } else {
            Ok(cost)
        }
    }

    /// The bound that a scan of the whole body gives, without a budget: for tests, and to find a budget that fits.
    #[must_use]
    pub fn measure(&self, body: &[u8]) -> Cost {
        self.descriptor.map_or_else(Cost::default, |descriptor| {
            scan::scan(descriptor, body, ONCE + descriptor.size as u64, u64::MAX)
        })
    }
}
