//! Progress, in one process and without sockets.

use rpc_runtime::testing;

use super::*;

#[tokio::test(start_paused = true)]
async fn who_listens_is_told_of_each_picture_by_events() {
    let server = testing::serve(server().unwrap());
    let client = server.client();
    let mut told = client.events::<Progress>();
    let studio = StudioClient::new(client);
    let film = studio.render(request("The Cat")).await.unwrap();
    assert_eq!(film.description, "The Cat, 0.17 s");
    for drawn in 1..=4 {
        let received = told.next().await.unwrap().unwrap();
        assert_eq!(received.event, progress(&request("The Cat"), drawn));
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_listen_just_waits_for_the_answer() {
    let server = testing::serve(server().unwrap());
    let film = StudioClient::new(server.client())
        .render(request("The Cat"))
        .await;
    assert_eq!(film.unwrap().description, "The Cat, 0.17 s");
}

#[tokio::test(start_paused = true)]
async fn events_are_for_the_client_that_calls_and_no_other() {
    let server = testing::serve(server().unwrap());
    let (client, other) = (server.client(), server.client());
    let mut told = client.events::<Progress>();
    let mut other_told = other.events::<Progress>();
    StudioClient::new(client)
        .render(request("The Cat"))
        .await
        .unwrap();
    StudioClient::new(other).render(request("The Dog")).await.unwrap();
    for (told, title) in [(&mut told, "The Cat"), (&mut other_told, "The Dog")] {
        for _ in 0..4 {
            assert_eq!(told.next().await.unwrap().unwrap().event.title, title);
        }
        assert_eq!(told.unread(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_has_the_progress_and_the_film_in_order() {
    let server = testing::serve(server().unwrap());
    let studio = StudioClient::new(server.client());
    let mut steps = studio.render_step_by_step(request("The Dog")).await.unwrap();
    let mut all = Vec::new();
    while let Some(step) = steps.message().await.unwrap() {
        all.push(step);
    }
    let dog = request("The Dog");
    let mut expected: Vec<_> = (1..=4)
        .map(|drawn| Rendering::Progress(progress(&dog, drawn)))
        .collect();
    expected.push(Rendering::Film(film(&dog)));
    assert_eq!(all, expected);
}
