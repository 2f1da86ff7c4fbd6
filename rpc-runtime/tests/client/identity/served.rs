//! What clients show, against the real server: who runs which call, for how long, and what a reconnect changes.

use std::{
    future::pending,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use futures_util::StreamExt;
use rpc_runtime::{
    CallError, Client, Code, Context, Outgoing, RefusedKind, Server, ServerBuilder, Status, Streaming,
    UnaryCall,
    auth::{Attempt, AuthError, Authenticator, Credential, Identity},
    codegen::{Gateway, MethodDescriptor},
    contract, rpc,
    testing::{self, TestServer},
};
use tokio::{
    net::TcpListener,
    sync::{Notify, mpsc},
    task::JoinHandle,
    time::Instant,
};

use crate::service::until;

#[contract(package = "who", detached)]
pub struct Name {
    pub user: String,
}

#[derive(Default)]
struct Traces {
    begun: AtomicUsize,
    release: Notify,
}

pub struct WhoGateway(Arc<Traces>);

#[rpc("who", detached)]
impl WhoGateway {
    /// Who calls.
    #[message("Name", method = "Ask")]
    async fn ask(&self, cx: &Context) -> Result<Name, Status> {
        Ok(Name {
            user: cx.user().unwrap_or("nobody").to_owned(),
        })
    }

    /// The same, once it is released.
    #[message("Name", method = "Hold", auth)]
    async fn hold(&self, cx: &Context) -> Result<Name, Status> {
        self.0.begun.fetch_add(1, Ordering::SeqCst);
        self.0.release.notified().await;
        self.ask(cx).await
    }

    /// Who calls, and then nothing.
    #[message("Name", method = "Sit", auth)]
    async fn sit(&self, cx: &Context, _input: Streaming<Name>, output: Outgoing<Name>) -> Result<(), Status> {
        output.send(self.ask(cx).await?).await?;
        pending().await
    }
}

/// Tokens are `user` or `user for seconds`.
struct Tokens;

impl Authenticator for Tokens {
    async fn authenticate(&self, attempt: &Attempt<'_>) -> Result<Identity, AuthError> {
        let token = attempt.credential().text().unwrap_or_default();
        let (user, seconds) = token.split_once(" for ").unwrap_or((token, ""));
        // A database takes its time.
        tokio::time::sleep(Duration::from_millis(20)).await;
        match (user, seconds) {
            ("wrong", _) => Err(AuthError::invalid("no such user")),
            (_, "0") => Err(AuthError::Expired),
            (user, "") => Ok(Identity::new(user)),
            (user, seconds) => {
                let seconds = Duration::from_secs(seconds.parse().map_err(AuthError::invalid)?);
                Ok(Identity::new(user).expires_at(SystemTime::now() + seconds))
            }
        }
    }
}

fn builder(traces: &Arc<Traces>) -> ServerBuilder {
    Server::builder()
        .service(WhoGateway(traces.clone()))
        .authenticator(Tokens)
}

fn serve() -> (TestServer, Arc<Traces>) {
    let traces = Arc::<Traces>::default();
    (testing::serve(builder(&traces).build().unwrap()), traces)
}

fn method(name: &str) -> &'static MethodDescriptor {
    let methods = WhoGateway::descriptor().methods;
    methods.iter().find(|method| method.name == name).unwrap()
}

fn call(client: &Client, name: &str) -> UnaryCall<Name> {
    client.unary(method(name), &Name::default())
}

async fn who(client: &Client) -> String {
    call(client, "Ask").wait_for_ready().await.unwrap().user
}

