//! A library that knows its members.

pub mod contracts;

use std::future::pending;
use std::sync::{Arc, Mutex};

use contracts::{Loan, LoanList, Loans};
use rpc_runtime::auth::{Attempt, AuthError, Authenticator, Credential, Identity};
use rpc_runtime::{Client, Context, Hooks, Rate, RateLimit, Refusal, Server, Session, Status};
use tokio::net::TcpListener;

rpc_runtime::include_gateway!("members");

/// Knows members by their cards.
struct Cards;

impl Authenticator for Cards {
    async fn authenticate(&self, attempt: &Attempt<'_>) -> Result<Identity, AuthError> {
        match attempt.credential().secret() {
            b"card of ann" => Ok(Identity::new("ann").with_role("librarian")),
            b"card of bob" => Ok(Identity::new("bob")),
            _ => Err(AuthError::invalid("there is no such card")),
        }
    }
}

/// The guard `librarian`.
fn librarian(cx: &Context) -> Result<(), Status> {
    match cx.identity() {
        Some(identity) if identity.has_role("librarian") => Ok(()),
        _ => Err(Status::permission_denied("this is for librarians")),
    }
}

/// Says who comes in.
struct Doorman;

impl Hooks for Doorman {
    async fn on_authenticated(&self, _: &Arc<Session>, identity: &Identity) -> Result<(), Refusal> {
        println!("{} comes in", identity.user());
        Ok(())
    }
}

#[derive(Default)]
struct Desk(Mutex<Vec<Loan>>);

impl Loans for Desk {
    async fn lend(&self, cx: &Context, title: String) -> Result<Loan, Status> {
        let member = cx.user().unwrap_or_default().to_owned();
        let loan = Loan { title, member };
        self.0.lock().expect("no holder panics").push(loan.clone());
        Ok(loan)
    }

    async fn list(&self) -> Result<LoanList, Status> {
        let loans = self.0.lock().expect("no holder panics").clone();
        Ok(LoanList { loans })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::builder()
        .service(LoansGateway::new(Desk::default()))
        .authenticator(Cards)
        .guard("librarian", librarian)
        .hooks(Doorman)
        .rate_limit(RateLimit::messages(Rate::per_second(50)).each_user())
        .build()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/rpc", listener.local_addr()?);
    tokio::spawn(async move { server.serve_with_listener(listener, pending()).await });

    let client = Client::connect(&url).await?;
    let loans = LoansClient::new(client.clone());
    let refused = loans.lend("The Rust Book".into()).await;
    println!("nobody: {}", refused.expect_err("nobody is known"));

    client.authenticate(Credential::bearer("card of bob")).await?;
    let loan = loans.lend("The Rust Book".into()).await?;
    println!("{} has {:?}", loan.member, loan.title);
    let refused = loans.list().await;
    println!("bob: {}", refused.expect_err("bob is no librarian"));

    client.change_user(Credential::bearer("card of ann")).await?;
    println!("books that are lent: {}", loans.list().await?.loans.len());
    Ok(())
}
