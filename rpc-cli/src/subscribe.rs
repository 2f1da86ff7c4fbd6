//! `rpc subscribe`: events of channels, as they come.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::try_join_all;
use futures_util::stream::{SelectAll, Stream, StreamExt};
use rpc_runtime::hub::Position;
use rpc_runtime::hub::client::{AnyEvent, EventStream, Gap, Received, Subscription, SubscriptionError};
use rpc_runtime::{Client, ConnectionState};

use crate::cli::SubscribeArgs;
use crate::event;
use crate::failure::{Exit, Failure};
use crate::output::count_of;
use crate::progress::Progress;
use crate::stop::Stop;
use crate::types::Types;
use crate::{connect, output};

/// `rpc subscribe`
pub(crate) async fn run(args: &SubscribeArgs) -> Result<(), Failure> {
    if args.since.is_some() && args.channels.len() != 1 {
        let text = "--since is a position of one channel";
        return Err(Failure::new(Exit::Usage, text).hint("name one channel, or use --last"));
    }
    let client = connect::lasting(&args.server).await?;
    let stop = Stop::listen();
    let begun = tokio::select! {
        biased;
        () = stop.asked() => return Ok(()),
        begun = begin_all(args, &client) => begun?,
    };
    let Begun {
        mut listener,
        kept,
        mut channels,
    } = begun;
    // Whatever is waited for while listening, an answer about a type included, is given up by these two.
    let ended = tokio::select! {
        biased;
        () = stop.asked() => Ok(()),
        () = after(args.time) => listener.time_is_over(args.time),
        ended = listener.listen(&client, kept, &mut channels) => ended,
    };
    // With its connection a client leaves all channels; the server is not asked about each, which may be away. Whoever hears nothing
    // more from the server, or whose output nobody reads, does not wait for the end of the connection either.
    if ended.is_ok() {
        connect::close(&client).await;
    }
    listener.sum_up();
    ended
}

