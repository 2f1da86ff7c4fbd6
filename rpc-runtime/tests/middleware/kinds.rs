//! All kinds of calls, each checked in the same way whatever is around it.

use futures_util::{StreamExt, TryStreamExt, stream};
use rpc_runtime::{Client, Code, Metadata};

use crate::service::{Item, amount, call, item, method};

/// Makes a call of every kind. `relayed` is what the texts of echoes become.
pub async fn check(client: &Client, relayed: impl Fn(&str) -> String) {
    unary(client, &relayed).await;
    server_streaming(client).await;
    client_streaming(client).await;
    bidirectional(client, &relayed).await;
    session(client).await;
    failures(client).await;
}

fn has(metadata: &Metadata, key: &str, value: &str) {
    assert_eq!(metadata.get(key), Some(value), "{metadata:?}");
}

async fn unary(client: &Client, relayed: impl Fn(&str) -> String) {
    let reply = call(client, "Echo", &item("a")).with_metadata().await.unwrap();
    assert_eq!(reply.value.text, relayed("a"));
    has(&reply.metadata, "ahead", "of it");
    has(&reply.trailers, "behind", "it");
    let waited = call(client, "Delay", &amount(1)).await.unwrap();
    assert_eq!(waited.amount, 1);
    let apart = call(client, "DelayApart", &amount(1)).await.unwrap();
    assert_eq!(apart.amount, 1);
}

async fn server_streaming(client: &Client) {
    for count in [0, 1, 3, 1000] {
        let mut items = client
            .server_streaming::<Item>(method("Count"), &amount(count))
            .await
            .unwrap();
        has(items.metadata(), "ahead", "of it");
        for at in 0..count {
            assert_eq!(items.message().await.unwrap(), Some(amount(at)));
        }
        assert_eq!(items.message().await.unwrap(), None);
        if count > 0 {
            has(items.trailers(), "behind", "it");
        }
    }
}

async fn client_streaming(client: &Client) {
    for count in [0, 1, 1000] {
        let items = stream::iter((0..count).map(amount));
        let call = client.client_streaming::<Item, Item>(method("Sum"), items);
        let reply = call.with_metadata().await.unwrap();
        assert_eq!(reply.value.amount, (0..count).sum::<u64>());
        has(&reply.trailers, "behind", "it");
    }
}

async fn bidirectional(client: &Client, relayed: impl Fn(&str) -> String) {
    let items = stream::iter(["a", "b", "c"]).map(item);
    let call = client.bidirectional::<Item, Item>(method("Relay"), items);
    let texts: Vec<_> = call
        .await
        .unwrap()
        .map_ok(|item| item.text)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(texts, ["a", "b", "c"].map(relayed));
}

async fn session(client: &Client) {
    let said = client.session(method("Chat"), async |output, mut input| {
        let mut said = Vec::new();
        // One after the other: what is said is answered before the next is said.
        for text in ["a", "b"] {
            output.send(item(text)).await?;
            said.push(input.message().await?.map(|item: Item| item.text));
        }
        drop(output);
        said.push(input.message().await?.map(|item| item.text));
        assert!(input.message().await?.is_none());
        has(input.trailers(), "behind", "it");
        Ok(said)
    });
    let said: Vec<_> = said.await.unwrap().into_iter().flatten().collect();
    assert_eq!(said, ["a", "b", "bye"]);
}

async fn failures(client: &Client) {
    let missing = call(client, "Missing", &item("x")).await.unwrap_err();
    let status = missing.status().unwrap();
    assert_eq!(
        (status.code(), status.message()),
        (Code::NotFound, "no such item")
    );
    assert_eq!(status.details::<Item>().collect::<Vec<_>>(), [item("x")]);
    let broken = item(&"x".repeat(21));
    let refused = call(client, "Echo", &broken).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::InvalidArgument));
    let items = stream::iter([item("fine"), broken]);
    let refused = client
        .client_streaming::<Item, Item>(method("Sum"), items)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Some(Code::InvalidArgument));
}
