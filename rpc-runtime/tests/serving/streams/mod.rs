//! Calls of every kind that streams: what each does, how each ends, and what holds it back.

mod answering;
mod ending;
mod service;
mod sessions;
mod wire;
