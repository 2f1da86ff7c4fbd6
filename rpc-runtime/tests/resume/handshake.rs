//! What the upgrade of a client that comes back says of its session, where everybody on the way reads along and proxies write logs:
//! that it comes back, and nothing of its token. Over real sockets, by the bytes that go over them.

use std::{
    future::pending,
    io::Cursor,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use percent_encoding::percent_decode_str;
use rpc_protocol::{Frame, FrameKind, RESUME_SUBPROTOCOL, SUBPROTOCOL};
use rpc_runtime::{Client, auth::Credential};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinHandle,
};
use tokio_tungstenite::tungstenite::{Message, WebSocket, protocol::Role};

use crate::{
    house::{Note, method, note},
    support::Place,
};

/// So many letters of a token are found by chance nowhere.
const PIECE: usize = 12;

/// What has gone one way over a connection.
type Gone = Arc<Mutex<Vec<u8>>>;

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, gone: Gone) {
    let mut buffer = [0; 4_096];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        gone.lock().unwrap().extend_from_slice(&buffer[..count]);
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

/// One connection, and what goes over it.
struct Line {
    from_client: Gone,
    from_server: Gone,
    passing: JoinHandle<()>,
}

impl Line {
    fn new(client: TcpStream, server: TcpStream) -> Self {
        let (from_client, from_server) = (Gone::default(), Gone::default());
        let (near_read, near_write) = client.into_split();
        let (far_read, far_write) = server.into_split();
        let up = pass(near_read, far_write, from_client.clone());
        let down = pass(far_read, near_write, from_server.clone());
        let passing = tokio::spawn(async move {
            tokio::join!(up, down);
        });
        Self {
            from_client,
            from_server,
            passing,
        }
    }
}

/// Passes a client's connections on to a server, and keeps what goes over them.
#[derive(Clone, Default)]
struct Wire(Arc<Mutex<Vec<Line>>>);

impl Wire {
    /// With where a client connects to it.
    async fn to(server: SocketAddr) -> (Self, SocketAddr) {
        let wire = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, lines) = (listener.local_addr().unwrap(), wire.0.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(server).await.unwrap();
                lines.lock().unwrap().push(Line::new(client, server));
            }
        });
        (wire, address)
    }

    /// Cuts the connection that there is, and waits until the client has made another.
    async fn cut(&self) {
        let count = {
            let lines = self.0.lock().unwrap();
            lines.last().unwrap().passing.abort();
            lines.len()
        };
        let comes_back = async {
            while self.0.lock().unwrap().len() == count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let comes_back = tokio::time::timeout(Duration::from_secs(60), comes_back);
        comes_back.await.expect("the client comes back");
    }

    fn read(&self) -> Vec<[Half; 2]> {
        let half = |gone: &Gone, role| Half::read(&gone.lock().unwrap(), role);
        let lines = self.0.lock().unwrap();
        let lines = lines.iter().map(|line| {
            [
                half(&line.from_client, Role::Server),
                half(&line.from_server, Role::Client),
            ]
        });
        lines.collect()
    }
}

/// What one side has said on one connection.
struct Half {
    /// In the upgrade: the first line and the headers.
    head: String,
    frames: Vec<FrameKind>,
}

impl Half {
    fn read(gone: &[u8], reader: Role) -> Self {
        let end = gone.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        let (head, rest) = gone.split_at(end);
        let nothing = Cursor::new(Vec::new());
        let mut socket = WebSocket::from_partially_read(nothing, rest.to_vec(), reader, None);
        let mut frames = Vec::new();
        while let Ok(message) = socket.read() {
            if let Message::Binary(message) = message {
                frames.push(Frame::decode(message).expect("a frame").kind);
            }
        }
        Self {
            head: String::from_utf8(head.to_vec()).unwrap(),
            frames,
        }
    }

    /// The token that a client shows by its first frame.
    fn shows(&self) -> &str {
        match &self.frames[0] {
            FrameKind::Greeting(greeting) => &greeting.resume_token,
            other => panic!("no greeting: {other:?}"),
        }
    }

    /// The tokens that a server has told, one behind the other.
    fn told(&self) -> impl Iterator<Item = &str> {
        let tokens = self.frames.iter().map(|kind| match kind {
            FrameKind::Greeting(greeting) => &*greeting.resume_token,
            FrameKind::Identity(identity) => &*identity.resume_token,
            _ => "",
        });
        tokens.filter(|token| !token.is_empty())
    }

    /// The lines of the head that are not the same each time by what they are for.
    fn lines(&self) -> Vec<&str> {
        let differs = ["sec-websocket-key:", "sec-websocket-protocol:"];
        let is_same = |line: &&str| !differs.iter().any(|name| line.to_lowercase().starts_with(name));
        self.head.lines().filter(is_same).collect()
    }

