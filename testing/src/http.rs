//! HTTP requests to a server, as operators and pages make them. Blocking: not for use in the thread that runs the
//! server.

use std::{io, net::SocketAddr, time::Duration};

use serde_json::Value;

/// The time within which an answer must come, or the test fails.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends a request, and returns status and body of the answer.
///
/// # Errors
///
/// If no answer comes, or not within 10 s. A status other than 200 is no error.
pub fn ask(address: SocketAddr, method: &str, path: &str, body: &str) -> io::Result<(u16, String)> {
    let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).proxy(None);
    let agent = ureq::Agent::from(config.build());
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("http://{address}{path}"))
        .header("Content-Type", "application/json")
        .body(body.to_owned())
        .map_err(io::Error::other)?;
    let mut answer = agent.run(request).map_err(io::Error::other)?;
    let body = answer.body_mut().read_to_string().map_err(io::Error::other)?;
    Ok((answer.status().as_u16(), body))
}

/// Gets the text of a page.
///
/// # Errors
///
/// As [`ask`], and for a status other than 200.
pub fn get(address: SocketAddr, path: &str) -> io::Result<String> {
    match ask(address, "GET", path, "")? {
        (200, body) => Ok(body),
        (status, body) => Err(io::Error::other(format!("{path}: status {status}: {body}"))),
    }
}

/// Gets a JSON document.
///
/// # Errors
///
/// As [`get`], and if the text is not JSON.
pub fn json(address: SocketAddr, path: &str) -> io::Result<Value> {
    serde_json::from_str(&get(address, path)?).map_err(|error| io::Error::other(format!("{path}: {error}")))
}

/// The sum of a metric over all its labels, or over those that begin with these (`name{game="arena"`); 0 if nothing was
/// counted yet. `address` is the operators' port.
///
/// # Errors
///
/// As [`get`].
pub fn metric(address: SocketAddr, name: &str) -> io::Result<f64> {
    let is_whole = |rest: &str| name.contains('{') || rest.starts_with([' ', '{']);
    let number = |line: &str| {
        let rest = line.strip_prefix(name).filter(|rest| is_whole(rest))?;
        rest.rsplit(' ').next()?.parse::<f64>().ok()
    };
    Ok(get(address, "/metrics")?.lines().filter_map(number).sum())
}
