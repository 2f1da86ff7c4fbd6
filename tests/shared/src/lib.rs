//! Contracts that another crate of the workspace uses.

use rpc_runtime::contract;

/// An amount of money.
#[contract(package = "shared")]
pub struct Money {
    /// ISO 4217.
    #[field(pattern = "^[A-Z]{3}$")]
    pub currency: String,
    /// In the smallest unit of the currency.
    pub amount: i64,
}

/// Where money is paid.
pub mod places {
    use rpc_runtime::contract;

    /// A side of the world.
    #[contract(package = "shared")]
    pub enum Side {
        /// Not said.
        Unspecified,
        /// Here.
        Home,
        /// There.
        Abroad,
        /// Somewhere that this side does not know.
        #[field(other)]
        Other(i32),
    }
}

/// A trait with streams, and the gateway and client that are generated from it.
pub mod exchange {
    use crate::Money;
    use futures_util::Stream;
    use rpc_runtime::{contract, Context, Outgoing, Status, Streaming};

    rpc_runtime::include_gateway!("shared");

    /// Changes money.
    #[contract(package = "shared")]
    pub trait Exchange {
        /// What an amount is worth, again and again.
        async fn watch(
            &self,
            cx: &Context,
            money: Money,
        ) -> Result<impl Stream<Item = Result<Money, Status>>, Status>;

        /// Changes one amount after the other.
        async fn change(
            &self,
            amounts: Streaming<Money>,
        ) -> Result<impl Stream<Item = Result<Money, Status>>, Status>;

        /// The same for as long as the method runs.
        async fn counter(
            &self,
            cx: &Context,
            amounts: Streaming<Money>,
            changed: Outgoing<Money>,
        ) -> Result<(), Status>;
    }
}
