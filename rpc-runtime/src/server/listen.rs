//! A listener whose queue is long enough for a crowd to wait in.

use std::{io, net::SocketAddr};

use tokio::net::{TcpListener, TcpSocket, ToSocketAddrs, lookup_host};

use super::Server;

/// Connections that the system keeps until they are accepted. It may be set to keep fewer: Linux keeps as many as
/// `net.core.somaxconn` says, which is 4,096 where nobody has changed it.
const QUEUE: u32 = 4_096;

impl Server {
    /// Listens on the first of the addresses on which that is possible, for
    /// [`serve_with_listener`](Self::serve_with_listener).
    ///
    /// `TcpListener::bind` does the same with a queue of 128 connections. When a thousand clients come back at once, the system
    /// then drops most of their attempts, and they try again one, three and seven seconds later, whatever the server does in
    /// between. Here as many wait as the system allows, at most 4,096.
    ///
    /// # Errors
    ///
    /// When there is no such address, or none of them can be listened on.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let listener = rpc_runtime::Server::listen("127.0.0.1:0").await?;
    /// println!("ws://{}/rpc", listener.local_addr()?);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn listen(addr: impl ToSocketAddrs) -> io::Result<TcpListener> {
        let mut failure = None;
        for addr in lookup_host(addr).await? {
            match listen_on(addr) {
                Ok(listener) => return Ok(listener),
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "this names no address")))
    }
}

fn listen_on(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = match addr {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // So that a server can be started again at once. On Windows it would let another program take the port over.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(QUEUE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_that_is_taken_or_none_is_an_error_that_says_so() {
        let taken = Server::listen("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = Server::listen(taken).await.unwrap();
        let error = Server::listen(taken).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        let other = Server::listen(&[taken, free][..]).await.unwrap();
        assert_ne!(other.local_addr().unwrap(), listener.local_addr().unwrap());
        let error = Server::listen(&[][..]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }

    /// Linux finishes a handshake of TCP as long as there is room in the queue, and drops it afterwards.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn hundreds_wait_in_the_listeners_queue_until_they_are_accepted() {
        use std::time::Duration;
        use tokio::{net::TcpStream, time::timeout};

        let most = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
        let many = most.trim().parse::<usize>().unwrap().min(400);
        let listener = Server::listen("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        for _ in 0..many {
            let connected = timeout(Duration::from_secs(60), TcpStream::connect(addr)).await;
            waiting.push(connected.expect("there is room").unwrap());
        }
        assert_eq!(waiting.len(), many);
    }
}
