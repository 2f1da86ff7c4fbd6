//! Mistakes in contracts, and what the compiler says about them. Everything is in `tests/`; see the README.
