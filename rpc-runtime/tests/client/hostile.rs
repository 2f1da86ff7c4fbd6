//! Servers that mean ill, towards calls that stream.

use std::io::Write;

use flate2::{Compression as Level, write::DeflateEncoder};
use rpc_protocol::{
    DATA_FRAME_COST, Frame, FrameKind,
    frame::{Compression, Credit, Data, End as EndFrame, Metadata, Reset, Response},
};
use rpc_runtime::{CallError, Client, Code, Reconnect, StreamingCall, bytes::Bytes, prost::Message as _};

use crate::{
    by_hand::{End, by_hand},
    service::{Note, call, method, note},
};

fn data(bytes: usize, more: bool) -> FrameKind {
    FrameKind::Data(Data {
        more,
        body: vec![0; bytes].into(),
        ..Data::default()
    })
}

fn opened() -> FrameKind {
    FrameKind::Response(Response {
        open: true,
        metadata: vec![Metadata::text("k", "v")],
        ..Response::default()
    })
}

async fn connect() -> (Client, End) {
    let (builder, ends) = by_hand();
    let client = builder.reconnect(Reconnect::never()).lazy().unwrap();
    client.ready().await.unwrap();
    (client, ends.next().await)
}

fn count(client: &Client) -> StreamingCall<Note> {
    client.server_streaming(method("Count"), &note(1))
}

/// The code with which the client ends a connection on whose first stream, an open one, these frames come.
async fn closed_by(frames: Vec<FrameKind>) -> u16 {
    let (client, mut end) = connect().await;
    let opening = tokio::spawn(count(&client).into_future());
    let (stream_id, _) = end.request().await;
    end.send(stream_id, opened()).await;
    let stream = opening.await.unwrap().unwrap();
    for frame in frames {
        end.send(stream_id, frame).await;
    }
    let code = end.closed().await;
    drop(stream);
    assert_eq!(client.closed().await.close_code().as_u16(), code);
    code
}

