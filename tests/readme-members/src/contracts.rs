//! What members of a library may do.

use rpc_runtime::{Context, Status, contract};

/// A book, and who has it.
#[contract(package = "members")]
pub struct Loan {
    /// What the book is called.
    pub title: String,
    /// The user's id.
    pub member: String,
}

/// Every loan.
#[contract(package = "members")]
pub struct LoanList {
    /// In the order in which they were made.
    pub loans: Vec<Loan>,
}

/// Lends books.
#[contract(package = "members", auth)]
pub trait Loans {
    /// Lends a book to the member who calls.
    async fn lend(&self, cx: &Context, title: String) -> Result<Loan, Status>;

    /// Who has what.
    #[message(guard = "librarian")]
    async fn list(&self) -> Result<LoanList, Status>;
}
