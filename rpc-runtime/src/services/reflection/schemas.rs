//! The schema files of all that an endpoint serves: each crate's set as it was compiled, and what of them is asked for.
//!
//! A set is whole in itself. Sets are put together file by file; where two crates have different files of one name, or declare one
//! name in different files, no set has them both, and whoever asks for them together is told.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use prost::{
    DecodeError, Message,
    encoding::{self, WireType},
};
use prost_types::{DescriptorProto, FileDescriptorProto};

use super::SchemaFile;
use crate::Status;

/// Where a `FileDescriptorSet` has its files.
const FILE: u32 = 1;

/// Where a `FileDescriptorProto` has its services.
const SERVICE: i32 = 6;

/// Where a `FileDescriptorProto` has its comments.
const SOURCE_CODE_INFO: u32 = 9;

/// So many characters of a symbol that is not there are told back.
const LONGEST_TOLD: usize = 255;

/// The schemas of an endpoint.
#[derive(Debug, Default)]
pub(crate) struct Schemas {
    sets: Vec<Set>,
}

/// The schemas of one crate, with all that they import.
#[derive(Debug, Default)]
struct Set {
    /// Each behind those that it imports.
    files: Vec<File>,
    /// Which of them declares a service, message or enum.
    declared: HashMap<String, usize>,
    /// What comments say of services.
    docs: HashMap<String, String>,
}

#[derive(Debug)]
struct File {
    name: String,
    imports: Vec<String>,
    symbols: Vec<String>,
    /// Of its services.
    docs: Vec<(String, String)>,
    /// A slice of what the program was linked with.
    descriptor: Bytes,
}

impl Schemas {
    /// Takes in the sets of gateways and events. Most are the same: there is one for each crate.
    pub(super) fn of(sets: impl Iterator<Item = &'static [u8]>) -> Self {
        let mut seen = HashSet::new();
        let mut schemas = Self::default();
        for set in sets.filter(|set| !set.is_empty()) {
            if !seen.insert(set) {
                continue;
            }
            match Set::decode(set) {
                Ok(set) => schemas.sets.push(set),
                Err(error) => tracing::error!(%error, "the schemas that a gateway carries do not decode"),
            }
        }
        schemas
    }

    /// Whether a service, message or enum is in one of them.
    pub(super) fn declares(&self, symbol: &str) -> bool {
        self.sets.iter().any(|set| set.declared.contains_key(symbol))
    }

    /// What a service's comment says. A generated gateway has the docs of its contract nowhere else.
    pub(super) fn docs(&self, service: &str) -> Option<&str> {
        self.sets
            .iter()
            .find_map(|set| set.docs.get(service))
            .map(String::as_str)
    }

    /// The files that declare these symbols, and all that those import, each behind what it imports. Everything without symbols.
    pub(super) fn files(&self, symbols: &[String]) -> Result<Vec<SchemaFile>, Status> {
        let mut merged = Merged::default();
        if symbols.is_empty() {
            for set in &self.sets {
                merged.add(set.files.iter())?;
            }
        }
        let mut asked = HashSet::new();
        for symbol in symbols {
            let mut sets = self.sets.iter().enumerate();
            let found = sets.find_map(|(number, set)| Some((number, *set.declared.get(symbol)?)));
            // Of a symbol that is none, as much as tells which it was: it may be as long as a message.
            let missing = || Status::not_found(format!("no schema here declares `{symbol:.LONGEST_TOLD$}`"));
            let (number, at) = found.ok_or_else(missing)?;
            // Most symbols of a crate stand in one file, which need not be looked at for each of them.
            if asked.insert((number, at)) {
                merged.add(self.sets[number].with_imports(at))?;
            }
        }
        let files = merged.files.into_iter();
        Ok(files
            .map(|file| SchemaFile {
                name: file.name.clone(),
                descriptor: file.descriptor.clone(),
            })
            .collect())
    }
}

impl Set {
    fn decode(set: &'static [u8]) -> Result<Self, DecodeError> {
        let mut decoded = Self::default();
        for field in fields(set) {
            let (number, value, _) = field?;
            let Some(file) = value.filter(|_| number == FILE) else {
                continue;
            };
            let mut file = File::decode(file)?;
            let at = decoded.files.len();
            let symbols = file.symbols.iter().map(|symbol| (symbol.clone(), at));
            decoded.declared.extend(symbols);
            decoded.docs.extend(file.docs.drain(..));
            decoded.files.push(file);
        }
        Ok(decoded)
    }

    /// A file and all that it imports, each behind what it imports.
    fn with_imports(&self, at: usize) -> impl Iterator<Item = &File> {
        let mut needed = HashSet::from([self.files[at].name.as_str()]);
        // Importers come behind what they import, so that one look from the end sees all.
        for file in self.files[..=at].iter().rev() {
            if needed.contains(file.name.as_str()) {
                needed.extend(file.imports.iter().map(String::as_str));
            }
        }
        self.files
            .iter()
            .filter(move |file| needed.contains(file.name.as_str()))
    }
}