/// The same, of a client whose connection may be closed under the first call.
async fn who_once_let_in(client: &Client) -> String {
    loop {
        match call(client, "Ask").wait_for_ready().await {
            Ok(name) => return name.user,
            Err(CallError::Closed(closed)) => assert_eq!(closed.close_code().as_u16(), 4401),
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// A call that is held, once it has begun.
async fn held(client: &Client, traces: &Traces) -> JoinHandle<Result<Name, CallError>> {
    let before = traces.begun.load(Ordering::SeqCst);
    let held = tokio::spawn(call(client, "Hold").into_future());
    until("it has begun", || traces.begun.load(Ordering::SeqCst) > before).await;
    held
}

#[tokio::test(start_paused = true)]
async fn calls_behind_a_credential_run_under_it_without_waiting() {
    let (server, _) = serve();
    let client = server
        .builder()
        .credential(Credential::bearer("ann"))
        .lazy()
        .unwrap();
    let calls: Vec<_> = (0..20)
        .map(|_| tokio::spawn(call(&client, "Ask").into_future()))
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().user, "ann");
    }
    // And so do those that are made behind a change of it, while that is under way.
    let changing = tokio::spawn({
        let client = client.clone();
        async move { client.change_user(Credential::bearer("bob")).await }
    });
    tokio::task::yield_now().await;
    assert_eq!(call(&client, "Ask").await.unwrap().user, "bob");
    assert_eq!(changing.await.unwrap().unwrap().user(), Some("bob"));
}

#[tokio::test(start_paused = true)]
async fn a_change_of_user_and_a_sign_out_end_the_calls_of_the_former_user() {
    let (server, traces) = serve();
    let client = server.client();
    assert_eq!(who(&client).await, "nobody");
    client.authenticate(Credential::bearer("ann")).await.unwrap();
    let of_ann = held(&client, &traces).await;
    client.change_user(Credential::bearer("bob")).await.unwrap();
    let ended = of_ann.await.unwrap().unwrap_err();
    assert_eq!(ended.code(), Some(Code::Unauthenticated));
    assert_eq!(who(&client).await, "bob");

    let of_bob = held(&client, &traces).await;
    client.sign_out().await.unwrap();
    let ended = of_bob.await.unwrap().unwrap_err();
    assert_eq!(ended.code(), Some(Code::Unauthenticated));
    assert_eq!(who(&client).await, "nobody");
    let refused = call(&client, "Hold").await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::Unauthenticated));
    server.disconnect_all().await;
    assert_eq!(who(&client).await, "nobody");
    assert_eq!(server.connections(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_client_is_who_it_was_after_each_cut() {
    let (server, _) = serve();
    let client = server.client();
    client.authenticate(Credential::bearer("ann")).await.unwrap();
    for _ in 0..3 {
        server.disconnect_all().await;
        assert_eq!(who(&client).await, "ann");
    }
    client.change_user(Credential::bearer("bob")).await.unwrap();
    server.disconnect_all().await;
    assert_eq!(who(&client).await, "bob");
}

#[tokio::test(start_paused = true)]
async fn a_client_stays_known_for_as_long_as_its_provider_has_tokens_and_its_calls_go_on() {
    let (server, traces) = serve();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let client = server.builder().credentials(move || {
        counter.fetch_add(1, Ordering::SeqCst);
        async { Ok::<_, io::Error>(Credential::bearer("ann for 300")) }
    });
    let client = client.connect().await.unwrap();
    let held = held(&client, &traces).await;
    tokio::time::sleep(Duration::from_secs(3_500)).await;
    assert_eq!(server.connections(), 1, "without another connection");
    // A minute before each end, that is every 240 seconds.
    assert_eq!(asked.load(Ordering::SeqCst), 1 + 3_500 / 240);
    assert_eq!(who(&client).await, "ann");
    traces.release.notify_one();
    assert_eq!(held.await.unwrap().unwrap().user, "ann");
}

#[tokio::test(start_paused = true)]
async fn an_identity_that_is_not_refreshed_ends_the_connection_and_the_client_comes_back_with_a_fresh_one() {
    let (server, traces) = serve();
    let asked = Arc::new(AtomicUsize::new(0));
    let (counter, last) = (asked.clone(), Arc::new(AtomicUsize::new(usize::MAX)));
    let until_then = last.clone();
    let client = server.builder().credentials(move || {
        let number = counter.fetch_add(1, Ordering::SeqCst);
        let fails = number > 0 && number < until_then.load(Ordering::SeqCst);
        async move {
            match fails {
                true => Err(io::Error::other("no token")),
                false => Ok(Credential::bearer("ann for 100")),
            }
        }
    });
    let client = client.connect().await.unwrap();
    let held = held(&client, &traces).await;
    let began = Instant::now();
    let refused = held.await.unwrap().unwrap_err();
    // The end of the identity, and 25 s in which it could have been refreshed.
    // Its time is told by the wall clock, which is not paused.
    assert_eq!(began.elapsed().as_secs_f64().round() as u64, 125, "{refused:?}");
    assert_eq!(refused.code(), Some(Code::Unauthenticated));
    last.store(0, Ordering::SeqCst);
    assert_eq!(who(&client).await, "ann");
    assert_eq!(server.connections(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_has_expired_when_it_is_shown_is_replaced_by_the_provider_and_final_without() {
    let (server, _) = serve();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let client = server.builder().credentials(move || {
        let first = counter.fetch_add(1, Ordering::SeqCst) == 0;
        let token = if first { "ann for 0" } else { "ann" };
        async move { Ok::<_, io::Error>(Credential::bearer(token)) }
    });
    let client = client.lazy().unwrap();
    client.ready().await.unwrap();
    assert_eq!(who_once_let_in(&client).await, "ann");
    assert_eq!(server.connections(), 2);

    let given = server.builder().credential(Credential::bearer("ann for 0"));
    let client = given.lazy().unwrap();
    client.ready().await.unwrap();
    assert_eq!(client.closed().await.close_code().as_u16(), 4500);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_credential_is_told_where_it_was_shown() {
    let (server, _) = serve();
    let builder = server.builder().credential(Credential::bearer("wrong"));
    let error = builder.connect().await.unwrap_err();
    assert_eq!(error.code(), Some(Code::Unauthenticated), "{error:?}");

    let client = server.client();
    let error = client
        .authenticate(Credential::bearer("wrong"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some(Code::Unauthenticated), "{error:?}");
    assert_eq!(who(&client).await, "nobody");
    client.authenticate(Credential::bearer("ann")).await.unwrap();
    let error = client.change_user(Credential::bearer("wrong")).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::Unauthenticated), "{error:?}");
    assert_eq!(client.identity().user(), Some("ann"));
    assert_eq!(who(&client).await, "ann");
}

#[tokio::test(start_paused = true)]
async fn another_users_credential_is_no_refresh_and_ends_the_client_with_4503() {
    let (server, _) = serve();
    let client = server.client();
    client.authenticate(Credential::bearer("ann")).await.unwrap();
    let error = client.authenticate(Credential::bearer("bob")).await.unwrap_err();
    assert!(matches!(error, CallError::Closed(_)), "{error:?}");
    assert_eq!(client.closed().await.close_code().as_u16(), 4503);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_has_to_authenticate_is_told_so_and_ends_with_4505_when_it_does_not() {
    let traces = Arc::<Traces>::default();
    let server = testing::serve(builder(&traces).require_authentication().build().unwrap());
    let client = server.client();
    let greeting = client.greeted().await.unwrap();
    assert!(greeting.authentication_required());
    assert_eq!(greeting.authenticate_within(), Some(Duration::from_secs(5)));
    assert_eq!(client.closed().await.close_code().as_u16(), 4505);

    let client = server.builder().credential(Credential::bearer("ann"));
    let client = client.connect().await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(who(&client).await, "ann");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_runs_again_after_a_cut_runs_as_the_same_user() {
    let (server, _) = serve();
    let client = server.client();
    client.authenticate(Credential::bearer("ann")).await.unwrap();
    let (seen, mut users) = mpsc::unbounded_channel();
    let session = client.session_with_reconnect(method("Sit"), {
        move |_output: Outgoing<Name>, mut input: Streaming<Name>| {
            let seen = seen.clone();
            async move {
                let name = input.message().await?.unwrap_or_default();
                let _ = seen.send(name.user);
                // Until the connection is cut.
                input.message().await.map(drop)
            }
        }
    });
    let session = tokio::spawn(session.into_future());
    for _ in 0..3 {
        assert_eq!(users.recv().await.unwrap(), "ann");
        server.disconnect_all().await;
    }
    session.abort();
}

#[tokio::test(start_paused = true)]
async fn dropping_an_authentication_at_any_moment_leaves_the_next_with_its_own_answer() {
    let (server, _) = serve();
    let client = server.client();
    client.ready().await.unwrap();
    for wait in 0..40 {
        let dropped = client.change_user(Credential::bearer("dropped"));
        let _ = tokio::time::timeout(Duration::from_millis(wait), dropped).await;
        let user = format!("user {wait}");
        let identity = client
            .change_user(Credential::bearer(user.as_str()))
            .await
            .unwrap();
        assert_eq!(identity.user(), Some(&*user));
        assert_eq!(who(&client).await, user);
        // A server takes so many credentials in a time.
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
    let mut changes = client.identity_changes();
    assert_eq!(changes.next().await.unwrap().user(), Some("user 39"));
}

/// Over a real socket, where there is a handshake.
#[tokio::test]
async fn a_token_in_the_handshake_makes_a_client_known_before_it_is_greeted() {
    let traces = Arc::<Traces>::default();
    let server = builder(&traces).require_authentication().build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/rpc", listener.local_addr().unwrap());
    tokio::spawn(async move { server.serve_with_listener(listener, pending()).await });

    let client = Client::builder(&url).credential(Credential::bearer("ann"));
    let client = client.connect().await.unwrap();
    let greeting = client.greeted().await.unwrap();
    assert_eq!(greeting.authenticate_within(), None);
    assert_eq!(client.identity().user(), Some("ann"));
    assert_eq!(who(&client).await, "ann");

    let wrong = Client::builder(&url).credential(Credential::bearer("wrong"));
    match wrong.connect().await {
        Err(CallError::Refused(refused)) => assert_eq!(refused.kind(), RefusedKind::Http(401)),
        other => panic!("{other:?}"),
    }
    // One that has expired is refused the same way, and is worth another try only where there is a fresh one.
    let expired = Client::builder(&url).credential(Credential::bearer("ann for 0"));
    let client = expired.lazy().unwrap();
    client.ready().await.unwrap_err();
    client.closed().await;
    let asked = AtomicUsize::new(0);
    let client = Client::builder(&url).credentials(move || {
        let first = asked.fetch_add(1, Ordering::SeqCst) == 0;
        let token = if first { "ann for 0" } else { "ann" };
        async move { Ok::<_, io::Error>(Credential::bearer(token)) }
    });
    let client = client.lazy().unwrap();
    assert_eq!(who(&client).await, "ann");
}

#[tokio::test(start_paused = true)]
async fn a_long_call_of_a_client_that_has_to_be_known_and_is_not_is_refused_and_costs_no_connection() {
    let traces = Arc::<Traces>::default();
    let server = testing::serve(builder(&traces).require_authentication().build().unwrap());
    let client = server.client();
    client.greeted().await.unwrap();
    let long = Name {
        user: "x".repeat(20_000),
    };
    let refused = client.unary::<Name>(method("Ask"), &long).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::Unauthenticated), "{refused}");
    client.authenticate(Credential::bearer("ann")).await.unwrap();
    let answer = client.unary::<Name>(method("Ask"), &long).await.unwrap();
    assert_eq!((&*answer.user, server.connections()), ("ann", 1));
}
