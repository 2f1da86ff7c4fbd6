//! `.proto` files that a person wrote: read by name only, so that contracts can use their messages before everything is
//! compiled together.

use crate::config::Builder;
use crate::environment::Environment;
use crate::files;
use heck::{ToSnakeCase, ToUpperCamelCase};
use prost_types::DescriptorProto;
use rpc_schema::resolve::{External, NamedKind};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The files of [`Builder::proto`].
#[derive(Debug, Default)]
pub(crate) struct HandWritten {
    /// Their messages, as contracts name them.
    pub(crate) types: Vec<External>,
    /// Their text, by import name.
    pub(crate) texts: BTreeMap<String, String>,
    /// Where they lie.
    pub(crate) files: Vec<PathBuf>,
}

impl HandWritten {
    /// Reads the files. One that is missing or does not parse is reported by the compilation.
    pub(crate) fn read(builder: &Builder, environment: &Environment) -> Self {
        let mut read = Self::default();
        for proto in &builder.protos {
            let path = files::normal(&environment.manifest_dir.join(proto));
            let name = import_name(&path, builder, environment);
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            if let Ok(file) = protox::file::File::from_source(&name, &text) {
                let file = file.file_descriptor_proto();
                let module = builder
                    .generated_paths
                    .iter()
                    .find(|(package, _)| package == file.package())
                    .map_or(builder.crate_path.as_str(), |(_, module)| module.as_str());
                let path: Vec<String> = module
                    .trim_start_matches("::")
                    .split("::")
                    .map(str::to_owned)
                    .collect();
                for message in &file.message_type {
                    read.add(message, file.package(), &path, &name, builder);
                }
            }
            read.texts.insert(name, text);
            read.files.push(path);
        }
        read
    }

    fn add(
        &mut self,
        message: &DescriptorProto,
        scope: &str,
        path: &[String],
        file: &str,
        builder: &Builder,
    ) {
        let full_name = format!("{scope}.{}", message.name());
        let given = builder
            .extern_paths
            .iter()
            .find(|(proto, _)| proto.trim_start_matches('.') == full_name);
        let with = |name: String| {
            let mut path = path.to_vec();
            path.push(name);
            path
        };
        let rust_path = match given {
            Some((_, rust)) => rust
                .trim_start_matches("::")
                .split("::")
                .map(str::to_owned)
                .collect(),
            None => with(message.name().to_upper_camel_case()),
        };
        self.types.push(External {
            rust_path,
            full_name: full_name.clone(),
            kind: NamedKind::Message,
            proto_file: file.to_owned(),
        });
        let below = with(message.name().to_snake_case());
        for nested in &message.nested_type {
            self.add(nested, &full_name, &below, file, builder);
        }
    }
}

/// How a file is imported: its path below an include directory, the proto directory or the crate.
fn import_name(path: &Path, builder: &Builder, environment: &Environment) -> String {
    let manifest = &environment.manifest_dir;
    builder
        .includes
        .iter()
        .chain([&builder.proto_directory])
        .map(|folder| files::normal(&manifest.join(folder)))
        .chain([files::normal(manifest)])
        .find_map(|folder| path.strip_prefix(folder).ok())
        .unwrap_or(path)
        .to_string_lossy()
        .replace('\\', "/")
}
