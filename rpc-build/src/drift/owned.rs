//! Whether a crate's sources are the user's own to change.

use crate::environment::Environment;

/// Sources from a registry, from a git dependency, vendored or packaged are somebody else's, or a copy: they are never
/// written, and their `.proto` was checked where it was made.
pub(crate) fn is_ours(environment: &Environment) -> bool {
    let manifest = &environment.manifest_dir;
    let fetched = environment.cargo_home.as_ref().is_some_and(|home| {
        manifest.starts_with(home.join("registry")) || manifest.starts_with(home.join("git"))
    });
    // `cargo package` leaves the manifest as it was beside the one that it wrote; `cargo vendor` leaves checksums.
    let copied = ["Cargo.toml.orig", ".cargo-checksum.json", ".cargo-ok"]
        .iter()
        .any(|left| manifest.join(left).exists());
    !fetched && !copied
}
