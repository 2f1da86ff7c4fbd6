//! What is said of a service of the framework that an endpoint does not serve.

use rpc_runtime::{
    CallError, Client, Code, Server,
    services::{
        admin::{AdminClient, StatsRequest},
        hub::{HubClient, UnsubscribeRequest},
        reflection::{ListServicesRequest, ReflectionClient},
        session::{InfoRequest, SessionClient},
    },
};

use crate::server::connect_from;

/// What a call was refused with.
fn refused<T>(answer: Result<T, CallError>) -> String {
    let Err(error) = answer else {
        panic!("served");
    };
    assert_eq!(error.code(), Some(Code::Unimplemented));
    error.to_string()
}

#[tokio::test(start_paused = true)]
async fn who_calls_a_service_that_is_not_there_is_told_what_its_server_has_to_add() {
    let server = Server::builder().reflection(false).build().unwrap();
    let client: Client = connect_from(&server, "192.0.2.1", "/rpc");
    let unsubscribe = UnsubscribeRequest {
        channels: vec!["room:5".to_owned()],
    };
    let answers = [
        (
            refused(HubClient::new(client.clone()).unsubscribe(unsubscribe).await),
            "rpc.hub.v1.HubService/Unsubscribe",
            "`.service(rpc_runtime::services::hub::gateway())`",
        ),
        (
            refused(SessionClient::new(client.clone()).info(InfoRequest {}).await),
            "rpc.session.v1.SessionService/Info",
            "`.service(rpc_runtime::services::session::gateway())`",
        ),
        (
            refused(AdminClient::new(client.clone()).stats(StatsRequest {}).await),
            "rpc.admin.v1.AdminService/Stats",
            "`.service(rpc_runtime::services::admin::gateway())` and `.guard(\"admin\", …)`",
        ),
        (
            refused(
                ReflectionClient::new(client)
                    .list_services(ListServicesRequest {})
                    .await,
            ),
            "rpc.reflection.v1.ReflectionService/ListServices",
            "`.reflection(true)` and `.guard(\"reflection\", …)`",
        ),
    ];
    for (told, method, what) in answers {
        let sentence = format!("this endpoint does not serve {method}: its server has to add {what}");
        assert!(told.ends_with(&sentence), "{told}");
    }
}
