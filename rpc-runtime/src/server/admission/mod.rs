//! Who is let in before a connection is one: how many, how often, and from where.
//!
//! Every table here is bounded, whatever comes: see [`places`] and [`recent`].

mod forwarded;
mod network;
mod places;
mod proxies;
mod rates;
mod recent;

pub(crate) use network::network;
pub(crate) use places::{NoPlace, Place, Places};
pub(crate) use proxies::Proxies;
pub(crate) use rates::{ConnectRates, TooOften};
