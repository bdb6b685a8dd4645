//! A broker with several addresses, of which some hang: real sockets that accept and say nothing, or never answer.

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    time::{Duration, Instant},
};

use socket2::{Domain, Socket, Type};
use tiltyard_server::bus::{Bounds, Fault, InstanceId, Link, rabbitmq};

use crate::bus::ground::*;

/// Longer than a hanging address may take, and shorter than the only address would.
const PASSED_OVER: Duration = Duration::from_secs(6);

fn open(url: String) -> Link {
    let instance = InstanceId::new(&new_name("one")).unwrap();
    rabbitmq::open(rabbitmq::Config { url, instance, bounds: Bounds::default() }).unwrap()
}

/// Accepts connections, as the system does for a frozen process, and says nothing.
fn silent() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// Never answers who connects: the queue of connections to accept is full.
struct Deaf {
    listener: Socket,
    _queued: Vec<TcpStream>,
}

impl Deaf {
    fn new() -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(500)).ok();
        let queued = std::iter::from_fn(connect).collect();
        Self { listener, _queued: queued }
    }

    fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap().as_socket().unwrap()
    }
}

#[tokio::test]
async fn addresses_that_hang_are_passed_over_and_named() {
    let (silent, deaf) = (silent(), Deaf::new());
    let refusing = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let addresses = [silent.local_addr().unwrap(), deaf.address(), refusing];
    let [one, two, three] = addresses;
    let began = Instant::now();
    let link = open(format!("amqp://user:secret@{one},{two},{three}/tiltyard"));
    let fault = soon(link.first_attempt()).await.unwrap_err();
    assert!(began.elapsed() < PASSED_OVER, "{:?}", began.elapsed());
    let Fault::Nowhere(faults) = &fault else { panic!("{fault}") };
    for ((address, reason), fault) in addresses.iter().zip(["AMQP", "connection", "refused"]).zip(faults) {
        let told = fault.to_string();
        assert!(told.contains(&address.to_string()) && told.contains(reason), "{told}");
    }
    assert!(!fault.is_configuration() && !fault.to_string().contains("secret"));
    assert_eq!(link.counts.unreached.get(), 3);
}

#[tokio::test]
#[ignore = "needs a broker: make test-broker"]
async fn the_address_that_works_is_found_wherever_it_stands() {
    let (silent, deaf) = (silent(), Deaf::new());
    let url = broker("AMQP_URL");
    let (before, rest) = url.split_at(url.find('@').unwrap() + 1);
    let (host, after) = rest.split_at(rest.find('/').unwrap());
    let (silent, deaf) = (silent.local_addr().unwrap(), deaf.address());
    for hosts in
        [format!("{host},{silent},{deaf}"), format!("{silent},{host},{deaf}"), format!("{deaf},{silent},{host}")]
    {
        let began = Instant::now();
        let link = open(format!("{before}{hosts}{after}"));
        soon(link.first_attempt()).await.unwrap();
        assert!(began.elapsed() < PASSED_OVER, "{hosts}: {:?}", began.elapsed());
    }
}
