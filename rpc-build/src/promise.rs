//! What was promised, and what is: schemas that are compared by who has no build at hand, such as a check in CI.

use crate::breaking::{self, Options, Violation};
use crate::descriptor;
use prost::Message;
use prost_types::FileDescriptorSet;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Folders are read so deep.
const DEEPEST: usize = 32;

/// Schemas, from a folder of `.proto` files or from a descriptor set.
///
/// ```no_run
/// use rpc_build::promise::Promise;
/// use std::path::Path;
///
/// # fn main() -> Result<(), rpc_build::promise::PromiseError> {
/// let (before, after) = (Promise::read(Path::new("main/protos"))?, Promise::read(Path::new("protos"))?);
/// for violation in before.broken_by(&after) {
///     println!("{violation}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Promise {
    set: FileDescriptorSet,
    /// What is declared gone.
    removed: BTreeSet<String>,
}

/// Why schemas cannot be read.
#[derive(Debug)]
#[non_exhaustive]
pub enum PromiseError {
    /// A file or folder cannot be read.
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// What was read is no schema.
    Schema {
        /// Where it was read from.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

impl std::fmt::Display for PromiseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable { path, source } => write!(f, "{} cannot be read: {source}", path.display()),
            Self::Schema { path, problem } => write!(f, "{}: {problem}", path.display()),
        }
    }
}

impl std::error::Error for PromiseError {}

impl Promise {
    /// Reads a folder with all `.proto` files in it, which import each other by their paths in it, or a descriptor set, as compilers
    /// write it with its imports. `buf/validate/validate.proto` and `google/protobuf/…` need not be in a folder.
    ///
    /// # Errors
    ///
    /// When there is nothing to read, or what is read does not compile or decode.
    pub fn read(path: &Path) -> Result<Self, PromiseError> {
        let unreadable = |source| PromiseError::Unreadable {
            path: path.to_path_buf(),
            source,
        };
        match std::fs::metadata(path).map_err(unreadable)?.is_dir() {
            true => Self::of_folder(path),
            false => Self::of_set(path, &std::fs::read(path).map_err(unreadable)?),
        }
    }

    fn of_folder(folder: &Path) -> Result<Self, PromiseError> {
        let mut texts = BTreeMap::new();
        gather(folder, "", &mut Vec::new(), &mut texts)?;
        let schema = |problem: String| PromiseError::Schema {
            path: folder.to_path_buf(),
            problem,
        };
        if texts.is_empty() {
            return Err(schema("there is no .proto file in this folder".to_owned()));
        }
        let names: BTreeSet<String> = texts.keys().cloned().collect();
        let compiled = descriptor::compile(&names, &texts, &[folder.to_path_buf()]).map_err(schema)?;
        Ok(Self {
            removed: texts
                .values()
                .flat_map(|text| breaking::removed_names(text))
                .collect(),
            set: compiled.set,
        })
    }

    fn of_set(path: &Path, bytes: &[u8]) -> Result<Self, PromiseError> {
        let schema = |problem: &str| PromiseError::Schema {
            path: path.to_path_buf(),
            problem: problem.to_owned(),
        };
        let set = FileDescriptorSet::decode(bytes)
            .map_err(|error| schema(&format!("this is neither a folder nor a descriptor set: {error}")))?;
        let has_name = |file: &prost_types::FileDescriptorProto| !file.name().is_empty();
        if set.file.is_empty() || !set.file.iter().all(has_name) {
            return Err(schema("there are no files in this descriptor set"));
        }
        let mut removed = BTreeSet::new();
        for file in &set.file {
            // As the file has it, where its compiler has kept comments.
            let mut text = format!("package {};\n", file.package());
            for place in file.source_code_info.iter().flat_map(|info| &info.location) {
                let comments = place.leading_detached_comments.iter().map(String::as_str);
                let comments = comments.chain([place.leading_comments(), place.trailing_comments()]);
                for line in comments.flat_map(str::lines) {
                    text.push_str(&format!("// {}\n", line.trim()));
                }
            }
            removed.extend(breaking::removed_names(&text));
        }
        Ok(Self { set, removed })
    }

    /// Every way in which `after` breaks a peer that was built from this, as a build tells of contracts: see
    /// [`breaking::compare`].
    ///
    /// A build warns of one thing more: a value that is added to an enum without a variant for others (`#[field(other)]`), because peers
    /// that do not know it refuse each message that holds it. Which enums are so is in the contracts and in no schema
    /// ([`Options::closed_enums`]), and in other languages it is the language's own affair: here nothing is said of it.
    #[must_use]
    pub fn broken_by(&self, after: &Self) -> Vec<Violation> {
        let options = Options {
            removed: after.removed.clone(),
            removed_before: self.removed.clone(),
            ..Options::default()
        };
        breaking::compare(&self.set, &after.set, &options)
    }
}

/// The `.proto` files below a folder, by the names that imports write. Links are followed, as compilers follow them.
///
/// `above`: this folder, and those that it was reached through, as they really are.
fn gather(
    folder: &Path,
    prefix: &str,
    above: &mut Vec<PathBuf>,
    texts: &mut BTreeMap<String, String>,
) -> Result<(), PromiseError> {
    let unreadable = |path: &Path| {
        let path = path.to_path_buf();
        move |source| PromiseError::Unreadable { path, source }
    };
    let schema = |problem: String| PromiseError::Schema {
        path: folder.to_path_buf(),
        problem,
    };
    let real = folder.canonicalize().map_err(unreadable(folder))?;
    if above.contains(&real) {
        return Err(schema(
            "this leads back to a folder above it; take the link out".to_owned(),
        ));
    }
    if above.len() > DEEPEST {
        let problem = format!("this is more than {DEEPEST} folders deep; name a folder that is nearer");
        return Err(schema(problem));
    }
    above.push(real);
    for entry in std::fs::read_dir(folder).map_err(unreadable(folder))? {
        let path = entry.map_err(unreadable(folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{prefix}{name}");
        // Of a link, what it leads to; one that leads nowhere is told where a schema should be.
        if path.is_dir() {
            gather(&path, &format!("{name}/"), above, texts)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            let text = std::fs::read_to_string(&path).map_err(unreadable(&path))?;
            texts.insert(name, text);
        }
    }
    above.pop();
    Ok(())
}
