//! Keys that change while the server runs.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use rpc_runtime::auth::jwt::{Algorithm, Jwt, KeyError, Keys};

use crate::issuer::{Pair, SECRET, ali, p256, rsa, rsa_other, set, shared_secret, still, token, verdict};

/// A file that goes with the test.
struct File(PathBuf);

impl File {
    fn new(content: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let file = Self(std::env::temp_dir().join(format!("rpc-jwt-{}-{number}", std::process::id())));
        file.write(content);
        file
    }

    fn write(&self, content: &str) {
        std::fs::write(&self.0, content).unwrap();
    }
}

impl AsRef<Path> for File {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for File {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).ok();
    }
}

async fn accepts(jwt: &Jwt, pair: &Pair, kid: Option<&str>) -> bool {
    verdict(jwt, &pair.token(kid, &ali())).await.is_ok()
}

async fn pass(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

#[tokio::test]
async fn keys_given_by_hand_hold_from_then_on_and_in_all_clones() {
    let jwt = shared_secret();
    let serving = jwt.clone();
    assert!(verdict(&serving, &token(&ali())).await.is_ok());
    let both = Keys::secret([9; 32])
        .unwrap()
        .and(Keys::secret(SECRET).unwrap())
        .unwrap();
    jwt.rotate(both);
    assert!(verdict(&serving, &token(&ali())).await.is_ok());
    jwt.rotate(Keys::secret([9; 32]).unwrap());
    let why = "the token's signature is not of a key that is accepted";
    assert_eq!(verdict(&serving, &token(&ali())).await, Err(why.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_comes_is_known_when_a_token_names_it_and_not_looked_for_more_than_once_a_second() {
    let (old, new) = (rsa(), rsa_other());
    let file = File::new(&set(&[old.jwk(Some("old"))]));
    let jwt = still(Jwt::jwks_file(&file).unwrap());
    assert!(accepts(&jwt, &old, Some("old")).await);
    file.write(&set(&[old.jwk(Some("old")), new.jwk(Some("new"))]));
    // The file was read less than a second ago.
    assert!(!accepts(&jwt, &new, Some("new")).await);
    pass(1).await;
    assert!(accepts(&jwt, &new, Some("new")).await);
    assert!(accepts(&jwt, &old, Some("old")).await);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_goes_is_refused_within_5_s() {
    let (old, new) = (rsa(), rsa_other());
    let file = File::new(&set(&[old.jwk(Some("old"))]));
    let jwt = still(Jwt::jwks_file(&file).unwrap());
    file.write(&set(&[new.jwk(Some("new"))]));
    pass(4).await;
    assert!(accepts(&jwt, &old, Some("old")).await);
    pass(1).await;
    assert!(!accepts(&jwt, &old, Some("old")).await);
    assert!(accepts(&jwt, &new, Some("new")).await);
}

#[tokio::test(start_paused = true)]
async fn a_pem_file_is_read_again_too() {
    let (old, new) = (rsa(), rsa_other());
    let file = File::new(old.public);
    let jwt = still(Jwt::pem_file(&file, Algorithm::RS256).unwrap());
    file.write(new.public);
    pass(1).await;
    // The signature is of no key that is known; the file says more.
    assert!(accepts(&jwt, &new, None).await);
    assert!(!accepts(&jwt, &old, None).await);
    // The algorithm stays, whatever the file has.
    file.write(p256().public);
    pass(5).await;
    assert!(accepts(&jwt, &new, None).await);
    assert!(!accepts(&jwt, &p256(), None).await);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_broken_or_gone_leaves_the_keys_as_they_are() {
    let (old, new) = (rsa(), rsa_other());
    let good = set(&[old.jwk(Some("old"))]);
    let file = File::new(&good);
    let jwt = still(Jwt::jwks_file(&file).unwrap());
    for broken in [
        "",
        &good[..good.len() / 2],
        r#"{"keys":[]}"#,
        &" ".repeat((1 << 20) + 1),
    ] {
        file.write(broken);
        pass(5).await;
        assert!(accepts(&jwt, &old, Some("old")).await);
    }
    std::fs::remove_file(&file).unwrap();
    pass(5).await;
    assert!(accepts(&jwt, &old, Some("old")).await);
    file.write(&set(&[new.jwk(Some("new"))]));
    pass(5).await;
    assert!(accepts(&jwt, &new, Some("new")).await);
    assert!(!accepts(&jwt, &old, Some("old")).await);
}

#[tokio::test(start_paused = true)]
async fn keys_given_by_hand_hold_until_the_file_changes() {
    let (old, new) = (rsa(), rsa_other());
    let file = File::new(&set(&[old.jwk(None)]));
    let jwt = still(Jwt::jwks_file(&file).unwrap());
    jwt.rotate(Keys::pem(new.public, Algorithm::RS256).unwrap());
    pass(5).await;
    assert!(accepts(&jwt, &new, None).await);
    assert!(!accepts(&jwt, &old, None).await);
    file.write(&set(&[old.jwk(Some("back"))]));
    pass(5).await;
    assert!(accepts(&jwt, &old, Some("back")).await);
    assert!(!accepts(&jwt, &new, None).await);
}

/// Of many tokens that a new key has signed, none is refused because another one's look at the file was first.
#[tokio::test(start_paused = true)]
async fn tokens_wait_for_a_look_at_the_file_that_is_under_way() {
    let (old, new) = (rsa(), p256());
    let file = File::new(&set(&[old.jwk(Some("old"))]));
    let jwt = still(Jwt::jwks_file(&file).unwrap());
    file.write(&set(&[new.jwk(Some("new"))]));
    pass(1).await;
    let tokens: Vec<_> = (0..20)
        .map(|_| {
            let (jwt, token) = (jwt.clone(), new.token(Some("new"), &ali()));
            tokio::spawn(async move { verdict(&jwt, &token).await })
        })
        .collect();
    for token in tokens {
        assert_eq!(token.await.unwrap(), Ok("ali".to_owned()));
    }
}

/// A client that goes away does not take the look with it that others need.
#[tokio::test(start_paused = true)]
async fn a_look_at_the_file_goes_on_when_its_client_has_gone() {
    let (old, new) = (rsa(), p256());
    let file = File::new(&set(&[old.jwk(Some("old"))]));
    let jwt = still(Jwt::jwks_file(&file).unwrap());
    file.write(&set(&[new.jwk(Some("new"))]));
    pass(5).await;
    let token = new.token(Some("new"), &ali());
    {
        let mut first = Box::pin(jwt.identify(&token));
        let waker = std::task::Waker::noop();
        let mut cx = std::task::Context::from_waker(waker);
        assert!(first.as_mut().poll(&mut cx).is_pending());
    }
    assert_eq!(verdict(&jwt, &token).await, Ok("ali".to_owned()));
}

/// Everything that is logged in this process, by whichever thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// The lines about a file.
    fn about(&self, file: &File) -> Vec<String> {
        let log = String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned();
        let path = file.as_ref().display().to_string();
        let lines = log.lines().filter(|line| line.contains(&path));
        lines.map(str::to_owned).collect()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_a_file_is_logged_once_with_what_to_do() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_ansi(false);
    // For all threads, because files are read on another: no other test of this program asks for it.
    subscriber.init();
    let old = rsa();
    let file = File::new(&set(&[old.jwk(Some("old"))]));
    let jwt = still(Jwt::jwks_file(&file).unwrap());
    let look = async || {
        for _ in 0..3 {
            pass(5).await;
            assert!(accepts(&jwt, &old, Some("old")).await);
        }
        log.about(&file)
    };
    assert_eq!(look().await, [""; 0]);
    file.write("{");
    let lines = look().await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].contains("ERROR") && lines[0].contains("those before stay: write the file anew"),
        "{lines:?}"
    );
    std::fs::remove_file(&file).unwrap();
    let lines = look().await;
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[1].contains("ERROR") && lines[1].contains("put the file back"),
        "{lines:?}"
    );
    file.write(&set(&[old.jwk(Some("old"))]));
    let lines = look().await;
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(
        lines[2].contains("INFO") && lines[2].contains("were read again"),
        "{lines:?}"
    );
}

#[test]
fn a_file_that_cannot_be_used_at_the_start_is_an_error_that_names_it() {
    let missing = Jwt::jwks_file("/no/such/file").unwrap_err();
    assert!(matches!(missing, KeyError::File { .. }));
    assert!(
        missing
            .to_string()
            .starts_with("the file /no/such/file cannot be read"),
        "{missing}"
    );
    let file = File::new("no key");
    let broken = Jwt::pem_file(&file, Algorithm::RS256).unwrap_err().to_string();
    let shown = file.as_ref().display().to_string();
    assert!(
        broken.contains(&shown) && broken.contains("BEGIN PUBLIC KEY"),
        "{broken}"
    );
}

/// A file system that hangs, here a pipe that nobody writes to, takes one thread and not the server's.
#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_file_that_hangs_holds_up_nobody_but_who_looks_at_it() {
    let (old, new) = (rsa(), p256());
    let file = File::new(&set(&[old.jwk(Some("old"))]));
    let jwt = still(Jwt::jwks_file(&file).unwrap());
    std::fs::remove_file(&file).unwrap();
    let made = std::process::Command::new("mkfifo").arg(file.as_ref()).status();
    assert!(made.unwrap().success());
    pass(5).await;
    let (looking, token) = (jwt.clone(), new.token(Some("new"), &ali()));
    let looking = tokio::spawn(async move { verdict(&looking, &token).await });
    tokio::task::yield_now().await;
    for _ in 0..3 {
        assert!(accepts(&jwt, &old, Some("old")).await);
    }
    assert!(!looking.is_finished());
    let (path, keys) = (file.0.clone(), set(&[new.jwk(Some("new"))]));
    tokio::task::spawn_blocking(move || std::fs::write(path, keys))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(looking.await.unwrap(), Ok("ali".to_owned()));
}
