//! `tiltyard health`: checks whether the server of this machine is well, for containers and scripts without an HTTP
//! client.

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context as _, bail};

/// The maximum time for each step.
const PATIENCE: Duration = Duration::from_secs(2);
/// The maximum number of bytes read of the answer.
const ANSWER_BYTES: u64 = 4096;

/// Asks the operators' port of a server that listens there, and returns its answer.
///
/// # Errors
///
/// If it does not answer, or answers that it is not well.
pub(crate) fn ask(listen: SocketAddr, path: &str) -> anyhow::Result<String> {
    let address = SocketAddr::new(reachable(listen.ip()), listen.port());
    let answer = fetch(address, path).with_context(|| format!("no answer from {address}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) == Some("200") { Ok(body.to_owned()) } else { bail!("{path}: {}", body.trim()) }
}

fn fetch(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The address to reach a server that listens on every address.
fn reachable(listen: IpAddr) -> IpAddr {
    match listen {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        other => other,
    }
}
