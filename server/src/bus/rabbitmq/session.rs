//! A broker session: one connection to the broker, of which nothing is left once it is dropped. lapin runs a thread for
//! each connection, which would wait indefinitely for a frozen broker.

use std::{
    io::{self, ErrorKind::NotConnected},
    net::Shutdown,
    pin::Pin,
    task::Context,
};

use futures_util::Stream;
use socket2::{SockRef, Socket};

use super::*;

/// The maximum time to connect.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
/// The maximum time to close a connection.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);
/// Seconds between heartbeats; two missed ones end the connection.
const HEARTBEAT: u16 = 5;
/// The minimum that lapin takes. It has two rings of 32 frames a connection and cycles through all of both: 256 KiB
/// that stay resident.
const FRAME_BYTES: u32 = 8 * 1024;

/// Parses an AMQP URL.
///
/// # Errors
///
/// [`Fault::Url`].
pub(super) fn parse(url: &str) -> Result<AMQPUri, Fault> {
    // Some error texts of the parser repeat the URL, and with it the password.
    let unread = |words: String| if words.contains(url) { "it names no host".to_owned() } else { words };
    let mut uri: AMQPUri = url.parse().map_err(|words| Fault::Url(unread(words)))?;
    uri.query.heartbeat.get_or_insert(HEARTBEAT);
    uri.query.frame_max.get_or_insert(FRAME_BYTES);
    Ok(uri)
}

/// A connection to the broker.
pub(super) struct BrokerSession {
    pub(super) connection: Connection,
    events: Pin<Box<dyn Stream<Item = Event> + Send>>,
    blocked: bool,
    address: String,
    _socket: Cut,
}

impl BrokerSession {
    /// Connects. The connection's name shows the instance and the purpose to operators.
    ///
    /// lapin gets a stream that is connected already: when it connects by itself and fails, it leaves a task behind.
    pub(super) async fn open(uri: &AMQPUri, instance: &InstanceId, purpose: &str) -> Result<Self, Fault> {
        let address = format!("{}:{}", uri.authority.host, uri.authority.port);
        let runtime = default_runtime().map_err(|error| Fault::Lost(error.to_string()))?;
        let opened = async {
            let host = uri.authority.host.as_str();
            let addresses: Vec<_> = tokio::net::lookup_host((host, uri.authority.port)).await?.collect();
            let plain = AsyncTcpStream::connect(&runtime, addresses).await?;
            let cut = Cut(match &plain {
                AsyncTcpStream::Plain(plain) => Some(SockRef::from(plain.get_ref()).try_clone()?),
                _ => None,
            });
            let stream = match uri.scheme {
                AMQPScheme::AMQP => plain,
                AMQPScheme::AMQPS => plain.into_tls(host, TLSConfig::default()).await?,
            };
            let ready = Mutex::new(Some(stream));
            let hand = async move |_, _| ready.lock().take().ok_or_else(|| io::Error::from(NotConnected).into());
            let connector = Connection::connector(uri.clone(), runtime.clone(), hand, properties(instance, purpose));
            Ok::<_, Error>((connector.await?, cut))
        };
        let (connection, cut) = match time::timeout(CONNECT_PATIENCE, opened).await {
            Ok(Ok(opened)) => opened,
            Ok(Err(error)) => return Err(refusal(uri, address, &error)),
            Err(_) => return Err(Fault::Unreachable { address, reason: "no answer in time".to_owned() }),
        };
        let events = Box::pin(connection.events_listener());
        Ok(Self { connection, events, blocked: false, address, _socket: cut })
    }

    /// Host and port of the broker.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Whether the broker takes no messages at the moment.
    pub(super) fn blocked(&self) -> bool {
        self.blocked
    }

    /// Waits for an event of the connection.
    ///
    /// # Errors
    ///
    /// [`Fault::Lost`] if it ended.
    pub(super) async fn event(&mut self) -> Result<(), Fault> {
        match std::future::poll_fn(|cx: &mut Context<'_>| self.events.as_mut().poll_next(cx)).await {
            Some(Event::ConnectionBlocked(_)) => self.blocked = true,
            Some(Event::ConnectionUnblocked) => self.blocked = false,
            // Errors of a channel are reported to its user.
            Some(Event::Error(error)) if !self.connection.status().connected() => return Err(lost(&error)),
            Some(_) => {}
            None => return Err(Fault::Lost("closed".to_owned())),
        }
        Ok(())
    }

    /// Checks that it is still connected.
    ///
    /// # Errors
    ///
    /// [`Fault::Lost`] if not.
    pub(super) fn check(&self) -> Result<(), Fault> {
        if self.connection.status().connected() { Ok(()) } else { Err(Fault::Lost("closed".to_owned())) }
    }

    /// Closes it cleanly if it still works, in any case within a second.
    pub(super) async fn close(self) {
        let _dead = time::timeout(CLOSE_PATIENCE, self.connection.close(200, "goodbye".into())).await;
    }
}

/// Shuts a socket down when dropped, which wakes those that wait for it.
struct Cut(Option<Socket>);

impl Drop for Cut {
    fn drop(&mut self) {
        if let Some(socket) = self.0.take() {
            let _gone = socket.shutdown(Shutdown::Both);
        }
    }
}

/// The properties of a connection that operators see.
fn properties(instance: &InstanceId, purpose: &str) -> ConnectionProperties {
    ConnectionProperties::default()
        .with_connection_name(format!("tiltyard {instance} {purpose}").into())
        .with_client_property("product".into(), "tiltyard".into())
        .with_client_property("version".into(), env!("CARGO_PKG_VERSION").into())
}

/// The fault for a connection that could not be made.
fn refusal(uri: &AMQPUri, address: String, error: &Error) -> Fault {
    match error.kind() {
        ErrorKind::IOError(error) => Fault::Unreachable { address, reason: error.to_string() },
        ErrorKind::ProtocolError(error) => Fault::Refused {
            address,
            user: uri.authority.userinfo.username.clone(),
            vhost: uri.vhost.clone(),
            reason: error.get_message().to_string(),
        },
        _ => Fault::Unreachable { address, reason: error.to_string() },
    }
}

/// The fault for an established connection that failed.
pub(super) fn lost(error: &Error) -> Fault {
    match error.kind() {
        // 403 ACCESS_REFUSED, 404 NOT_FOUND, 406 PRECONDITION_FAILED
        ErrorKind::ProtocolError(error) if [403, 404, 406].contains(&error.get_id()) => {
            Fault::Topology(error.get_message().to_string())
        }
        _ => Fault::Lost(error.to_string()),
    }
}
