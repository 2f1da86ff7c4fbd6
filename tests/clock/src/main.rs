//! A server whose clock is moved by a day, forwards and back, while clients are connected to it.
//!
//! `cargo xtask clock` runs it under libfaketime, which reads from a file how far the wall clock is moved and leaves the
//! monotonic one alone, as a machine does whose clock is set. What must happen: nobody is closed, pings go on, calls are
//! answered; identities end when they would have ended; and tokens are looked at by the clock as it is now, with a leeway of
//! 60 s. Where the clock does not move after all, that is an error too.

mod people;
mod wall;

use std::{error::Error, sync::Arc, time::Duration};

use people::{Closes, Names, Person};
use rpc_runtime::{Limits, Rate, Server, ServerLimits, auth::jwt::Jwt};
use tokio::net::TcpListener;
use wall::{DAY, Wall};

/// How often clients are pinged, and ping: as often as may be.
const PING: Duration = Duration::from_secs(2);

/// How long a pong may take.
const PONG: Duration = Duration::from_secs(1);

/// How long the server is left alone with a moved clock: longer than a client that does not answer pings lives.
const WHILE: Duration = Duration::from_millis(3500);

/// How many clients stay connected throughout.
const PEOPLE: usize = 20;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome {
    let wall = Wall::new()?;
    let closes = Closes::default();
    let limits = Limits {
        ping_interval: PING,
        pong_timeout: PONG,
        expiry_warning: Duration::from_millis(100),
        expiry_grace: Duration::from_millis(100),
        ..Limits::default()
    };
    // All of them come from one address.
    let server_limits = ServerLimits {
        connects_per_address: Rate::per_second(10_000),
        ..ServerLimits::default()
    };
    let server = Server::builder()
        .server_limits(server_limits)
        .service(Names)
        .authenticator(Jwt::secret(people::SECRET)?)
        .require_authentication()
        .hooks(closes.clone())
        .limits(limits)
        .build()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url: Arc<str> = format!("ws://{}/rpc", listener.local_addr()?).into();
    let serving = server.clone();
    tokio::spawn(async move {
        serving
            .serve_with_listener(listener, std::future::pending())
            .await
    });

    let mut people = Vec::new();
    for number in 0..PEOPLE {
        // Long enough for the run, and far shorter than what the clock is moved by.
        people.push(Person::come(&url, &format!("user-{number}"), wall.seconds() + 600.0).await?);
    }
    for (moved, by) in [("forwards", DAY), ("back", -DAY), ("to where it was", 0)] {
        wall.move_by(by).await?;
        tokio::time::sleep(WHILE).await;
        let connected = server.connections();
        if connected != PEOPLE || closes.count() != 0 {
            return Err(format!(
                "the clock was moved {moved}: of {PEOPLE} clients {connected} are connected, and the server has closed: {closes:?}"
            )
            .into());
        }
        for person in &people {
            person.call().await?;
        }
        leeway(&url, &wall).await?;
        closes.forget();
        println!("moved {moved}: {PEOPLE} clients stayed and were answered; tokens have a leeway of 60 s");
    }
    identities_end_by_the_monotonic_clock(&url, &wall, &closes).await?;
    if server.connections() != PEOPLE {
        return Err(format!("{} clients are left", server.connections()).into());
    }
    println!("identities ended when they would have ended");
    Ok(())
}

/// Tokens of an issuer whose clock is not quite this one, as it is now.
async fn leeway(url: &str, wall: &Wall) -> Outcome {
    let now = wall.seconds();
    for (what, begins, ends, good) in [
        ("is good", -30.0, 600.0, true),
        ("ended 30 s ago", -600.0, -30.0, true),
        ("ended 90 s ago", -600.0, -90.0, false),
        ("begins in 30 s", 30.0, 600.0, true),
        ("begins in 90 s", 90.0, 600.0, false),
    ] {
        let shown = Person::show(url, &people::token("guest", Some(now + begins), now + ends)).await;
        if shown.is_ok() != good {
            return Err(format!("a token that {what} was not as it should be: {shown:?}").into());
        }
        if let Ok(guest) = shown {
            guest.leave().await;
        }
    }
    Ok(())
}

/// An identity is good for as long as its token said when it was shown, whatever the clock says meanwhile.
async fn identities_end_by_the_monotonic_clock(url: &str, wall: &Wall, closes: &Closes) -> Outcome {
    let short = Person::come(url, "short", wall.seconds() + 1.0).await?;
    // By this clock a day is left.
    wall.move_by(-DAY).await?;
    let closed = tokio::time::timeout(Duration::from_secs(30), closes.first()).await;
    let code =
        closed.map_err(|_| "an identity of a second has not ended while the clock was back by a day")?;
    if code != 4401 {
        return Err(format!("an identity that has ended was closed with {code}").into());
    }
    drop(short);
    closes.forget();
    wall.move_by(0).await
}
