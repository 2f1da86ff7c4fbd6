//! The contract model, shared by the macros and the build step.
//!
//! The same source is read twice: by `#[contract]`, which sees one item at a time, and by the build script, which sees
//! all of them. Both walk the same stages:
//!
//! 1. **Pass 1** ([`parse`]) turns one `syn` item into an [`Item`](model::Item): fields, numbers, rules, methods. It is
//!    local to the item, so a macro can use it, and every fact that it finds goes into the item's
//!    [`fingerprint`](fingerprint::fingerprint), by which the two readers notice when they disagree.
//! 2. **Pass 2** ([`resolve`]) takes all items of a crate with their modules, finds what each named type is, and gives
//!    a span-free [`Schema`](resolve::Schema) by package, ready to be written as `.proto`.
//!
//! # What is deliberately absent
//!
//! No files, no environment, no prost, no token output. Source text comes in as `syn` items, diagnostics go out as
//! [`Errors`](diagnostics::Errors).

pub mod channels;
pub mod diagnostics;
pub mod fingerprint;
pub mod keys;
pub mod model;
pub mod names;
pub mod parse;
pub mod resolve;
pub mod types;
