//! The services: what each call does, and who may make it.

mod accounts;
mod chat;

pub(crate) use accounts::{Accounts, Administrators};
pub(crate) use chat::Talk;
