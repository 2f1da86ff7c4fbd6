//! Compiles `.proto` text into a descriptor set, without protoc.

use prost_types::{FileDescriptorProto, FileDescriptorSet, SourceCodeInfo};
use protox::Compiler;
use protox::file::{File, FileResolver, GoogleFileResolver, IncludeFileResolver};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The rules on fields, as buf publishes them, compiled: parsing `validate.proto` beside this file, which is mostly
/// comments, took longer than all schemas of a crate. A test holds one against the other.
const VALIDATE: &[u8] = include_bytes!("../protos/buf/validate/validate.binpb");

/// What a compilation gave.
pub(crate) struct Compiled {
    /// All files.
    pub(crate) set: FileDescriptorSet,
    /// The comments of the files that were given as text. They are kept apart: resolving custom options looks at every
    /// place of a file for every option of it.
    pub(crate) comments: BTreeMap<String, SourceCodeInfo>,
    /// The compiler, which still has the custom options.
    compiler: Compiler,
    /// The files on disk that were read.
    pub(crate) read: BTreeSet<PathBuf>,
}

impl Compiled {
    /// All files, encoded with their custom options.
    pub(crate) fn encode(&self) -> Vec<u8> {
        self.compiler.encode_file_descriptor_set()
    }

    /// The files of these names, in their order.
    pub(crate) fn files<'a>(
        &'a self,
        names: &'a BTreeSet<String>,
    ) -> impl Iterator<Item = &'a FileDescriptorProto> {
        self.set.file.iter().filter(|file| names.contains(file.name()))
    }
}

/// Compiles `names`. They and what they import are looked for among `texts`, then in the folders.
pub(crate) fn compile(
    names: &BTreeSet<String>,
    texts: &BTreeMap<String, String>,
    folders: &[PathBuf],
) -> Result<Compiled, String> {
    let found = Rc::new(RefCell::new(Found::default()));
    let resolver = Sources {
        texts: texts.clone(),
        google: GoogleFileResolver::new(),
        folders: folders.iter().cloned().map(IncludeFileResolver::new).collect(),
        found: Rc::clone(&found),
        with_places: false,
    };
    let again = Sources {
        folders: folders.iter().cloned().map(IncludeFileResolver::new).collect(),
        google: GoogleFileResolver::new(),
        texts: texts.clone(),
        found: Rc::default(),
        with_places: true,
    };
    let mut compiler = Compiler::with_file_resolver(resolver);
    // Without places in them, the files are encoded as they are.
    compiler.include_imports(true).include_source_info(true);
    for name in names {
        if let Err(error) = compiler.open_file(name) {
            let mut compiler = Compiler::with_file_resolver(again);
            let placed = names.iter().find_map(|name| compiler.open_file(name).err());
            return Err(told(&placed.unwrap_or(error)));
        }
    }
    let set = compiler.file_descriptor_set();
    let Found { read, comments } = found.take();
    Ok(Compiled {
        set,
        comments,
        compiler,
        read,
    })
}

/// What the resolver saw.
#[derive(Default)]
struct Found {
    read: BTreeSet<PathBuf>,
    comments: BTreeMap<String, SourceCodeInfo>,
}

/// Where files come from.
struct Sources {
    texts: BTreeMap<String, String>,
    google: GoogleFileResolver,
    folders: Vec<IncludeFileResolver>,
    found: Rc<RefCell<Found>>,
    /// Whether places in the files are kept, for the sake of errors.
    with_places: bool,
}

impl FileResolver for Sources {
    fn resolve_path(&self, path: &Path) -> Option<String> {
        // Files are asked for by name.
        path.to_str().map(str::to_owned)
    }

    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        if let Some(text) = self.texts.get(name) {
            let file = File::from_source(name, text)?;
            if self.with_places {
                return Ok(file);
            }
            let mut bare = file.file_descriptor_proto().clone();
            if let Some(comments) = bare.source_code_info.take() {
                self.found.borrow_mut().comments.insert(name.to_owned(), comments);
            }
            return Ok(File::from_file_descriptor_proto(bare));
        }
        if name == crate::emit::proto::VALIDATE {
            return File::decode_file_descriptor_proto(VALIDATE).map_err(protox::Error::new);
        }
        if let Ok(file) = self.google.open_file(name) {
            return Ok(file);
        }
        let mut missing = protox::Error::file_not_found(name);
        for folder in &self.folders {
            match folder.open_file(name) {
                Ok(file) => {
                    self.found
                        .borrow_mut()
                        .read
                        .extend(file.path().map(Path::to_path_buf));
                    return Ok(file);
                }
                Err(error) if error.is_file_not_found() => missing = error,
                Err(error) => return Err(error),
            }
        }
        Err(missing)
    }
}

/// The error with its place: protox tells it in its debug form only.
fn told(error: &protox::Error) -> String {
    match error.file() {
        Some(file) => format!("{error} (in `{file}`)"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `UPDATE_EXPECT=1` writes the compiled file anew.
    #[test]
    fn the_compiled_rules_are_those_of_the_vendored_schema() {
        let source = crate::VALIDATE_PROTO;
        let mut compiler = Compiler::with_file_resolver(Vendored(source));
        compiler.include_imports(false).include_source_info(false);
        compiler
            .open_file(crate::emit::proto::VALIDATE)
            .expect("the vendored schema compiles");
        let set = compiler.encode_file_descriptor_set();
        // A set of one file is a key, a length and the file.
        let header = 1 + (1..).find(|at| set[*at] < 0x80).expect("a length");
        let file = &set[header..];
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/protos/buf/validate/validate.binpb");
            std::fs::write(path, file).expect("the compiled file is written");
        } else {
            assert!(
                file == VALIDATE,
                "validate.binpb is not validate.proto; run the test with UPDATE_EXPECT=1"
            );
        }
    }

    struct Vendored(&'static str);

    impl FileResolver for Vendored {
        fn open_file(&self, name: &str) -> Result<File, protox::Error> {
            match name {
                crate::emit::proto::VALIDATE => File::from_source(name, self.0),
                _ => GoogleFileResolver::new().open_file(name),
            }
        }
    }
}
