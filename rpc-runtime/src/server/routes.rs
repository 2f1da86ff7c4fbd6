//! Which endpoint a path means.

use std::sync::Arc;

use http::Request;

use super::{
    endpoint::{ActiveEndpoint, Endpoint},
    handshake,
};
use crate::router::StartError;

/// The endpoints of a server by their paths. There is at least one, the main one.
#[derive(Debug)]
pub(crate) struct Routes {
    paths: matchit::Router<usize>,
    /// The endpoint for clients that offer no subprotocol on a path that is no endpoint's.
    elsewhere: Option<usize>,
    endpoints: Box<[Arc<ActiveEndpoint>]>,
}

/// What a path means.
pub(crate) struct Route {
    pub(crate) endpoint: Arc<ActiveEndpoint>,
    /// The parts of the path that have names, percent-decoded where they are.
    pub(crate) parameters: Vec<(Box<str>, Box<str>)>,
}

impl Routes {
    /// The first endpoint is the main one.
    pub(crate) fn build(endpoints: Vec<(String, Endpoint)>) -> Result<Self, StartError> {
        let mut paths = matchit::Router::new();
        let mut active = Vec::new();
        for (path, endpoint) in endpoints {
            let mistake = |problem: String| StartError::Path {
                path: path.clone(),
                problem,
            };
            if !path.starts_with('/') {
                return Err(mistake("does not begin with a slash".to_owned()));
            }
            paths
                .insert(path.clone(), active.len())
                .map_err(|error| mistake(error.to_string()))?;
            active.push(Arc::new(endpoint.build()?));
        }
        let elsewhere = active
            .iter()
            .position(|endpoint: &Arc<ActiveEndpoint>| endpoint.speaks_cmmv_on_any_path());
        Ok(Self {
            paths,
            elsewhere,
            endpoints: active.into(),
        })
    }

    /// The main endpoint, which connections without a path belong to.
    pub(crate) fn main(&self) -> &Arc<ActiveEndpoint> {
        &self.endpoints[0]
    }

    /// All endpoints, the main one first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<ActiveEndpoint>> {
        self.endpoints.iter()
    }

    /// Whether the path cannot matter.
    pub(crate) fn is_single(&self) -> bool {
        self.endpoints.len() == 1
    }

    /// Where a request leads: by its path, else by what it does not say.
    pub(crate) fn find_for<B>(&self, request: &Request<B>) -> Option<Route> {
        self.find(request.uri().path()).or_else(|| {
            let elsewhere = self.elsewhere?;
            handshake::offers_nothing(request).then(|| Route {
                endpoint: self.endpoints[elsewhere].clone(),
                parameters: Vec::new(),
            })
        })
    }

    /// What a path means, if anything.
    pub(crate) fn find(&self, path: &str) -> Option<Route> {
        let found = self.paths.at(path).ok()?;
        let parameters = found
            .params
            .iter()
            .map(|(name, value)| (name.into(), decoded(value)))
            .collect();
        Some(Route {
            endpoint: self.endpoints[*found.value].clone(),
            parameters,
        })
    }
}

/// A part of a path, percent-decoded; as it stands where that would be no text.
fn decoded(part: &str) -> Box<str> {
    match percent_encoding::percent_decode_str(part).decode_utf8() {
        Ok(text) => text.into(),
        Err(_) => part.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(paths: &[&str]) -> Result<Routes, StartError> {
        Routes::build(
            paths
                .iter()
                .map(|path| ((*path).to_owned(), Endpoint::new()))
                .collect(),
        )
    }

    #[test]
    fn a_path_leads_to_its_endpoint_with_the_named_parts_decoded() {
        let routes = routes(&["/rpc", "/game/{session_id}"]).unwrap();
        let game = routes.find("/game/a%20b").unwrap();
        assert!(Arc::ptr_eq(&game.endpoint, &routes.endpoints[1]));
        assert_eq!(game.parameters, [("session_id".into(), "a b".into())]);
        assert!(Arc::ptr_eq(&routes.find("/rpc").unwrap().endpoint, routes.main()));
        for elsewhere in ["/", "/game", "/game/", "/game/a/b", "/rpc/"] {
            assert!(routes.find(elsewhere).is_none(), "{elsewhere}");
        }
    }

    #[test]
    fn paths_that_cannot_be_told_apart_do_not_start() {
        for paths in [&["/rpc", "/rpc"][..], &["rpc"], &["/a/{x}", "/a/{y}"], &["/{"]] {
            let error = routes(paths).unwrap_err();
            assert!(matches!(&error, StartError::Path { .. }), "{error}");
        }
    }
}
