//! A long call that says how far it is, in two ways.
//!
//!     cargo run -p realtime --bin progress
//!
//! By *notifying* its caller: the call stays unary, and events are sent to the client beside it. Who does not listen for them
//! just waits for the answer. They are no part of the call, so the last of them may come after the answer. By a *stream*:
//! progress and result are messages of the call, in order, and each is read.

pub mod contracts;
#[cfg(test)]
mod tests;

use std::future::pending;
use std::time::Duration;

use futures_util::{Stream, stream};
use rpc_runtime::{Client, Context, Server, Status};
use tokio::net::TcpListener;
use tokio::time::sleep;

use contracts::{Film, Progress, RenderRequest, Rendering, Studio};

rpc_runtime::include_gateway!("progress");

type Error = Box<dyn std::error::Error + Send + Sync>;

/// How long it takes to draw a picture.
const PICTURE: Duration = Duration::from_millis(50);

/// Draws films.
struct Pencil;

impl Studio for Pencil {
    async fn render(&self, cx: &Context, request: RenderRequest) -> Result<Film, Status> {
        for drawn in 1..=request.pictures {
            sleep(PICTURE).await;
            cx.notify(&progress(&request, drawn)).await?;
        }
        Ok(film(&request))
    }

    async fn render_step_by_step(
        &self,
        _: &Context,
        request: RenderRequest,
    ) -> Result<impl Stream<Item = Result<Rendering, Status>>, Status> {
        Ok(stream::unfold((request, 0), async |(request, drawn)| {
            let step = match drawn {
                drawn if drawn < request.pictures => {
                    sleep(PICTURE).await;
                    Rendering::Progress(progress(&request, drawn + 1))
                }
                drawn if drawn == request.pictures => Rendering::Film(film(&request)),
                _ => return None,
            };
            Some((Ok(step), (request, drawn + 1)))
        }))
    }
}

fn progress(request: &RenderRequest, drawn: u32) -> Progress {
    Progress {
        title: request.title.clone(),
        drawn,
        pictures: request.pictures,
    }
}

fn film(request: &RenderRequest) -> Film {
    let seconds = f64::from(request.pictures) / 24.0;
    Film {
        description: format!("{}, {seconds:.2} s", request.title),
    }
}

/// A server that can send events to its clients. Nobody subscribes to anything here, so it needs no channels.
fn server() -> Result<Server, Error> {
    Ok(Server::builder().service(StudioGateway::new(Pencil)).build()?)
}

fn request(title: &str) -> RenderRequest {
    RenderRequest {
        title: title.to_owned(),
        pictures: 4,
    }
}

fn shown(progress: &Progress) -> String {
    format!(
        "{} of {} pictures of {}",
        progress.drawn, progress.pictures, progress.title
    )
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/rpc", listener.local_addr()?);
    let server = server()?;
    tokio::spawn(async move { server.serve_with_listener(listener, pending()).await });
    let client = Client::connect(&url).await?;
    let studio = StudioClient::new(client.clone());

    println!("by events:");
    // Before the call, so that the first event finds somebody who listens.
    let mut told = client.events::<Progress>();
    let listening = async {
        while let Some(received) = told.next().await {
            let progress = received?.event;
            println!("  {}", shown(&progress));
            if progress.drawn == progress.pictures {
                break;
            }
        }
        Ok::<_, Error>(())
    };
    let call = async { Ok::<_, Error>(studio.render(request("The Cat")).await?) };
    let (film, ()) = tokio::try_join!(call, listening)?;
    println!("  {}", film.description);

    println!("by a stream:");
    let mut steps = studio.render_step_by_step(request("The Dog")).await?;
    while let Some(step) = steps.message().await? {
        match step {
            Rendering::Progress(progress) => println!("  {}", shown(&progress)),
            Rendering::Film(film) => println!("  {}", film.description),
            Rendering::Nothing => {}
        }
    }
    Ok(())
}
