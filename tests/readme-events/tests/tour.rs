//! The README's section on events is this crate, to the letter, and does what the README says.

#[path = "../../readme/tests/section/mod.rs"]
mod section;

use section::Section;

const SECTION: Section = Section {
    title: "Events",
    folder: "shelves",
};

#[test]
fn the_section_in_the_readme_is_this_crate() {
    let files = [
        ("contracts.rs", include_str!("../src/contracts.rs")),
        ("main.rs", include_str!("../src/main.rs")),
    ];
    SECTION.is(&files, include_str!("../build.rs"));
}

#[test]
fn the_section_prints_what_the_readme_says() {
    SECTION.is_printed_by(env!("CARGO_BIN_EXE_shelves"));
}
