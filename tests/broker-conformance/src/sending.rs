//! What is sent to clients, users, or everybody.

use rpc_runtime::hub::{Broker, broker::Address};

use crate::cluster::{Cluster, body, client, keyed, text, unique, works};

/// Everything in this module.
pub async fn all<B: Broker>(cluster: &Cluster<B>) {
    what_is_sent_is_given_to_all_nodes_in_the_order_of_its_sender(cluster).await;
}

/// Without a position, and to any address.
pub async fn what_is_sent_is_given_to_all_nodes_in_the_order_of_its_sender<B: Broker>(cluster: &Cluster<B>) {
    let addresses = [
        Address::Client(client(7)),
        Address::User("ali".into()),
        Address::User("a user: with/odd.characters*".into()),
        Address::All,
        Address::Anonymous,
    ];
    for sender in &cluster.nodes {
        let (key, last) = (unique("key"), unique("last"));
        for round in 0..20 {
            for to in &addresses {
                let mut event = keyed(&format!("{key} {round}"), &key);
                event.id = Some(key.as_str().into());
                let receipt = works(sender.broker.send(to, event)).await;
                assert_eq!(
                    (&*receipt.id, receipt.position),
                    (&*key, None),
                    "what is sent has no position"
                );
                assert!(
                    !receipt.duplicate,
                    "there is no history that could remember a key"
                );
            }
        }
        works(sender.broker.send(&Address::All, text(&last))).await;
        for node in &cluster.nodes {
            let sent = node.given.sent_until(&last).await;
            let mut of_sender = sent.iter().filter(|(_, event)| body(event).starts_with(&key));
            for round in 0..20 {
                for to in &addresses {
                    let (address, event) = of_sender
                        .next()
                        .unwrap_or_else(|| panic!("everything is delivered"));
                    assert_eq!(
                        (address, body(event)),
                        (to, format!("{key} {round}")),
                        "in the order of each sender"
                    );
                    assert_eq!(event.position.offset, 0);
                }
            }
            assert!(of_sender.next().is_none(), "each once");
        }
    }
}
