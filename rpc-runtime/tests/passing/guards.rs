//! Guards, and `auth`.

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rpc_runtime::{
    Client, Code, ConnectInfo, Context, Guard, Server, StartError, Status,
    auth::{Attempt, AuthError, Authenticator, Credential, Identity},
    rpc,
};

use crate::service::{Item, METHODS, Nothing, Served, allow, answer, broken, call, item, method, serve};

/// Whether guards answer at once, and whether calls go through layers.
const WAYS: [(bool, bool); 4] = [(true, false), (false, false), (true, true), (false, true)];

/// Lets those in that know the word, at once or later.
struct Password {
    at_once: bool,
    asked: Arc<AtomicUsize>,
}

impl Password {
    fn answer(&self, cx: &Context) -> Result<(), Status> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        cx.set_trailer("asked", cx.method().name);
        match cx.metadata().get("password") {
            Some("sesame") => Ok(()),
            Some("panic") => panic!("as asked"),
            _ => Err(Status::permission_denied("no entry")
                .with_detail(&item("the word is wrong"))
                .retry_after(Duration::from_secs(3))),
        }
    }
}

impl Guard for Password {
    async fn check(&self, cx: &Context) -> Result<(), Status> {
        tokio::time::sleep(Duration::from_millis(5)).await;
        if cx.metadata().get("password") == Some("never") {
            pending::<()>().await;
        }
        self.answer(cx)
    }

    fn check_now(&self, cx: &Context) -> Option<Result<(), Status>> {
        self.at_once.then(|| self.answer(cx))
    }
}

fn guarded((at_once, layered): (bool, bool)) -> (Served, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let password = Password {
        at_once,
        asked: asked.clone(),
    };
    let served = serve(|server| {
        let server = server.guard("first", allow).guard("second", password);
        if layered { server.layer(Nothing) } else { server }
    });
    (served, asked)
}

