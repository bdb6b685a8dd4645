//! The least HTTP client that will do: one request a connection, answers that end with it.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(10);

/// Status and body of an answer.
pub(crate) fn ask(address: SocketAddr, method: &str, path: &str, body: &str) -> anyhow::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP")?;
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    Ok((status, if chunked { unchunked(body)? } else { body.to_owned() }))
}

/// The text of a page.
pub(crate) fn get(address: SocketAddr, path: &str) -> anyhow::Result<String> {
    let (status, body) = ask(address, "GET", path, "")?;
    ensure!(status == 200, "{path}: status {status}: {body}");
    Ok(body)
}

/// The answer of an API.
pub(crate) fn json(address: SocketAddr, path: &str) -> anyhow::Result<Value> {
    serde_json::from_str(&get(address, path)?).with_context(|| format!("{path}: no JSON"))
}

fn unchunked(mut body: &str) -> anyhow::Result<String> {
    let mut text = String::new();
    loop {
        let (size, rest) = body.split_once("\r\n").context("no chunk")?;
        let size = usize::from_str_radix(size, 16)?;
        if size == 0 {
            return Ok(text);
        }
        text += rest.get(..size).context("half a chunk")?;
        body = rest[size..].strip_prefix("\r\n").context("no end of a chunk")?;
    }
}
