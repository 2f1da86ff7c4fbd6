//! What the cases call and hear: a service with a method for each thing that a call may do, and events.

use futures_util::Stream;
use rpc_runtime::{Context, Status, Streaming, bytes::Bytes, contract};

/// Some text, and as many bytes as a case wants beside it.
#[contract(package = "cases")]
pub struct Text {
    /// The text.
    pub text: String,
    /// Bytes that make the message longer.
    pub body: Bytes,
}

/// A number, and as many bytes as a case wants beside it.
#[contract(package = "cases")]
pub struct Number {
    /// The number.
    pub value: u64,
    /// Bytes that make the message longer.
    pub body: Bytes,
}

/// Which numbers are to come.
#[contract(package = "cases")]
pub struct Range {
    /// How many, from 0.
    pub count: u64,
    /// How many bytes each has beside it.
    pub bytes: u32,
    /// Fails with ABORTED behind the numbers.
    pub fails: bool,
    /// Waits for ever behind the numbers.
    pub waits: bool,
}

/// What became of a stream of numbers.
#[contract(package = "cases")]
pub struct Sum {
    /// How many there were.
    pub count: u64,
    /// What they come to.
    pub total: u64,
}

/// How a call is to fail.
#[contract(package = "cases")]
pub struct Failure {
    /// A code of `google.rpc.Code`.
    pub code: i32,
    /// What it says.
    pub message: String,
    /// Each becomes a detail.
    pub details: Vec<Text>,
}

/// Somebody, as the rules want them.
#[contract(package = "cases")]
pub struct Person {
    /// The name.
    #[field(min_len = 1, max_len = 20)]
    pub name: String,
    /// In years.
    #[field(range = 0..=150)]
    pub age: u32,
}

/// How much time a call has left.
#[contract(package = "cases")]
pub struct Remaining {
    /// In microseconds; absent where it has no deadline.
    pub micros: Option<u64>,
}

/// Who calls.
#[contract(package = "cases")]
pub struct Who {
    /// The user; absent while anonymous.
    pub user: Option<String>,
    /// The client.
    pub client_id: String,
    /// What the session was told to note.
    pub note: Option<String>,
}

/// How often a method ran.
#[contract(package = "cases")]
pub struct Runs {
    /// So often, this run included.
    pub runs: u64,
}

/// What is to be published.
#[contract(package = "cases")]
pub struct Announcement {
    /// In which channel.
    pub channel: String,
    /// What it says.
    pub text: String,
}

/// What the cases call.
#[contract(package = "cases")]
pub trait Cases {
    /// Answers with the same. Metadata that begins with `x-front` comes back in front of the answer, `x-behind` behind it.
    async fn echo(&self, cx: &Context, request: Text) -> Result<Text, Status>;

    /// Waits until the case lets it go on, and answers with how often it ran.
    #[message(idempotent)]
    async fn look(&self, request: Text) -> Result<Runs, Status>;

    /// The same, of a method that must not run twice.
    async fn add(&self, request: Text) -> Result<Runs, Status>;

    /// Waits until the case lets it go on, at most for 250 ms.
    #[message(deadline = "250ms")]
    async fn hurry(&self, request: Text) -> Result<Text, Status>;

    /// Fails.
    async fn fail(&self, request: Failure) -> Result<Text, Status>;

    /// Panics.
    async fn panic(&self, request: Text) -> Result<Text, Status>;

    /// Says how much time the call has left.
    async fn remaining(&self, cx: &Context, request: Text) -> Result<Remaining, Status>;

    /// Takes what keeps the rules.
    async fn register(&self, person: Person) -> Result<Person, Status>;

    /// Says who calls.
    async fn who(&self, cx: &Context) -> Result<Who, Status>;

    /// Has the session note something.
    async fn note(&self, cx: &Context, request: Text) -> Result<Who, Status>;

    /// Is for those who are known.
    #[message(auth)]
    async fn members_only(&self, cx: &Context, request: Text) -> Result<Who, Status>;

    /// Waits until the case lets it go on, or the caller is no longer who it was.
    #[message(auth)]
    async fn members_wait(&self, request: Text) -> Result<Text, Status>;

    /// Publishes in a channel, as the caller.
    async fn announce(&self, cx: &Context, request: Announcement) -> Result<Text, Status>;

    /// Sends an event to the caller.
    async fn notify(&self, cx: &Context, request: Text) -> Result<Text, Status>;

    /// Gives numbers in their order. `x-front` and `x-behind` come back here as well.
    async fn numbers(
        &self,
        cx: &Context,
        range: Range,
    ) -> Result<impl Stream<Item = Result<Number, Status>>, Status>;

    /// Says what the numbers come to.
    async fn sum(&self, cx: &Context, numbers: Streaming<Number>) -> Result<Sum, Status>;

    /// Reads the first number only, and answers at once.
    async fn first(&self, numbers: Streaming<Number>) -> Result<Sum, Status>;

    /// The same, of which nothing is read until the case lets it go on.
    async fn sum_later(&self, numbers: Streaming<Number>) -> Result<Sum, Status>;

    /// Answers each text as it comes.
    async fn converse(
        &self,
        cx: &Context,
        texts: Streaming<Text>,
    ) -> Result<impl Stream<Item = Result<Text, Status>>, Status>;

    /// Reads one text, wants no more of them, and answers it three times once the case lets it go on.
    async fn deaf(&self, texts: Streaming<Text>) -> Result<impl Stream<Item = Result<Text, Status>>, Status>;
}

/// Somebody said something.
#[contract(package = "cases", event)]
pub struct Said {
    /// What was said.
    pub text: String,
}

/// Somebody is writing.
#[contract(package = "cases", event)]
pub struct Typing {
    /// How many characters there are.
    pub length: u32,
}

/// An event that no case asks for.
#[contract(package = "cases", event)]
pub struct Strange {
    /// What is strange.
    pub text: String,
}

/// What is on a board: its lines, in the order in which they were written.
#[contract(package = "cases", event)]
pub struct Board {
    /// The lines.
    pub lines: Vec<String>,
}

/// What a subscriber says of itself.
#[contract(package = "cases", event)]
pub struct Card {
    /// What it is doing.
    pub doing: String,
}
