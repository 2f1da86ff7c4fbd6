//! The explorer: a page that shows what a server of contracts serves, and calls it.
//!
//! Programs turn it on by `ServerBuilder::explorer` of rpc-runtime, with its feature `explorer`. This crate has the page, built
//! beforehand from `page/`, and knows files and paths only: what there is to be seen the page asks the server itself, by
//! `rpc.reflection.v1`, as any client would.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Full;
use rpc_page::Page;
use rust_embed::RustEmbed;

/// The page, as Vite has built it. It is committed, so that a server is built without Node.
#[derive(RustEmbed)]
#[folder = "page/dist"]
struct Files;

/// Where the page reads which endpoints there are.
const ENDPOINTS: &str = "endpoints.json";

/// The explorer, under a path of a server.
///
/// The page names everything relative to where it is, so that it also works behind a proxy that has the server under a prefix.
#[derive(Debug, Clone)]
pub struct Explorer {
    /// With a slash in front and none behind; empty where it is everything.
    base: Box<str>,
    page: Page,
}

impl Explorer {
    /// The explorer under `path`, such as `/explorer`, for endpoints on these paths of the same server, the main one first.
    ///
    /// A part of an endpoint's path in braces, such as that of `/game/{id}`, is asked for by the page.
    ///
    /// ```
    /// let explorer = rpc_explorer::Explorer::at("/explorer", ["/rpc", "/auth"]);
    /// assert!(explorer.serves("/explorer/") && !explorer.serves("/explorers"));
    /// ```
    pub fn at<P: AsRef<str>>(path: &str, endpoints: impl IntoIterator<Item = P>) -> Self {
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let up = "../".repeat(segments.len());
        let endpoints: Vec<String> = endpoints
            .into_iter()
            .map(|endpoint| format!("{up}{}", endpoint.as_ref().trim_start_matches('/')))
            .collect();
        let told = serde_json::json!({ "endpoints": endpoints });
        Self {
            base: segments.iter().flat_map(|segment| ["/", segment]).collect(),
            page: Page::of::<Files>().with_file(ENDPOINTS, told.to_string()),
        }
    }

    /// Whether a path is the explorer's.
    pub fn serves(&self, path: &str) -> bool {
        self.below(path).is_some()
    }

    /// Answers a request whose path is the explorer's; `None` for all others.
    pub fn answer<B>(&self, request: &Request<B>) -> Option<Response<Full<Bytes>>> {
        let below = self.below(request.uri().path())?;
        Some(match below.strip_prefix('/') {
            Some(file) => self.page.answer(file, request),
            None => self.to_folder(request.uri().query()),
        })
    }

    /// What stands behind the base.
    fn below<'a>(&self, path: &'a str) -> Option<&'a str> {
        let below = path.strip_prefix(&*self.base)?;
        (below.is_empty() || below.starts_with('/')).then_some(below)
    }

    /// Sends a browser to where the names of the page's files lead to them: relative, because a proxy may know the path as another.
    fn to_folder(&self, query: Option<&str>) -> Response<Full<Bytes>> {
        let last = self.base.rsplit('/').next().unwrap_or_default();
        let mut response = Response::new(Full::default());
        // What is in front of a colon would be a scheme, without the dot; and the browser keeps for ever what is permanent.
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        match HeaderValue::try_from(format!("./{last}/{query}")) {
            Ok(folder) => {
                *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
                response.headers_mut().insert(header::LOCATION, folder);
            }
            Err(_) => *response.status_mut() = StatusCode::NOT_FOUND,
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(explorer: &Explorer, path: &str) -> Option<Response<Full<Bytes>>> {
        explorer.answer(&Request::get(path).body(()).expect("a request"))
    }

    #[test]
    fn the_page_and_what_it_needs_is_below_its_path_and_nothing_else() {
        for path in ["/explorer", "/explorer/", "explorer", "/tools/explorer"] {
            let explorer = Explorer::at(path, ["/rpc"]);
            let base = format!("/{}", path.trim_matches('/'));
            for (file, status) in [
                ("/", 200),
                ("/index.html", 200),
                ("/assets/explorer.js", 200),
                ("/assets/explorer.css", 200),
                ("/endpoints.json", 200),
                ("/other", 404),
                ("", 307),
            ] {
                let answer = get(&explorer, &format!("{base}{file}")).expect("it is the explorer's");
                assert_eq!(answer.status().as_u16(), status, "{base}{file}");
            }
            for other in ["/", "/rpc", "/explorer2", "/explorer-two/"] {
                assert!(get(&explorer, other).is_none(), "{other}");
            }
        }
    }

    #[test]
    fn a_path_without_its_slash_leads_to_the_folder_wherever_a_proxy_has_it() {
        for (path, asked, folder) in [
            ("/tools/explorer", "/tools/explorer", "./explorer/"),
            ("/tools/a:b", "/tools/a:b", "./a:b/"),
            ("/explorer", "/explorer?at=%2Frpc", "./explorer/?at=%2Frpc"),
        ] {
            let answer = get(&Explorer::at(path, ["/rpc"]), asked).expect("it is the explorer's");
            assert_eq!(answer.headers()[header::LOCATION], folder);
        }
    }

    #[tokio::test]
    async fn endpoints_are_told_relative_to_the_page() {
        use http_body_util::BodyExt;
        for (path, told) in [
            ("/explorer", r#"{"endpoints":["../rpc","../game/{id}"]}"#),
            (
                "/tools/explorer/",
                r#"{"endpoints":["../../rpc","../../game/{id}"]}"#,
            ),
            ("/", r#"{"endpoints":["rpc","game/{id}"]}"#),
        ] {
            let explorer = Explorer::at(path, ["/rpc", "/game/{id}"]);
            let answer = get(&explorer, &format!("{}/endpoints.json", explorer.base)).expect("it is there");
            let body = answer.into_body().collect().await.expect("a body").to_bytes();
            assert_eq!(body, told);
        }
    }
}