impl File {
    fn decode(bytes: &'static [u8]) -> Result<Self, DecodeError> {
        let file = FileDescriptorProto::decode(bytes)?;
        let mut symbols = Vec::new();
        let package = file.package();
        for message in &file.message_type {
            declare(&mut symbols, package, message);
        }
        let enums = file.enum_type.iter().map(|item| item.name());
        let services = file.service.iter().map(|service| service.name());
        symbols.extend(enums.chain(services).map(|name| qualified(package, name)));
        Ok(Self {
            name: file.name().to_owned(),
            docs: docs_of_services(&file),
            symbols,
            imports: file.dependency,
            descriptor: Bytes::from_static(bytes),
        })
    }

    /// What of it is not comments.
    fn without_comments(&self) -> Vec<&[u8]> {
        fields(&self.descriptor)
            .filter_map(Result::ok)
            .filter(|(number, ..)| *number != SOURCE_CODE_INFO)
            .map(|(.., whole)| whole)
            .collect()
    }
}

/// What comments say of the services of a file, by their full names.
fn docs_of_services(file: &FileDescriptorProto) -> Vec<(String, String)> {
    let places = file.source_code_info.iter().flat_map(|info| &info.location);
    places
        .filter_map(|place| {
            let [SERVICE, at] = place.path[..] else {
                return None;
            };
            let service = file.service.get(usize::try_from(at).ok()?)?;
            let lines = place.leading_comments().trim_end().lines();
            let lines: Vec<&str> = lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
            Some((qualified(file.package(), service.name()), lines.join("\n")))
        })
        .collect()
}

/// A message, and what is declared inside of it.
fn declare(symbols: &mut Vec<String>, scope: &str, message: &DescriptorProto) {
    let name = qualified(scope, message.name());
    for nested in &message.nested_type {
        declare(symbols, &name, nested);
    }
    symbols.extend(message.enum_type.iter().map(|item| qualified(&name, item.name())));
    symbols.push(name);
}

fn qualified(scope: &str, name: &str) -> String {
    match scope {
        "" => name.to_owned(),
        scope => format!("{scope}.{name}"),
    }
}

/// Files of several sets.
#[derive(Default)]
struct Merged<'a> {
    files: Vec<&'a File>,
    by_name: HashMap<&'a str, usize>,
    /// Which file declares what.
    declared: HashMap<&'a str, &'a str>,
}

impl<'a> Merged<'a> {
    /// Adds the files of a set, in their order.
    fn add(&mut self, files: impl Iterator<Item = &'a File>) -> Result<(), Status> {
        for file in files {
            let Some(&at) = self.by_name.get(file.name.as_str()) else {
                for symbol in &file.symbols {
                    if let Some(other) = self.declared.insert(symbol, &file.name) {
                        return Err(conflict(&format!(
                            "{symbol} is declared in {other:?} and in {:?}",
                            file.name
                        )));
                    }
                }
                self.by_name.insert(&file.name, self.files.len());
                self.files.push(file);
                continue;
            };
            let known = &mut self.files[at];
            if known.descriptor == file.descriptor {
                continue;
            }
            if known.without_comments() != file.without_comments() {
                return Err(conflict(&format!(
                    "two crates have different files of the name {:?}",
                    file.name
                )));
            }
            // Who imports a file may have no comments of it.
            if known.descriptor.len() < file.descriptor.len() {
                *known = file;
            }
        }
        Ok(())
    }
}

fn conflict(what: &str) -> Status {
    Status::failed_precondition(format!(
        "these schemas do not go together: {what}; ask for one symbol at a time"
    ))
}

type Field<'a> = (u32, Option<&'a [u8]>, &'a [u8]);

/// The fields of an encoded message: the number of each, its value where it has a length, and all of its bytes.
fn fields(message: &[u8]) -> impl Iterator<Item = Result<Field<'_>, DecodeError>> {
    let mut rest = message;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let field = next(&mut rest);
        if field.is_err() {
            rest = &[];
        }
        Some(field)
    })
}

fn next<'a>(rest: &mut &'a [u8]) -> Result<Field<'a>, DecodeError> {
    let all = *rest;
    let (number, wire_type) = encoding::decode_key(rest)?;
    let mut value = *rest;
    encoding::skip_field(wire_type, number, rest, Default::default())?;
    let whole = &all[..all.len() - rest.len()];
    if wire_type != WireType::LengthDelimited {
        return Ok((number, None, whole));
    }
    encoding::decode_varint(&mut value)?;
    Ok((number, Some(&value[..value.len() - rest.len()]), whole))
}

#[cfg(test)]
mod tests;
