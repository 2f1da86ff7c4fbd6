//! A server's URL, as far as the command line has to understand it.

use std::net::IpAddr;

use crate::failure::{Exit, Failure};
use crate::server::endpoints::AUTH_PATH;

/// The URL of a server's tasks, which was seen to be one.
#[derive(Debug)]
pub(super) struct Url<'a>(&'a str);

impl<'a> Url<'a> {
    /// Tells a mistyped URL from a server that does not answer.
    pub(super) fn parse(url: &'a str) -> Result<Self, Failure> {
        let wrong = |why: &str| {
            Err(Failure::new(
                Exit::Usage,
                format!("{url:?} is no server's URL: {why}, as in ws://127.0.0.1:3000/rpc"),
            ))
        };
        let Some((scheme, rest)) = url.split_once("://") else {
            return wrong("it begins with ws:// or wss://");
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse::<u16>().ok()),
            _ => (authority, Some(80)),
        };
        match (scheme, host, port) {
            ("ws" | "wss", "", _) => wrong("it names a host"),
            ("ws" | "wss", _, None) => wrong("its port is a number up to 65535"),
            ("ws" | "wss", _, Some(_)) if url.contains(|c: char| c.is_whitespace() || c.is_control()) => {
                wrong("it has no spaces")
            }
            ("ws" | "wss", _, Some(_)) => Ok(Url(url)),
            _ => wrong("it begins with ws:// or wss://"),
        }
    }

    /// As it was given.
    pub(super) fn text(&self) -> &'a str {
        self.0
    }

    /// Whether what is sent there can be read on the way: without TLS, and over a network.
    pub(super) fn is_open_to_others(&self) -> bool {
        let Some(rest) = self.0.strip_prefix("ws://") else {
            return false;
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = match authority.strip_prefix('[') {
            Some(address) => address.split(']').next(),
            None => authority.split(':').next(),
        };
        let host = host.unwrap_or_default();
        let here = host
            .parse()
            .map_or(host.eq_ignore_ascii_case("localhost"), |address: IpAddr| {
                address.is_loopback()
            });
        !here
    }

    /// The URL at which users become known: beside the tasks, so that it holds behind a proxy's prefix too.
    pub(super) fn auth(&self) -> String {
        let url = self.0.split(['?', '#']).next().unwrap_or(self.0);
        let path = url
            .find("://")
            .and_then(|end| url[end + 3..].find('/').map(|at| end + 3 + at));
        let directory = match path {
            Some(path) => &url[..path + url[path..].rfind('/').unwrap_or(0)],
            None => url,
        };
        format!("{directory}{AUTH_PATH}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn a_mistyped_url_says_what_is_wrong_with_it() {
        for good in [
            "ws://localhost",
            "ws://[::1]:3000/rpc",
            "ws://a.example:80/x?y",
            "wss://a.example",
        ] {
            Url::parse(good).unwrap();
        }
        let wrong = [
            "localhost:3000",
            "http://localhost",
            "ws:///rpc",
            "wss://a:99999",
            "ws://a b",
        ];
        let lines = wrong.map(|url| Url::parse(url).unwrap_err().to_string());
        expect![[r#"
            "localhost:3000" is no server's URL: it begins with ws:// or wss://, as in ws://127.0.0.1:3000/rpc
            "http://localhost" is no server's URL: it begins with ws:// or wss://, as in ws://127.0.0.1:3000/rpc
            "ws:///rpc" is no server's URL: it names a host, as in ws://127.0.0.1:3000/rpc
            "wss://a:99999" is no server's URL: its port is a number up to 65535, as in ws://127.0.0.1:3000/rpc
            "ws://a b" is no server's URL: it has no spaces, as in ws://127.0.0.1:3000/rpc"#]]
        .assert_eq(&lines.join("\n"));
    }

    #[test]
    fn what_goes_over_a_network_without_tls_is_open_to_others() {
        for (url, open) in [
            ("ws://localhost:3000/rpc", false),
            ("ws://127.0.0.1/rpc", false),
            ("ws://[::1]:3000/rpc", false),
            ("wss://a.example/rpc", false),
            ("ws://a.example/rpc", true),
            ("ws://10.0.0.1:3000", true),
            ("ws://[fe80::1]/rpc", true),
            ("ws://localhost.example/rpc", true),
        ] {
            assert_eq!(Url::parse(url).unwrap().is_open_to_others(), open, "{url}");
        }
    }

    #[test]
    fn users_become_known_beside_the_tasks() {
        for (tasks, auth) in [
            ("ws://a:3000/rpc", "ws://a:3000/auth"),
            ("wss://a/tasks/rpc?x=/y", "wss://a/tasks/auth"),
            ("ws://[::1]:3000", "ws://[::1]:3000/auth"),
            ("ws://a/", "ws://a/auth"),
        ] {
            assert_eq!(Url::parse(tasks).unwrap().auth(), auth);
        }
    }
}
