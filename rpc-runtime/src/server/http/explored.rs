//! The explorer, in front of the program's own service.

use std::convert::Infallible;

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use rpc_explorer::Explorer;

use super::{Answering, Erased, HttpBody, HttpService, NothingThere};

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
                let mut answer = answer.unwrap_or_else(|| {
                    let mut nothing = Response::new(Full::default());
                    *nothing.status_mut() = StatusCode::NOT_FOUND;
                    nothing
                });
                if answer.status() == StatusCode::NOT_FOUND {
                    answer.extensions_mut().insert(NothingThere);
                }
                let answer = answer.map(|body| UnsyncBoxBody::new(body.map_err(never)));
                Box::pin(std::future::ready(answer))
            }
        }
    }

    fn is_for(&self, path: &str) -> bool {
        self.explorer.serves(path) || self.program.as_ref().is_some_and(|program| program.is_for(path))
    }
}
