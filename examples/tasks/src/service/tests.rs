//! A server of its own for each test, on a free port, and clients of it.

use std::sync::Arc;
use std::time::Duration;

use rpc_runtime::auth::Credential;
use rpc_runtime::services::admin::{AdminClient, DisconnectRequest, ListSessionsRequest, Target};
use rpc_runtime::{CallError, Client, ClientBuilder, Code, Status};
use tokio::net::TcpListener;

use crate::accounts::{Passwords, Secret, Tokens, UserRow, Users, authenticator};
use crate::contracts::TasksContract;
use crate::contracts::auth::{LoginRequest, RegisterRequest, Role};
use crate::server::endpoints::{self, AUTH_PATH, Options, PATH};
use crate::storage::{Database, Location, OwnedStore};
use crate::{AuthClient, TaskClient, UsersClient};

/// A server that is running, and what it is made of.
pub(super) struct Served {
    address: String,
    pub(super) database: Database,
    users: Arc<Users>,
    passwords: Passwords,
    secret: Secret,
}

pub(super) async fn serve() -> Served {
    serve_with(&Options::default()).await
}

async fn serve_with(options: &Options<'_>) -> Served {
    let database = Database::open(&Location::memory()).await.unwrap();
    let passwords = Passwords::new().unwrap();
    let tasks: Arc<OwnedStore<TasksContract>> = Arc::new(database.owned_store().await.unwrap());
    let users = Arc::new(Users::open(&database, passwords.clone()).await.unwrap());
    let secret = Secret::random().unwrap();
    let parts = endpoints::Parts {
        tasks,
        users: users.clone(),
        tokens: Tokens::new(&secret, Duration::from_secs(600)),
        authenticator: authenticator(&secret).unwrap(),
    };
    let server = endpoints::server(parts, options).unwrap().build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { server.serve_with_listener(listener, std::future::pending()).await });
    Served {
        address,
        database,
        users,
        passwords,
        secret,
    }
}

impl Served {
    fn builder(&self, path: &str) -> ClientBuilder {
        Client::builder(format!("ws://{}{path}", self.address))
    }

    pub(super) async fn client(&self, path: &str, token: Option<&str>) -> Result<Client, CallError> {
        let mut builder = self.builder(path);
        if let Some(token) = token {
            builder = builder.credential(Credential::bearer(token));
        }
        builder.connect().await
    }

    pub(super) async fn anonymous(&self) -> TaskClient {
        TaskClient::new(self.client(PATH, None).await.unwrap())
    }

    async fn auth(&self) -> AuthClient {
        AuthClient::new(self.client(AUTH_PATH, None).await.unwrap())
    }

    /// A user, and a connection that is theirs.
    pub(super) async fn user(&self, name: &str) -> (UserRow, Client) {
        let row = self
            .users
            .register(name.into(), "open sesame".into())
            .await
            .unwrap();
        let token = self.token(&row.id);
        (row, self.client(PATH, Some(&token)).await.unwrap())
    }

    fn token(&self, user: &str) -> String {
        Tokens::new(&self.secret, Duration::from_secs(600))
            .issue(user)
            .unwrap()
            .0
    }
}

pub(super) fn task(label: &str) -> TasksContract {
    TasksContract {
        label: label.into(),
        ..Default::default()
    }
}

fn labels(tasks: &[TasksContract]) -> Vec<&str> {
    tasks.iter().map(|task| task.label.as_str()).collect()
}

fn refused<T: std::fmt::Debug>(result: Result<T, CallError>) -> Status {
    result.unwrap_err().status().unwrap().clone()
}

#[tokio::test]
async fn users_and_anonymous_clients_have_lists_of_their_own() {
    let served = serve().await;
    let (_, ada) = served.user("ada").await;
    let (_, bob) = served.user("bob").await;
    let (ada, bob) = (TaskClient::new(ada), TaskClient::new(bob));
    let (anonymous, other) = (served.anonymous().await, served.anonymous().await);
    // The same label in each: it is taken within a list only.
    ada.add(task("Buy milk")).await.unwrap();
    bob.add(task("Buy milk")).await.unwrap();
    anonymous.add(task("Buy milk")).await.unwrap();
    bob.add(task("Buy bread")).await.unwrap();
    let taken = refused(ada.add(task("Buy milk")).await);
    assert_eq!(taken.code(), Code::AlreadyExists);
    assert_eq!(labels(&ada.get_all().await.unwrap()), ["Buy milk"]);
    assert_eq!(labels(&bob.get_all().await.unwrap()), ["Buy milk", "Buy bread"]);
    assert_eq!(labels(&other.get_all().await.unwrap()), ["Buy milk"]);
}

