//! A plugin that answers with what it was asked, in a file for each that it generates for, or misbehaves as its parameter
//! says.

use prost::Message;
use protoc_plugin::{Piece, Request, Response};
use std::fmt::Write as _;
use std::io::{self, Read, Write};

fn main() -> io::Result<()> {
    let mut request = Vec::new();
    io::stdin().read_to_end(&mut request)?;
    let asked = Request::decode(request.as_slice()).map_err(io::Error::other)?;
    let parameter = asked.parameter.clone().unwrap_or_default();
    let (what, with) = parameter.split_once('=').unwrap_or((&parameter, ""));
    let mut response = Response {
        supported_features: Some(1),
        ..Response::default()
    };
    match what {
        "error" => response.error = Some(with.to_owned()),
        "names" => response.file = with.split(',').map(|name| Piece::new(name, name)).collect(),
        "pieces" => {
            let goes_on = Piece {
                name: None,
                ..Piece::new("", " goes on")
            };
            response.file = vec![
                Piece::new("one.txt", "one"),
                goes_on,
                Piece::new("two.txt", "two"),
            ];
        }
        "no_name" => {
            response.file = vec![Piece {
                name: None,
                ..Piece::new("", "text")
            }]
        }
        "insert" => {
            response.file = vec![Piece {
                insertion_point: Some("imports".to_owned()),
                ..Piece::new("other.txt", "text")
            }]
        }
        "old" => response.supported_features = None,
        "fail" => {
            eprintln!("{with}");
            std::process::exit(3);
        }
        "garbage" => {
            io::stdout().write_all(&[0xff; 16])?;
            return Ok(());
        }
        "hang" => {
            std::fs::write(with, std::process::id().to_string())?;
            loop {
                std::thread::park();
            }
        }
        "say" => {
            eprintln!("{with}");
            response.file = echo(&asked, &request);
        }
        _ => response.file = echo(&asked, &request),
    }
    io::stdout().write_all(&response.encode_to_vec())
}

/// The request in hexadecimal digits, once for each file to generate for.
fn echo(asked: &Request, request: &[u8]) -> Vec<Piece> {
    let hex = request.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let names = asked.file_to_generate.iter();
    names
        .map(|name| Piece::new(&format!("{name}.hex"), &hex))
        .collect()
}
