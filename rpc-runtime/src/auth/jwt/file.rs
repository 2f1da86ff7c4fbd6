//! Keys that may change: given anew by hand, or read again from their file when it has changed.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::Instant,
};

use super::{Algorithm, KeyError, Keys};

/// The most that is read of a file.
const MOST_BYTES: u64 = 1 << 20;

/// So long a file is taken to be as it was. A token that is then checked waits for the file, and others go on.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The same for a token that no key fits, which may be signed with one that has just come.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Keys, and where they come from.
#[derive(Debug)]
pub(super) struct Source {
    keys: ArcSwap<Keys>,
    file: Option<KeyFile>,
}

#[derive(Debug)]
struct KeyFile {
    path: PathBuf,
    format: Format,
    /// Held by whoever reads the file, on a thread of its own, for as long as that takes: a file system that hangs takes one
    /// thread, and the keys that are there stay.
    seen: Arc<Mutex<Seen>>,
}

/// What the keys in a file look like.
#[derive(Debug, Clone, Copy)]
pub(super) enum Format {
    Jwks,
    Pem(Algorithm),
}

/// The file as it was when it was last looked at.
struct Seen {
    at: Instant,
    /// Its bytes, or why there were none. Bytes are compared, because times of files are as coarse as clocks, and move with them.
    content: Result<Vec<u8>, io::ErrorKind>,
}

impl fmt::Debug for Seen {
    /// A key set may have secrets in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

impl Source {
    pub(super) fn given(keys: Keys) -> Self {
        Self {
            keys: ArcSwap::from_pointee(keys),
            file: None,
        }
    }

    /// Reads the file for the first time, on this thread.
    pub(super) fn file(path: PathBuf, format: Format) -> Result<Self, KeyError> {
        let content = match read(&path) {
            Ok(content) => content,
            Err(source) => return Err(KeyError::File { path, source }),
        };
        let keys = match format.parse(&content) {
            Ok(keys) => keys,
            Err(source) => {
                return Err(KeyError::InFile {
                    path,
                    source: Box::new(source),
                });
            }
        };
        Ok(Self {
            keys: ArcSwap::from_pointee(keys),
            file: Some(KeyFile {
                path,
                format,
                seen: Arc::new(Mutex::new(Seen {
                    at: Instant::now(),
                    content: Ok(content),
                })),
            }),
        })
    }

    pub(super) fn replace(&self, keys: Keys) {
        self.keys.store(Arc::new(keys));
    }

    /// The keys, after a look at their file where the last one is long ago. Goes on with those that are there while somebody
    /// else looks.
    pub(super) async fn keys(self: &Arc<Self>) -> Arc<Keys> {
        if let Some(file) = &self.file
            && let Ok(seen) = file.seen.clone().try_lock_owned()
        {
            self.look(seen, LOOK_EVERY).await;
        }
        self.keys.load_full()
    }

    /// Others than these, after a look at the file, if there are others now. Waits for somebody else's look.
    pub(super) async fn other_than(self: &Arc<Self>, keys: &Arc<Keys>) -> Option<Arc<Keys>> {
        if let Some(file) = &self.file {
            let seen = file.seen.clone().lock_owned().await;
            self.look(seen, LOOK_AGAIN).await;
        }
        let now = self.keys.load_full();
        (!Arc::ptr_eq(&now, keys)).then_some(now)
    }

    async fn look(self: &Arc<Self>, seen: OwnedMutexGuard<Seen>, at_most_every: Duration) {
        if seen.at.elapsed() < at_most_every {
            return;
        }
        let source = self.clone();
        // Whatever becomes of it, the keys that are there stay; it is run to its end if this future is dropped.
        let _ = tokio::task::spawn_blocking(move || source.read_again(seen)).await;
    }

    fn read_again(&self, mut seen: OwnedMutexGuard<Seen>) {
        let Some(file) = &self.file else { return };
        let content = read(&file.path);
        seen.at = Instant::now();
        let kind = content.as_ref().map_err(io::Error::kind);
        if kind == seen.content.as_ref().map_err(|kind| *kind) {
            return;
        }
        let path = file.path.display();
        match &content {
            Err(error) => tracing::error!(
                %path, %error,
                "the keys of tokens cannot be read again, and stay as they are: put the file back, readable for this process"
            ),
            Ok(bytes) => match file.format.parse(bytes) {
                Ok(keys) => {
                    tracing::info!(%path, ?keys, "the keys of tokens were read again");
                    self.replace(keys);
                }
                Err(error) => tracing::error!(
                    %path, %error,
                    "the keys of tokens have changed and cannot be used; those before stay: write the file anew, beside it first \
                     and then renamed, so that it is never seen in part"
                ),
            },
        }
        seen.content = content.map_err(|error| error.kind());
    }
}

impl Format {
    fn parse(self, content: &[u8]) -> Result<Keys, KeyError> {
        match self {
            Self::Jwks => Keys::jwks(content),
            Self::Pem(algorithm) => Keys::pem(content, algorithm),
        }
    }
}

fn read(path: &PathBuf) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut content)?;
    if content.len() as u64 > MOST_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is longer than {MOST_BYTES} bytes"),
        ));
    }
    Ok(content)
}