#[tokio::test]
async fn anothers_task_is_answered_to_the_letter_like_one_that_there_is_not() {
    let served = serve().await;
    let (_, ada) = served.user("ada").await;
    let (_, bob) = served.user("bob").await;
    let (ada, bob) = (TaskClient::new(ada), TaskClient::new(bob));
    let anonymous = served.anonymous().await;
    let of_ada = ada.add(task("Buy milk")).await.unwrap();
    let of_all = anonymous.add(task("Buy bread")).await.unwrap();
    for (client, foreign) in [(&bob, &of_ada), (&anonymous, &of_ada), (&ada, &of_all)] {
        for (of_foreign, of_none) in [
            (
                refused(client.update(foreign.id.clone(), task("Mine")).await),
                refused(client.update("none".into(), task("Mine")).await),
            ),
            (
                refused(client.delete(foreign.id.clone()).await),
                refused(client.delete("none".into()).await),
            ),
        ] {
            assert_eq!(of_foreign.code(), Code::NotFound);
            assert_eq!(of_foreign.message(), of_none.message());
            assert_eq!(of_foreign.raw_details().count(), of_none.raw_details().count());
        }
    }
    assert_eq!(ada.get_all().await.unwrap(), [of_ada]);
    assert_eq!(anonymous.get_all().await.unwrap(), [of_all]);
}

#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_are_the_same_answer_after_the_same_work() {
    let served = serve().await;
    let auth = served.auth().await;
    let login = |name: &str, password: &str| {
        auth.login(LoginRequest {
            name: name.into(),
            password: password.into(),
        })
    };
    served.user("ada").await;
    let mut refusals = Vec::new();
    let wrong = [
        ("ada", "open sesam"),
        ("bob", "open sesame"),
        ("ADA", ""),
        ("\0", "x"),
    ];
    for (name, password) in wrong {
        let before = served.passwords.checked();
        let status = refused(login(name, password).await);
        assert_eq!(served.passwords.checked(), before + 1, "{name}");
        refusals.push((
            status.code(),
            status.message().to_owned(),
            status.raw_details().len(),
        ));
    }
    refusals.dedup();
    let expected = (
        Code::Unauthenticated,
        "the name or the password is wrong".to_owned(),
        0,
    );
    assert_eq!(refusals, [expected]);
    let right = login("ada", "open sesame").await.unwrap();
    assert_eq!(right.user.name, "ada");
}

#[tokio::test]
async fn of_two_who_want_a_name_at_once_one_gets_it() {
    let served = serve().await;
    let auth = served.auth().await;
    let register = || {
        auth.register(RegisterRequest {
            name: "ada".into(),
            password: "open sesame".into(),
        })
    };
    let (one, other) = tokio::join!(async { register().await }, async { register().await });
    let (registered, refusal) = match (one, other) {
        (Ok(login), refusal) | (refusal, Ok(login)) => (login, refused(refusal)),
        neither => panic!("{neither:?}"),
    };
    assert_eq!(refusal.code(), Code::AlreadyExists);
    assert_eq!(
        (registered.user.name.as_str(), registered.user.role),
        ("ada", Role::Member)
    );
    let known = AuthClient::new(served.client(AUTH_PATH, Some(&registered.token)).await.unwrap());
    assert_eq!(known.who_am_i().await.unwrap(), registered.user);
}

#[tokio::test]
async fn who_am_i_is_for_those_who_are_known() {
    let served = serve().await;
    let anonymous = refused(served.auth().await.who_am_i().await);
    assert_eq!(anonymous.code(), Code::Unauthenticated);
    let token = served.token("somebody who is gone");
    let gone = AuthClient::new(served.client(AUTH_PATH, Some(&token)).await.unwrap());
    assert_eq!(refused(gone.who_am_i().await).code(), Code::Unauthenticated);
}

#[tokio::test]
async fn administrators_alone_see_the_users_and_from_the_moment_on_when_they_are_made_some() {
    let served = serve().await;
    let anonymous = served.client(PATH, None).await.unwrap();
    let (row, ada) = served.user("ada").await;
    TaskClient::new(ada.clone()).add(task("Buy milk")).await.unwrap();
    TaskClient::new(anonymous.clone())
        .add(task("Buy bread"))
        .await
        .unwrap();

    let status = refused(UsersClient::new(anonymous).list_users().await);
    assert_eq!(status.code(), Code::Unauthenticated);
    let users = UsersClient::new(ada);
    assert_eq!(refused(users.list_users().await).code(), Code::PermissionDenied);

    served.users.set_role("ada", Role::Admin).await.unwrap().unwrap();
    let list = users.list_users().await.unwrap();
    assert_eq!(list.anonymous_tasks, 1);
    assert_eq!(
        (list.users[0].user.id.as_str(), list.users[0].tasks),
        (row.id.as_str(), 1)
    );

    served.users.set_role("ada", Role::Member).await.unwrap().unwrap();
    assert_eq!(refused(users.list_users().await).code(), Code::PermissionDenied);
}

#[tokio::test]
async fn a_server_that_requires_a_login_has_one_and_refuses_all_else() {
    let options = Options {
        require_login: true,
        ..Options::default()
    };
    let served = serve_with(&options).await;
    let login = served.auth().await.register(RegisterRequest {
        name: "ada".into(),
        password: "open sesame".into(),
    });
    let token = login.await.unwrap().token;
    let anonymous = served.client(PATH, None).await.unwrap();
    let status = refused(TaskClient::new(anonymous).get_all().await);
    assert_eq!(status.code(), Code::Unauthenticated);
    let ada = TaskClient::new(served.client(PATH, Some(&token)).await.unwrap());
    ada.add(task("Buy milk")).await.unwrap();
}

