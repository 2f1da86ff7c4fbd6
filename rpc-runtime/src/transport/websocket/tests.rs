use std::future::poll_fn;

use bytes::BufMut;
use proptest::prelude::*;
use tokio::io::{AsyncWriteExt, DuplexStream};

use super::*;
use crate::transport::output::OutputBuffer;

fn websocket(stream: DuplexStream, role: Role) -> WebSocket<DuplexStream> {
    let output = match role {
        Role::Server => OutputBuffer::of_server(),
        Role::Client => OutputBuffer::of_client(),
    };
    WebSocket::new(Io::new(stream, output, &[]), role, 1 << 20)
}

async fn next(socket: &mut WebSocket<DuplexStream>) -> Result<Incoming, Stop> {
    poll_fn(|cx| {
        loop {
            match socket.read() {
                Err(Stop::NeedsMore) => match socket.poll_fill(cx) {
                    Poll::Ready(read) => assert!(read.is_ok()),
                    Poll::Pending => {
                        socket.io.release_input();
                        return Poll::Pending;
                    }
                },
                read => return Poll::Ready(read),
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_header_alone_does_not_reserve_what_it_announces() {
    let (near, mut far) = tokio::io::duplex(1 << 21);
    let mut receiver = websocket(near, Role::Server);
    let header = [&[0x82, 0xff][..], &(1_u64 << 20).to_be_bytes(), &[0; 4]].concat();
    let mut capacities = Vec::new();
    for part in [header, vec![7; 10], vec![7; 400_000]] {
        far.write_all(&part).await.expect("is sent");
        poll_fn(|cx| {
            while receiver.read().is_err_and(|stop| stop == Stop::NeedsMore)
                && receiver.poll_fill(cx).is_ready()
            {}
            Poll::Ready(())
        })
        .await;
        let partial = receiver.partial.as_ref().expect("a message has begun");
        capacities.push(partial.payload.capacity());
    }
    assert_eq!(capacities[..2], [FIRST_BUFFER; 2]);
    assert!((400_010..=2 * 400_010).contains(&capacities[2]), "{capacities:?}");
    far.write_all(&vec![7; (1 << 20) - 400_010])
        .await
        .expect("is sent");
    assert!(matches!(next(&mut receiver).await, Ok(Incoming::Binary(message)) if message.len() == 1 << 20));
}

proptest! {
    #[test]
    fn messages_of_all_lengths_arrive_whole_however_the_socket_cuts_them(
        lens in proptest::collection::vec(
            prop_oneof![0..200_usize, 15_000..18_000_usize, 60_000..140_000_usize],
            1..8,
        ),
        cut in prop_oneof![1..100_usize, 4_000..70_000_usize],
        from_client in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let (near, far) = tokio::io::duplex(cut);
            let roles = if from_client { (Role::Client, Role::Server) } else { (Role::Server, Role::Client) };
            let (mut sender, mut receiver) = (websocket(near, roles.0), websocket(far, roles.1));
            for (index, &len) in lens.iter().enumerate() {
                sender.io.output.begin(len).put_bytes(index as u8 + 1, len);
            }
            let sending = tokio::spawn(async move {
                poll_fn(|cx| sender.io.poll_flush(cx)).await.expect("the receiver reads");
            });
            for (index, &len) in lens.iter().enumerate() {
                let Ok(Incoming::Binary(message)) = next(&mut receiver).await else {
                    panic!("message {index} of {len} bytes did not arrive");
                };
                assert!(message.len() == len && message.iter().all(|&byte| byte == index as u8 + 1));
            }
            sending.await.expect("all of it was sent");
            assert!(matches!(next(&mut receiver).await, Err(Stop::Broken)));
        });
    }
}
