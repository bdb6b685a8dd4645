//! Where the broker is: the hosts of AMQP URLs, and the order and patience with which a session tries them.
//!
//! A URL may name several hosts, as in `amqp://user:password@host1:5672,host2,host3/vhost`, or there may be several URLs
//! with commas between them. A name may stand for several addresses. An instance begins with the host that its name
//! hashes to, so that a fleet spreads over a cluster, and goes on to the next after each attempt, whether it failed at
//! once or was lost after days.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    net::SocketAddr,
};

use super::*;

/// The maximum number of hosts in all URLs, and of addresses behind a host's name.
const HOSTS: usize = 32;
/// Seconds between heartbeats; two missed ones end the connection.
const HEARTBEAT: u16 = 5;
/// The minimum that lapin takes. It has two rings of 32 frames a connection and cycles through all of both: 256 KiB
/// that stay resident.
const FRAME_BYTES: u32 = 8 * 1024;

/// Parses AMQP URLs: one for each host, in their order.
///
/// # Errors
///
/// [`Fault::Url`].
pub(super) fn parse(urls: &str) -> Result<Vec<AMQPUri>, Fault> {
    let uris = split(urls).into_iter().map(hosts).collect::<Result<Vec<_>, _>>().map_err(Fault::Url)?.concat();
    let fault = |words: &str| Err(Fault::Url(words.to_owned()));
    match uris.as_slice() {
        [] => fault("it names no host"),
        [first, rest @ ..] if rest.iter().any(|other| other.vhost != first.vhost) => {
            fault("its hosts have different vhosts, but a fleet shares one")
        }
        all if all.len() > HOSTS => fault("it names more than 32 hosts"),
        _ => Ok(uris),
    }
}

/// The URLs of a list. A comma before no URL stands between two hosts.
fn split(list: &str) -> Vec<&str> {
    let mut urls = Vec::new();
    let mut rest = list.trim();
    while let Some(at) = rest.match_indices(',').map(|(at, _)| at).find(|at| is_url(rest[at + 1..].trim_start())) {
        urls.push(rest[..at].trim_end());
        rest = rest[at + 1..].trim_start();
    }
    urls.push(rest);
    urls
}

fn is_url(text: &str) -> bool {
    text.starts_with("amqp://") || text.starts_with("amqps://")
}

/// The URLs that are meant by one with several hosts.
///
/// # Errors
///
/// What is wrong with it, without the password.
fn hosts(url: &str) -> Result<Vec<AMQPUri>, String> {
    let (scheme, rest) = url.split_once("://").ok_or("it names no host")?;
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if tail.contains("://") {
        return Err("one of its URLs begins with neither amqp:// nor amqps://".to_owned());
    }
    let (user, hosts) = authority.rfind('@').map_or(("", authority), |at| authority.split_at(at + 1));
    let several = hosts.contains(',');
    let one = |host: &str| match host.trim() {
        "" if several => Err("one of its hosts is empty".to_owned()),
        host => parse_one(&format!("{scheme}://{user}{host}{tail}"), host),
    };
    hosts.split(',').map(one).collect()
}

fn parse_one(url: &str, host: &str) -> Result<AMQPUri, String> {
    // Some error texts of the parser repeat the URL, and with it the password.
    let unread = |words: String| if words.contains(url) { "it names no host".to_owned() } else { words };
    let mut uri: AMQPUri = url.parse().map_err(unread)?;
    // The parser takes an IPv6 address for no host, which would be localhost.
    if let Some((address, _)) = host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        address.clone_into(&mut uri.authority.host);
    }
    uri.query.heartbeat.get_or_insert(HEARTBEAT);
    uri.query.frame_max.get_or_insert(FRAME_BYTES);
    Ok(uri)
}

/// Host and port, as operators write them.
pub(super) fn named(uri: &AMQPUri) -> String {
    let (host, port) = (&uri.authority.host, uri.authority.port);
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// The addresses behind a host, beginning with another one at each turn.
///
/// # Errors
///
/// [`Fault::Unreachable`] if its name is unknown, or the answer does not come in this time.
pub(super) async fn resolve(uri: &AMQPUri, turn: u64, patience: Duration) -> Result<Vec<SocketAddr>, Fault> {
    let unreachable = |reason: String| Fault::Unreachable { address: named(uri), reason };
    let lookup = tokio::net::lookup_host((uri.authority.host.as_str(), uri.authority.port));
    let mut addresses: Vec<_> = match time::timeout(patience, lookup).await {
        Ok(found) => found.map_err(|error| unreachable(error.to_string()))?.take(HOSTS).collect(),
        Err(_) => return Err(unreachable(format!("no answer from the name server within {patience:?}"))),
    };
    if addresses.is_empty() {
        return Err(unreachable("its name stands for no address".to_owned()));
    }
    let first = usize::try_from(turn % addresses.len() as u64).unwrap_or_default();
    addresses.rotate_left(first);
    Ok(addresses)
}

/// The times that an address has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Patience {
    /// To accept a connection.
    pub(super) connect: Duration,
    /// For that, TLS and the AMQP handshakes of both connections. The name server has as much before.
    pub(super) total: Duration,
}

impl Patience {
    /// While there are other addresses to try.
    const SHORTEST: Duration = Duration::from_secs(2);
    /// For the only address, and for all of them after rounds in which none answered: brokers may also be slow.
    const LONGEST: Duration = Duration::from_secs(10);

