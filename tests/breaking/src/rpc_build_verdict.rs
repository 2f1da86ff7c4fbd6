//! What `rpc_build::breaking` says of a case.

use prost::Message;
use prost_types::FileDescriptorSet;
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};
use rpc_build::breaking::{Options, Violation, compare, removed_names};

use crate::{Case, Side};

/// Why a side of a case is not valid protobuf, or could not be read back.
#[derive(Debug, thiserror::Error)]
#[error("case {case:?} does not compile: {reason}")]
pub struct CompileError {
    /// The case's name.
    pub case: String,
    /// The compiler's message.
    pub reason: String,
}

/// Compiles both sides and compares them.
///
/// # Errors
///
/// When a side does not compile.
pub fn judge(case: &Case) -> Result<Vec<Violation>, CompileError> {
    let fail = |reason: String| CompileError {
        case: case.name.clone(),
        reason,
    };
    let before = compile(&case.before).map_err(fail)?;
    let after = compile(&case.after).map_err(fail)?;
    let removed = |side: &Side| {
        side.files
            .iter()
            .flat_map(|(_, text)| removed_names(text))
            .collect()
    };
    let options = Options {
        removed: removed(&case.after),
        removed_before: removed(&case.before),
        closed_enums: case.closed_enums.clone(),
    };
    Ok(compare(&before, &after, &options))
}

/// Compiles one side, through the compiler's raw bytes as rpc-build does it: they are what keeps custom options.
///
/// # Errors
///
/// With the compiler's message, when it is not valid protobuf.
pub fn compile(side: &Side) -> Result<FileDescriptorSet, String> {
    let mut resolver = ChainFileResolver::new();
    resolver.add(GoogleFileResolver::new());
    resolver.add(InMemory(side.files.clone()));
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler.include_imports(true);
    for (path, _) in &side.files {
        compiler
            .open_file(path)
            .map_err(|error| format!("{path}: {error:?}"))?;
    }
    FileDescriptorSet::decode(compiler.encode_file_descriptor_set().as_slice())
        .map_err(|error| error.to_string())
}

/// The compiler keeps its resolvers, so that they have to own what they serve.
struct InMemory(Vec<(String, String)>);

impl FileResolver for InMemory {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        if name == "buf/validate/validate.proto" {
            return File::from_source(name, rpc_build::VALIDATE_PROTO);
        }
        match self.0.iter().find(|(path, _)| path == name) {
            Some((path, text)) => File::from_source(path, text),
            None => Err(protox::Error::file_not_found(name)),
        }
    }
}
