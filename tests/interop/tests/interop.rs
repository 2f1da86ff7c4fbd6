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
