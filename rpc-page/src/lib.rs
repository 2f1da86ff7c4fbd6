//! Serves a page that is part of the program: files that were built beforehand, so that running it needs no Node.
//!
//! A page is served under a strict `Content-Security-Policy`: scripts, styles and connections are the server's own, nothing is
//! inline, nobody frames it, and text never becomes markup (`require-trusted-types-for`). What users have written can then
//! do nothing, even where a page were wrong.
//!
//! [`Page`] is a tower service, for whatever speaks HTTP:
//!
//! ```
//! use rpc_page::Page;
//! use rust_embed::RustEmbed;
//!
//! /// As a bundler has built it.
//! #[derive(RustEmbed)]
//! #[folder = "tests/page"]
//! struct Files;
//!
//! // With axum: `Router::new().fallback_service(page)`; with rpc-runtime: `Server::builder().http(page)`.
//! let page = Page::of::<Files>();
//! # let _ = page;
//! ```

use std::convert::Infallible;
use std::fmt;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use rust_embed::{EmbeddedFile, RustEmbed};
use tower_service::Service;

/// What a page may do: nothing but what is listed. `connect-src 'self'` takes in WebSockets of the same origin.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";

/// The files of a page: `index.html` at `/`, each other at its own path. What there is none of is 404.
///
/// A browser asks each time whether a file has changed, and is answered 304 without a body where it has not: a page is never
/// older than its server. Cloning is cheap.
#[derive(Clone)]
pub struct Page {
    embedded: fn(&str) -> Option<EmbeddedFile>,
    /// Files that are made when the program starts.
    made: Arc<[(Box<str>, Bytes)]>,
}

impl Page {
    /// The page that `Files` are.
    pub fn of<Files: RustEmbed>() -> Self {
        Self {
            embedded: Files::get,
            made: Arc::new([]),
        }
    }

    /// Adds a file that is made when the program starts, such as a `settings.json`. It goes before an embedded one of its path.
    #[must_use]
    pub fn with_file(mut self, path: impl Into<Box<str>>, content: impl Into<Bytes>) -> Self {
        let added = (path.into(), content.into());
        self.made = self.made.iter().cloned().chain([added]).collect();
        self
    }

    /// Answers a request for a file, by its path in the page; the empty path is `index.html`.
    pub fn answer<B>(&self, path: &str, request: &Request<B>) -> Response<Full<Bytes>> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "a page is read, by GET\n");
            let allowed = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(header::ALLOW, allowed);
            return response;
        }
        let path = if path.is_empty() { "index.html" } else { path };
        match (self.find(path), content_type(path)) {
            (Some(file), Some(content_type)) => file.answer(content_type, request.headers()),
            _ => plain(StatusCode::NOT_FOUND, "there is no such page\n"),
        }
    }

    fn find(&self, path: &str) -> Option<File> {
        if let Some((_, content)) = self.made.iter().find(|(made, _)| **made == *path) {
            let content = content.clone();
            return Some(File { content, tag: None });
        }
        (self.embedded)(path).map(|file| File {
            tag: HeaderValue::from_str(&tag(&file)).ok(),
            content: match file.data {
                std::borrow::Cow::Borrowed(data) => Bytes::from_static(data),
                std::borrow::Cow::Owned(data) => data.into(),
            },
        })
    }
}

impl<B> Service<Request<B>> for Page {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let path = request.uri().path().trim_start_matches('/');
        ready(Ok(self.answer(path, &request)))
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let made: Vec<_> = self.made.iter().map(|(path, _)| path).collect();
        f.debug_struct("Page")
            .field("made", &made)
            .finish_non_exhaustive()
    }
}

struct File {
    content: Bytes,
    /// What says whether a browser has it already.
    tag: Option<HeaderValue>,
}

impl File {
    fn answer(self, content_type: &'static str, asked: &HeaderMap) -> Response<Full<Bytes>> {
        let is_known = self.tag.as_ref().is_some_and(|tag| {
            asked
                .get_all(header::IF_NONE_MATCH)
                .iter()
                .filter_map(|tags| tags.to_str().ok())
                .flat_map(|tags| tags.split(','))
                // A proxy that compresses makes a tag a weak one.
                .any(|known| known.trim().trim_start_matches("W/") == tag)
        });
        let mut response = Response::new(match is_known {
            true => Full::default(),
            false => Full::new(self.content),
        });
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        for (name, value) in [
            (header::CONTENT_TYPE, content_type),
            (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::CACHE_CONTROL, "no-cache"),
            (
                HeaderName::from_static("cross-origin-opener-policy"),
                "same-origin",
            ),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if let Some(tag) = self.tag {
            headers.insert(header::ETAG, tag);
        }
        response
    }
}

fn tag(file: &EmbeddedFile) -> String {
    format!("\"{}\"", HEXLOWER.encode(&file.metadata.sha256_hash()[..16]))
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

/// What a file is, by its name. `nosniff` forbids browsers to guess, so that what is not listed is not served.
fn content_type(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}
