//! Names: case conversion, what protobuf accepts, and the hash that addresses methods.

/// FNV-1a, 64 bits, over UTF-8.
///
/// Methods are addressed on the wire by this hash of their full name (`task.TaskService/AddTask`), and the build step
/// names its environment variables with it.
///
/// ```
/// assert_eq!(rpc_schema::names::fnv1a64(""), 0xcbf2_9ce4_8422_2325);
/// assert_eq!(rpc_schema::names::fnv1a64("a"), 0xaf63_dc4c_8601_ec8c);
/// assert_eq!(rpc_schema::names::fnv1a64("foobar"), 0x8594_4171_f739_67e8);
/// ```
pub const fn fnv1a64(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut at = 0;
    while at < bytes.len() {
        hash ^= bytes[at] as u64;
        hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    hash
}

/// What is wrong with a method's own number that is the hash of another's name.
pub fn number_of_a_name(method: &str, number: u64, other: &str) -> String {
    format!(
        "the number {number:#018x} of `{method}` is what the name of `{other}` comes out as, and clients that are made \
         from a `.proto` call `{other}` by that; give `{method}` another with `#[message(number = …)]`"
    )
}

/// The name of the oneof that an enum with data is written as. It is not on the wire.
pub const ONEOF_NAME: &str = "kind";

/// A Rust identifier without its `r#`.
pub fn plain(ident: &syn::Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").map(str::to_owned).unwrap_or(text)
}

/// `AddTask` → `add_task`, `HTTPServer2` → `http_server2`.
pub fn snake_case(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 4);
    for (at, &c) in chars.iter().enumerate() {
        if c.is_ascii_uppercase() {
            let after_lower =
                at > 0 && (chars[at - 1].is_ascii_lowercase() || chars[at - 1].is_ascii_digit());
            let before_lower = chars.get(at + 1).is_some_and(char::is_ascii_lowercase);
            let after_upper = at > 0 && chars[at - 1].is_ascii_uppercase();
            if after_lower || (after_upper && before_lower) {
                out.push('_');
            }
            out.push(c.to_ascii_lowercase());
        } else {
            out.push(c);
        }
    }
    out
}

/// `get_all` → `GetAll`.
pub fn upper_camel_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for part in name.split('_').filter(|part| !part.is_empty()) {
        let mut chars = part.chars();
        if let Some(first) = chars.next() {
            out.push(first.to_ascii_uppercase());
            out.push_str(chars.as_str());
        }
    }
    out
}

/// `HighPriority` → `HIGH_PRIORITY`.
pub fn shouty_snake_case(name: &str) -> String {
    snake_case(name).to_ascii_uppercase()
}

/// Whether protobuf accepts this as an identifier: a letter or underscore, then letters, digits and underscores.
pub fn is_proto_ident(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether this is a package: lower-case identifiers joined by dots, as `buf lint` and the style guide want them.
pub fn is_package(name: &str) -> bool {
    name.split('.').all(|part| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    })
}

/// Where a package's schema lies by default, relative to the crate: `task.v1` → `protos/task/v1/v1.proto`.
pub fn default_proto_path(package: &str) -> String {
    let last = package.rsplit('.').next().unwrap_or(package);
    format!("protos/{}/{last}.proto", package.replace('.', "/"))
}

/// The JSON name protobuf derives from a field's name: `min_len` → `minLen`.
pub fn json_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        match c {
            '_' => upper = true,
            c if upper => {
                out.push(c.to_ascii_uppercase());
                upper = false;
            }
            c => out.push(c),
        }
    }
    out
}

/// Words that Rust keeps for itself, in any edition that there is.
const KEYWORDS: [&str; 51] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual",
    "where", "while", "yield",
];

/// Whether Rust keeps this word in lower case for itself, in any edition that there is.
pub fn is_keyword(word: &str) -> bool {
    KEYWORDS.contains(&word)
}

/// What may have been meant by a name that there is not: what is called most like it, if that is much like it.
pub fn closest<T>(name: &str, known: impl IntoIterator<Item = (impl AsRef<str>, T)>) -> Option<T> {
    let close = known.into_iter().filter_map(|(known, it)| {
        let known = known.as_ref();
        let distance = strsim::damerau_levenshtein(known, name);
        (distance <= 1 + known.len() / 4).then_some((distance, it))
    });
    close.min_by_key(|(distance, _)| *distance).map(|(_, it)| it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_name_is_meant_if_it_is_close() {
        let known = || ["add", "unique", "min_items", "max_items"].map(|name| (name, name));
        for (name, meant) in [
            ("uniqe", Some("unique")),
            ("min_item", Some("min_items")),
            ("mix_items", Some("min_items")),
            ("dad", Some("add")),
            ("remove", None),
            ("", None),
        ] {
            assert_eq!(closest(name, known()), meant, "{name}");
        }
    }

    #[test]
    fn keywords_are_no_names() {
        assert!(is_keyword("gen") && is_keyword("self") && is_keyword("type"));
        assert!(!is_keyword("") && !is_keyword("task") && !is_keyword("Type"));
    }

    #[test]
    fn case_conversions_round_trip_the_usual_names() {
        for (camel, snake) in [
            ("AddTask", "add_task"),
            ("GetAll", "get_all"),
            ("Quote", "quote"),
            ("V1Beta", "v1_beta"),
        ] {
            assert_eq!(snake_case(camel), snake);
            assert_eq!(upper_camel_case(snake), camel);
        }
        assert_eq!(snake_case("HTTPServer"), "http_server");
        assert_eq!(shouty_snake_case("HighPriority"), "HIGH_PRIORITY");
        assert_eq!(json_name("min_len"), "minLen");
    }

    #[test]
    fn packages_are_lower_case_identifiers_joined_by_dots() {
        assert!(is_package("task"));
        assert!(is_package("acme.task_list.v1"));
        for bad in ["", "Task", "task-list", "task..v1", ".task", "1task", "tasks!"] {
            assert!(!is_package(bad), "{bad}");
        }
    }

    #[test]
    fn a_package_says_where_its_schema_lies() {
        assert_eq!(default_proto_path("task"), "protos/task/task.proto");
        assert_eq!(default_proto_path("acme.task.v1"), "protos/acme/task/v1/v1.proto");
    }
}
