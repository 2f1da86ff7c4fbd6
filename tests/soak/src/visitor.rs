//! A visitor: connects, does this and that, goes in one way or another, and comes again.

use crate::{
    SoakClient,
    acts::{Act, Failure},
    random::Random,
    severable::Severable,
    tally::Tally,
};
use futures_util::future::join_all;
use rpc_runtime::Client;
use std::{io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

/// Whoever waits longer than this for something waits for ever: a call that takes milliseconds, on a machine that may
/// stand still for seconds.
const FOR_EVER: Duration = Duration::from_secs(60);

/// Visits again and again, until `tally` says that it is over.
pub(crate) async fn visit(url: Arc<str>, mut random: Random, tally: Arc<Tally>) {
    while !tally.is_over() {
        let visit = async {
            match random.below(20) {
                0 => half_a_handshake(&url, &mut random).await,
                1 => garbage(&url, &mut random).await,
                2..=5 => cut_off(&url, &mut random, &tally).await,
                _ => orderly(&url, &mut random, &tally).await,
            }
        };
        let outcome = timeout(FOR_EVER, visit).await;
        tally.visited(outcome.unwrap_or_else(|_| Err(Failure("a visit hung".to_owned()))));
        sleep(Duration::from_millis(random.below(50))).await;
    }
}

/// Calls until it has done enough, and goes in order.
async fn orderly(url: &str, random: &mut Random, tally: &Tally) -> Result<(), Failure> {
    let client = SoakClient::connect(url).await?;
    stay(&client, random, tally).await
}

/// The same, but its socket is cut off at any moment.
async fn cut_off(url: &str, random: &mut Random, tally: &Tally) -> Result<(), Failure> {
    let stream = upgrade(url).await.map_err(Failure::from)?;
    let (stream, knife) = Severable::new(stream);
    let client = SoakClient::new(Client::from_io(stream));
    let moment = Duration::from_millis(random.below(200));
    let cut = async {
        sleep(moment).await;
        knife.cut();
    };
    // What its calls come to after that is nobody's concern, as long as they come to an end.
    let (_, ()) = tokio::join!(stay(&client, random, tally), cut);
    Ok(())
}

/// Does some things, a few of them at once.
async fn stay(client: &SoakClient, random: &mut Random, tally: &Tally) -> Result<(), Failure> {
    for _ in 0..=random.below(12) {
        let acts: Vec<_> = (0..=random.below(3))
            .map(|_| (Act::any(random), random.split()))
            .collect();
        let acts = acts.into_iter().map(async |(act, random)| {
            let outcome = timeout(FOR_EVER, act.run(client, random)).await;
            let outcome = outcome.unwrap_or_else(|_| Err(Failure("it hung".to_owned())));
            tally.acted(act);
            outcome.map_err(|Failure(text)| Failure(format!("{act:?}: {text}")))
        });
        for outcome in join_all(acts).await {
            outcome?;
        }
        sleep(Duration::from_millis(random.below(20))).await;
    }
    Ok(())
}

/// Begins a handshake and goes.
async fn half_a_handshake(url: &str, random: &mut Random) -> Result<(), Failure> {
    let mut stream = TcpStream::connect(authority(url)).await?;
    let request = request(url);
    let some = usize::try_from(random.below(request.len() as u64)).unwrap_or_default();
    stream.write_all(&request.as_bytes()[..some]).await?;
    sleep(Duration::from_millis(random.below(5))).await;
    Ok(())
}

/// Connects and sends what is no frame; the server closes.
async fn garbage(url: &str, random: &mut Random) -> Result<(), Failure> {
    let mut stream = upgrade(url).await?;
    let garbage: Vec<u8> = (0..random.below(200)).map(|_| random.below(256) as u8).collect();
    stream.write_all(&garbage).await?;
    stream.shutdown().await?;
    // Reads what the server says to that, until it closes.
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    Ok(())
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

/// A socket whose upgrade is over, with nothing read behind it.
async fn upgrade(url: &str) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(authority(url)).await?;
    stream.set_nodelay(true)?;
    stream.write_all(request(url).as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    match head.starts_with(b"HTTP/1.1 101 ") {
        true => Ok(stream),
        false => Err(io::Error::other(String::from_utf8_lossy(&head).into_owned())),
    }
}

fn request(url: &str) -> String {
    format!(
        "GET /rpc HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: rpc.v1\r\n\r\n",
        authority(url)
    )
}

/// Host and port of `ws://host:port/rpc`.
fn authority(url: &str) -> &str {
    url.trim_start_matches("ws://").trim_end_matches("/rpc")
}
