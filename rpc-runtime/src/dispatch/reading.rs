//! From the encoded body of a call that came through layers to what its handler reads: decoded, checked, and passed by the
//! guards that look at it.

use std::sync::Arc;

use prost::Message;
use tokio::task::spawn_blocking;

use super::{begin::read, call::Failure};
use crate::{
    Context, Status, Streaming,
    context::with_trailers,
    contract::{ContractField, RequestPlan},
    guard::RequestGuards,
    middleware::{Body, ToHandler, Trailers},
    session,
    streaming::{Decoder, Feedback},
};

/// Decodes and validates a request, on another thread where it is large.
async fn read_one<Q>(plan: RequestPlan, body: Body, route: &ToHandler, context: &Context) -> Result<Q, Status>
where
    Q: Message + Default + ContractField + 'static,
{
    let Body::Message(body) = body else {
        return Err(Status::internal("a layer has made a stream of the request"));
    };
    // Once more: layers may have changed it.
    let cost = plan.weigh(&body, route.decode_bytes)?;
    let read = if cost.elements > route.inline_elements {
        spawn_blocking(move || read::<Q>(plan, body))
            .await
            .map_err(Status::internal_from)?
    } else {
        read::<Q>(plan, body)
    };
    read.map_err(|failure| match failure {
        Failure::Fault(status) => {
            context.session().fault();
            status
        }
        Failure::Status(status) => status,
        // Not reached: reading does neither.
        Failure::Panicked(_) | Failure::DeadlineExceeded => Status::internal("the request was not read"),
    })
}

/// Decodes and validates a request, and asks the guards that look at it.
pub(super) async fn read_guarded<Q>(
    plan: RequestPlan,
    guards: GuardsOf<Q>,
    body: Body,
    route: &ToHandler,
    context: &Context,
) -> Result<Q, Status>
where
    Q: Message + Default + ContractField + 'static,
{
    let request = read_one(plan, body, route, context).await?;
    if let Some(guards) = guards? {
        let checked = guards.check(context, &request).await;
        checked.map_err(|status| with_trailers(status, context.take_sent()))?;
    }
    Ok(request)
}

/// The guards of a method that look at its requests, where it has any.
pub(super) type GuardsOf<Q> = Result<Option<Arc<RequestGuards<Q>>>, Status>;

/// The client's stream, as its handler reads it: each message passes the guards that look at it first.
pub(super) fn read_many<Q>(
    guards: GuardsOf<Q>,
    body: Body,
    route: ToHandler,
    context: &Arc<Context>,
) -> Result<Streaming<Q>, Status>
where
    Q: Message + Default + ContractField + 'static,
{
    let guards = guards?;
    let Body::Stream(messages) = body else {
        return Err(Status::internal("a layer has made one message of the requests"));
    };
    let held = session::Held::new(context.session().clone(), route.running_bytes);
    let decoder = Decoder::of_requests(route.decode_bytes, route.inline_elements).charging(held);
    let requests = Streaming::from_layers(messages, Trailers::default(), route.inbox, decoder);
    let Some(guards) = guards else {
        return Ok(requests);
    };
    // A reader that outlives its call does not keep it from being over.
    let call = Arc::downgrade(context);
    Ok(requests.guarded(Box::new(move |message| {
        let (guards, call) = (guards.clone(), call.clone());
        Box::pin(async move {
            let Some(context) = call.upgrade() else {
                return Err(Status::cancelled("the call is over"));
            };
            guards.check(&context, &message).await?;
            Ok(message)
        })
    })))
}
