//! Reading what proxies say of where a request came from: `X-Forwarded-For`, and `Forwarded` (RFC 7239).
//!
//! Read from the end, and no further than it takes: what stands at the beginning may be anybody's.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::{HeaderMap, HeaderName, header};

/// What stands where an address should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The addresses in `X-Forwarded-For`, the last first.
pub(super) fn x_forwarded_for(headers: &HeaderMap) -> impl Iterator<Item = Result<IpAddr, Unreadable>> {
    values_from_the_end(headers, X_FORWARDED_FOR)
        .flat_map(|value| value.rsplit(|byte| *byte == b','))
        .map(|part| address(part.trim_ascii()))
}

/// The `for` of each element in `Forwarded`, the last first. One without is unreadable, as one that is hidden is.
pub(super) fn forwarded(headers: &HeaderMap) -> impl Iterator<Item = Result<IpAddr, Unreadable>> {
    values_from_the_end(headers, header::FORWARDED)
        .flat_map(|value| elements(value).into_iter().rev())
        .map(|element| element.ok_or(Unreadable).and_then(of_element))
}

/// The first address that is not passed over, else the last that was; `None` where there are none at all.
pub(super) fn last(
    addresses: impl Iterator<Item = Result<IpAddr, Unreadable>>,
    passed_over: impl Fn(IpAddr) -> bool,
) -> Option<Result<IpAddr, Unreadable>> {
    let mut last = None;
    for address in addresses {
        last = Some(address);
        match address {
            Ok(address) if passed_over(address) => {}
            _ => break,
        }
    }
    last
}

