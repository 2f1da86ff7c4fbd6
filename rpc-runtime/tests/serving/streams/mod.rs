//! Calls of every kind that streams: what each does, how each ends, and what holds it back.

mod answering;
mod bounded;
mod compressed;
mod ending;
mod erratic;
mod flowing;
mod service;
mod sessions;
mod sharing;
mod wire;
