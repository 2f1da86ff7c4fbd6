//! The schemas that plugins see: descriptors as bytes, with their custom options and comments.

use super::{PluginError, imports};
use crate::descriptor::{self, Compiled};
use prost::Message;
use prost::encoding::{self, WireType};
use prost_types::FileDescriptorProto;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Where a `FileDescriptorProto` has its comments.
const SOURCE_CODE_INFO: u32 = 9;

/// Where a `FileDescriptorSet` has its files.
const FILE: u32 = 1;

/// Compiled schemas, and all that they import.
#[derive(Debug, Clone)]
pub struct DescriptorSet {
    /// Each file behind those that it imports.
    files: Vec<File>,
    /// The names of the files that were asked for.
    roots: BTreeSet<String>,
}

/// One file of a set.
#[derive(Debug, Clone)]
pub(super) struct File {
    /// The encoded `FileDescriptorProto`.
    pub(super) bytes: Vec<u8>,
    /// The same to read, without custom options.
    pub(super) read: FileDescriptorProto,
}

impl DescriptorSet {
    /// Compiles `.proto` files. Each is named as an `import` writes it, and looked for in the folders, in their order, as is what
    /// it imports; `buf/validate/validate.proto` and `google/protobuf/…` are always there.
    ///
    /// # Errors
    ///
    /// [`PluginError::Schema`] if a file is missing or does not compile.
    pub fn compile<F, N>(folders: F, names: N) -> Result<Self, PluginError>
    where
        F: IntoIterator<Item: Into<PathBuf>>,
        N: IntoIterator<Item: Into<String>>,
    {
        let folders: Vec<PathBuf> = folders.into_iter().map(Into::into).collect();
        let mut texts = BTreeMap::new();
        for name in names.into_iter().map(Into::into) {
            let found = folders
                .iter()
                .find_map(|folder| std::fs::read_to_string(folder.join(&name)).ok());
            let text = found.ok_or_else(|| {
                let folders: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
                PluginError::Schema(format!(
                    "there is no `{name}` to read in {}; name a file as an `import` writes it, relative to one of the folders",
                    folders.join(", ")
                ))
            })?;
            texts.insert(name, text);
        }
        let roots = texts.keys().cloned().collect();
        let compiled = descriptor::compile(&roots, &texts, &folders).map_err(PluginError::Schema)?;
        Self::of(&compiled, roots)
    }

    /// Takes an encoded `google.protobuf.FileDescriptorSet`, with all imports in it and each file behind those that it imports,
    /// as compilers write it; of it, these files are generated for.
    ///
    /// The set that [`Builder`](crate::Builder) leaves in `OUT_DIR` has the comments in it, which are the docs of the contracts.
    ///
    /// # Errors
    ///
    /// [`PluginError::Schema`] if it does not decode, lacks an import, or has no such files.
    pub fn decode<N>(set: &[u8], names: N) -> Result<Self, PluginError>
    where
        N: IntoIterator<Item: Into<String>>,
    {
        let files = files_of(set)?;
        let roots: BTreeSet<String> = names.into_iter().map(Into::into).collect();
        let decoded = Self { files, roots };
        match decoded.roots.iter().find(|name| !decoded.has(name)) {
            Some(name) => Err(PluginError::Schema(format!(
                "the descriptor set has no file `{name}`"
            ))),
            None => Ok(decoded),
        }
    }

    /// The set as a `google.protobuf.FileDescriptorSet`, with custom options and comments: what tools read that know no contracts.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut set = Vec::new();
        for file in &self.files {
            encoding::bytes::encode(FILE, &file.bytes, &mut set);
        }
        set
    }

    /// What a build compiled.
    pub(super) fn of(compiled: &Compiled, roots: BTreeSet<String>) -> Result<Self, PluginError> {
        let mut files = files_of(&compiled.encode())?;
        for file in &mut files {
            // They were kept apart. Fields of one message may stand anywhere in it, so at its end too.
            if let Some(comments) = compiled.comments.get(file.read.name()) {
                encoding::message::encode(SOURCE_CODE_INFO, comments, &mut file.bytes);
            }
        }
        Ok(Self { files, roots })
    }

    /// The same, in which no file has these imports.
    pub(super) fn without_imports(&self, names: &BTreeSet<String>) -> Result<Self, PluginError> {
        let mut without = self.clone();
        for name in names {
            imports::remove(&mut without.files, name)?;
            without.roots.remove(name);
        }
        Ok(without)
    }

    /// Which files to generate for: those that were asked for, or else all that the set was made of.
    pub(super) fn files_to_generate(
        &self,
        wanted: &BTreeSet<String>,
        with_imports: bool,
    ) -> Result<Vec<String>, PluginError> {
        if let Some(name) = wanted.iter().find(|name| !self.has(name)) {
            let known: Vec<String> = self.roots.iter().map(|name| format!("`{name}`")).collect();
            return Err(PluginError::Schema(format!(
                "nothing can be generated for `{name}`: the schemas are {} and what they import",
                known.join(", ")
            )));
        }
        let names: Vec<String> = match wanted.is_empty() {
            true => self.roots.iter().cloned().collect(),
            false => wanted.iter().cloned().collect(),
        };
        if !with_imports {
            return Ok(names);
        }
        let needed = self.needed(&names).into_iter();
        let names = needed.map(|file| file.read.name().to_owned());
        Ok(names
            .filter(|name| !name.starts_with("google/protobuf/"))
            .collect())
    }

    /// The files of these names and all that they import, each behind those that it imports.
    pub(super) fn needed(&self, names: &[String]) -> Vec<&File> {
        let mut needed: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        // Importers come after what they import, so one look from the end sees all.
        for file in self.files.iter().rev() {
            if needed.contains(file.read.name()) {
                needed.extend(file.read.dependency.iter().map(String::as_str));
            }
        }
        self.files
            .iter()
            .filter(|file| needed.contains(file.read.name()))
            .collect()
    }

    /// The file of this name.
    pub(super) fn file(&self, name: &str) -> Option<&File> {
        self.files.iter().find(|file| file.read.name() == name)
    }

    fn has(&self, name: &str) -> bool {
        self.file(name).is_some()
    }
}

/// Takes an encoded set apart.
fn files_of(mut set: &[u8]) -> Result<Vec<File>, PluginError> {
    let broken = |error: prost::DecodeError| {
        PluginError::Schema(format!("this is no descriptor set of protobuf: {error}"))
    };
    let mut names = BTreeSet::new();
    let mut files = Vec::new();
    while !set.is_empty() {
        let (number, wire_type) = encoding::decode_key(&mut set).map_err(broken)?;
        if number == FILE && wire_type == WireType::LengthDelimited {
            let mut bytes = Vec::new();
            encoding::bytes::merge(wire_type, &mut bytes, &mut set, Default::default()).map_err(broken)?;
            let read = FileDescriptorProto::decode(bytes.as_slice()).map_err(broken)?;
            if let Some(import) = read.dependency.iter().find(|import| !names.contains(*import)) {
                return Err(PluginError::Schema(format!(
                    "the descriptor set has no `{import}` in front of `{}`, which imports it; have the compiler include imports",
                    read.name()
                )));
            }
            names.insert(read.name().to_owned());
            files.push(File { bytes, read });
        } else {
            encoding::skip_field(wire_type, number, &mut set, Default::default()).map_err(broken)?;
        }
    }
    Ok(files)
}
