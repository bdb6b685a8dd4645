//! A broker session: one connection to the broker, found among its addresses, of which nothing is left once it is
//! dropped. lapin runs a thread for each connection, which would wait indefinitely for a frozen broker.

use std::{
    io::{self, ErrorKind::NotConnected},
    net::{Shutdown, SocketAddr},
    pin::Pin,
    task::Context,
};

use futures_util::Stream;
use socket2::{SockRef, Socket};

use super::{addresses::Patience, *};

/// The maximum time to close a connection.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

/// Connects to the first broker that answers; each has its turn once.
pub(super) async fn connect(shared: &Shared, turn: &mut Turn) -> Result<[BrokerSession; 2], Fault> {
    let mut faults = Vec::new();
    for _ in &shared.brokers {
        let (index, inner_turn) = turn.take();
        match connect_to(shared, &shared.brokers[index], inner_turn, turn.patience()).await {
            Ok(sessions) => {
                turn.reached();
                return Ok(sessions);
            }
            Err(fault) => faults.push((index, fault)),
        }
    }
    turn.in_vain();
    // By their order in the URL, so that the next round's fault is the same.
    faults.sort_by_key(|(index, _)| *index);
    Err(Fault::of_all(faults.into_iter().map(|(_, fault)| fault).collect()))
}

/// Connects to the first address behind a host's name that answers.
async fn connect_to(
    shared: &Shared,
    uri: &AMQPUri,
    turn: u64,
    patience: Patience,
) -> Result<[BrokerSession; 2], Fault> {
    let of = |addresses: usize| if shared.brokers.len() + addresses > 2 { patience } else { Patience::longest() };
    let resolved = addresses::resolve(uri, turn, of(1).total).await;
    let addresses = resolved.inspect_err(|_| shared.counts.unreached.add())?;
    let patience = of(addresses.len());
    let mut faults = Vec::new();
    for at in addresses {
        match BrokerSession::open_two(Broker { uri, at, patience }, &shared.instance).await {
            Ok(sessions) => return Ok(sessions),
            Err(fault) => {
                shared.counts.unreached.add();
                tracing::debug!(%fault, "the next address");
                faults.push((at, fault));
            }
        }
    }
    faults.sort_by_key(|(at, _)| *at);
    Err(Fault::of_all(faults.into_iter().map(|(_, fault)| fault).collect()))
}

/// Where a session is to be opened.
#[derive(Clone, Copy)]
pub(super) struct Broker<'a> {
    /// User, vhost and host.
    pub(super) uri: &'a AMQPUri,
    /// One of the addresses behind the host's name.
    pub(super) at: SocketAddr,
    pub(super) patience: Patience,
}

impl Broker<'_> {
    /// Host and port, and the address if it is not the host itself.
    fn name(self) -> String {
        let name = addresses::named(self.uri);
        if name == self.at.to_string() { name } else { format!("{name} ({})", self.at) }
    }

    /// The fault for an address that hangs.
    fn silent(self, what: &str, patience: Duration) -> Fault {
        Fault::Unreachable { address: self.name(), reason: format!("{what} within {patience:?}") }
    }

    /// The fault for a connection that could not be made.
    fn refusal(self, error: &Error) -> Fault {
        let address = self.name();
        match error.kind() {
            ErrorKind::IOError(error) => Fault::Unreachable { address, reason: error.to_string() },
            ErrorKind::ProtocolError(error) => Fault::Refused {
                address,
                user: self.uri.authority.userinfo.username.clone(),
                vhost: self.uri.vhost.clone(),
                reason: error.get_message().to_string(),
            },
            _ => Fault::Unreachable { address, reason: error.to_string() },
        }
    }
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
    /// Connects twice, to publish and to consume.
    ///
    /// # Errors
    ///
    /// [`Fault::Unreachable`] or [`Fault::Refused`].
    pub(super) async fn open_two(broker: Broker<'_>, instance: &InstanceId) -> Result<[Self; 2], Fault> {
        let until = Instant::now() + broker.patience.total;
        Ok([
            Self::open(broker, until, properties(instance, "publish")).await?,
            Self::open(broker, until, properties(instance, "consume")).await?,
        ])
    }

    /// lapin gets a stream that is connected already: when it connects by itself and fails, it leaves a task behind.
    async fn open(broker: Broker<'_>, until: Instant, properties: ConnectionProperties) -> Result<Self, Fault> {
        let Broker { uri, at, patience } = broker;
        let runtime = default_runtime().map_err(|error| Fault::Lost(error.to_string()))?;
        let connected = time::timeout(patience.connect, AsyncTcpStream::connect(&runtime, vec![at])).await;
        let plain = connected.map_err(|_| broker.silent("no connection", patience.connect))?;
        let plain = plain.map_err(|error| broker.refusal(&error.into()))?;
        let opened = async {
            let cut = Cut(match &plain {
                AsyncTcpStream::Plain(plain) => Some(SockRef::from(plain.get_ref()).try_clone()?),
                _ => None,
            });
            let stream = match uri.scheme {
                AMQPScheme::AMQP => plain,
                AMQPScheme::AMQPS => plain.into_tls(&uri.authority.host, TLSConfig::default()).await?,
            };
            let ready = Mutex::new(Some(stream));
            let hand = async move |_, _| ready.lock().take().ok_or_else(|| io::Error::from(NotConnected).into());
            let connector = Connection::connector(uri.clone(), runtime.clone(), hand, properties);
            Ok::<_, Error>((connector.await?, cut))
        };
        let opened = time::timeout_at(until, opened).await;
        let (connection, cut) = opened
            .map_err(|_| broker.silent("connected, but no AMQP session", patience.total))?
            .map_err(|error| broker.refusal(&error))?;
        let events = Box::pin(connection.events_listener());
        Ok(Self { connection, events, blocked: false, address: broker.name(), _socket: cut })
    }

    /// The broker's address, for people.
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