    fn protocols(&self) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let of = lines.find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-protocol"));
        of.unwrap().1
    }

    /// Whether the head has a piece of a token, however that is written.
    fn says_of(&self, token: &str) -> bool {
        let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).expect("a token");
        let mut written = vec![token.as_bytes().to_vec(), bytes.clone()];
        for bytes in [token.as_bytes(), &bytes] {
            written.push(HEXLOWER.encode(bytes).into());
            // Whatever stands in front of it.
            for before in 0..3 {
                let behind = [&vec![b'.'; before], bytes].concat();
                let both = [BASE64_NOPAD, BASE64URL_NOPAD].map(|base64| base64.encode(&behind).into());
                written.extend(both);
            }
        }
        let decoded = percent_decode_str(&self.head).collect::<Vec<_>>();
        let heads = [self.head.as_bytes(), &decoded].map(<[u8]>::to_ascii_lowercase);
        let has = |piece: &[u8]| {
            heads
                .iter()
                .any(|head| head.windows(PIECE).any(|part| part == piece))
        };
        written
            .iter()
            .any(|text| text.to_ascii_lowercase().windows(PIECE).any(has))
    }
}

#[tokio::test]
async fn a_clients_upgrade_has_nothing_of_its_token_in_its_url_and_its_headers_also_where_it_comes_back() {
    const RETURNS: usize = 2;
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (wire, address) = Wire::to(listener.local_addr().unwrap()).await;
    let server = place.server.clone();
    tokio::spawn(async move { server.serve_with_listener(listener, pending()).await });
    let client = Client::builder(format!("ws://{address}/in/hall?q=a+b"))
        .header("x-app", "house")
        .connect()
        .await
        .unwrap();
    // With it the token is replaced.
    client.authenticate(Credential::new("word", "ali")).await.unwrap();
    let before = client.greeted().await.unwrap();
    for _ in 0..RETURNS {
        wire.cut().await;
        let greeting = client.greeted().await.unwrap();
        assert!(greeting.resumed());
        assert_eq!(greeting.client_id(), before.client_id());
        let who: Note = client.unary(method("Who"), &note("")).await.unwrap();
        assert!(who.text.starts_with("ali ali authenticated"), "{}", who.text);
    }
    assert_eq!(place.journal.of("resume").len(), RETURNS);

    let connections = wire.read();
    assert_eq!(connections.len(), 1 + RETURNS);
    let [first, returns @ ..] = &connections[..] else {
        panic!("there is none")
    };
    // Where a token is shown it is found: by this also what follows looks for the right ones.
    let mut last = first[1].told().last().expect("it is told one");
    for [client, server] in returns {
        assert_eq!(client.shows(), last);
        last = server.told().last().expect("it is told its successor");
    }
    let tokens: Vec<_> = connections.iter().flat_map(|[_, server]| server.told()).collect();
    assert!(tokens.len() > RETURNS, "{tokens:?}");
    for half in connections.iter().flatten() {
        for token in &tokens {
            assert!(!half.says_of(token), "{token} is in\n{}", half.head);
        }
    }
    assert_eq!(first[0].head.lines().next(), Some("GET /in/hall?q=a+b HTTP/1.1"));
    assert_eq!(first[0].protocols(), SUBPROTOCOL);
    for [client, _] in returns {
        assert_eq!(client.lines(), first[0].lines());
        assert_eq!(client.protocols(), format!("{SUBPROTOCOL}, {RESUME_SUBPROTOCOL}"));
    }
}

#[test]
fn a_token_in_an_upgrade_would_be_found_however_it_is_written() {
    let bytes: [u8; 48] = std::array::from_fn(|at| (at * 37 + 11) as u8);
    let token = BASE64URL_NOPAD.encode(&bytes);
    let in_percent = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("%{byte:02X}"))
            .collect::<String>()
    };
    let of_another = BASE64URL_NOPAD.encode(&bytes.map(|byte| !byte));
    for (says, head) in [
        (false, "GET /rpc?q=a+b HTTP/1.1".to_owned()),
        (false, format!("GET /rpc?resume={of_another} HTTP/1.1")),
        (true, format!("GET /rpc?resume={token} HTTP/1.1")),
        (
            true,
            format!("GET /rpc?resume={} HTTP/1.1", in_percent(token.as_bytes())),
        ),
        (true, format!("GET /rpc?resume={} HTTP/1.1", in_percent(&bytes))),
        (true, format!("x-resume: {}", HEXUPPER.encode(&bytes))),
        (
            true,
            format!(
                "sec-websocket-protocol: rpc.v1, {}",
                HEXLOWER.encode(token.as_bytes())
            ),
        ),
        (true, format!("cookie: {}", BASE64.encode(&bytes))),
        (
            true,
            format!(
                "authorization: Basic {}",
                BASE64.encode(format!("resume:{token}").as_bytes())
            ),
        ),
        (true, format!("x-session: {}", &token[..20])),
    ] {
        let half = Half {
            head,
            frames: Vec::new(),
        };
        assert_eq!(half.says_of(&token), says, "{}", half.head);
    }
}
