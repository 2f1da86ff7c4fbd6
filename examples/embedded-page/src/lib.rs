//! Serves the page of an example: files that were built beforehand and are part of the program, so that running it needs no
//! Node.
//!
//! A page is served under a strict `Content-Security-Policy`: scripts, styles and connections are the server's own, nothing is
//! inline, nobody frames it, and text never becomes markup (`require-trusted-types-for`). What users have written can then
//! do nothing, even where a page were wrong.

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use data_encoding::HEXLOWER;
use rust_embed::{EmbeddedFile, RustEmbed};

/// What a page may do: nothing but what is listed. `connect-src 'self'` takes in WebSockets of the same origin.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";

/// Serves the files of `Files`: `index.html` at `/`, each other at its own path. What there is none of is 404.
///
/// A browser asks each time whether a file has changed, and is answered 304 without a body where it has not: a page is never
/// older than its server.
pub fn routes<Files: RustEmbed + 'static>() -> Router {
    Router::new()
        .route(
            "/",
            get(|headers| async move { file::<Files>("index.html", &headers) }),
        )
        .route(
            "/{*path}",
            get(|Path(path): Path<String>, headers: HeaderMap| async move { file::<Files>(&path, &headers) }),
        )
}

fn file<Files: RustEmbed>(path: &str, asked: &HeaderMap) -> Response {
    match (Files::get(path), content_type(path)) {
        (Some(file), Some(content_type)) => answer(file, content_type, asked),
        _ => (StatusCode::NOT_FOUND, "there is no such page\n").into_response(),
    }
}

fn answer(file: EmbeddedFile, content_type: &'static str, asked: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", HEXLOWER.encode(&file.metadata.sha256_hash()[..16]));
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
        (
            header::HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ];
    let is_known = asked
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|tags| tags.to_str().ok())
        .flat_map(|tags| tags.split(','))
        // A proxy that compresses makes a tag a weak one.
        .any(|known| known.trim().trim_start_matches("W/") == tag);
    let mut response = match is_known {
        true => (StatusCode::NOT_MODIFIED, headers).into_response(),
        false => (headers, file.data.into_owned()).into_response(),
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// What a file is, by its name. `nosniff` forbids browsers to guess, so that what is not listed is not served.
fn content_type(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}
