//! One mistake per file of `cases/`, with everything that the compiler says about it; what must compile is in `pass/`.

use std::io::Write;

#[test]
fn every_mistake_is_told_where_it_is_and_how_to_mend_it() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("cases/*.rs");
    cases.pass("pass/*.rs");
    // Not `println!`, which is captured: the counts are to be seen.
    let told = format!("{} UI cases, {} that compile\n", count("cases"), count("pass"));
    std::io::stderr()
        .write_all(told.as_bytes())
        .expect("the counts are written");
}

fn count(folder: &str) -> usize {
    std::fs::read_dir(folder)
        .expect("the folder stands beside this crate's manifest")
        .filter_map(Result::ok)
        .filter(|entry| {
            entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "rs")
        })
        .count()
}
