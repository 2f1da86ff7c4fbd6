//! Who is let in before a connection is one: how many, how often, and from where.

mod network;

pub(crate) use network::network;
