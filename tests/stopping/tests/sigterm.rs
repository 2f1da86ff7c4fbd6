//! SIGTERM under load, with fewer connections and a shorter grace than `cargo xtask stopping` has.

use std::process::Command;

#[test]
fn a_server_that_is_told_to_stop_under_load_loses_no_call_without_a_word() {
    let output = Command::new(env!("CARGO_BIN_EXE_stopping"))
        .args(["--connections", "60", "--grace", "2", "--load", "1"])
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}");
    print!("{said}");
}
