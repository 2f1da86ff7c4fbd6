//! The trace that a call belongs to, from a client through a handler to the next server.

use rpc_runtime::{
    Client, Context, Metadata, Server, Status, codegen::Gateway, contract, rpc, trace::TraceContext,
};

use crate::service::{Item, call, client, connect, item};

#[contract(package = "relaying", detached)]
pub struct Nothing {}

/// Answers by asking the next server for what it was sent.
pub struct AskingGateway {
    next: Client,
}

#[rpc("relaying", detached)]
impl AskingGateway {
    /// What the next server is sent under `traceparent`, and this call's own span.
    #[message(method = "Inside")]
    async fn inside(&self, cx: &Context, _data: Nothing) -> Result<Item, Status> {
        tokio::task::yield_now().await;
        let told = call(&self.next, "Tell", &item("traceparent"));
        note(cx, told.await.map_err(|error| error.into_status())?)
    }

    /// The same from a task that the handler has spawned.
    #[message(method = "Apart")]
    async fn apart(&self, cx: &Context, _data: Nothing) -> Result<Item, Status> {
        let next = self.next.clone();
        let lost = tokio::spawn(async move { call(&next, "Tell", &item("traceparent")).await });
        assert_eq!(
            lost.await.unwrap().unwrap().text,
            "",
            "a task of its own belongs to no trace"
        );
        let told = call(&self.next, "Tell", &item("traceparent")).within(cx);
        let told = tokio::spawn(told.into_future()).await.unwrap();
        note(cx, told.map_err(|error| error.into_status())?)
    }

    /// The same with a trace that the handler has chosen.
    #[message(method = "Chosen")]
    async fn chosen(&self, _data: Nothing) -> Result<Item, Status> {
        let told = call(&self.next, "Tell", &item("traceparent")).metadata("traceparent", "chosen");
        told.await.map_err(|error| error.into_status())
    }
}

fn note(cx: &Context, told: Item) -> Result<Item, Status> {
    if let Some(trace) = cx.trace() {
        cx.set_trailer("span", trace.span_id().to_string());
        cx.set_trailer("parent", trace.parent_id().unwrap().to_string());
    }
    Ok(told)
}

/// Asks the first of two servers, with or without a trace. What the second was sent, and what the first said.
async fn ask(method: &str, trace: Option<&str>) -> (String, Metadata) {
    let (_server, next, _) = client(|client| client);
    let server = Server::builder().service(AskingGateway { next }).build().unwrap();
    let client = connect(&server);
    let methods = AskingGateway::descriptor().methods;
    let method = methods.iter().find(|candidate| candidate.name == method).unwrap();
    let mut call = client.unary::<Item>(method, &Nothing {});
    if let Some(trace) = trace {
        call = call.metadata("traceparent", trace);
    }
    let reply = call.with_metadata().await.unwrap();
    (reply.value.text, reply.trailers)
}

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test]
async fn calls_that_a_handler_makes_carry_its_trace_on_with_its_span_as_their_parent() {
    for method in ["Inside", "Apart"] {
        let (sent, said) = ask(method, Some(TRACEPARENT)).await;
        assert_eq!(said.get("parent"), Some("b7ad6b7169203331"));
        let span = said.get("span").unwrap();
        assert_ne!(span, "b7ad6b7169203331");
        assert_eq!(sent, format!("00-0af7651916cd43dd8448eb211c80319c-{span}-01"));
    }
}

#[tokio::test]
async fn without_a_trace_and_with_a_malformed_one_none_is_carried_on() {
    for trace in [
        None,
        Some("00-malformed"),
        Some("00-00000000000000000000000000000000-b7ad6b7169203331-01"),
    ] {
        for method in ["Inside", "Apart"] {
            let (sent, said) = ask(method, trace).await;
            assert_eq!((sent.as_str(), said.get("span")), ("", None));
        }
    }
}

#[tokio::test]
async fn what_a_handler_has_chosen_itself_stays() {
    let (sent, _) = ask("Chosen", Some(TRACEPARENT)).await;
    assert_eq!(sent, "chosen");
}

#[tokio::test]
async fn a_trace_that_a_program_starts_reaches_the_server() {
    let (_server, client, _) = client(|client| client);
    let trace = TraceContext::start(true);
    let told = call(&client, "Tell", &item("traceparent")).metadata("traceparent", trace.to_string());
    assert_eq!(told.await.unwrap().text, trace.to_string());
}
