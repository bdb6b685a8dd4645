//! A session with the broker: one connection, and the certainty that nothing of it is left when it is dropped. lapin
//! runs a thread for each, which would wait for a broker that is frozen as long as that takes.

use std::{
    io::{self, ErrorKind::NotConnected},
    net::Shutdown,
    pin::Pin,
    task::Context,
};

use futures_util::Stream;
use socket2::{SockRef, Socket};

use super::*;

/// Longest time until a connection works.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
/// Longest time that the end of a connection may take.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);
/// Seconds between heartbeats; two missed ones end the connection.
const HEARTBEAT: u16 = 5;
/// The least that lapin takes. It has two rings of 32 frames a connection, and walks through all of each: 256 KiB that stay.
const FRAME_BYTES: u32 = 8 * 1024;

/// The parts of an AMQP URL.
///
/// # Errors
///
/// [`Fault::Url`]
pub(super) fn parse(url: &str) -> Result<AMQPUri, Fault> {
    // Some of the parser's words repeat the URL, and with it the password.
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
    /// Connects. Operators see the instance and the purpose in the connection's name.
    ///
    /// lapin gets a stream that is connected already: where it connects by itself and fails, a task of its own stays.
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

    /// Whether the broker reads nothing from here at the moment.
    pub(super) fn blocked(&self) -> bool {
        self.blocked
    }

    /// Waits until something happens to the connection.
    ///
    /// # Errors
    ///
    /// [`Fault::Lost`] if it ended.
    pub(super) async fn event(&mut self) -> Result<(), Fault> {
        match std::future::poll_fn(|cx: &mut Context<'_>| self.events.as_mut().poll_next(cx)).await {
            Some(Event::ConnectionBlocked(_)) => self.blocked = true,
            Some(Event::ConnectionUnblocked) => self.blocked = false,
            // Those of a channel are told to whoever uses it.
            Some(Event::Error(error)) if !self.connection.status().connected() => return Err(lost(&error)),
            Some(_) => {}
            None => return Err(Fault::Lost("closed".to_owned())),
        }
        Ok(())
    }

    /// Whether it still is connected.
    ///
    /// # Errors
    ///
    /// [`Fault::Lost`] if not.
    pub(super) fn check(&self) -> Result<(), Fault> {
        if self.connection.status().connected() { Ok(()) } else { Err(Fault::Lost("closed".to_owned())) }
    }

    /// Ends it properly if it still works, in any case within a second.
    pub(super) async fn close(self) {
        let _dead = time::timeout(CLOSE_PATIENCE, self.connection.close(200, "goodbye".into())).await;
    }
}

/// Shuts a socket down when dropped, so that who waits for it wakes up.
struct Cut(Option<Socket>);

impl Drop for Cut {
    fn drop(&mut self) {
        if let Some(socket) = self.0.take() {
            let _gone = socket.shutdown(Shutdown::Both);
        }
    }
}

/// What operators see of a connection.
fn properties(instance: &InstanceId, purpose: &str) -> ConnectionProperties {
    ConnectionProperties::default()
        .with_connection_name(format!("tiltyard {instance} {purpose}").into())
        .with_client_property("product".into(), "tiltyard".into())
        .with_client_property("version".into(), env!("CARGO_PKG_VERSION").into())
}

/// Why a connection could not be made.
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

/// Why a connection that worked does so no more.
pub(super) fn lost(error: &Error) -> Fault {
    match error.kind() {
        // 403 ACCESS_REFUSED, 404 NOT_FOUND, 406 PRECONDITION_FAILED
        ErrorKind::ProtocolError(error) if [403, 404, 406].contains(&error.get_id()) => {
            Fault::Topology(error.get_message().to_string())
        }
        _ => Fault::Lost(error.to_string()),
    }
}
