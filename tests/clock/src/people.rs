//! Clients with tokens, and a server that notes whom it closes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jsonwebtoken::{EncodingKey, Header};
use rpc_runtime::{
    Client, CloseCode, Context, Hooks, Session, Status, UnaryCall, codegen::Gateway, contract, rpc,
};
use serde_json::json;
use tokio::sync::Notify;

use crate::Outcome;

/// What tokens are signed with.
pub(crate) const SECRET: [u8; 32] = *b"a secret of this check: 32 bytes";

/// Somebody's name.
#[contract(package = "clock", detached)]
pub(crate) struct Name {
    name: String,
}

/// A service that says who calls.
pub(crate) struct Names;

#[rpc("clock", service = "Names", detached)]
impl Names {
    /// The caller's id.
    #[message("Name", method = "Mine", auth)]
    async fn mine(&self, cx: &Context, _data: Name) -> Result<Name, Status> {
        Ok(Name {
            name: cx.user().unwrap_or_default().to_owned(),
        })
    }
}

/// A token of a user, good between two times.
pub(crate) fn token(user: &str, begins: Option<f64>, ends: f64) -> String {
    let mut claims = json!({ "sub": user, "exp": ends });
    if let Some(begins) = begins {
        claims["nbf"] = begins.into();
    }
    jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(&SECRET))
        .unwrap_or_else(|error| panic!("a token cannot be signed: {error}"))
}

/// A client that is known.
#[derive(Debug)]
pub(crate) struct Person {
    user: String,
    client: Client,
}

impl Person {
    pub(crate) async fn come(url: &str, user: &str, ends: f64) -> Outcome<Self> {
        let mut person = Self::show(url, &token(user, None, ends)).await?;
        person.user = user.to_owned();
        person.call().await?;
        Ok(person)
    }

    /// Connects with a token.
    pub(crate) async fn show(url: &str, token: &str) -> Outcome<Self> {
        let client = Client::builder(url).header("authorization", format!("Bearer {token}"));
        Ok(Self {
            user: "guest".to_owned(),
            client: client.connect().await?,
        })
    }

    pub(crate) async fn call(&self) -> Outcome {
        let method = &Names::descriptor().methods[0];
        let call: UnaryCall<Name> = self.client.unary(method, &Name::default());
        let answer = call.await?;
        if answer.name != self.user {
            return Err(format!("{} is taken for {:?}", self.user, answer.name).into());
        }
        Ok(())
    }

    pub(crate) async fn leave(self) {
        self.client.close(CloseCode::Normal, "done");
        self.client.closed().await;
    }
}

/// With which codes sessions ended that did not end by their client's wish.
#[derive(Debug, Clone, Default)]
pub(crate) struct Closes(Arc<(Mutex<Vec<u16>>, Notify)>);

impl Closes {
    fn codes(&self) -> MutexGuard<'_, Vec<u16>> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count(&self) -> usize {
        self.codes().len()
    }

    pub(crate) fn forget(&self) {
        self.codes().clear();
    }

    /// The code of the first that ends, or has ended.
    pub(crate) async fn first(&self) -> u16 {
        loop {
            let noticed = self.0.1.notified();
            if let Some(code) = self.codes().first() {
                return *code;
            }
            noticed.await;
        }
    }
}

impl Hooks for Closes {
    async fn on_disconnect(&self, _: &Arc<Session>, code: CloseCode, _: &str) {
        if code != CloseCode::Normal {
            self.codes().push(code.as_u16());
            self.0.1.notify_one();
        }
    }
}
