//! The services: what each call does, and who may make it.

mod accounts;
mod admin;
mod changes;
mod owner;
mod tasks;
#[cfg(test)]
mod tests;

pub(crate) use accounts::Accounts;
pub(crate) use admin::{Administration, Administrators};
pub(crate) use changes::{Changes, channel_of, hub};
pub(crate) use owner::{OwnList, Owner};
pub(crate) use tasks::Tasks;
