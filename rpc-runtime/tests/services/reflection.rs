//! What tools are told of a server, and who is told.

use std::time::Duration;

use rpc_runtime::{
    CallError, Client, Code, Context, Endpoint, Server, ServerBuilder, Status,
    hub::{Anyone, Hub, Joined, Namespace, Notification, Retention},
    services::{
        self,
        reflection::{
            GetFilesRequest, ListNamespacesRequest, ListServicesRequest, ListServicesResponse, Loopback,
            MethodKind, ReflectionClient, SchemaFile,
        },
    },
};

use crate::server::{connect, connect_as, connect_from, unguarded};

/// Open to everybody, in any build.
fn open() -> ServerBuilder {
    let admins = |_: &Context| Err(Status::permission_denied("nobody"));
    unguarded()
        .guard("admin", admins)
        .reflection(true)
        .guard("reflection", |_: &Context| Ok(()))
}

async fn services_of(client: Client) -> Result<ListServicesResponse, CallError> {
    ReflectionClient::new(client)
        .list_services(ListServicesRequest {})
        .await
}

async fn files_of(client: Client, symbols: &[&str]) -> Result<Vec<SchemaFile>, CallError> {
    let symbols = symbols.iter().map(|&symbol| symbol.to_owned()).collect();
    let mut stream = ReflectionClient::new(client)
        .get_files(GetFilesRequest { symbols })
        .await?;
    let mut files = Vec::new();
    while let Some(file) = stream.message().await? {
        files.push(file);
    }
    Ok(files)
}

fn code<T>(result: Result<T, CallError>) -> Option<Code> {
    result.err().and_then(|error| error.code())
}

#[cfg(debug_assertions)]
#[tokio::test(start_paused = true)]
async fn a_debug_build_without_the_switch_serves_this_machine_and_nobody_else() {
    let server = Server::builder().build().unwrap();
    let here = services_of(connect_from(&server, "127.0.0.1", "/rpc")).await;
    let elsewhere = services_of(connect_from(&server, "192.0.2.1", "/rpc")).await;
    assert_eq!(here.unwrap().services.len(), 1);
    assert_eq!(code(elsewhere), Some(Code::PermissionDenied));
}