#[tokio::test(start_paused = true)]
async fn guards_let_calls_of_every_kind_pass_or_refuse_them_with_their_status_before_the_body_is_decoded() {
    for way in WAYS {
        let (served, asked) = guarded(way);
        for name in METHODS {
            let items = vec![item("a"), item("b")];
            let answered = call(&served.client, name, "sesame", items.clone()).await;
            assert_eq!(answered.unwrap(), answer(name, &items), "{name} {way:?}");
            let begun = served.begun();
            // It would be an invalid argument, had it been decoded.
            let error = call(&served.client, name, "wrong", vec![broken()])
                .await
                .unwrap_err();
            let status = error.status().unwrap();
            assert_eq!(
                (status.code(), status.message()),
                (Code::PermissionDenied, "no entry"),
                "{name} {way:?}"
            );
            let details: Vec<Item> = status.details().collect();
            assert_eq!(details, [item("the word is wrong")]);
            assert_eq!(status.retry_delay(), Some(Duration::from_secs(3)));
            assert_eq!(status.metadata().get("asked"), Some(name));
            assert_eq!(served.begun(), begun, "{name} {way:?}");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 2 * METHODS.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_guard_that_panics_ends_its_call_and_nothing_else() {
    for way in WAYS {
        let (served, _) = guarded(way);
        for name in METHODS {
            let error = call(&served.client, name, "panic", vec![item("a")])
                .await
                .unwrap_err();
            assert_eq!(error.code(), Some(Code::Internal), "{name} {way:?}");
        }
        call(&served.client, "Echo", "sesame", vec![item("a")])
            .await
            .unwrap();
        assert_eq!(served.server.connections(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_guard_takes_too_long_ends_at_its_deadline() {
    let (served, _) = guarded((false, false));
    let call = served.client.unary::<Item>(method("Echo"), &item("a"));
    let error = call
        .metadata("password", "never")
        .timeout(Duration::from_secs(1))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some(Code::DeadlineExceeded));
    assert_eq!(served.begun(), 0);
}

#[tokio::test(start_paused = true)]
async fn refused_one_way_calls_are_counted() {
    for way in WAYS {
        let (served, asked) = guarded(way);
        for password in ["wrong", "sesame"] {
            let tell = served.client.unary::<()>(method("Tell"), &item("a"));
            tell.metadata("password", password).await.unwrap();
        }
        // What answers comes behind both.
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(asked.load(Ordering::SeqCst), 2, "{way:?}");
        assert_eq!(served.begun(), 1, "{way:?}");
        assert_eq!(served.server.counters().one_way_failures, 1, "{way:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn guards_of_the_service_are_asked_before_those_of_the_method_and_the_first_that_refuses_ends_it() {
    for late in [None, Some("first"), Some("second")] {
        let asked: Arc<Mutex<Vec<&str>>> = Arc::default();
        let guard = |name: &'static str| Ordered {
            name,
            late: late == Some(name),
            asked: asked.clone(),
        };
        let served = serve(|server| {
            server
                .guard("second", guard("second"))
                .guard("first", guard("first"))
        });
        call(&served.client, "Echo", "", vec![item("a")]).await.unwrap();
        call(&served.client, "Echo", "first", vec![item("a")])
            .await
            .unwrap_err();
        assert_eq!(*asked.lock().unwrap(), ["first", "second", "first"], "{late:?}");
    }
}

/// Says that it was asked, and refuses whoever brings its name.
struct Ordered {
    name: &'static str,
    late: bool,
    asked: Arc<Mutex<Vec<&'static str>>>,
}

impl Guard for Ordered {
    async fn check(&self, cx: &Context) -> Result<(), Status> {
        tokio::task::yield_now().await;
        self.asked.lock().unwrap().push(self.name);
        match cx.metadata().get("password") {
            Some(name) if name == self.name => Err(Status::permission_denied("as asked")),
            _ => Ok(()),
        }
    }

    fn check_now(&self, cx: &Context) -> Option<Result<(), Status>> {
        if self.late {
            return None;
        }
        self.asked.lock().unwrap().push(self.name);
        match cx.metadata().get("password") {
            Some(name) if name == self.name => Some(Err(Status::permission_denied("as asked"))),
            _ => Some(Ok(())),
        }
    }
}

/// Knows everybody by the name that they give.
pub struct ByName;

impl Authenticator for ByName {
    async fn authenticate(&self, attempt: &Attempt<'_>) -> Result<Identity, AuthError> {
        let name = String::from_utf8_lossy(attempt.credential().secret()).into_owned();
        Ok(Identity::new(name))
    }
}

struct MembersGateway;

#[rpc("members", detached)]
impl MembersGateway {
    #[message("crate::service::Item", method = "Open")]
    async fn open(&self) -> Result<String, Status> {
        Ok("anybody".to_owned())
    }

    #[message("crate::service::Item", method = "Enter", auth, guard = "members")]
    async fn enter(&self, cx: &Context) -> Result<String, Status> {
        Ok(cx.user().unwrap_or_default().to_owned())
    }
}

fn members() -> Server {
    Server::builder()
        .service(MembersGateway)
        .authenticator(ByName)
        .guard("members", |cx: &Context| match cx.user() {
            None => panic!("anonymous clients do not come as far"),
            Some("eve") => Err(Status::permission_denied("you are not a member")),
            Some(_) => Ok(()),
        })
        .build()
        .unwrap()
}

fn member(name: &str) -> &'static rpc_runtime::codegen::MethodDescriptor {
    use rpc_runtime::codegen::Gateway;
    let methods = MembersGateway::descriptor().methods;
    methods.iter().find(|method| method.name == name).unwrap()
}

fn connect(server: &Server) -> Client {
    let (near, far) = tokio::io::duplex(1024);
    tokio::spawn(server.serve_connection(far, ConnectInfo::new()));
    Client::from_io(near)
}

async fn code(server: &Server, name: &str) -> Option<Code> {
    let answer = connect(server).unary::<String>(member(name), &item("")).await;
    answer.err().and_then(|error| error.code())
}

#[tokio::test(start_paused = true)]
async fn clients_that_are_known_come_to_the_guards_and_who_signs_out_does_not() {
    let server = members();
    let client = connect(&server);
    let enter = || client.unary::<String>(member("Enter"), &item(""));
    client.authenticate(Credential::bearer("ali")).await.unwrap();
    assert_eq!(enter().await.unwrap(), "ali");
    client.change_user(Credential::bearer("eve")).await.unwrap();
    assert_eq!(enter().await.unwrap_err().code(), Some(Code::PermissionDenied));
    client.sign_out().await.unwrap();
    assert_eq!(enter().await.unwrap_err().code(), Some(Code::Unauthenticated));
}

#[tokio::test(start_paused = true)]
async fn a_method_that_declares_auth_is_unauthenticated_to_anonymous_clients_before_its_guards_are_asked() {
    let server = members();
    assert_eq!(code(&server, "Open").await, None);
    assert_eq!(code(&server, "Enter").await, Some(Code::Unauthenticated));
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_requires_authentication_refuses_anonymous_calls_of_every_method() {
    let server = Server::builder()
        .service(MembersGateway)
        .guard("members", allow)
        .authenticator(ByName)
        .require_authentication()
        .build()
        .unwrap();
    assert_eq!(code(&server, "Open").await, Some(Code::Unauthenticated));
    assert_eq!(code(&server, "Enter").await, Some(Code::Unauthenticated));
}

#[test]
fn an_endpoint_that_requires_authentication_without_an_authenticator_does_not_start() {
    let error = Server::builder().require_authentication().build().err().unwrap();
    assert!(matches!(error, StartError::NobodyAuthenticates), "{error}");
    // What a `main` prints that returns it.
    assert_eq!(format!("{error:?}"), error.to_string());
    assert!(error.to_string().contains("`.authenticator(…)`"), "{error}");
    let other = rpc_runtime::Endpoint::new().require_authentication();
    let error = Server::builder()
        .authenticator(ByName)
        .endpoint("/other", other)
        .build();
    assert!(matches!(error, Err(StartError::NobodyAuthenticates)));
}

#[test]
fn a_guard_that_is_missing_and_one_for_other_requests_only_do_not_start() {
    let start = |builder: rpc_runtime::ServerBuilder| {
        let gateway = crate::service::GuardedGateway::default();
        builder.service(gateway).guard("second", allow).build().err()
    };
    let error = start(Server::builder()).unwrap();
    assert!(
        matches!(
            error,
            StartError::GuardMissing {
                guard: "first",
                has_others: false,
                ..
            }
        ),
        "{error}"
    );
    let error = start(Server::builder().request_guard("first", crate::requests::Anything)).unwrap();
    let text = error.to_string();
    assert!(
        text.contains("`first`, which is not registered but for other types of requests")
            && text.contains("service::Item"),
        "{text}"
    );
    assert!(start(Server::builder().guard("first", allow)).is_none());
}
