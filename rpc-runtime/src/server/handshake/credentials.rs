//! Where in a handshake a credential stands.
//!
//! Nothing here is ever logged or sent back.

use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use http::{HeaderMap, HeaderValue, header};

use super::upgrade;
use crate::auth::{Credential, Source};

/// Why the credentials of a handshake are not even looked at.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// What should be one is none; for the log.
    Malformed(&'static str),
    /// Two that are not the same: which of them is meant cannot be told.
    Two,
    /// A cookie, and no origin: nobody can tell whose page sends it.
    CookieWithoutOrigin,
}

/// The scheme of cookies' values.
const COOKIE_SCHEME: &str = "cookie";

/// Finds the credential of a handshake, if it has one: in `Authorization`, among the offered subprotocols, else in the
/// cookie of this name.
pub(super) fn find(
    headers: &HeaderMap,
    cookie: Option<&str>,
) -> Result<Option<(Credential, Source)>, Problem> {
    let mut found = None;
    for value in headers.get_all(header::AUTHORIZATION) {
        keep_one(&mut found, of_header(value)?, Source::Header)?;
    }
    for token in upgrade::bearers(headers) {
        keep_one(&mut found, of_subprotocol(token)?, Source::Subprotocol)?;
    }
    let Some(cookie) = cookie.filter(|_| found.is_none()) else {
        return Ok(found);
    };
    for value in cookies(headers, cookie) {
        let credential = Credential::new(COOKIE_SCHEME, Bytes::copy_from_slice(value));
        keep_one(&mut found, credential, Source::Cookie)?;
    }
    if found.is_some() && !headers.contains_key(header::ORIGIN) {
        return Err(Problem::CookieWithoutOrigin);
    }
    Ok(found)
}

/// Keeps the first; another must be the same.
fn keep_one(
    found: &mut Option<(Credential, Source)>,
    credential: Credential,
    source: Source,
) -> Result<(), Problem> {
    match found {
        None => *found = Some((credential, source)),
        Some((first, _)) if is_same(first, &credential) => {}
        Some(_) => return Err(Problem::Two),
    }
    Ok(())
}

fn is_same(one: &Credential, other: &Credential) -> bool {
    one.scheme() == other.scheme() && one.secret() == other.secret()
}

/// `<scheme> <credential>`, as RFC 9110, section 11.4, has it.
fn of_header(value: &HeaderValue) -> Result<Credential, Problem> {
    let malformed = Problem::Malformed("Authorization is not a scheme and a credential");
    let value = value.as_bytes().trim_ascii();
    let Some(end) = value.iter().position(|byte| *byte == b' ') else {
        return Err(malformed);
    };
    let (scheme, secret) = (&value[..end], value[end..].trim_ascii_start());
    match std::str::from_utf8(scheme) {
        Ok(scheme) => Ok(Credential::new(scheme, Bytes::copy_from_slice(secret))),
        Err(_) => Err(malformed),
    }
}

/// A token that stands in base64url, because a subprotocol may not hold every character of one.
fn of_subprotocol(token: &str) -> Result<Credential, Problem> {
    match BASE64URL_NOPAD.decode(token.as_bytes()) {
        Ok(token) if !token.is_empty() => Ok(Credential::new("bearer", token)),
        _ => Err(Problem::Malformed(
            "the subprotocol `bearer.` is not followed by base64url without padding",
        )),
    }
}

/// The values of a cookie; one that was emptied is none.
fn cookies<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    headers
        .get_all(header::COOKIE)
        .into_iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .filter_map(move |pair| {
            let value = pair
                .trim_ascii()
                .strip_prefix(name.as_bytes())?
                .strip_prefix(b"=")?;
            let quoted = value
                .strip_prefix(b"\"")
                .and_then(|value| value.strip_suffix(b"\""));
            Some(quoted.unwrap_or(value)).filter(|value| !value.is_empty())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    type Found = Result<Option<(String, String, Source)>, Problem>;

    fn found(headers: &[(header::HeaderName, &str)]) -> Found {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value.parse().unwrap());
        }
        let found = find(&map, Some("sid"))?;
        Ok(found.map(|(credential, source)| {
            let text = credential.text().unwrap().to_owned();
            (credential.scheme().to_owned(), text, source)
        }))
    }

    fn one(scheme: &str, secret: &str, source: Source) -> Found {
        Ok(Some((scheme.to_owned(), secret.to_owned(), source)))
    }

    #[test]
    fn a_header_gives_its_scheme_and_what_follows_as_it_stands() {
        let of = |value: &str| found(&[(header::AUTHORIZATION, value)]);
        assert_eq!(of("Bearer a.b.c"), one("bearer", "a.b.c", Source::Header));
        assert_eq!(of("BASIC  YTpi==  "), one("basic", "YTpi==", Source::Header));
        let digest = r#"username="a", realm="b c""#;
        assert_eq!(
            of(&format!("Digest {digest}")),
            one("digest", digest, Source::Header)
        );
        for none in ["Bearer", "Bearer ", ""] {
            assert!(matches!(of(none), Err(Problem::Malformed(_))), "{none:?}");
        }
    }

    #[test]
    fn a_subprotocol_gives_the_token_that_it_stands_for() {
        let of = |value: &str| found(&[(header::SEC_WEBSOCKET_PROTOCOL, value)]);
        assert_eq!(of("rpc.v1, other"), Ok(None));
        // `a.b?~` holds what base64url has other characters for.
        let token = BASE64URL_NOPAD.encode(b"a.b?~\xc3\xbf");
        assert_eq!(
            of(&format!("rpc.v1, bearer.{token}")),
            one("bearer", "a.b?~\u{ff}", Source::Subprotocol)
        );
        for malformed in ["bearer.", "bearer.a+b/", "bearer.YQ==", "bearer.A"] {
            assert!(
                matches!(of(malformed), Err(Problem::Malformed(_))),
                "{malformed:?}"
            );
        }
    }

    #[test]
    fn a_cookie_counts_only_of_the_name_with_an_origin_and_without_another_credential() {
        let origin = (header::ORIGIN, "https://a.example");
        let cookie = |value| (header::COOKIE, value);
        let theirs = cookie(r#"a=b; sid="x=y"; sidx=z; xsid=q"#);
        assert_eq!(
            found(&[theirs.clone(), origin.clone()]),
            one("cookie", "x=y", Source::Cookie)
        );
        assert_eq!(
            found(std::slice::from_ref(&theirs)),
            Err(Problem::CookieWithoutOrigin)
        );
        assert_eq!(
            found(&[theirs, (header::AUTHORIZATION, "Bearer t")]),
            one("bearer", "t", Source::Header)
        );
        assert_eq!(found(&[cookie("a=b; sid=; SID=x")]), Ok(None));
        assert_eq!(
            found(&[cookie("sid=one"), cookie("sid=two"), origin]),
            Err(Problem::Two)
        );
    }

    #[test]
    fn two_credentials_are_refused_unless_they_are_the_same() {
        let token = |token: &[u8]| format!("bearer.{}", BASE64URL_NOPAD.encode(token));
        let both = |header, subprotocol: &[u8]| {
            found(&[
                (header::AUTHORIZATION, header),
                (header::SEC_WEBSOCKET_PROTOCOL, &token(subprotocol)),
            ])
        };
        assert_eq!(both("Bearer t", b"t"), one("bearer", "t", Source::Header));
        assert_eq!(both("Bearer t", b"u"), Err(Problem::Two));
        assert_eq!(both("Basic t", b"t"), Err(Problem::Two));
    }
}
