//! Where what is sent comes from: an argument, a file, the standard input.

use std::io;
use std::path::Path;

use tokio::fs::File;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, BufReader};

use crate::failure::{Exit, Failure};

/// No input is longer than this, nor is a line of a stream: servers take 1 MiB, unless they say otherwise.
const LONGEST: u64 = 64 << 20;

/// What `-` is called.
const STDIN: &str = "<stdin>";
/// What an argument is called.
const ARGUMENT: &str = "<argument>";

/// A text, and what it is called where something is wrong with it.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) source: String,
}

/// Reads all of it.
pub(crate) async fn whole(data: &str) -> Result<Text, Failure> {
    let (mut reader, source) = match open(data).await? {
        Input::Text(text) => {
            let source = ARGUMENT.to_owned();
            return Ok(Text { text, source });
        }
        Input::Reader { reader, source } => (reader, source),
    };
    let mut bytes = Vec::new();
    let read = (&mut reader).take(LONGEST + 1).read_to_end(&mut bytes).await;
    read.map_err(|error| unreadable(&source, &error))?;
    if bytes.len() as u64 > LONGEST {
        return Err(too_long(&source));
    }
    let text = String::from_utf8(bytes).map_err(|_| no_text(&source))?;
    Ok(Text { text, source })
}

enum Input {
    Text(String),
    Reader {
        reader: Box<dyn AsyncBufRead + Send + Unpin>,
        source: String,
    },
}

async fn open(data: &str) -> Result<Input, Failure> {
    if data == "-" {
        return Ok(Input::Reader {
            reader: Box::new(BufReader::new(tokio::io::stdin())),
            source: STDIN.to_owned(),
        });
    }
    let Some(path) = data.strip_prefix('@') else {
        return Ok(Input::Text(data.to_owned()));
    };
    let file = File::open(path).await;
    let file = file.map_err(|error| Failure::unreadable(Path::new(path), &error))?;
    Ok(Input::Reader {
        reader: Box::new(BufReader::new(file)),
        source: path.to_owned(),
    })
}

/// The lines of it, as they come.
pub(crate) struct Lines {
    reader: Box<dyn AsyncBufRead + Send + Unpin>,
    pub(crate) source: String,
    /// Of the line that was read last.
    pub(crate) number: usize,
}

impl Lines {
    pub(crate) async fn open(data: &str) -> Result<Self, Failure> {
        let (reader, source) = match open(data).await? {
            Input::Text(text) => {
                let reader: Box<dyn AsyncBufRead + Send + Unpin> = Box::new(io::Cursor::new(text));
                (reader, ARGUMENT.to_owned())
            }
            Input::Reader { reader, source } => (reader, source),
        };
        Ok(Self {
            reader,
            source,
            number: 0,
        })
    }

    /// The next line that is not empty; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<String>, Failure> {
        loop {
            let mut line = Vec::new();
            let read = (&mut self.reader)
                .take(LONGEST + 1)
                .read_until(b'\n', &mut line)
                .await;
            let read = read.map_err(|error| unreadable(&self.source, &error))?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            if line.len() as u64 > LONGEST {
                return Err(too_long(&self.source));
            }
            let line = String::from_utf8(line).map_err(|_| no_text(&self.source))?;
            if !line.trim().is_empty() {
                return Ok(Some(line));
            }
        }
    }
}

fn unreadable(source: &str, error: &io::Error) -> Failure {
    Failure::new(Exit::NoInput, format!("{source} cannot be read: {error}"))
}

fn too_long(source: &str) -> Failure {
    Failure::new(
        Exit::BadData,
        format!("{source} is longer than {} MiB", LONGEST >> 20),
    )
}

fn no_text(source: &str) -> Failure {
    Failure::new(Exit::BadData, format!("{source} is no text in UTF-8"))
}
