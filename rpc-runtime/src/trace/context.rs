//! The trace that a call belongs to, and the two metadata entries that carry it.

use std::fmt;

use super::{
    id::{SpanId, TraceId, hex_byte},
    state,
};
use crate::Metadata;

/// The metadata key of the trace, as in HTTP.
pub(crate) const TRACEPARENT: &str = "traceparent";

/// The metadata key of what vendors pass along with it.
const TRACESTATE: &str = "tracestate";

/// The length of a `traceparent` of version 00, and the least of any later version.
const LENGTH: usize = 55;

/// The caller may have recorded its span: section 3.2.2.5.1.
const SAMPLED: u8 = 1;

/// At least the last 7 bytes of the trace id are random: level 2, section 3.2.2.5.2.
const RANDOM: u8 = 2;

/// The trace that a call belongs to.
///
/// ```
/// use rpc_runtime::{Metadata, trace::TraceContext};
///
/// let mut metadata = Metadata::new();
/// metadata.append("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
/// let trace = TraceContext::from_metadata(&metadata).unwrap();
/// assert_eq!(trace.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
/// assert!(trace.is_sampled());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: TraceId,
    parent_id: Option<SpanId>,
    span_id: SpanId,
    /// Only those that are defined: what else came is not carried on.
    flags: u8,
    state: Option<Box<str>>,
}

impl TraceContext {
    /// Starts a trace, with random ids. `sampled` says whether its spans are to be recorded.
    #[must_use]
    pub fn start(sampled: bool) -> Self {
        Self {
            trace_id: TraceId::random(),
            parent_id: None,
            span_id: SpanId::random(),
            flags: if sampled { RANDOM | SAMPLED } else { RANDOM },
            state: None,
        }
    }

    /// The trace that a call's metadata tells, with a new span id for the call itself. `None` where there is no
    /// `traceparent`, more than one, or a malformed one. A malformed `tracestate` is left out.
    #[must_use]
    pub fn from_metadata(metadata: &Metadata) -> Option<Self> {
        let mut parents = metadata.get_all(TRACEPARENT);
        let (trace_id, parent_id, flags) = parse(parents.next()?)?;
        if parents.next().is_some() {
            return None;
        }
        Some(Self {
            trace_id,
            parent_id: Some(parent_id),
            span_id: SpanId::random(),
            flags,
            state: state::parse(metadata.get_all(TRACESTATE)),
        })
    }

    /// The trace's id, the same in all programs that take part.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// The span of whoever made this call; `None` where the trace was started here.
    #[must_use]
    pub fn parent_id(&self) -> Option<SpanId> {
        self.parent_id
    }

    /// The span of this call, which is the parent of the calls that its handler makes.
    #[must_use]
    pub fn span_id(&self) -> SpanId {
        self.span_id
    }

    /// Sets the span of this call, for programs whose spans get their ids elsewhere.
    #[must_use]
    pub fn with_span_id(mut self, span_id: SpanId) -> Self {
        self.span_id = span_id;
        self
    }

    /// Whether the caller may have recorded its span.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The defined flags, as the last byte of a `traceparent`: 1 for sampled, 2 for a random trace id.
    #[must_use]
    pub fn flags(&self) -> u8 {
        self.flags
    }

    /// What vendors pass along: the `tracestate`, empty where there is none.
    #[must_use]
    pub fn state(&self) -> &str {
        self.state.as_deref().unwrap_or_default()
    }

    /// Writes the trace into the metadata of a call that is made by this one, in place of any that is there.
    pub fn write_to(&self, metadata: &mut Metadata) {
        metadata.insert(TRACEPARENT, self.to_string());
        match &self.state {
            Some(state) => metadata.insert(TRACESTATE, &**state),
            None => {
                metadata.remove(TRACESTATE);
            }
        }
    }
}

/// The `traceparent` of calls that are made by this one, in version 00.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace_id, self.span_id, self.flags)
    }
}

impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceContext")
            .field("trace_id", &self.trace_id)
            .field("parent_id", &self.parent_id)
            .field("span_id", &self.span_id)
            .field("flags", &self.flags)
            .field("state", &self.state())
            .finish()
    }
}

