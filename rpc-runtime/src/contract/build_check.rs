//! The question that every contract asks while it is compiled: did the build script see it, as it is?

use crate::constant::is_same;

/// What is wrong between a contract and the build script of its crate, if anything is.
///
/// The macro asks this in a constant. `build` is set when a build script ran `rpc_build`; `seen` is the fingerprint that
/// it computed for this contract, `fingerprint` the one that the macro computed; `error` is what the build script found
/// wrong with it.
#[must_use]
pub const fn contract_problem(
    build: Option<&'static str>,
    seen: Option<&'static str>,
    fingerprint: &'static str,
    error: Option<&'static str>,
) -> Option<&'static str> {
    if error.is_some() {
        return error;
    }
    match (build, seen) {
        (None, _) => Some(
            "this crate has no build script that reads its contracts. Add `rpc-build` to [build-dependencies] and a build.rs \
             with `fn main() { rpc_build::contracts(\"src/contracts.rs\").run() }`; a contract of a test or a doctest says \
             `detached` instead",
        ),
        (Some(_), None) => Some(
            "the build script does not read the file that this contract is in. Name the file in build.rs, \
             `rpc_build::contracts(\"src/…\")`, or the module above it; a contract of a test or a doctest says `detached` \
             instead",
        ),
        (Some(_), Some(seen)) if !is_same(seen.as_bytes(), fingerprint.as_bytes()) => Some(
            "the build script saw another contract under this name. Two contracts with different `cfg`s may share it, or \
             `rpc-build` and `rpc-runtime` are of different versions; `cargo clean -p` this crate if neither is so",
        ),
        _ => None,
    }
}

/// The schemas that the build script has left, for what carries them: an encoded `google.protobuf.FileDescriptorSet`.
#[doc(hidden)]
#[macro_export]
macro_rules! __descriptor_set {
    () => {
        ::core::include_bytes!(::core::env!(
            "RPC_DESCRIPTOR_SET",
            "this crate has no build script that reads its contracts. Add `rpc-build` to [build-dependencies] and a build.rs \
             with `fn main() { rpc_build::contracts(\"src/contracts.rs\").run() }`; a contract of a test or a doctest says \
             `detached` instead"
        ))
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contract_that_the_build_script_saw_as_it_is_has_no_problem() {
        assert_eq!(contract_problem(Some("1"), Some("abc"), "abc", None), None);
    }

    #[test]
    fn each_fault_is_told_apart() {
        let missing = contract_problem(None, None, "abc", None).expect("no build script");
        assert!(missing.contains("has no build script"));
        let unread = contract_problem(Some("1"), None, "abc", None).expect("not read");
        assert!(unread.contains("does not read the file"));
        let other = contract_problem(Some("1"), Some("abd"), "abc", None).expect("another");
        assert!(other.contains("another contract"));
        assert_eq!(
            contract_problem(Some("1"), Some("abd"), "abc", Some("drift")),
            Some("drift")
        );
    }
}
