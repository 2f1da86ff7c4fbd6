//! From the bytes of a request, or of an event that a client publishes, to a message that keeps its rules, and the statuses of those
//! that do not.

use bytes::Bytes;

use super::ContractField;
use crate::codec::FieldPath;
use crate::memory::{Cost, CostModel};
use crate::status::Status;
use crate::validate::{self, Violations};

/// How the requests of one method are read: worked out once, when the method is registered. The events of one type that clients
/// publish are read in the same way.
///
/// A request is weighed, then decoded, then checked. The three are apart because what is large is decoded elsewhere than
/// on the connection's own turn, and because only a body that does not decode counts as a fault of the client.
#[derive(Debug, Clone, Copy)]
pub struct RequestPlan {
    cost: CostModel,
    validates: bool,
    what: What,
}

/// What is read, in the words that its sender is told.
#[derive(Debug, Clone, Copy)]
enum What {
    Request,
    Event,
    Presence,
}

impl What {
    fn text(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Event => "event",
            Self::Presence => "presence data",
        }
    }
}

impl RequestPlan {
    /// The plan for requests of type `M`.
    #[must_use]
    pub fn of<M: ContractField>() -> Self {
        Self::reading::<M>(What::Request)
    }

    /// The plan for events of type `M` that clients publish.
    pub(crate) fn of_events<M: ContractField>() -> Self {
        Self::reading::<M>(What::Event)
    }

    /// The plan for what clients want presence to say of them, which is an `M`.
    pub(crate) fn of_presence<M: ContractField>() -> Self {
        Self::reading::<M>(What::Presence)
    }

    fn reading<M: ContractField>(what: What) -> Self {
        RequestPlan {
            cost: CostModel::of::<M>(),
            validates: validate::needs_validation::<M>(),
            what,
        }
    }

    /// An upper bound on what decoding `body` takes; see [`CostModel::weigh`].
    ///
    /// # Errors
    ///
    /// RESOURCE_EXHAUSTED when that is more than `budget` bytes.
    #[inline]
    pub fn weigh(&self, body: &[u8], budget: usize) -> Result<Cost, Status> {
        let cost = self.cost.weigh(body, budget);
        cost.map_err(|_| over_budget(self.what))
    }

    /// The closest bound on what decoding `body` takes, for where the rough one does not fit.
    #[cold]
    pub(crate) fn measure(&self, body: &[u8]) -> Cost {
        self.cost.measure(body)
    }

    /// Decodes `body`. Fields of type `Bytes` are slices of it.
    ///
    /// # Errors
    ///
    /// INVALID_ARGUMENT with a fixed text and the path of the field that does not decode.
    #[inline]
    pub fn decode<M: prost::Message + Default>(&self, body: Bytes) -> Result<M, Status> {
        M::decode(body).map_err(|error| undecodable(self.what, &error))
    }

    /// Checks the rules of `request`, at no cost where its type has none.
    ///
    /// # Errors
    ///
    /// INVALID_ARGUMENT with the violations as details, a `buf.validate.Violations`.
    #[inline]
    pub fn check<M: ContractField>(&self, request: &M) -> Result<(), Status> {
        if self.validates {
            validate::validate(request).map_err(|violations| invalid(&violations))
        } else {
            Ok(())
        }
    }
}

#[cold]
fn over_budget(what: What) -> Status {
    Status::resource_exhausted(format!("the {} would take too much memory", what.text()))
}

#[cold]
fn undecodable(what: What, error: &prost::DecodeError) -> Status {
    let path = FieldPath::of(error);
    let problem = if path.too_deep {
        "is nested more than 100 messages deep"
    } else {
        "does not decode"
    };
    let what = what.text();
    if path.is_empty() {
        Status::invalid_argument(format!("the {what} {problem}"))
    } else {
        Status::invalid_argument(format!("the {what} {problem}, at field {path}"))
    }
}

#[cold]
fn invalid(violations: &Violations) -> Status {
    Status::invalid_argument(violations.to_string()).with_detail(violations)
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::codegen::{Named, Optional, Singular, Utf8, prost_contract};
    use crate::status::Code;

    #[derive(Clone, PartialEq, Message)]
    struct Chain {
        #[prost(message, optional, boxed, tag = "1")]
        next: Option<Box<Chain>>,
        #[prost(string, tag = "2")]
        label: String,
    }

    prost_contract! {
        Chain = "test" "test.Chain" {
            next: 1 => Optional<crate::codec::Boxed<Named<Chain>>>,
            label: 2 => Singular<Utf8> [.rules(&[crate::validate::Rule::MaxLen(2)])],
        }
    }

    /// `depth` messages, one inside the other, with `innermost` in the last.
    fn nested(depth: usize, innermost: &[u8]) -> Bytes {
        let mut bytes = innermost.to_vec();
        for _ in 0..depth {
            let mut outer = vec![10];
            prost::encoding::encode_varint(bytes.len() as u64, &mut outer);
            outer.extend(bytes);
            bytes = outer;
        }
        bytes.into()
    }

    fn refusal(body: Bytes) -> Status {
        let plan = RequestPlan::of::<Chain>();
        plan.decode::<Chain>(body).expect_err("is refused")
    }

    #[test]
    fn a_body_that_does_not_decode_tells_the_field_from_the_outside_in() {
        let status = refusal(nested(2, &[18, 1, 0xff]));
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(
            status.message(),
            "the request does not decode, at field next.next.label"
        );
        assert_eq!(
            refusal(Bytes::from_static(&[0xff])).message(),
            "the request does not decode"
        );
    }

    #[test]
    fn a_body_that_is_nested_too_deeply_tells_the_field_once() {
        let plan = RequestPlan::of::<Chain>();
        assert!(plan.decode::<Chain>(nested(100, &[])).is_ok());
        let status = refusal(nested(101, &[]));
        assert_eq!(
            status.message(),
            "the request is nested more than 100 messages deep, at field next"
        );
    }

    #[test]
    fn a_long_path_is_cut() {
        let message = refusal(nested(99, &[18, 1, 0xff])).message().to_owned();
        assert!(message.len() < 256 && message.ends_with(".…"), "{message}");
    }

    #[test]
    fn broken_rules_are_details_of_the_status() {
        let plan = RequestPlan::of::<Chain>();
        let inner = Chain {
            label: "long".into(),
            ..Chain::default()
        };
        let status = plan
            .check(&Chain {
                next: Some(Box::new(inner)),
                label: "ok".into(),
            })
            .expect_err("is refused");
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(
            status.message(),
            "next.label: must be at most 2 characters [string.max_len]"
        );
        let violations: Vec<_> = status
            .details::<Violations>()
            .flat_map(|all| all.violations)
            .collect();
        assert_eq!(violations.len(), 1);
    }

    #[test]
    fn a_body_over_its_budget_is_refused_before_it_is_decoded() {
        let plan = RequestPlan::of::<Chain>();
        let body = nested(50_000, &[]);
        let status = plan.weigh(&body, 1000).expect_err("is refused");
        assert_eq!(status.code(), Code::ResourceExhausted);
    }
}
