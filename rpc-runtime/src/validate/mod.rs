//! Validation of messages by the rules of their contracts.
//!
//! Owns the rules, their checks and the violations that a peer is sent. Rule ids, texts and paths are protovalidate's,
//! so that clients which know it understand ours. It knows nothing of calls; `request` turns violations into a status.

mod broken;
mod format;
mod rule;
mod validator;
mod violation;

pub use rule::{Bound, Format, Number, Pattern, Rule};
pub use validator::{Validator, ValueRef};
pub use violation::{FieldPath, FieldPathElement, FieldType, Violation, Violations, field_path_element};

use std::collections::HashSet;

use crate::contract::{ContractField, Kind, MessageDescriptor};

/// Checks `message` by the rules of its contract and of those inside it.
///
/// A server does this with every request before its handler is called.
///
/// ```
/// use rpc_runtime::contract;
/// use rpc_runtime::validate::validate;
///
/// #[contract(package = "shop", detached)]
/// pub struct Order {
///     #[field(min_len = 1)]
///     pub customer: String,
///     #[field(range = 1..=99)]
///     pub pieces: i32,
/// }
///
/// let order = Order { customer: "Ada".into(), pieces: 100 };
/// let violations = validate(&order).unwrap_err();
/// assert_eq!(violations.violations[0].rule_id(), "int32.gte_lte");
/// assert_eq!(
///     violations.to_string(),
///     "pieces: must be greater than or equal to 1 and less than or equal to 99 [int32.gte_lte]",
/// );
/// ```
///
/// # Errors
///
/// The violations, at most [`Validator::MOST_VIOLATIONS`] of them.
pub fn validate<M: ContractField>(message: &M) -> Result<(), Violations> {
    let mut found = Vec::new();
    message.validate(&mut Validator::new(&mut found));
    if found.is_empty() {
        Ok(())
    } else {
        Err(Violations { violations: found })
    }
}

/// Whether any rule can be violated by a value of `M`, in it or in what it may hold.
///
/// Walks the graph of types: meant to be asked once per method, so that types without rules pay nothing.
#[must_use]
pub fn needs_validation<M: ContractField>() -> bool {
    fn walk(message: &'static MessageDescriptor, seen: &mut HashSet<*const MessageDescriptor>) -> bool {
        seen.insert(message)
            && message.fields.iter().any(|field| {
                !field.rules.is_empty() || matches!(field.kind, Kind::Message(inner) if walk(inner(), seen))
            })
    }
    matches!(M::KIND, Kind::Message(descriptor) if walk(descriptor(), &mut HashSet::new()))
}
