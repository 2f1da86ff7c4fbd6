//! Metadata: keys and values beside the messages of a call.

use bytes::Bytes;
use rpc_protocol::frame::Metadata as Pair;

/// Keys and values that travel with a call. Keys are lower case; those that end in `-bin` have bytes as values. A key
/// may occur several times.
///
/// ```
/// use rpc_runtime::Metadata;
///
/// let mut metadata = Metadata::new();
/// metadata.append("tag", "a");
/// metadata.append("tag", "b");
/// metadata.insert_bin("key-bin", vec![1, 2]);
/// assert_eq!(metadata.get_all("tag").collect::<Vec<_>>(), ["a", "b"]);
/// metadata.insert("tag", "c");
/// assert_eq!(metadata.get("tag"), Some("c"));
/// assert_eq!(metadata.len(), 2);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata(Vec<Pair>);

impl Metadata {
    /// No metadata.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The first text value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.pairs(key).map(|pair| pair.value.as_str()).next()
    }

    /// The first binary value of a key, which ends in `-bin`.
    pub fn get_bin(&self, key: &str) -> Option<&[u8]> {
        self.pairs(key).map(|pair| &*pair.binary).next()
    }

    /// All text values of a key, in the order they were sent.
    pub fn get_all(&self, key: &str) -> impl Iterator<Item = &str> {
        self.pairs(key).map(|pair| pair.value.as_str())
    }

    /// All binary values of a key, in the order they were sent.
    pub fn get_all_bin(&self, key: &str) -> impl Iterator<Item = &[u8]> {
        self.pairs(key).map(|pair| &*pair.binary)
    }

    /// Whether a key is there.
    pub fn contains(&self, key: &str) -> bool {
        self.pairs(key).next().is_some()
    }

    /// The keys, in the order they were sent, as often as they occur.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|pair| pair.key.as_str())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds a text value, beside those that the key has. Keys are made lower case; under one that ends in `-bin` the text
    /// is sent as bytes.
    pub fn append(&mut self, key: impl Into<String>, value: impl Into<String>) {
        let (key, value) = (lower(key.into()), value.into());
        self.0.push(if key.ends_with(BINARY) {
            Pair::binary(key, value)
        } else {
            Pair::text(key, value)
        });
    }

    /// Adds a binary value, beside those that the key has. Keys are made lower case; one that does not end in `-bin` is made
    /// to.
    pub fn append_bin(&mut self, key: impl Into<String>, value: impl Into<Bytes>) {
        self.0.push(Pair::binary(binary(key.into()), value));
    }

    /// Sets the one text value of a key, as [`append`](Self::append) adds one.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<String>) {
        let key = key.into();
        self.remove(&key);
        self.append(key, value);
    }

    /// Sets the one binary value of a key, as [`append_bin`](Self::append_bin) adds one.
    pub fn insert_bin(&mut self, key: impl Into<String>, value: impl Into<Bytes>) {
        let key = binary(key.into());
        self.remove(&key);
        self.append_bin(key, value);
    }

    /// Takes a key out, with all its values. Whether it was there.
    pub fn remove(&mut self, key: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|pair| !pair.key.eq_ignore_ascii_case(key));
        self.0.len() < before
    }

    /// Adds all of `other`, behind what is here.
    pub fn extend(&mut self, other: Metadata) {
        self.0.extend(other.0);
    }

    pub(crate) fn into_pairs(self) -> Vec<Pair> {
        self.0
    }

    fn pairs<'a>(&'a self, key: &str) -> impl Iterator<Item = &'a Pair> {
        self.0
            .iter()
            .filter(move |pair| pair.key.eq_ignore_ascii_case(key))
    }
}

/// What keys of binary values end in.
const BINARY: &str = "-bin";

fn binary(key: String) -> String {
    let mut key = lower(key);
    if !key.ends_with(BINARY) {
        key.push_str(BINARY);
    }
    key
}

/// Keys are lower case on the wire, as in HTTP/2.
fn lower(mut key: String) -> String {
    key.make_ascii_lowercase();
    key
}

impl From<Vec<Pair>> for Metadata {
    fn from(pairs: Vec<Pair>) -> Self {
        Self(pairs)
    }
}
