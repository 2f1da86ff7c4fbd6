//- src/lib.rs
