//! Gateways that are generic, borrow, or hold a trait object.

use rpc_runtime::{Context, Status, contract, rpc};
use std::sync::Arc;

#[contract(package = "generic", detached)]
pub struct Item {
    pub label: String,
}

pub trait Store: Send + Sync + 'static {
    fn put(&self, item: &Item);
}

pub struct BoxedGateway {
    store: Arc<dyn Store>,
}

#[rpc("generic", service = "BoxedService", detached)]
impl BoxedGateway {
    #[message]
    async fn put(&self, item: Item) -> Result<(), Status> {
        self.store.put(&item);
        Ok(())
    }
}

pub struct ArrayGateway<S, const N: usize> {
    stores: [S; N],
}

#[rpc("generic", detached)]
impl<S: Store, const N: usize> ArrayGateway<S, N> {
    #[message]
    async fn put(&self, cx: &Context, item: Item) -> Result<(), Status> {
        let _ = cx;
        self.stores.iter().for_each(|store| store.put(&item));
        Ok(())
    }
}

pub struct ConcreteGateway<T>(T);

#[rpc("generic", detached)]
impl ConcreteGateway<String> {
    #[message]
    async fn put(&self, item: Item) -> Result<Item, Status> {
        Ok(Item { label: self.0.clone() + &item.label })
    }
}

fn main() {
    let _ = ConcreteGateway(String::new());
}