    fn of(total: Duration) -> Self {
        Self { connect: total / 2, total }
    }

    /// For the only address.
    pub(super) const fn longest() -> Self {
        Self { connect: Self::LONGEST, total: Self::LONGEST }
    }
}

/// Whose turn it is.
#[derive(Debug)]
pub(super) struct Turn {
    hosts: u64,
    /// Attempts so far, counted from a number that the instance's name gives.
    number: u64,
    /// Rounds in a row in which no host had a usable broker.
    vain_rounds: u32,
}

impl Turn {
    /// The first turn of an instance.
    pub(super) fn first(hosts: usize, instance: &InstanceId) -> Self {
        let mut hasher = DefaultHasher::new();
        instance.as_str().hash(&mut hasher);
        // Far from the end, where adding would overflow.
        Self { hosts: hosts as u64, number: hasher.finish() >> 1, vain_rounds: 0 }
    }

    /// The index of the host to try now, and the turn among the addresses behind its name. Then it is the next one's turn.
    pub(super) fn take(&mut self) -> (usize, u64) {
        let number = self.number;
        self.number += 1;
        (usize::try_from(number % self.hosts).unwrap_or_default(), number / self.hosts)
    }

    /// What an address gets that is one of several.
    pub(super) fn patience(&self) -> Patience {
        Patience::of((Patience::SHORTEST * 2_u32.pow(self.vain_rounds.min(3))).min(Patience::LONGEST))
    }

    /// A broker is connected.
    pub(super) fn reached(&mut self) {
        self.vain_rounds = 0;
    }

    /// All hosts have been tried in vain.
    pub(super) fn in_vain(&mut self) {
        self.vain_rounds = self.vain_rounds.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn addresses(urls: &str) -> Vec<String> {
        parse(urls).unwrap().iter().map(named).collect()
    }

    #[test]
    fn a_url_names_several_hosts_or_there_are_several_urls() {
        let expected = ["one:5672", "two:5673", "[::1]:5672"];
        for urls in [
            "amqp://ann:secret@one,two:5673,[::1]/vhost?heartbeat=2",
            "amqp://ann:secret@one, two:5673 ,[::1]:5672/vhost?heartbeat=2",
            "amqp://ann:secret@one/vhost?heartbeat=2, amqp://ann:secret@two:5673,[::1]/vhost?heartbeat=2",
        ] {
            assert_eq!(addresses(urls), expected, "{urls}");
            for uri in parse(urls).unwrap() {
                let user = (uri.authority.userinfo.username.as_str(), uri.authority.userinfo.password.as_str());
                assert_eq!((user, uri.vhost.as_str(), uri.query.heartbeat), (("ann", "secret"), "vhost", Some(2)));
            }
        }
        assert_eq!(addresses("amqps://one,two"), ["one:5671", "two:5671"]);
        // A comma in the password stands between no hosts.
        assert_eq!(addresses("amqp://ann:a,b@one/vhost"), ["one:5672"]);
    }

    #[test]
    fn what_is_wrong_with_a_list_is_told_without_its_password() {
        for (urls, told) in [
            ("amqp://u:secret@one,/v", "one of its hosts is empty"),
            ("amqp://u:secret@,one/v", "one of its hosts is empty"),
            ("amqp://u:secret@one,two:x/v", "invalid port number"),
            ("amqp://u:secret@one/a,amqp://u:secret@two/b", "different vhosts"),
            ("amqp://u:secret@one/v,http://u:secret@two/v", "neither amqp:// nor amqps://"),
            ("amqp:u:secret@one", "it names no host"),
            (&format!("amqp://u:secret@{}one/v", "h,".repeat(HOSTS)), "more than 32"),
        ] {
            let fault = parse(urls).unwrap_err().to_string();
            assert!(fault.contains(told) && !fault.contains("secret"), "{urls}: {fault}");
        }
    }

    #[test]
    fn instances_begin_with_different_hosts_and_go_round() {
        let first = |name: &str| Turn::first(3, &InstanceId::new(name).unwrap()).take().0;
        let firsts: BTreeSet<_> = (1..=12).map(|number| first(&format!("eu-{number}"))).collect();
        assert_eq!(firsts.len(), 3);
        let mut turn = Turn::first(3, &InstanceId::new("eu-1").unwrap());
        let round: Vec<_> = (0..6).map(|_| turn.take().0).collect();
        assert_eq!(round[..3], round[3..]);
        assert_eq!(round[..3].iter().collect::<BTreeSet<_>>().len(), 3);
        // The addresses behind a name have their turns too: in each round another one.
        let mut alone = Turn::first(1, &InstanceId::new("eu-1").unwrap());
        assert_eq!(alone.take().1 + 1, alone.take().1);
    }

    #[test]
    fn patience_grows_while_nobody_answers() {
        let mut turn = Turn::first(2, &InstanceId::new("eu-1").unwrap());
        let mut seconds = Vec::new();
        for _ in 0..6 {
            seconds.push(turn.patience().total.as_secs());
            turn.in_vain();
        }
        assert_eq!(seconds, [2, 4, 8, 10, 10, 10]);
        turn.reached();
        assert_eq!(turn.patience(), Patience { connect: Duration::from_secs(1), total: Duration::from_secs(2) });
    }
}