/// Run by `cargo xtask reflection`, which builds this crate as release builds do.
#[cfg(not(debug_assertions))]
#[tokio::test(start_paused = true)]
async fn a_release_build_without_the_switch_serves_nobody() {
    let developers = Server::builder().guard("reflection", |_: &Context| Ok(()));
    for builder in [Server::builder(), developers] {
        let server = builder.endpoint("/other", Endpoint::new()).build().unwrap();
        for (from, path) in [
            ("127.0.0.1", "/rpc"),
            ("127.0.0.1", "/other"),
            ("192.0.2.1", "/rpc"),
        ] {
            let client = connect_from(&server, from, path);
            let namespaces = ReflectionClient::new(client.clone())
                .list_namespaces(ListNamespacesRequest {})
                .await;
            assert_eq!(code(namespaces), Some(Code::Unimplemented), "{from} {path}");
            let listed = services_of(client.clone()).await;
            assert_eq!(code(listed), Some(Code::Unimplemented), "{from} {path}");
            let files = files_of(client, &[]).await;
            assert_eq!(code(files), Some(Code::Unimplemented), "{from} {path}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn turned_off_it_is_not_there_in_any_build() {
    let server = Server::builder().reflection(false).build().unwrap();
    let listed = services_of(connect_from(&server, "127.0.0.1", "/rpc")).await;
    assert_eq!(code(listed), Some(Code::Unimplemented));
}

#[tokio::test(start_paused = true)]
async fn a_guard_protects_every_method_of_it_in_any_build() {
    let developers = |cx: &Context| match cx.user() {
        Some("dev") => Ok(()),
        Some(_) => Err(Status::permission_denied("this is for developers")),
        None => Err(Status::unauthenticated("log in first")),
    };
    let guarded = open().reflection(true).guard("reflection", developers);
    let server = guarded.build().unwrap();
    let others = [
        (connect_from(&server, "127.0.0.1", "/rpc"), Code::Unauthenticated),
        (connect_as(&server, "ali").await, Code::PermissionDenied),
    ];
    for (client, refused) in others {
        let namespaces = ReflectionClient::new(client.clone())
            .list_namespaces(ListNamespacesRequest {})
            .await;
        assert_eq!(code(namespaces), Some(refused));
        assert_eq!(code(services_of(client.clone()).await), Some(refused));
        assert_eq!(code(files_of(client, &[]).await), Some(refused));
    }
    let dev = connect_as(&server, "dev").await;
    assert!(!services_of(dev.clone()).await.unwrap().services.is_empty());
    assert!(!files_of(dev, &[]).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_guard_for_this_machine_can_be_asked_for_in_any_build() {
    let server = Server::builder()
        .reflection(true)
        .guard("reflection", Loopback)
        .build()
        .unwrap();
    for here in ["127.0.0.1", "::1"] {
        services_of(connect_from(&server, here, "/rpc")).await.unwrap();
    }
    let elsewhere = services_of(connect_from(&server, "192.0.2.1", "/rpc")).await;
    assert_eq!(code(elsewhere), Some(Code::PermissionDenied));
}

#[tokio::test(start_paused = true)]
async fn services_are_told_with_all_that_a_caller_needs_to_know_of_their_methods() {
    let server = open().build().unwrap();
    let listed = services_of(connect(&server)).await.unwrap();
    let names: Vec<_> = listed
        .services
        .iter()
        .map(|service| &*service.full_name)
        .collect();
    assert_eq!(
        names,
        [
            "rpc.admin.v1.AdminService",
            "rpc.reflection.v1.ReflectionService",
            "rpc.session.v1.SessionService"
        ]
    );
    assert!(!listed.authentication_required);
    let admin = &listed.services[0];
    assert_eq!((&*admin.package, admin.has_schema), ("rpc.admin.v1", true));
    assert!(admin.docs.contains("administer"), "{}", admin.docs);
    let method = &admin.methods[0];
    assert_eq!(method.name, "ListSessions");
    assert_eq!(method.request_type, "rpc.admin.v1.ListSessionsRequest");
    assert_eq!(method.response_type, "rpc.admin.v1.ListSessionsResponse");
    assert_eq!(method.guards, ["admin"]);
    assert!(method.idempotent && !method.one_way && !method.auth);
    assert_eq!((method.kind, method.deadline), (MethodKind::Unary, None));
    assert!(method.docs.contains("a page at a time"), "{}", method.docs);
    let files = &listed.services[1].methods[1];
    assert_eq!(
        (&*files.name, files.kind),
        ("GetFiles", MethodKind::ServerStreaming)
    );
}

#[tokio::test(start_paused = true)]
async fn each_endpoint_tells_of_its_own_services() {
    let other = Endpoint::new()
        .service(services::session::gateway())
        .reflection(true)
        .guard("reflection", |_: &Context| Ok(()));
    let server = open().endpoint("/other", other).build().unwrap();
    let listed = services_of(connect_from(&server, "192.0.2.1", "/other"))
        .await
        .unwrap();
    let names: Vec<_> = listed
        .services
        .iter()
        .map(|service| &*service.full_name)
        .collect();
    assert_eq!(
        names,
        [
            "rpc.reflection.v1.ReflectionService",
            "rpc.session.v1.SessionService"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn schemas_come_with_rules_and_comments_behind_what_they_import() {
    use prost::Message;
    let server = open().build().unwrap();
    let client = connect(&server);
    let files = files_of(client.clone(), &["rpc.admin.v1.AdminService"])
        .await
        .unwrap();
    let mut seen = Vec::new();
    for file in &files {
        let decoded = prost_types::FileDescriptorProto::decode(file.descriptor.clone()).unwrap();
        assert_eq!(decoded.name(), file.name);
        assert!(decoded.dependency.iter().all(|import| seen.contains(import)));
        seen.push(file.name.clone());
    }
    let admin = files.last().unwrap();
    assert!(admin.name.ends_with("admin.proto"), "{seen:?}");
    // `(buf.validate.field)` is field 1159 of the options, a message.
    assert!(
        admin.descriptor.windows(2).any(|pair| pair == [0xba, 0x48]),
        "the rules are gone"
    );
    let decoded = prost_types::FileDescriptorProto::decode(admin.descriptor.clone()).unwrap();
    let comments = decoded.source_code_info.unwrap().location;
    assert!(
        comments.iter().any(|place| place
            .leading_comments()
            .contains("for those who administer a server")),
        "the docs are gone"
    );
    assert!(
        !seen.iter().any(|name| name.contains("reflection")),
        "of what was not asked for: {seen:?}"
    );
    let missing = files_of(client, &["task.Missing"]).await;
    assert_eq!(code(missing), Some(Code::NotFound));
}

#[tokio::test(start_paused = true)]
async fn namespaces_are_told_with_their_events_and_the_schemas_of_these() {
    let hub = Hub::builder()
        .namespace(
            Namespace::<(u64,)>::new("room:{id}")
                .subscribe(Anyone)
                .events::<Notification>()
                .events::<Joined>()
                .keep(Retention::of(100, Duration::from_secs(600)))
                .presence(Anyone)
                .tell_joins(),
        )
        .namespace(Namespace::<()>::new("news").subscribe(Anyone).tell_publisher())
        .build()
        .unwrap();
    let server = open().service(services::hub::gateway()).hub(hub).build().unwrap();
    let client = connect(&server);
    let listed = ReflectionClient::new(client.clone())
        .list_namespaces(ListNamespacesRequest {})
        .await
        .unwrap();
    assert!(listed.has_hub);
    let [room, news] = &listed.namespaces[..] else {
        panic!("{listed:?}")
    };
    assert_eq!(room.pattern, "room:{id}");
    assert_eq!(room.events, ["rpc.hub.v1.Joined", "rpc.hub.v1.Notification"]);
    assert_eq!(
        (room.kept_events, room.kept_for),
        (100, Some(Duration::from_secs(600)))
    );
    assert!(room.presence && room.tells_joins && !room.any_event && !room.tells_publisher);
    assert_eq!(
        (&*news.pattern, news.kept_events, news.kept_for),
        ("news", 0, None)
    );
    assert!(news.any_event && news.events.is_empty() && news.tells_publisher && !news.presence);
    let files = files_of(client, &["rpc.hub.v1.Notification"]).await.unwrap();
    assert!(
        files.iter().any(|file| file.name.ends_with("hub.proto")),
        "{files:?}"
    );
}
