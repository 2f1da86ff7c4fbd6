//! Which web pages may open a connection.
//!
//! A browser lets any page open a WebSocket to any server, and tells the server whose page it is. Without this check, a
//! page anywhere could call a server that its visitor can reach, such as one on the visitor's own machine.

use std::sync::{Mutex, PoisonError};

use http::{HeaderMap, HeaderValue, header};
use tokio::time::Instant;

use super::connection::OneLine;
use crate::transport::lately::Lately;

/// So many refusals are logged of late: a page elsewhere may try as often as it likes.
const LOGGED: u32 = 10;

/// The origins that may connect besides the server's own.
#[derive(Debug, Default)]
pub(super) struct Origins {
    allowed: Vec<String>,
    logged: Mutex<Lately>,
}

impl Origins {
    /// Allows one more, such as `https://app.example.com`.
    pub(super) fn allow(&mut self, origin: String) {
        self.allowed
            .push(origin.trim_end_matches('/').to_ascii_lowercase());
    }

    /// Whether a request may be upgraded: it comes from no page, from a page of this server, or from one that is allowed.
    pub(super) fn admit(&self, headers: &HeaderMap) -> bool {
        let admitted = self.admits(headers);
        if !admitted {
            self.log(headers);
        }
        admitted
    }

    /// Says whose page it was: to the page itself a browser shows nothing of the refusal.
    fn log(&self, headers: &HeaderMap) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.allows(Instant::now(), LOGGED) {
            let shown = |name| {
                let value = headers.get(name).map_or(&b""[..], HeaderValue::as_bytes);
                OneLine(String::from_utf8_lossy(value).into_owned())
            };
            let (origin, host) = (shown(header::ORIGIN), shown(header::HOST));
            tracing::warn!(%origin, %host, "a page of another origin was not let in; `allow_origin` lets it in");
        }
    }

    fn admits(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(header::ORIGIN).into_iter();
        let (origin, more) = (origins.next(), origins.next());
        let Some(origin) = origin else { return true };
        let Some(origin) = text(Some(origin)).filter(|_| more.is_none()) else {
            return false;
        };
        // Of two hosts, a proxy may have looked at the other one.
        let mut hosts = headers.get_all(header::HOST).into_iter();
        let host = hosts.next().filter(|_| hosts.next().is_none());
        self.allowed.contains(&origin) || is_own(&origin, text(host))
    }
}

fn text(value: Option<&HeaderValue>) -> Option<String> {
    value
        .and_then(|value| value.to_str().ok())
        .map(str::to_ascii_lowercase)
}

/// Whether the origin's host and port are those that the request was sent to. A proxy that ends TLS changes the scheme and
/// keeps these.
fn is_own(origin: &str, host: Option<String>) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let plain = |authority: &str| {
        authority
            .strip_suffix(default_port)
            .unwrap_or(authority)
            .to_owned()
    };
    host.is_some_and(|host| plain(&host) == plain(authority))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(allowed: &[&str], host: &str, origin: &[&str]) -> bool {
        let mut origins = Origins::default();
        allowed
            .iter()
            .for_each(|origin| origins.allow((*origin).to_owned()));
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        for origin in origin {
            headers.append(header::ORIGIN, origin.parse().unwrap());
        }
        origins.admit(&headers)
    }

    #[test]
    fn no_page_and_a_page_of_this_server_are_let_in() {
        assert!(admits(&[], "127.0.0.1:3000", &[]));
        assert!(admits(&[], "127.0.0.1:3000", &["http://127.0.0.1:3000"]));
        assert!(admits(&[], "Example.com", &["https://example.COM"]));
        assert!(admits(&[], "example.com:443", &["https://example.com"]));
    }

    #[test]
    fn which_origin_is_the_servers_own_is_not_said_by_two_hosts_or_by_spellings() {
        let mut headers = HeaderMap::new();
        headers.append(header::HOST, HeaderValue::from_static("a.example"));
        headers.append(header::ORIGIN, HeaderValue::from_static("https://a.example"));
        assert!(Origins::default().admit(&headers));
        headers.append(header::HOST, HeaderValue::from_static("b.example"));
        assert!(!Origins::default().admit(&headers));
        for origin in [
            "https://evil.example@a.example",
            "https://a.example@evil.example",
            "https://a.example.",
            "https://a.example/",
            "https://a.example:8443",
            "http://a.example:443",
            "https://a.example#",
            "https://a.example https://evil.example",
            "//a.example",
            "ws://a.example",
        ] {
            assert!(!admits(&[], "a.example", &[origin]), "{origin}");
        }
    }

    #[test]
    fn another_page_is_not_let_in_unless_it_is_allowed() {
        for origin in [
            "http://evil.example",
            "http://127.0.0.1:3001",
            "null",
            "file://127.0.0.1:3000",
            "",
        ] {
            assert!(!admits(&[], "127.0.0.1:3000", &[origin]), "{origin}");
        }
        assert!(!admits(
            &[],
            "a.example",
            &["http://a.example", "http://b.example"]
        ));
        assert!(!admits(&[], "example.com.evil.example", &["https://example.com"]));
        assert!(admits(
            &["https://App.example.com/"],
            "api.example.com",
            &["https://app.example.com"]
        ));
    }
}