/// Reads a `traceparent`: section 3.2.2, and for versions above 00 section 3.2.4 with the parts that are known.
fn parse(traceparent: &str) -> Option<(TraceId, SpanId, u8)> {
    let (known, rest) = traceparent.as_bytes().split_at_checked(LENGTH)?;
    // version "-" trace-id "-" parent-id "-" trace-flags
    let goes_on = match hex_byte(&known[..2])? {
        0 => rest.is_empty(),
        // Not a version: section 3.2.2.1.
        0xff => false,
        _ => rest.is_empty() || rest[0] == b'-',
    };
    if !goes_on || [known[2], known[35], known[52]] != [b'-'; 3] {
        return None;
    }
    let flags = hex_byte(&known[53..])? & (SAMPLED | RANDOM);
    Some((
        TraceId::parse(&known[3..35])?,
        SpanId::parse(&known[36..52])?,
        flags,
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const PARENT: &str = "b7ad6b7169203331";

    fn read(traceparents: &[&str], states: &[&str]) -> Option<TraceContext> {
        let mut metadata = Metadata::new();
        for parent in traceparents {
            metadata.append(TRACEPARENT, *parent);
        }
        for state in states {
            metadata.append(TRACESTATE, *state);
        }
        TraceContext::from_metadata(&metadata)
    }

    #[test]
    fn a_well_formed_traceparent_is_read_and_carried_on_with_a_span_of_its_own() {
        let trace = read(&[&format!("00-{TRACE}-{PARENT}-01")], &["a=1", "b=2"]).unwrap();
        assert_eq!(trace.trace_id().to_string(), TRACE);
        assert_eq!(trace.parent_id().unwrap().to_string(), PARENT);
        assert!(trace.is_sampled());
        assert_eq!(trace.state(), "a=1,b=2");
        let mut metadata = Metadata::new();
        metadata.append("TraceParent", "what a caller had set");
        trace.write_to(&mut metadata);
        let span = trace.span_id();
        assert_ne!(Some(span), trace.parent_id());
        assert_eq!(
            metadata.get_all(TRACEPARENT).collect::<Vec<_>>(),
            [format!("00-{TRACE}-{span}-01")]
        );
        assert_eq!(metadata.get(TRACESTATE), Some("a=1,b=2"));
    }

    #[test]
    fn what_is_malformed_is_no_trace() {
        let zeros = (&"0".repeat(32), &"0".repeat(16));
        let malformed = [
            String::new(),
            "00".to_owned(),
            format!("00-{TRACE}-{PARENT}"),
            format!("00-{TRACE}-{PARENT}-0"),
            format!("00-{TRACE}-{PARENT}-01-"),
            format!("00-{TRACE}-{PARENT}-01-extra"),
            format!("00-{TRACE}-{PARENT}-0x"),
            format!("00-{TRACE}-{PARENT}-0A"),
            format!("00-{}-{PARENT}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{}-01", PARENT.to_uppercase()),
            format!("00-{}-{PARENT}-01", zeros.0),
            format!("00-{TRACE}-{}-01", zeros.1),
            format!("00_{TRACE}-{PARENT}-01"),
            format!("00-{TRACE}_{PARENT}-01"),
            format!("00-{TRACE}-{PARENT}_01"),
            format!("0g-{TRACE}-{PARENT}-01"),
            format!("FF-{TRACE}-{PARENT}-01"),
            format!("ff-{TRACE}-{PARENT}-01"),
            format!(" 00-{TRACE}-{PARENT}-01"),
            format!("00-{TRACE}-{PARENT}-01 "),
            format!("00-{}\u{e9}-{PARENT}-01", &TRACE[..30]),
            format!("cc-{TRACE}-{PARENT}-01.what-follows"),
        ];
        for traceparent in malformed {
            assert_eq!(read(&[&traceparent], &[]), None, "{traceparent}");
        }
        let good = format!("00-{TRACE}-{PARENT}-01");
        assert_eq!(read(&[&good, &good], &[]), None);
        assert_eq!(read(&[], &["a=1"]), None);
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        for traceparent in [
            format!("cc-{TRACE}-{PARENT}-01"),
            format!("01-{TRACE}-{PARENT}-01-what-follows"),
        ] {
            let trace = read(&[&traceparent], &[]).unwrap();
            assert_eq!(trace.trace_id().to_string(), TRACE);
            assert!(trace.to_string().starts_with("00-"));
        }
    }

    #[test]
    fn flags_that_are_not_defined_are_not_carried_on() {
        let trace = read(&[&format!("00-{TRACE}-{PARENT}-ff")], &[]).unwrap();
        assert_eq!(trace.flags(), SAMPLED | RANDOM);
        assert!(trace.to_string().ends_with("-03"));
        let trace = read(&[&format!("00-{TRACE}-{PARENT}-fe")], &[]).unwrap();
        assert!(!trace.is_sampled());
    }

    proptest! {
        #[test]
        fn whatever_is_sent_is_read_without_a_panic_and_written_well_formed(
            parent in prop_oneof![".{0,70}", "[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.{0,5})?"],
            state in prop_oneof![".{0,40}", "([a-z]{1,3}=[!-+]{1,3},?){0,3}"],
        ) {
            if let Some(trace) = read(&[&parent], &[&state]) {
                let mut metadata = Metadata::new();
                trace.write_to(&mut metadata);
                let next = TraceContext::from_metadata(&metadata);
                prop_assert_eq!(next.as_ref().map(TraceContext::trace_id), Some(trace.trace_id()));
                prop_assert_eq!(next.as_ref().and_then(TraceContext::parent_id), Some(trace.span_id()));
                prop_assert_eq!(next.as_ref().map(TraceContext::state), Some(trace.state()));
            }
        }
    }

    #[test]
    fn a_malformed_tracestate_is_left_out_and_the_trace_stays() {
        let trace = read(&[&format!("00-{TRACE}-{PARENT}-00")], &["a=1", "b"]).unwrap();
        assert_eq!(trace.state(), "");
        let mut metadata = Metadata::new();
        metadata.append(TRACESTATE, "another=trace");
        trace.write_to(&mut metadata);
        assert_eq!(metadata.get(TRACESTATE), None);
    }
}
