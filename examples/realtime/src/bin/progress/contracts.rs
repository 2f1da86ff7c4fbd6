//! What goes over the wire: what is to be done, how far it is, and what came of it.

use futures_util::Stream;
use rpc_runtime::{Context, Status, contract};

/// How far a call is.
#[contract(package = "progress", event)]
pub struct Progress {
    /// Of which film: one client may have several drawn at once.
    pub title: String,
    /// How many pictures are done.
    pub drawn: u32,
    /// How many there will be.
    pub pictures: u32,
}

/// What is to be drawn.
#[contract(package = "progress")]
pub struct RenderRequest {
    /// What the film is called.
    #[field(min_len = 1, max_len = 100)]
    pub title: String,
    /// How many pictures it has.
    #[field(range = 1..=10_000)]
    pub pictures: u32,
}

/// What was drawn.
#[contract(package = "progress")]
pub struct Film {
    /// Title and length.
    pub description: String,
}

/// What comes of drawing, step by step.
#[contract(package = "progress")]
pub enum Rendering {
    /// Nothing: a message without content reads as this.
    #[default]
    Nothing,
    /// How far it is.
    Progress(Progress),
    /// What was drawn; the last step.
    Film(Film),
}

/// Draws films, which takes a while.
#[contract(package = "progress")]
pub trait Studio {
    /// Draws a film. The client that calls is told of each picture by an event, [`Progress`].
    async fn render(&self, cx: &Context, request: RenderRequest) -> Result<Film, Status>;

    /// Draws a film, and tells of each picture in the call itself.
    async fn render_step_by_step(
        &self,
        cx: &Context,
        request: RenderRequest,
    ) -> Result<impl Stream<Item = Result<Rendering, Status>>, Status>;
}
