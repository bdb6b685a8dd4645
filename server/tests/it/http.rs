//! Requests by hand, each on a connection of its own.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// The head and body of a page.
pub(crate) async fn page(addr: SocketAddr, path: &str) -> (String, String) {
    send(addr, &format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n")).await
}

/// The head and body that answer a request.
pub(crate) async fn send(addr: SocketAddr, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// The status and JSON of a resource.
pub(crate) async fn get(addr: SocketAddr, path: &str) -> (u16, Value) {
    read(&page(addr, path).await)
}

/// The status and JSON that answer a JSON body.
pub(crate) async fn post(addr: SocketAddr, path: &str, body: &str) -> (u16, Value) {
    let head =
        format!("POST {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\nContent-Type: application/json\r\n");
    read(&send(addr, &format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())).await)
}

/// The status and JSON of an answer.
pub(crate) fn read((head, body): &(String, String)) -> (u16, Value) {
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}
