//! The known forms of strings, as protovalidate defines them; `tests/protovalidate` compares the two.

mod uri;

use std::net::{Ipv4Addr, Ipv6Addr};

use super::rule::Format;

impl Format {
    /// Whether `text` has this form. An empty string has none of them.
    #[must_use]
    pub fn holds_for(self, text: &str) -> bool {
        match self {
            Format::Email => is_email(text),
            Format::Uuid => is_uuid(text),
            Format::Uri => uri::is_uri(text),
            Format::Hostname => is_hostname(text),
            Format::Ip => is_ip(text),
        }
    }
}

/// What HTML's `<input type="email">` takes: no quoted names, no comments, no characters beyond ASCII.
fn is_email(text: &str) -> bool {
    let Some((name, host)) = text.split_once('@') else {
        return false;
    };
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    !name.is_empty() && name.bytes().all(in_name) && host.split('.').all(is_label)
}

/// Eight, four, four, four and twelve hexadecimal digits, with dashes between.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// RFC 1123, section 2.1: labels of letters, digits and dashes, 253 bytes in all, the last one not a number, so that an
/// address is no name. One dot may follow.
fn is_hostname(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    let last = name.rsplit('.').next().unwrap_or(name);
    text.len() <= 253 + usize::from(text.ends_with('.'))
        && name.split('.').all(is_label)
        && !last.bytes().all(|byte| byte.is_ascii_digit())
}

/// One to 63 letters, digits and dashes, with no dash at either end.
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// An address of version 4, or of version 6 with an optional zone.
fn is_ip(text: &str) -> bool {
    if text.parse::<Ipv4Addr>().is_ok() {
        return true;
    }
    let (address, zone) = match text.split_once('%') {
        Some((address, zone)) => (address, Some(zone)),
        None => (text, None),
    };
    is_ipv6(address) && zone.is_none_or(|zone| !zone.is_empty() && !zone.contains('\0'))
}

/// An address of version 6, RFC 4291, section 2.2.
fn is_ipv6(text: &str) -> bool {
    text.parse::<Ipv6Addr>().is_ok()
}
