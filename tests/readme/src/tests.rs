//! The library, tested in one process and without sockets.

use rpc_runtime::{Code, testing};

use super::*;

#[tokio::test(start_paused = true)]
async fn a_title_is_added_once() {
    let gateway = BookGateway::new(Library::default());
    let server = testing::serve(Server::builder().service(gateway).build().unwrap());
    let books = BookClient::new(server.client());
    let book = Book {
        title: "The Rust Book".into(),
        ..Book::with_defaults()
    };
    books.add(book.clone()).await.unwrap();

    // As a network would. The client comes back by itself, and this call waits for it.
    server.disconnect_all().await;
    let refused = books.add(book).wait_for_ready().await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::AlreadyExists));
}
