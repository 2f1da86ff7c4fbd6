//! Metadata as the command line has it.

use rpc_runtime::Metadata;

use crate::failure::{Exit, Failure};

/// All of it, from texts such as `tenant: acme`.
pub(crate) fn parse(texts: &[String]) -> Result<Metadata, Failure> {
    let mut metadata = Metadata::default();
    for text in texts {
        match Pair::parse(text)? {
            Pair::Text(key, value) => metadata.append(key, value),
            Pair::Binary(key, value) => metadata.append_bin(key, value),
        }
    }
    Ok(metadata)
}

/// Whether the values of a key are bytes, which are base64 on the command line.
pub(crate) fn is_binary(key: &str) -> bool {
    key.ends_with("-bin")
}

/// Bytes as the command line has them.
pub(crate) fn binary_text(value: &[u8]) -> String {
    data_encoding::BASE64.encode(value)
}

/// One of them.
#[derive(Debug, PartialEq)]
enum Pair {
    Text(String, String),
    Binary(String, Vec<u8>),
}

impl Pair {
    /// From `key: value`.
    fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = |why: &str| Failure::new(Exit::Usage, format!("metadata `{text}`: {why}"));
        let (key, value) = text.split_once(':').ok_or_else(|| wrong("write `key: value`"))?;
        let key = key.trim().to_lowercase();
        let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if key.is_empty() || !key.chars().all(is_key) {
            return Err(wrong("a key has letters, digits, `-`, `_` and `.`"));
        }
        let value = value.trim();
        if !is_binary(&key) {
            return Ok(Self::Text(key, value.to_owned()));
        }
        let base64 = data_encoding::BASE64.decode(value.as_bytes());
        let base64 = base64.or_else(|_| data_encoding::BASE64_NOPAD.decode(value.as_bytes()));
        let bytes = base64.map_err(|_| wrong("the value of a key that ends in -bin is base64"))?;
        Ok(Self::Binary(key, bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_text_or_bytes_by_its_key() {
        let text = |key: &str, value: &str| Pair::Text(key.to_owned(), value.to_owned());
        assert_eq!(Pair::parse("Tenant: acme").unwrap(), text("tenant", "acme"));
        assert_eq!(Pair::parse("a:b:c").unwrap(), text("a", "b:c"));
        assert_eq!(
            Pair::parse("k-bin: AQI=").unwrap(),
            Pair::Binary("k-bin".to_owned(), vec![1, 2])
        );
        assert_eq!(
            Pair::parse("k-bin: AQI").unwrap(),
            Pair::Binary("k-bin".to_owned(), vec![1, 2])
        );
        for wrong in ["tenant", ": x", "a b: c", "k-bin: !"] {
            assert_eq!(Pair::parse(wrong).unwrap_err().exit, Exit::Usage, "{wrong}");
        }
    }
}
