//! Every case over every transport.

use interop::{cases, peer::Peer};

/// The list of cases, as one test each in a module per transport.
macro_rules! over {
    ($transport:ident, $($case:ident,)*) => {
        mod $transport {
            use super::*;

            $(
                #[tokio::test]
                async fn $case() {
                    cases::$case(&Peer::$transport().await).await;
                }
            )*
        }
    };
}

/// One list, each transport.
macro_rules! cases {
    ($($case:ident,)*) => {
        over!(over_a_socket, $($case,)*);
        over!(in_memory, $($case,)*);
        over!(with_compression, $($case,)*);

        /// What one case leaves behind shall not be another's undoing.
        #[tokio::test]
        async fn all_on_one_connection() {
            let peer = Peer::over_a_socket().await;
            $(
                cases::$case(&peer).await;
            )*
        }
    };
}

cases! {
    empty_unary,
    large_unary,
    client_streaming,
    server_streaming,
    ping_pong,
    empty_stream,
    custom_metadata,
    status_code_and_message,
    special_status_message,
    unimplemented_method,
    unimplemented_service,
    cancel_after_begin,
    cancel_after_first_response,
    timeout_on_sleeping_server,
}

/// That a case passes with compression says nothing where nothing is compressed.
#[tokio::test]
async fn zeros_are_small_with_compression() {
    let peer = Peer::with_compression().await;
    // A client compresses once the server's greeting has said that it may.
    cases::empty_unary(&peer).await;
    let before = peer.traffic.so_far();
    cases::large_unary(&peer).await;
    cases::client_streaming(&peer).await;
    cases::server_streaming(&peer).await;
    let after = peer.traffic.so_far();
    for (before, after) in before.into_iter().zip(after) {
        assert!((100..4_000).contains(&(after - before)), "{before} to {after}");
    }
}
