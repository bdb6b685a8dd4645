//! The distances from here to the other regions, measured by this instance as the time in which a peer there accepts a
//! TCP connection at its public URL. Players' own statements are not used.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::{Mutex, MutexGuard};
use tiltyard_core::matchmaking::ticket::{Distance, MAX_REGIONS};
use tokio::{net::TcpStream, time};
use url::Url;

use crate::fleet::Instance;

/// The interval between measurements of a region.
const EVERY: Duration = Duration::from_secs(10);

/// A region whose peer takes longer is unreachable.
const LONGEST: Duration = Duration::from_secs(2);

/// The distances to the other regions. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Distances(Arc<Mutex<BTreeMap<String, Duration>>>);

impl Distances {
    /// The distance of every region for players with this round trip to here. Empty while there is only one region:
    /// such players can go anywhere.
    pub(super) fn of(&self, own: &str, round_trip: Duration) -> Vec<Distance> {
        let others = self.lock();
        if others.is_empty() {
            return Vec::new();
        }
        let ms = |far: Duration| u32::try_from(far.as_millis()).unwrap_or(u32::MAX);
        let own = Distance { region: own.to_owned(), ms: ms(round_trip) };
        let other =
            |(region, far): (&String, &Duration)| Distance { region: region.clone(), ms: ms(round_trip + *far) };
        [own].into_iter().chain(others.iter().map(other)).take(MAX_REGIONS).collect()
    }

    /// Measures in rounds until the server stops.
    pub(super) async fn measure(self, here: Instance) {
        let mut stop = here.stop();
        tokio::select! {
            () = stop.requested() => {}
            () = self.go_round(&here) => {}
        }
    }

    async fn go_round(&self, here: &Instance) {
        let mut rounds = time::interval(EVERY);
        loop {
            rounds.tick().await;
            let fleet = here.fleet();
            let elsewhere = fleet.peers().filter(|peer| peer.region != here.region());
            let peers: BTreeMap<_, _> = elsewhere.map(|peer| (peer.region.clone(), peer.url.clone())).collect();
            self.lock().retain(|region, _| peers.contains_key(region));
            for (region, url) in peers {
                match connect(&url).await {
                    Some(far) => drop(self.lock().insert(region, far)),
                    None => drop(self.lock().remove(&region)),
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Duration>> {
        self.0.lock()
    }
}

/// The time to connect; `None` if it fails or takes too long.
async fn connect(url: &str) -> Option<Duration> {
    let start = Instant::now();
    let connected = time::timeout(LONGEST, TcpStream::connect(authority(url)?)).await;
    connected.ok()?.ok().map(|_| start.elapsed())
}

/// Host and port of a WebSocket URL.
fn authority(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_host_and_a_port() {
        assert_eq!(authority("wss://play.example/i/eu-1").as_deref(), Some("play.example:443"));
        assert_eq!(authority("ws://10.0.0.1:8080").as_deref(), Some("10.0.0.1:8080"));
        assert_eq!(authority("ws://[::1]/x").as_deref(), Some("[::1]:80"));
        assert_eq!(authority("nowhere"), None);
    }

    #[test]
    fn players_are_as_far_from_a_region_as_we_and_their_way_to_us() {
        let distances = Distances::default();
        assert_eq!(distances.of("eu", Duration::from_millis(9)), []);
        distances.lock().insert("us".to_owned(), Duration::from_millis(80));
        let far: Vec<_> =
            distances.of("eu", Duration::from_millis(9)).into_iter().map(|far| (far.region, far.ms)).collect();
        assert_eq!(far, [("eu".to_owned(), 9), ("us".to_owned(), 89)]);
    }
}