#[tokio::test(start_paused = true)]
async fn a_server_that_sends_beyond_the_window_is_closed_4502() {
    let flood = (0..40).map(|_| data(100_000, false)).collect();
    assert_eq!(closed_by(flood).await, 4502);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_grows_without_end_fails_its_call_and_takes_no_more_than_the_limit() {
    let (client, mut end) = connect().await;
    let opening = tokio::spawn(count(&client).into_future());
    let (stream_id, _) = end.request().await;
    end.send(stream_id, opened()).await;
    let mut stream = opening.await.unwrap().unwrap();
    let feeding = tokio::spawn(async move {
        // As much as the client gives credit for, and no end.
        let mut room = 256 << 10;
        loop {
            while room > 0 {
                end.send(stream_id, data(100_000, true)).await;
                room -= 100_000 + DATA_FRAME_COST as i64;
            }
            let Frame { stream_id: on, kind } = end.frame().await.unwrap();
            match kind {
                FrameKind::Credit(Credit { bytes }) if on == stream_id => room += bytes as i64,
                FrameKind::Reset(Reset { .. }) => return end,
                _ => {}
            }
        }
    });
    let status = stream.message().await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    let mut end = feeding.await.unwrap();
    let echo = tokio::spawn(call(&client, "Echo", &note(2)).into_future());
    let (stream_id, _) = end.request().await;
    end.answer(stream_id, &note(3)).await;
    assert_eq!(echo.await.unwrap().unwrap(), note(3));
}

#[tokio::test(start_paused = true)]
async fn answers_of_another_kind_than_asked_for_fail_their_call_only() {
    let (client, mut end) = connect().await;
    let unary = tokio::spawn(call(&client, "Echo", &note(1)).into_future());
    let (stream_id, _) = end.request().await;
    end.send(stream_id, opened()).await;
    let error = unary.await.unwrap().unwrap_err();
    assert_eq!(error.code(), Some(Code::Unimplemented));
    let stream = tokio::spawn(count(&client).into_future());
    let (stream_id, _) = end.request().await;
    end.answer(stream_id, &note(1)).await;
    let error = stream.await.unwrap().unwrap_err();
    assert_eq!(error.code(), Some(Code::Unimplemented));
    let unary = tokio::spawn(call(&client, "Echo", &note(1)).into_future());
    let (stream_id, _) = end.request().await;
    end.send(stream_id, FrameKind::End(EndFrame::default())).await;
    assert!(matches!(unary.await.unwrap(), Err(CallError::Status(_))));
}

#[tokio::test(start_paused = true)]
async fn messages_that_do_not_decode_end_their_stream_and_cancel_the_call() {
    let (client, mut end) = connect().await;
    let opening = tokio::spawn(count(&client).into_future());
    let (stream_id, _) = end.request().await;
    end.send(stream_id, opened()).await;
    let good = FrameKind::Data(Data {
        body: note(1).encode_to_vec().into(),
        ..Data::default()
    });
    end.send(stream_id, good).await;
    let garbage = FrameKind::Data(Data {
        body: vec![0xff; 9].into(),
        ..Data::default()
    });
    end.send(stream_id, garbage).await;
    let mut stream = opening.await.unwrap().unwrap();
    assert_eq!(stream.metadata().get("k"), Some("v"));
    assert_eq!(stream.message().await.unwrap(), Some(note(1)));
    assert_eq!(stream.message().await.unwrap_err().code(), Code::Internal);
    assert_eq!(stream.message().await.unwrap(), None);
    loop {
        if let FrameKind::Reset(_) = end.frame().await.unwrap().kind {
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_behind_the_end_of_a_stream_is_ignored() {
    let (client, mut end) = connect().await;
    let opening = tokio::spawn(count(&client).into_future());
    let (stream_id, _) = end.request().await;
    end.send(stream_id, opened()).await;
    for _ in 0..3 {
        end.send(stream_id, FrameKind::End(EndFrame::default())).await;
        end.send(stream_id, data(0, false)).await;
        end.send(stream_id, opened()).await;
        end.send(stream_id, FrameKind::Reset(Reset::default())).await;
    }
    let mut stream = opening.await.unwrap().unwrap();
    assert_eq!(stream.message().await.unwrap(), None);
    let echo = tokio::spawn(call(&client, "Echo", &note(2)).into_future());
    let (stream_id, _) = end.request().await;
    end.answer(stream_id, &note(3)).await;
    assert_eq!(echo.await.unwrap().unwrap(), note(3));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_inflates_past_the_limit_fails_its_call_only_and_is_not_inflated_further() {
    // 64 MiB in 64 KiB.
    let mut deflating = DeflateEncoder::new(Vec::new(), Level::fast());
    deflating.write_all(&vec![0; 64 << 20]).unwrap();
    let bomb = Bytes::from(deflating.finish().unwrap());
    let (client, mut end) = connect().await;
    let unary = tokio::spawn(call(&client, "Echo", &note(1)).into_future());
    let (stream_id, _) = end.request().await;
    let response = Response {
        compression: Compression::DEFLATE,
        body: bomb.clone(),
        ..Response::default()
    };
    end.send(stream_id, FrameKind::Response(response)).await;
    let error = unary.await.unwrap().unwrap_err();
    assert_eq!(error.code(), Some(Code::ResourceExhausted), "{error:?}");
    let opening = tokio::spawn(count(&client).into_future());
    let (stream_id, _) = end.request().await;
    end.send(stream_id, opened()).await;
    let message = Data {
        compression: Compression::DEFLATE,
        body: bomb,
        ..Data::default()
    };
    end.send(stream_id, FrameKind::Data(message)).await;
    let status = opening.await.unwrap().unwrap().message().await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    let echo = tokio::spawn(call(&client, "Echo", &note(2)).into_future());
    let (stream_id, _) = end.request().await;
    end.answer(stream_id, &note(3)).await;
    assert_eq!(echo.await.unwrap().unwrap(), note(3));
}