async fn after(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

/// What is heard, and who shows it.
struct Begun {
    listener: Listener,
    /// What is to be shown before.
    kept: Vec<Received<AnyEvent>>,
    channels: SelectAll<Source>,
}

/// Asks for all that is needed to show events, and subscribes to all channels.
async fn begin_all(args: &SubscribeArgs, client: &Client) -> Result<Begun, Failure> {
    let listener = Listener {
        left: args.count,
        json: args.output.json,
        types: Types::find(&args.server, client).await?,
        progress: Progress::new("events"),
        heard: 0,
        gaps: 0,
    };
    let mut channels = SelectAll::new();
    if args.direct {
        channels.push(Source::Direct(client.events()));
    }
    let begins = args
        .channels
        .iter()
        .map(|channel| begin(client, channel, args.since, args.last));
    let begun = try_join_all(begins).await?;
    listener.types.say_what_is_missing();
    if args.direct {
        output::note("hears what is sent to this client");
    }
    let mut kept = Vec::new();
    for (before, subscription) in begun {
        output::note(&format!("hears {}", subscription.channel()));
        kept.extend(before);
        channels.push(Source::Channel(subscription));
    }
    Ok(Begun {
        listener,
        kept,
        channels,
    })
}

/// Subscribes to a channel. What is to be shown before comes with it.
async fn begin(
    client: &Client,
    channel: &str,
    since: Option<Position>,
    last: Option<u32>,
) -> Result<(Vec<Received<AnyEvent>>, Subscription<AnyEvent>), Failure> {
    let hub = client.hub();
    let of_channel = |error| Failure::from(error).about(channel);
    let (mut since, mut before) = (since, Vec::new());
    if let Some(last) = last {
        let history = hub.history(channel).newest_first();
        let mut page = history.limit(last).await.map_err(of_channel)?;
        if page.position.is_none() {
            output::note(&format!("{channel} keeps no events"));
        }
        // What is published from now on is heard behind it, and once.
        since = page.position;
        let epoch = since.map(|since| since.epoch);
        // A page has a bound in bytes as well. What is of another history by now is not what was before.
        while page.position.map(|now| now.epoch) == epoch {
            before.append(&mut page.events);
            let left = last.saturating_sub(u32::try_from(before.len()).unwrap_or(u32::MAX));
            let Some(at) = page.last.filter(|_| page.more && left > 0) else {
                break;
            };
            let history = hub.history(channel).newest_first().before(at.offset);
            page = history.limit(left).await.map_err(of_channel)?;
        }
        before.reverse();
    }
    let mut subscribe = hub.subscribe(channel);
    if let Some(since) = since {
        subscribe = subscribe.since(since);
    }
    Ok((before, subscribe.await.map_err(of_channel)?))
}

/// Where events come from.
enum Source {
    Channel(Subscription<AnyEvent>),
    Direct(EventStream<AnyEvent>),
}

/// What is wrong is told with the channel that it is wrong with.
type Heard = Result<Received<AnyEvent>, (String, SubscriptionError)>;

impl Stream for Source {
    type Item = Heard;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Heard>> {
        match self.get_mut() {
            Self::Channel(subscription) => subscription
                .poll_next_unpin(cx)
                .map_err(|error| (subscription.channel().to_owned(), error)),
            Self::Direct(events) => events.poll_next_unpin(cx).map_err(|error| (String::new(), error)),
        }
    }
}

/// What is made of what comes.
struct Listener {
    /// So many events are still to be shown; without, all.
    left: Option<u64>,
    json: bool,
    types: Types,
    progress: Progress,
    heard: u64,
    gaps: u64,
}

impl Listener {
    /// Shows what was kept, and then what comes, until it is enough.
    async fn listen(
        &mut self,
        client: &Client,
        kept: Vec<Received<AnyEvent>>,
        channels: &mut SelectAll<Source>,
    ) -> Result<(), Failure> {
        for received in kept {
            self.hear(Ok(received)).await?;
        }
        let mut states = client.state_changes().fuse();
        let mut connected = true;
        let mut refused = None;
        while self.left != Some(0) {
            tokio::select! {
                biased;
                Some(state) = states.next() => match state {
                    ConnectionState::Waiting { .. } if connected => {
                        connected = false;
                        output::note("the connection is lost; it is made again");
                    }
                    ConnectionState::Connected if !connected => {
                        connected = true;
                        output::note("connected again");
                    }
                    _ => {}
                },
                next = channels.next() => match next {
                    Some(Err((channel, error))) if error.is_final() => {
                        // Others may go on.
                        let failure = ended(error).about(&channel);
                        if !channels.is_empty() {
                            output::note(&failure.to_string());
                        }
                        refused.get_or_insert(failure);
                    }
                    Some(heard) => self.hear(heard).await?,
                    None => return refused.map_or(Ok(()), Err),
                },
            }
        }
        Ok(())
    }

    fn time_is_over(&self, time: Option<Duration>) -> Result<(), Failure> {
        match self.left {
            None => Ok(()),
            Some(left) => {
                let text = format!(
                    "{} in {:?}: {left} fewer than --count asks for",
                    count_of(self.heard, "event"),
                    time.unwrap_or_default(),
                );
                Err(Failure::new(
                    Exit::Status(rpc_runtime::Code::DeadlineExceeded),
                    text,
                ))
            }
        }
    }

    async fn hear(&mut self, heard: Heard) -> Result<(), Failure> {
        match heard {
            Ok(_) if self.left == Some(0) => Ok(()),
            Ok(received) => {
                let event = self.types.decode(&received.event).await;
                let shown = match self.json {
                    true => output::compact(&event::json(&received, event)),
                    false => event::text(&received, event),
                };
                output::line(&shown)?;
                self.heard += 1;
                self.left = self.left.map(|left| left - 1);
                self.progress.one_more();
                Ok(())
            }
            Err((channel, SubscriptionError::Gap(gap))) => self.miss(&channel, gap),
            Err((channel, error)) => Err(ended(error).about(&channel)),
        }
    }

    fn miss(&mut self, channel: &str, gap: Gap) -> Result<(), Failure> {
        self.gaps += 1;
        if self.json {
            return output::line(&output::compact(&event::gap_json(channel, gap)));
        }
        output::note(&format!("{channel}: {gap}"));
        Ok(())
    }

    /// What has come, beside the output.
    fn sum_up(&self) {
        let mut text = count_of(self.heard, "event");
        if self.gaps > 0 {
            text.push_str(&format!(", {}", count_of(self.gaps, "gap")));
        }
        text.push_str(&self.types.sum_up());
        output::note(&text);
    }
}

fn ended(error: SubscriptionError) -> Failure {
    match error {
        SubscriptionError::Refused(status) | SubscriptionError::Ended(status) => status.into(),
        SubscriptionError::Closed(error) => error.into(),
        other => Failure::new(Exit::Failed, other.to_string()),
    }
}
