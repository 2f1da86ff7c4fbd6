//! Who the client is on one connection: what was sent to prove it, and what the server says.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use rpc_protocol::{
    CloseCode, Code,
    frame::{Greeting, Identity},
};
use tokio::{sync::oneshot, time::Instant};

use super::{Failure, Link, NotOpened, State, Woken};
use crate::{
    Status,
    auth::{Credential, says_expired},
    client::{
        error::Closed,
        identity::{ClientIdentity, Proof, ServerGreeting, Why},
    },
};

/// So many authentications wait for their answers at most. Programs make one at a time.
const MOST_PENDING: usize = 16;

/// The authentications of one connection.
#[derive(Default)]
pub(super) struct Authentications {
    /// Those that are not answered, by request id. What was given up is still here: the answers of others are told apart by
    /// their ids.
    pending: BTreeMap<u64, Pending>,
    /// The server has warned, and nothing was done about it.
    expires_soon: bool,
}

impl Authentications {
    /// Whether the program has asked for another identity, of which the server may have heard or not.
    pub(super) fn are_asked(&self) -> bool {
        self.pending
            .values()
            .any(|pending| pending.proof.why == Why::Asked)
    }

    /// Whether somebody waits for an answer.
    pub(super) fn are_awaited(&self) -> bool {
        self.pending.values().any(|pending| !pending.answer.is_closed())
    }
}

struct Pending {
    proof: Proof,
    answer: oneshot::Sender<Result<ClientIdentity, Failure>>,
}

/// The answer to an authentication. Dropping it changes nothing but that nobody waits for it.
pub(in crate::client) struct Answer(oneshot::Receiver<Result<ClientIdentity, Failure>>);

impl Future for Answer {
    type Output = Result<ClientIdentity, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|answer| {
            // The connection was dropped with all that it holds.
            answer.unwrap_or_else(|_| {
                let closed = Closed::new(CloseCode::Abnormal, "the connection was dropped");
                Err(Failure::Closed(closed))
            })
        })
    }
}

impl Link {
    /// Writes an authentication, behind what was written before it and in front of what is written after it.
    pub(in crate::client) fn authenticate(&self, proof: Proof) -> Result<Answer, NotOpened> {
        let mut state = self.lock();
        let answer = state.authenticate(proof)?;
        drop(state);
        self.wake_driver();
        Ok(answer)
    }

    /// Shows what a new connection shows first, before anything else is written to it.
    pub(in crate::client) fn begin_with(&self, credential: Credential) -> Answer {
        let (sender, receiver) = oneshot::channel();
        let status = match self.authenticate(Proof::new(Why::Begins, credential)) {
            Ok(answer) => return answer,
            Err(NotOpened::Refused(status)) => status,
            Err(NotOpened::Full | NotOpened::Gone) => Status::unavailable("the connection is gone"),
        };
        self.lock().is_not_let_in(&status, self);
        let _ = sender.send(Err(Failure::Status(status)));
        Answer(receiver)
    }

    /// Waits until the server warns that the identity ends soon. Each warning is told once.
    pub(in crate::client) async fn expires_soon(&self) {
        self.until(|state| state.authentications.expires_soon.then_some(()))
            .await;
        self.lock().authentications.expires_soon = false;
    }

    pub(in crate::client) fn is_going_away(&self) -> bool {
        self.lock().going_away.is_some()
    }

    pub(in crate::client) fn round_trip_time(&self) -> Option<Duration> {
        self.lock().protocol.round_trip_time()
    }
}

