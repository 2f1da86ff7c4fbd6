//! How a page is served: its files, their headers, and what is not there.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use rpc_page::{CONTENT_SECURITY_POLICY, Page};
use rust_embed::RustEmbed;
use tower::ServiceExt;

#[derive(RustEmbed)]
#[folder = "tests/page"]
struct Files;

async fn get(path: &str, known: Option<&str>) -> (StatusCode, HeaderMap, String) {
    let mut request = Request::get(path);
    if let Some(tag) = known {
        request = request.header(header::IF_NONE_MATCH, tag);
    }
    let response = Page::of::<Files>()
        .with_file("settings.json", "{}")
        .oneshot(request.body(()).unwrap())
        .await
        .unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (
        head.status,
        head.headers,
        String::from_utf8(body.to_vec()).unwrap(),
    )
}

#[tokio::test]
async fn the_page_and_its_files_are_there_under_a_strict_policy() {
    for (path, content_type, begins) in [
        ("/", "text/html; charset=utf-8", "<!doctype html>"),
        ("/index.html", "text/html; charset=utf-8", "<!doctype html>"),
        (
            "/assets/page.js",
            "text/javascript; charset=utf-8",
            "document.title",
        ),
        ("/settings.json", "application/json", "{}"),
    ] {
        let (status, headers, body) = get(path, None).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(body.starts_with(begins), "{path}: {body}");
        assert_eq!(headers[header::CONTENT_TYPE], content_type);
        assert_eq!(headers[header::CONTENT_SECURITY_POLICY], CONTENT_SECURITY_POLICY);
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    }
    for forbidden in ["unsafe-inline", "unsafe-eval", "data:", "blob:", "*"] {
        assert!(!CONTENT_SECURITY_POLICY.contains(forbidden), "{forbidden}");
    }
}

#[tokio::test]
async fn what_a_browser_has_already_is_not_sent_again() {
    let (_, headers, _) = get("/", None).await;
    let tag = headers[header::ETAG].to_str().unwrap();
    for known in [tag.to_owned(), format!("W/{tag}"), format!("\"other\", {tag}")] {
        let (status, headers, body) = get("/", Some(&known)).await;
        assert_eq!((status, body.as_str()), (StatusCode::NOT_MODIFIED, ""), "{known}");
        assert_eq!(headers[header::ETAG], tag);
    }
    let (status, ..) = get("/assets/page.js", Some(tag)).await;
    assert_eq!(status, StatusCode::OK, "another file's tag");
}

#[tokio::test]
async fn what_is_not_there_and_what_is_of_no_known_kind_is_not_found() {
    for path in [
        "/other",
        "/assets",
        "/page.unknown",
        "/..%2f..%2fCargo.toml",
        "/%2e%2e/serving.rs",
    ] {
        assert_eq!(get(path, None).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_page_is_only_read() {
    for (method, status) in [
        ("HEAD", StatusCode::OK),
        ("POST", StatusCode::METHOD_NOT_ALLOWED),
        ("DELETE", StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let request = Request::builder().method(method).uri("/").body(()).unwrap();
        let response = Page::of::<Files>().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{method}");
        let is_refused = status != StatusCode::OK;
        assert_eq!(response.headers().contains_key(header::ALLOW), is_refused);
    }
}
