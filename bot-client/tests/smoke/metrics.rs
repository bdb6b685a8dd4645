//! One number of a server's `/metrics`.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::ensure;

const PATIENCE: Duration = Duration::from_secs(5);

/// The sum of a metric over all its labels, or over those that begin with these; 0 if nothing has been counted yet.
pub(crate) fn metric(ops: SocketAddr, name: &str) -> anyhow::Result<f64> {
    let mut stream = TcpStream::connect_timeout(&ops, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET /metrics HTTP/1.0\r\nHost: {ops}\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    ensure!(text.contains(" 200 "), "no metrics: {}", text.lines().next().unwrap_or_default());
    let is_whole = |rest: &str| name.contains('{') || rest.starts_with([' ', '{']);
    let number = |line: &str| {
        let rest = line.strip_prefix(name).filter(|rest| is_whole(rest))?;
        rest.rsplit(' ').next()?.parse::<f64>().ok()
    };
    Ok(text.lines().filter_map(number).sum())
}