impl State {
    fn authenticate(&mut self, proof: Proof) -> Result<Answer, NotOpened> {
        if self.closed.is_some() || self.protocol.is_going_away() {
            return Err(NotOpened::Gone);
        }
        let pending = &mut self.authentications.pending;
        if pending.len() >= MOST_PENDING {
            let text = "too many authentications wait for their answers";
            return Err(NotOpened::Refused(Status::resource_exhausted(text)));
        }
        // Where the client comes back, it is shown in front of what waits.
        let (protocol, output) = match &mut self.away {
            None => (&mut self.protocol, &mut self.output),
            Some(away) => match &mut away.next {
                Some(next) => (&mut next.protocol, &mut next.output),
                None => return Err(NotOpened::Gone),
            },
        };
        let id = protocol.authenticate(proof.frame(), output).map_err(|error| {
            let text = format!("the credential was not sent: {error}");
            NotOpened::Refused(Status::invalid_argument(text))
        })?;
        let (sender, receiver) = oneshot::channel();
        let answer = sender;
        pending.insert(id, Pending { proof, answer });
        Ok(Answer(receiver))
    }

    /// The server has greeted, and says who the client is so far.
    pub(super) fn is_greeted(&mut self, greeting: Greeting, link: &Link, now: Instant) {
        let Greeting {
            user_id,
            identity_expires_in_us,
            ..
        } = &greeting;
        let identity = ClientIdentity::new(user_id, *identity_expires_in_us, false, now);
        // What was shown first may not be decided yet: the client is not anonymous in between.
        let pending = &self.authentications.pending;
        let undecided = identity.is_anonymous() && pending.values().any(|one| one.proof.why == Why::Begins);
        let identity = (!undecided).then_some(identity);
        link.standing
            .greeted(link.number(), ServerGreeting::new(greeting), identity);
    }

    /// The server says who the client is.
    pub(super) fn is_told(&mut self, mut told: Identity, link: &Link, now: Instant, woken: &mut Woken) {
        if link
            .resumption
            .renewed(link.number(), std::mem::take(&mut told.resume_token))
        {
            self.protocol.acknowledge_token(&mut self.output);
        }
        let identity = ClientIdentity::new(&told.user_id, told.expires_in_us, told.expires_soon, now);
        let status = told
            .status
            .filter(|status| status.code != 0)
            .map(Status::from_wire);
        let pending = self.authentications.pending.remove(&told.request_id);
        // A server that could not decide who a new connection is has not said that it is nobody.
        let mut decided = true;
        if let (Some(Pending { proof, .. }), Some(status)) = (&pending, &status)
            && proof.why == Why::Begins
        {
            decided = self.is_not_let_in(status, link).is_final();
        }
        if decided {
            link.standing.is_told(link.number(), identity.clone());
        }
        let Some(Pending { proof, answer }) = pending else {
            if told.request_id == 0 && told.expires_soon {
                self.authentications.expires_soon = true;
                woken.fate = true;
            }
            return;
        };
        let result = match status {
            None => {
                self.authentications.expires_soon = false;
                link.standing.accepted(proof);
                Ok(identity)
            }
            Some(status) => Err(Failure::Status(status)),
        };
        // Nobody may wait for it.
        let _ = answer.send(result);
    }

    /// What a new connection shows was refused: it is closed, as one would have been whose handshake is refused. Gives the
    /// code that it is closed with.
    fn is_not_let_in(&mut self, status: &Status, link: &Link) -> CloseCode {
        let curable = says_expired(status) && link.standing.has_provider();
        let code = match status.code() {
            Code::Unauthenticated if curable => CloseCode::TokenExpired,
            Code::Unauthenticated
            | Code::PermissionDenied
            | Code::InvalidArgument
            | Code::Unimplemented
            | Code::NotFound
            | Code::FailedPrecondition => CloseCode::TokenInvalid,
            // It may go better next time.
            _ => CloseCode::TryAgainLater,
        };
        link.shut();
        self.close_requested
            .get_or_insert_with(|| (code, format!("the credential was refused: {status}")));
        code
    }

    /// Answers everything that waits with this.
    pub(super) fn fail_authentications(&mut self, failure: &Failure) {
        for (_, pending) in std::mem::take(&mut self.authentications.pending) {
            let _ = pending.answer.send(Err(failure.clone()));
        }
    }
}
