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
