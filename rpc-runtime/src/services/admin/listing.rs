//! Pages of sessions, in the order of their ids. A page remembers no more than itself, however many sessions there are.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use super::{ListSessionsRequest, ListSessionsResponse, client_id, details};
use crate::{ClientId, Server, Session, Status};

/// What is on a page of which no size was asked for.
const PAGE: usize = 100;
/// What is on a page at most.
const LARGEST_PAGE: usize = 1_000;

/// What is asked of a session to be listed.
struct Filter<'a> {
    user: Option<&'a str>,
    address: Option<IpAddr>,
    path: Option<&'a str>,
    after: Option<ClientId>,
}

impl<'a> Filter<'a> {
    fn of(request: &'a ListSessionsRequest) -> Result<Self, Status> {
        let address = request.address.as_deref().map(str::parse::<IpAddr>);
        let address = address
            .transpose()
            .map_err(|_| Status::invalid_argument("`address` is an IP address without a port"))?;
        let after = match request.page_token.as_str() {
            "" => None,
            token => Some(client_id(token).map_err(|_| {
                Status::invalid_argument("`page_token` is none: it is what the page before has given")
            })?),
        };
        Ok(Self {
            user: request.user_id.as_deref(),
            address: address.map(|address| address.to_canonical()),
            path: request.path.as_deref(),
            after,
        })
    }

    fn holds(&self, session: &Session) -> bool {
        self.after.is_none_or(|after| session.id() > after)
            && self.path.is_none_or(|path| session.info().path() == path)
            && self
                .address
                .is_none_or(|address| session.info().client_addr() == Some(address))
            && self
                .user
                .is_none_or(|user| session.user().is_some_and(|known| *known == *user))
    }
}

/// How many are on a page for which so many were asked for.
pub(super) fn page_size(asked: u32) -> usize {
    match asked as usize {
        0 => PAGE,
        size => size.min(LARGEST_PAGE),
    }
}

/// One page.
pub(super) fn list(server: &Server, request: &ListSessionsRequest) -> Result<ListSessionsResponse, Status> {
    let filter = Filter::of(request)?;
    let size = page_size(request.page_size);
    let page = match filter.user {
        Some(user) => first(server.sessions_of(user).into_iter(), &filter, size),
        None => first(server.sessions(), &filter, size),
    };
    let is_last = page.len() <= size;
    let sessions: Vec<_> = page.values().take(size).map(|session| details(session)).collect();
    let next_page_token = match sessions.last() {
        Some(last) if !is_last => last.client_id.clone(),
        _ => String::new(),
    };
    Ok(ListSessionsResponse {
        sessions,
        next_page_token,
    })
}

/// The first sessions in the order of their ids, and one more where there is one.
fn first(
    sessions: impl Iterator<Item = Arc<Session>>,
    filter: &Filter<'_>,
    size: usize,
) -> BTreeMap<ClientId, Arc<Session>> {
    let mut page = BTreeMap::new();
    for session in sessions.filter(|session| filter.holds(session)) {
        page.insert(session.id(), session);
        if page.len() > size + 1 {
            page.pop_last();
        }
    }
    page
}
