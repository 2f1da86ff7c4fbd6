//! The typed client in memory: servers that can be cut off, and clients whose calls are counted.

#![allow(dead_code, reason = "each topic uses what it needs")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use rpc_runtime::{
    Client, ClientLimits,
    auth::Credential,
    contract,
    hub::{
        Anyone, Event, Events, Hub, Namespace, Retention,
        client::{Gap, Received, Subscription, SubscriptionError},
    },
    middleware::{Head, Outbound},
    testing::{self, TestServer},
};

use crate::common::{Said, serve};

/// A number, for order.
#[contract(package = "hubtest", detached)]
pub struct Counted {
    pub number: u64,
}

impl Event for Counted {}

pub fn counted(number: u64) -> Counted {
    Counted { number }
}

/// Channels that anyone hears and publishes in, with a history of `events`, all of which may be recovered at once.
pub fn logs(events: usize) -> Namespace<(String,)> {
    let keep = Retention {
        recover: events,
        ..Retention::of(events, Duration::from_secs(3_600))
    };
    Namespace::new("log:{name}")
        .subscribe(Anyone)
        .publish(Anyone)
        .presence(Anyone)
        .history(Anyone)
        .keep(keep)
}

/// Channels without history.
pub fn wires() -> Namespace<(String,)> {
    Namespace::new("wire:{name}").subscribe(Anyone).publish(Anyone)
}

pub fn hub_of(events: usize) -> Hub {
    let hub = Hub::builder().namespace(logs(events)).namespace(wires());
    hub.build().unwrap()
}

pub fn in_memory(hub: &Hub) -> TestServer {
    testing::serve(serve(hub))
}

/// The methods that a client has called, in their order.
#[derive(Clone, Default)]
pub struct Calls(Arc<Mutex<Vec<&'static str>>>);

impl Calls {
    pub fn client(&self, server: &TestServer, limits: ClientLimits) -> Client {
        let calls = self.0.clone();
        let client = server
            .builder()
            .limits(limits)
            .interceptor(move |call: &mut Outbound| {
                calls.lock().unwrap().push(call.method().name);
                Ok(())
            });
        client.lazy().unwrap()
    }

    pub fn count(&self, method: &str) -> usize {
        let calls = self.0.lock().unwrap();
        calls.iter().filter(|called| **called == method).count()
    }
}

/// A client that is known.
pub fn client_of(server: &TestServer, user: &str) -> Client {
    let client = server.builder().credential(Credential::bearer(user));
    client.lazy().unwrap()
}

pub async fn publish(hub: &Hub, channel: &str, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        hub.channel(channel).publish(&counted(number)).await.unwrap();
    }
}

/// How many clients would hear the channel.
pub async fn hearers(hub: &Hub, channel: &str) -> usize {
    let probe = Said {
        text: "who hears this".to_owned(),
    };
    let receipt = hub.channel(channel).publish(&probe).await.unwrap();
    receipt.reached.unwrap()
}

pub async fn next<E: Events>(events: &mut Subscription<E>) -> Received<E> {
    item(events).await.unwrap()
}

pub async fn item<E: Events>(events: &mut Subscription<E>) -> Result<Received<E>, SubscriptionError> {
    let waits = tokio::time::timeout(Duration::from_secs(120), events.next());
    waits.await.expect("something comes").expect("it goes on")
}

pub async fn gap<E: Events + std::fmt::Debug>(events: &mut Subscription<E>) -> Gap {
    match item(events).await {
        Err(SubscriptionError::Gap(gap)) => gap,
        other => panic!("no gap: {other:?}"),
    }
}

/// Reads so many numbers.
pub async fn numbers(events: &mut Subscription<Counted>, count: usize) -> Vec<u64> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        numbers.push(next(events).await.event.number);
    }
    numbers
}

/// Nothing comes for a while.
pub async fn silent<E: Events + std::fmt::Debug>(events: &mut Subscription<E>) {
    let waits = tokio::time::timeout(Duration::from_secs(60), events.next());
    if let Ok(came) = waits.await {
        panic!("something came: {came:?}");
    }
}
