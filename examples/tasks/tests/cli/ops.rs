//! What those who run a server see of it: health, readiness and metrics, on the port of the calls.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::support::Server;

impl Server {
    /// Asks for a page, and gives the status and the body.
    fn get(&self, path: &str) -> (u16, String) {
        let (head, body) = self.answer(path);
        (head[9..12].parse().unwrap(), body)
    }

    /// Asks for a page, and gives the head of the answer and the body.
    fn answer(&self, path: &str) -> (String, String) {
        let address = self.url.trim_start_matches("ws://").trim_end_matches("/rpc");
        let mut socket = TcpStream::connect(address).unwrap();
        write!(
            socket,
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }
}

#[test]
fn the_page_is_at_the_address_that_is_named_first_and_runs_no_script_but_its_own() {
    let server = Server::in_memory();
    let address = server.url.trim_start_matches("ws").trim_end_matches("/rpc");
    let first = server.said.lines().next().unwrap();
    assert!(first.contains(&format!("http{address},")), "{first}");
    let (head, body) = server.answer("/");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains(rpc_page::CONTENT_SECURITY_POLICY), "{head}");
    assert!(body.contains("<title>Tasks</title>"), "{body}");
    for file in ["/assets/page.js", "/assets/page.css", "/icon.svg"] {
        assert!(
            body.contains(&format!("\".{file}\"")),
            "{file} is not named in\n{body}"
        );
        assert_eq!(server.get(file).0, 200, "{file}");
    }
    // Nothing is inline: the policy would not let it run.
    for inline in ["<style", " style=", "javascript:", "onclick="] {
        assert!(!body.contains(inline), "{inline}");
    }
}

#[test]
fn a_server_says_whether_it_lives_and_is_ready_and_what_it_did() {
    let server = Server::in_memory();
    assert_eq!(server.get("/healthz"), (200, "alive\n".to_owned()));
    assert_eq!(server.get("/readyz"), (200, "ready\n".to_owned()));
    assert_eq!(server.get("/other").0, 404);
    server.ok(&["add", "Buy milk"]);
    server.call(&["add", "Buy milk"]);
    server.call_with(&["login", "ada"], "open sesame");
    server.call(&["users"]);
    let (status, text) = server.get("/metrics");
    assert_eq!(status, 200);
    for line in [
        "rpc_server_calls_total{method=\"task.TaskService/AddTask\",code=\"OK\"} 1",
        "rpc_server_calls_total{method=\"task.TaskService/AddTask\",code=\"ALREADY_EXISTS\"} 1",
        "rpc_server_calls_total{method=\"auth.AuthService/Login\",code=\"UNAUTHENTICATED\"} 1",
        "rpc_server_refused_calls_total{reason=\"guard\"} 1",
        "rpc_server_connections_total 4",
        "rpc_server_call_duration_seconds_count{method=\"task.TaskService/AddTask\"} 2",
    ] {
        assert!(
            text.lines().any(|there| there == line),
            "{line} is not in\n{text}"
        );
    }
}
