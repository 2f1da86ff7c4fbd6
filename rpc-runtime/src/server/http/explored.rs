//! The explorer, in front of the program's own service.

use std::convert::Infallible;

use http::Request;
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};
use rpc_explorer::Explorer;

use super::{Answering, Erased, HttpBody, HttpService};

/// Answers what is the explorer's, and leaves all else to the program's own service.
pub(super) struct Explored {
    pub(super) explorer: Explorer,
    pub(super) program: Option<HttpService>,
}

impl Erased for Explored {
    fn call(&self, request: Request<HttpBody>) -> Answering<'_> {
        match (self.explorer.answer(&request), &self.program) {
            (None, Some(program)) => program.0.call(request),
            (answer, _) => {
                let never = |never: Infallible| match never {};
                let answer = answer.unwrap_or_default();
                let answer = answer.map(|body| UnsyncBoxBody::new(body.map_err(never)));
                Box::pin(std::future::ready(answer))
            }
        }
    }

    fn is_for(&self, path: &str) -> bool {
        self.explorer.serves(path) || self.program.as_ref().is_some_and(|program| program.is_for(path))
    }
}
