//! The service and its clients in one process, without sockets.

use rpc_runtime::{Code, testing::serve};

use crate_name::GuestBookClient;
use crate_name::contracts::{Entry, SignRequest};

fn hello(name: &str) -> SignRequest {
    SignRequest {
        name: name.into(),
        text: "Hello!".into(),
    }
}

#[tokio::test]
async fn what_is_written_is_read_and_told_to_who_subscribes() {
    let server = serve(crate_name::server().unwrap());
    let client = server.client();
    let book = GuestBookClient::new(server.client());
    let mut written = client.hub().subscribe::<Entry>("entries").await.unwrap();

    let ada = book.sign(hello("Ada")).await.unwrap();
    assert_eq!((ada.number, ada.name.as_str()), (1, "Ada"));
    assert_eq!(written.next().await.unwrap().unwrap().event, ada);

    let grace = book.sign(hello("Grace")).await.unwrap();
    let mut read = book.read().await.unwrap();
    for entry in [ada, grace] {
        assert_eq!(read.message().await.unwrap(), Some(entry));
    }
    assert_eq!(read.message().await.unwrap(), None);
}

#[tokio::test]
async fn nobody_signs_without_a_name() {
    let server = serve(crate_name::server().unwrap());
    let book = GuestBookClient::new(server.client());
    let refused = book.sign(hello("")).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::InvalidArgument));
    assert_eq!(book.read().await.unwrap().message().await.unwrap(), None);
}
