//! The named profiles. Round trips, rates and losses are published measurements or settings: WebPageTest (Cable, LTE,
//! 3G), Lighthouse (slow 4G), Loadero (3G, satellite), Facebook's ATC (Edge), Huston (Starlink, 2023), percentiles of
//! home networks; queues, and numbers without such a source, are assumptions.

use std::time::Duration;

use super::{Change, Direction, Profile, Spread, Step, Sway, Ways};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// The length of a game on a line that does not change.
const STEADY: Duration = Duration::from_secs(90);
/// The time after which a changing line changes.
const CALM: Duration = Duration::from_secs(15);

/// The added delay in a busy home network: mostly little, rarely much.
const HOME: Spread =
    Spread::Quantiles(&[(0.0, 0.0), (0.5, 3.0), (0.9, 20.0), (0.97, 60.0), (0.99, 250.0), (1.0, 300.0)]);

pub(super) fn all() -> Vec<Profile> {
    let mut all = vec![good(), wifi(), lte(), lte_slow(), third(), edge(), satellite(), starlink(), lossy(), capped()];
    all.extend([train(), hotel(), jitter()]);
    for added in [600, 1000] {
        all.extend(steps(added));
    }
    all.extend([half_open(), hung_connect()]);
    for name in ["sleep", "hidden", "deploy"] {
        // These events happen to the player's machine or the server, not to the line.
        all.push(Profile { name: name.to_owned(), length: 60 * SECOND, ..good() });
    }
    all
}

fn ms(ms: f32) -> Duration {
    Duration::from_micros((ms * 1000.0).round() as u64)
}

/// A line with a round trip and a jitter of each way, in ms around the mean; uniformly distributed, as in netem.
fn steady(name: &str, round_trip: f32, jitter: [f32; 2]) -> Profile {
    let way = |jitter: f32| Direction {
        delay: ms(round_trip / 2.0 - jitter),
        spread: if jitter > 0.0 { Spread::Uniform(ms(2.0 * jitter)) } else { Spread::None },
        ..Direction::OPEN
    };
    let [down, up] = jitter.map(way);
    Profile { name: name.to_owned(), down, up, steps: Vec::new(), length: STEADY }
}

impl Profile {
    fn rates(mut self, down_mbit: f32, up_mbit: f32) -> Self {
        self.down.rate = Some((down_mbit * 125_000.0) as u32);
        self.up.rate = Some((up_mbit * 125_000.0) as u32);
        self
    }

    fn queue(mut self, queue: Duration) -> Self {
        (self.down.queue, self.up.queue) = (queue, queue);
        self
    }

    fn loss(mut self, loss: f32) -> Self {
        (self.down.loss, self.up.loss) = (loss, loss);
        self
    }

    fn sway(mut self, sway: Sway) -> Self {
        (self.down.sway, self.up.sway) = (sway, sway);
        self
    }

    fn spread(mut self, spread: Spread) -> Self {
        (self.down.spread, self.up.spread) = (spread, spread);
        self
    }

    fn step(mut self, at: Duration, change: Change) -> Self {
        self.steps.push(Step { at, change });
        self
    }
}

fn good() -> Profile {
    steady("good", 28.0, [4.0; 2]).rates(5.0, 1.0).queue(100 * MS)
}

fn wifi() -> Profile {
    let stalls = Sway::Stalls { every: 120 * SECOND, lasts: 100 * MS };
    let line = steady("wifi", 28.0, [0.0; 2]).rates(5.0, 1.0).queue(300 * MS).spread(HOME).sway(stalls);
    Profile { length: 125 * SECOND, ..line }
}

fn lte() -> Profile {
    steady("4g", 70.0, [5.0, 15.0]).rates(12.0, 12.0).queue(500 * MS).loss(0.002)
}

fn lte_slow() -> Profile {
    steady("4g-slow", 150.0, [15.0; 2]).rates(1.6, 0.75).queue(SECOND)
}

fn third() -> Profile {
    steady("3g", 300.0, [50.0; 2]).rates(1.6, 0.77).queue(1700 * MS).loss(0.005)
}

fn edge() -> Profile {
    steady("edge", 840.0, [0.0; 2]).rates(0.24, 0.2).queue(2 * SECOND).loss(0.01)
}

fn satellite() -> Profile {
    steady("satellite", 600.0, [0.0; 2]).rates(1.0, 0.256).queue(SECOND)
}

fn starlink() -> Profile {
    let handovers = Sway::Handovers { every: 15 * SECOND, most: 25 * MS, burst: 30 * MS };
    steady("starlink", 30.0, [6.7; 2]).rates(100.0, 10.0).queue(200 * MS).sway(handovers)
}

fn lossy() -> Profile {
    steady("lossy", 100.0, [4.0; 2]).rates(5.0, 1.0).queue(200 * MS).loss(0.02)
}

fn capped() -> Profile {
    steady("capped", 100.0, [0.0; 2]).rates(0.064, 0.064).queue(2 * SECOND)
}

/// Tunnels of 2, 5, 10 and 20 s.
fn train() -> Profile {
    let mut line = Profile { name: "train".to_owned(), length: 110 * SECOND, ..lte() };
    for (at, lasts) in [(10, 2), (24, 5), (44, 10), (70, 20)] {
        let tunnel = Change::Silence(Ways::Both);
        line = line.step(at * SECOND, tunnel).step((at + lasts) * SECOND, Change::Resume);
    }
    line
}

/// Somebody else downloads: the router's queue stays between seven tenths and full.
fn hotel() -> Profile {
    let mut line = good().queue(2 * SECOND);
    line.down.sway = Sway::Wave { low: 1400 * MS, high: 2 * SECOND, rise: 8 * SECOND, fall: 2 * SECOND };
    Profile { name: "hotel".to_owned(), ..line }
}

fn jitter() -> Profile {
    let mut line = good();
    line.down.delay = 14 * MS;
    line.up.delay = 14 * MS;
    Profile { name: "jitter-150".to_owned(), ..line.spread(Spread::Uniform(150 * MS)) }
}

/// Lines that become slower for good, and lines that become faster: down, up, both.
fn steps(added: u32) -> Vec<Profile> {
    let ways = [("", 1, 0), ("-up", 0, 1), ("-both", 1, 1)];
    let named = |name: String| Profile { name, length: 60 * SECOND, ..good() };
    let rise = |(way, down, up): (&str, u32, u32)| {
        let slower = Change::Delay { down: added * MS * down, up: added * MS * up };
        named(format!("step-up-{added}{way}")).step(CALM, slower)
    };
    let fall = |(way, down, up): (&str, u32, u32)| {
        let slower = Change::Delay { down: added * MS * down, up: added * MS * up };
        let faster = Change::Delay { down: Duration::ZERO, up: Duration::ZERO };
        named(format!("step-down-{added}{way}")).step(Duration::ZERO, slower).step(2 * CALM, faster)
    };
    ways.into_iter().map(rise).chain(ways.into_iter().map(fall)).collect()
}

fn half_open() -> Profile {
    let line = Profile { name: "half-open".to_owned(), length: 70 * SECOND, ..good() };
    let line = line.step(CALM, Change::Silence(Ways::Up)).step(CALM + 12 * SECOND, Change::Resume);
    line.step(3 * CALM, Change::Silence(Ways::Down)).step(3 * CALM + 12 * SECOND, Change::Resume)
}

fn hung_connect() -> Profile {
    let line = Profile { name: "hung-connect".to_owned(), length: 50 * SECOND, ..good() };
    line.step(CALM, Change::Hang).step(CALM + MS, Change::Cut).step(CALM + 10 * SECOND, Change::Resume)
}