#[tokio::test]
async fn a_client_may_become_another_user_on_its_connection_and_nobody_again() {
    let served = serve().await;
    let (_, bob) = served.user("bob").await;
    TaskClient::new(bob).add(task("Buy bread")).await.unwrap();
    let (ada, client) = served.user("ada").await;
    let bob = served
        .users
        .known_by("bob", "open sesame".into())
        .await
        .unwrap()
        .unwrap();
    let tasks = TaskClient::new(client.clone());
    tasks.add(task("Buy milk")).await.unwrap();
    let before = client.greeting().unwrap().client_id().to_owned();

    let credential = Credential::bearer(served.token(&bob.id));
    let identity = client.change_user(credential).await.unwrap();
    assert_eq!(identity.user(), Some(bob.id.as_str()));
    assert_eq!(labels(&tasks.get_all().await.unwrap()), ["Buy bread"]);

    client.sign_out().await.unwrap();
    assert_eq!(labels(&tasks.get_all().await.unwrap()), [""; 0]);

    // Whose token it is not, is nobody by it; who was known stays so.
    client
        .authenticate(Credential::bearer(served.token(&ada.id)))
        .await
        .unwrap();
    let forged = Tokens::new(&Secret::random().unwrap(), Duration::from_secs(600));
    let forged = forged.issue(&bob.id).unwrap().0;
    let refusal = refused(client.change_user(Credential::bearer(forged)).await);
    assert_eq!(refusal.code(), Code::Unauthenticated);
    assert_eq!(labels(&tasks.get_all().await.unwrap()), ["Buy milk"]);
    assert_eq!(
        client.greeting().unwrap().client_id(),
        before,
        "it was one connection"
    );
}

/// Tries to log in until that is refused as too often, and says how often it was not. The name is too long for a hash to be
/// made, so that it takes no time in which more tries would come to be allowed.
async fn tries(auth: &AuthClient) -> (u32, Status) {
    for tries in 0..1000 {
        let guess = LoginRequest {
            name: "a".repeat(100),
            password: "a guess".into(),
        };
        let status = refused(auth.login(guess).await);
        match status.code() {
            Code::InvalidArgument => {}
            Code::ResourceExhausted => return (tries, status),
            _ => panic!("{status:?}"),
        }
    }
    panic!("nobody keeps it from trying");
}

#[tokio::test]
async fn an_address_may_try_so_many_passwords_and_is_told_when_to_go_on() {
    let served = serve().await;
    let (auth, other) = (served.auth().await, served.auth().await);
    let (tries_of_one, status) = tries(&auth).await;
    assert!(tries_of_one >= endpoints::TRIES_AT_ONCE, "{tries_of_one}");
    assert!(status.retry_delay().unwrap() <= Duration::from_secs(6));
    let (of_other, _) = tries(&other).await;
    assert!(
        of_other < endpoints::TRIES_AT_ONCE,
        "another connection of the address does not help: {of_other}"
    );
}

#[tokio::test]
async fn behind_a_trusted_proxy_tries_are_counted_by_the_addresses_that_it_forwards() {
    let proxies = ["127.0.0.1".to_owned()];
    let options = Options {
        trusted_proxies: &proxies,
        ..Options::default()
    };
    for (options, trusted) in [(&options, true), (&Options::default(), false)] {
        let served = serve_with(options).await;
        let from = async |address: &str| {
            let client = served
                .builder(AUTH_PATH)
                .header("x-forwarded-for", address)
                .connect();
            AuthClient::new(client.await.unwrap())
        };
        tries(&from("192.0.2.1").await).await;
        let (of_other, _) = tries(&from("192.0.2.2").await).await;
        assert_eq!(of_other >= endpoints::TRIES_AT_ONCE, trusted, "{of_other}");
    }
}

#[tokio::test]
async fn an_administrator_sees_who_is_connected_and_sends_them_away() {
    let served = serve().await;
    let (ada, client) = served.user("ada").await;
    let (bob, of_bob) = served.user("bob").await;
    let request = || DisconnectRequest {
        target: Target::UserId(bob.id.clone()),
        code: 1008,
        reason: "be off".into(),
    };
    let admin = AdminClient::new(client);
    let status = refused(admin.disconnect(request()).await);
    assert_eq!(status.code(), Code::PermissionDenied);

    served.users.set_role("ada", Role::Admin).await.unwrap().unwrap();
    let sessions = admin
        .list_sessions(ListSessionsRequest::default())
        .await
        .unwrap()
        .sessions;
    let mut users: Vec<_> = sessions.into_iter().map(|session| session.user_id).collect();
    users.sort();
    let mut expected = [Some(ada.id), Some(bob.id.clone())];
    expected.sort();
    assert_eq!(users, expected);
    assert_eq!(admin.disconnect(request()).await.unwrap().count, 1);
    assert_eq!(of_bob.closed().await.reason(), "be off");
}
