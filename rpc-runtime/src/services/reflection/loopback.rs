//! Who is asked from the same machine, and by a program of it: the guard of reflection where nothing else is said.

use std::net::IpAddr;

use http::{Uri, uri::InvalidUri};

use crate::{ConnectInfo, Context, Guard, Status};

/// Headers that proxies add.
const FORWARDED: [&str; 6] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
];

/// Lets in who connects from this machine: a peer with a loopback address.
///
/// **Behind a proxy of this machine it proves nothing**: all that the proxy lets in comes from here. Say `.reflection(false)` there, or
/// by a guard of yours who may ask.
///
/// - What shows that a proxy handed it on is refused: a header such as `X-Forwarded-For`, or a `Host` that is not this machine. A
///   proxy need show neither. nginx, as it comes, adds no header and asks for its upstream, `127.0.0.1:3000`; and where one hands
///   on the `Host` of its client, the client may have written `localhost`.
/// - A page in a browser of this machine is let in only where it comes from this machine too, by its `Origin`: one of elsewhere whose
///   name was made to lead here is refused.
/// - A connection whose address is not known, such as one in memory, is refused.
///
/// ```
/// use rpc_runtime::{Server, services::reflection::Loopback};
///
/// let server = Server::builder().reflection(true).guard("reflection", Loopback).build();
/// assert!(server.is_ok());
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Loopback;

impl Guard for Loopback {
    async fn check(&self, cx: &Context) -> Result<(), Status> {
        check(cx.request())
    }

    fn check_now(&self, cx: &Context) -> Option<Result<(), Status>> {
        Some(check(cx.request()))
    }
}

fn check(info: &ConnectInfo) -> Result<(), Status> {
    match is_local(info) {
        true => Ok(()),
        false => Err(Status::permission_denied(
            "this is told to programs on the server's own machine alone, unless the server says otherwise by a guard",
        )),
    }
}

fn is_local(info: &ConnectInfo) -> bool {
    let headers = info.headers();
    let remote = info.remote_addr().map(|remote| remote.ip().to_canonical());
    let is_proxied = FORWARDED.iter().any(|name| headers.get(name).is_some());
    remote.is_some_and(|remote| remote.is_loopback())
        && !is_proxied
        && headers.get("host").is_none_or(|host| is_here(host.try_into()))
        && headers
            .get("origin")
            .is_none_or(|origin| is_here(origin.try_into()))
}

/// Whether a host, or the origin of a page, is this machine.
fn is_here(uri: Result<Uri, InvalidUri>) -> bool {
    let Ok(uri) = uri else { return false };
    let Some(host) = uri.host() else { return false };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(remote: Option<&str>, headers: &[(&str, &str)]) -> ConnectInfo {
        let mut request = http::Request::builder().uri("/rpc");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let info = ConnectInfo::from_request(&request.body(()).unwrap());
        match remote {
            Some(remote) => info.with_remote_addr(remote.parse().unwrap()),
            None => info,
        }
    }

    #[test]
    fn programs_and_pages_of_this_machine_are_let_in() {
        for remote in [
            "127.0.0.1:4000",
            "127.8.8.8:1",
            "[::1]:4000",
            "[::ffff:127.0.0.1]:4000",
        ] {
            assert!(is_local(&info(Some(remote), &[])), "{remote}");
        }
        for origin in [
            "http://localhost:3000",
            "http://127.0.0.1:3000",
            "https://[::1]:3000",
            "http://localhost",
        ] {
            assert!(
                is_local(&info(Some("127.0.0.1:1"), &[("origin", origin)])),
                "{origin}"
            );
        }
    }

    #[test]
    fn others_are_not_and_neither_is_who_is_not_known() {
        for remote in [
            None,
            Some("192.0.2.1:4000"),
            Some("10.0.0.1:1"),
            Some("[2001:db8::1]:1"),
            Some("0.0.0.0:1"),
        ] {
            assert!(!is_local(&info(remote, &[])), "{remote:?}");
        }
    }

    #[test]
    fn what_a_proxy_of_this_machine_hands_on_is_refused() {
        for header in FORWARDED {
            let handed_on = info(Some("127.0.0.1:1"), &[(header, "127.0.0.1")]);
            assert!(!is_local(&handed_on), "{header}");
        }
    }

    #[test]
    fn who_has_asked_for_another_host_came_by_a_proxy_that_adds_nothing() {
        for (host, expected) in [
            ("127.0.0.1:3000", true),
            ("LocalHost", true),
            ("[::1]:3000", true),
            ("app.example.com", false),
            ("app.example.com:443", false),
            ("192.0.2.1", false),
            ("localhost.evil.example:3000", false),
            ("", false),
        ] {
            let asked = info(Some("127.0.0.1:1"), &[("host", host)]);
            assert_eq!(is_local(&asked), expected, "{host:?}");
        }
    }

    #[test]
    fn a_page_of_elsewhere_is_refused_also_where_its_name_leads_here() {
        for origin in [
            "http://evil.example:3000",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example",
            "null",
            "",
            "http://",
        ] {
            assert!(
                !is_local(&info(Some("127.0.0.1:1"), &[("origin", origin)])),
                "{origin}"
            );
        }
    }
}