fn values_from_the_end(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &[u8]> {
    let values: Vec<_> = headers.get_all(name).iter().collect();
    values.into_iter().rev().map(|value| value.as_bytes())
}

/// The elements of a value, which commas part that are not quoted. A quotation that does not end is no element.
fn elements(value: &[u8]) -> Vec<Option<&[u8]>> {
    let (whole, mut parts) = split(value, b',');
    if !whole && let Some(last) = parts.last_mut() {
        *last = &[];
    }
    parts
        .into_iter()
        .map(|part| Some(part.trim_ascii()).filter(|part| !part.is_empty()))
        .collect()
}

/// Splits where a separator is not quoted. Whether every quotation ends comes first.
fn split(value: &[u8], separator: u8) -> (bool, Vec<&[u8]>) {
    let (mut parts, mut begin) = (Vec::new(), 0);
    let (mut quoted, mut escaped) = (false, false);
    for (index, byte) in value.iter().enumerate() {
        if escaped {
            escaped = false;
        } else if quoted && *byte == b'\\' {
            escaped = true;
        } else if *byte == b'"' {
            quoted = !quoted;
        } else if *byte == separator && !quoted {
            parts.push(&value[begin..index]);
            begin = index + 1;
        }
    }
    parts.push(&value[begin..]);
    (!quoted, parts)
}

/// The address of `for=…` among the pairs of an element.
fn of_element(element: &[u8]) -> Result<IpAddr, Unreadable> {
    let (_, pairs) = split(element, b';');
    let mut found = Err(Unreadable);
    for pair in pairs {
        let end = pair.iter().position(|byte| *byte == b'=').ok_or(Unreadable)?;
        let (name, value) = (pair[..end].trim_ascii(), pair[end + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"for") {
            // Two of them say nothing.
            if found.is_ok() {
                return Err(Unreadable);
            }
            let unquoted = value
                .strip_prefix(b"\"")
                .and_then(|value| value.strip_suffix(b"\""));
            found = Ok(address(unquoted.unwrap_or(value))?);
        }
    }
    found
}

/// An address, with or without a port; of IPv6 with or without brackets.
fn address(text: &[u8]) -> Result<IpAddr, Unreadable> {
    let text = std::str::from_utf8(text).map_err(|_| Unreadable)?;
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(address.to_canonical());
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(address.ip().to_canonical());
    }
    let inner = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .ok_or(Unreadable)?;
    inner
        .parse::<Ipv6Addr>()
        .map(|address| IpAddr::from(address).to_canonical())
        .map_err(|_| Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn read(name: HeaderName, values: &[&str]) -> Vec<Option<String>> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(&name, value.parse().unwrap());
        }
        let text = |address: Result<IpAddr, _>| address.ok().map(|address: IpAddr| address.to_string());
        match name == X_FORWARDED_FOR {
            true => x_forwarded_for(&headers).map(text).collect(),
            false => forwarded(&headers).map(text).collect(),
        }
    }

    fn addresses(addresses: &[&str]) -> Vec<Option<String>> {
        addresses
            .iter()
            .map(|address| (!address.is_empty()).then(|| (*address).to_owned()))
            .collect()
    }

    #[test]
    fn addresses_are_read_from_the_end_with_ports_and_brackets() {
        let read = |values: &[&str]| read(X_FORWARDED_FOR, values);
        assert_eq!(
            read(&["192.0.2.1, 192.0.2.2", "192.0.2.3:80 ,[2001:db8::1]:80"]),
            addresses(&["2001:db8::1", "192.0.2.3", "192.0.2.2", "192.0.2.1"])
        );
        assert_eq!(
            read(&["2001:db8::1,[2001:db8::2],::ffff:192.0.2.1"]),
            addresses(&["192.0.2.1", "2001:db8::2", "2001:db8::1"])
        );
        assert_eq!(read(&["unknown,, a.example"]), addresses(&["", "", ""]));
        assert_eq!(read(&[]), addresses(&[]));
    }

    #[test]
    fn the_examples_of_rfc_7239_are_read_and_hidden_ones_are_none() {
        let read = |values: &[&str]| read(header::FORWARDED, values);
        assert_eq!(read(&["for=\"_gazonk\""]), addresses(&[""]));
        assert_eq!(
            read(&["For=\"[2001:db8:cafe::17]:4711\""]),
            addresses(&["2001:db8:cafe::17"])
        );
        assert_eq!(
            read(&["for=192.0.2.60;proto=http;by=203.0.113.43"]),
            addresses(&["192.0.2.60"])
        );
        assert_eq!(
            read(&["for=192.0.2.43, for=198.51.100.17", "for=unknown"]),
            addresses(&["", "198.51.100.17", "192.0.2.43"])
        );
        // A comma and a semicolon in quotation marks part nothing.
        assert_eq!(
            read(&["for=192.0.2.43;by=\"a,b;\\\"for=6.6.6.6\""]),
            addresses(&["192.0.2.43"])
        );
        for none in [
            "proto=http",
            "for",
            "for=192.0.2.1;for=192.0.2.2",
            "for=\"192.0.2.1",
            "",
        ] {
            assert_eq!(read(&[none]), addresses(&[""]), "{none:?}");
        }
    }

    proptest! {
        #[test]
        fn no_value_of_a_header_makes_reading_panic(value in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                let mut headers = HeaderMap::new();
                headers.append(X_FORWARDED_FOR, value.clone());
                headers.append(header::FORWARDED, value);
                let _ = x_forwarded_for(&headers).count();
                let _ = forwarded(&headers).count();
            }
        }

        /// Whatever a client invents before it, what the proxy adds is found.
        #[test]
        fn what_is_added_behind_is_read_first(invented in "[ -~]{0,60}", added: IpAddr) {
            let mut headers = HeaderMap::new();
            headers.append(X_FORWARDED_FOR, format!("{invented}, {added}").parse().unwrap());
            prop_assert_eq!(x_forwarded_for(&headers).next(), Some(Ok(added.to_canonical())));
            let mut headers = HeaderMap::new();
            headers.append(header::FORWARDED, invented.parse().unwrap());
            headers.append(header::FORWARDED, format!("for=\"{}\"", bracketed(added)).parse().unwrap());
            prop_assert_eq!(forwarded(&headers).next(), Some(Ok(added.to_canonical())));
        }

        #[test]
        fn every_address_is_read_as_it_is_written(list in proptest::collection::vec(any::<(IpAddr, u16)>(), 1..8)) {
            let of = |write: fn(&(IpAddr, u16)) -> String| list.iter().map(write).collect::<Vec<_>>().join(",");
            let mut headers = HeaderMap::new();
            let plain = of(|(address, _)| address.to_string());
            headers.append(X_FORWARDED_FOR, plain.parse().unwrap());
            let quoted = of(|(address, port)| format!("for=\"{}\"", SocketAddr::from((*address, *port))));
            headers.append(header::FORWARDED, quoted.parse().unwrap());
            let expected: Vec<_> = list.iter().rev().map(|(address, _)| Ok(address.to_canonical())).collect();
            prop_assert_eq!(x_forwarded_for(&headers).collect::<Vec<_>>(), expected.clone());
            prop_assert_eq!(forwarded(&headers).collect::<Vec<_>>(), expected);
        }
    }

    fn bracketed(address: IpAddr) -> String {
        match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        }
    }
}
