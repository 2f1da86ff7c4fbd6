//! URIs of RFC 3986, with the zones of RFC 6874.

use super::is_ipv6;

/// `scheme ":" hier-part [ "?" query ] [ "#" fragment ]` (section 3).
pub(super) fn is_uri(text: &str) -> bool {
    let (text, fragment) = split_optional(text, '#');
    let (text, query) = split_optional(text, '?');
    let Some((scheme, hierarchy)) = text.split_once(':') else {
        return false;
    };
    let in_query = |part: &str| is_made_of(part, |byte| is_pchar(byte) || b"/?".contains(&byte));
    let path = match hierarchy.strip_prefix("//") {
        Some(rest) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            if !is_authority(authority) {
                return false;
            }
            path
        }
        None => hierarchy,
    };
    is_scheme(scheme)
        && is_made_of(path, |byte| is_pchar(byte) || byte == b'/')
        && query.is_none_or(in_query)
        && fragment.is_none_or(in_query)
}

/// What stands before a mark, and what stands behind it where there is one.
fn split_optional(text: &str, mark: char) -> (&str, Option<&str>) {
    match text.split_once(mark) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// A letter, then letters, digits, `+`, `-` and `.` (section 3.1).
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// `[ userinfo "@" ] host [ ":" port ]` (section 3.2).
fn is_authority(text: &str) -> bool {
    let (user, rest) = match text.split_once('@') {
        Some((user, rest)) => (user, rest),
        None => ("", text),
    };
    let host_end = match rest.rfind(']') {
        Some(bracket) if rest.starts_with('[') => bracket + 1,
        _ => rest.find(':').unwrap_or(rest.len()),
    };
    let (host, port) = rest.split_at(host_end);
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    is_made_of(user, |byte| {
        is_unreserved(byte) || is_sub_delim(byte) || byte == b':'
    }) && is_host(host)
        && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

/// An address in brackets, or a registered name, which may be empty (section 3.2.2).
fn is_host(text: &str) -> bool {
    match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        Some(literal) => is_literal(literal),
        None => {
            is_made_of(text, |byte| is_unreserved(byte) || is_sub_delim(byte)) && is_utf8_when_decoded(text)
        }
    }
}

/// An IPv6 address, with or without a zone, or an address of a version to come.
fn is_literal(text: &str) -> bool {
    if let Some(future) = text.strip_prefix(['v', 'V']) {
        return future.split_once('.').is_some_and(|(version, address)| {
            !version.is_empty()
                && version.bytes().all(|byte| byte.is_ascii_hexdigit())
                && !address.is_empty()
                && address
                    .bytes()
                    .all(|byte| is_unreserved(byte) || is_sub_delim(byte) || byte == b':')
        });
    }
    match text.split_once("%25") {
        Some((address, zone)) => {
            is_ipv6(address)
                && !zone.is_empty()
                && is_made_of(zone, is_unreserved)
                && is_utf8_when_decoded(zone)
        }
        None => is_ipv6(text),
    }
}

/// Whether all of `text` is of `allowed` bytes and of percent-encoded ones (section 2.1).
fn is_made_of(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let fine = match byte {
            b'%' => [bytes.next(), bytes.next()]
                .iter()
                .all(|digit| digit.is_some_and(|digit| digit.is_ascii_hexdigit())),
            byte => allowed(byte),
        };
        if !fine {
            return false;
        }
    }
    true
}

/// Whether the bytes are UTF-8 once percent-encoding is taken off. `text` was found to be well encoded.
fn is_utf8_when_decoded(text: &str) -> bool {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |byte: u8| (byte as char).to_digit(16).unwrap_or_default() as u8;
                decoded.push(digit(*high) << 4 | digit(*low));
                rest = after;
            }
            _ => decoded.push(*first),
        }
    }
    std::str::from_utf8(&decoded).is_ok()
}

fn is_pchar(byte: u8) -> bool {
    is_unreserved(byte) || is_sub_delim(byte) || b":@".contains(&byte)
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn is_sub_delim(byte: u8) -> bool {
    b"!$&'()*+,;=".contains(&byte)
}
