//! The fleet of deploy/ without containers: its three instances from its environment files, its balancers from theirs, which
//! know instances by the DNS alone, and bots that play through both while instances come, move and go.

use std::time::{Duration, Instant};

use tiltyard_testing::http;

use crate::{
    Form,
    balancer::{Balancer, Kind},
    bots::Bots,
    broker::Broker,
    checks::Checks,
    fleet::{Fleet, NAMES},
    instance::InstanceSpec,
    names::{FLEET, Names},
    process::{Port, wait_for},
};

/// Bots of each of the four addresses.
const BOTS: usize = 10;
/// The instance that moves, and then goes.
const MOVES: usize = 1;
/// Who has come, or moved, is found after so long at most: a DNS answer counts for 2 s.
const FOUND_WITHIN: Duration = Duration::from_secs(5);
/// All bots come in, on however busy a machine.
const ALL_IN: Duration = Duration::from_secs(60);
/// Names that the balancers look up, though nobody has them: 48 letters, and each kind of character.
const NOBODY: [&str; 2] = ["an-instance-which-has-the-longest-possible-name-", "Nobody_of-2"];
/// Paths of no name that an instance can have: empty, not closed, too long, encoded, a host, a port, an address.
const REFUSED: [&str; 14] = [
    "/i/",
    "/i//api/version",
    "/i/one",
    "/i/one?x=/api/version",
    "/i/an-instance-which-has-a-longer-name-than-possible/api/version",
    "/i/on%65/api/version",
    "/i/one%2fapi/version",
    "/i/one%2Finstances/api/version",
    "/i/one%2einstances/api/version",
    "/i/%2e%2e/api/version",
    "/i/one.instances/api/version",
    "/i/one:9464/metrics",
    "/i/x@one/api/version",
    "/i/127.0.0.1/api/version",
];

/// What stands, whichever balancer is before it.
struct Site {
    specs: Vec<InstanceSpec>,
    fleet: Fleet,
    names: Names,
    port: Port,
}

pub(crate) fn run(checks: &mut Checks, form: Form) -> anyhow::Result<()> {
    let port = Port::new()?;
    let specs = InstanceSpec::several(&NAMES, Some(port.number()?))?;
    let fleet = Fleet::start(&specs, Broker::of_environment()?, &[])?;
    let names = Names::start(fleet.folder())?;
    let mut site = Site { specs, fleet, names, port };
    for kind in [Kind::HaProxy, Kind::Nginx] {
        println!("  behind {}:", kind.name());
        // How long bots play through each.
        site.through(kind, if form == Form::Short { 2 } else { 10 }, checks)?;
    }
    Ok(())
}

impl Site {
    fn through(&mut self, kind: Kind, seconds: u64, checks: &mut Checks) -> anyhow::Result<()> {
        let balancer = self.come(kind, checks)?;
        let page = http::get(balancer.address, "/")?;
        checks.check("the page comes from any instance", kind.name(), page.contains("<html"));
        // They play on while everything else happens.
        let stay: Vec<_> = [0, 2].iter().map(|index| balancer.url_of(NAMES[*index])).collect();
        let kept = Bots::start(&format!("{}-kept", kind.name()), &stay, &["--bots", "2"], 3600, self.fleet.folder())?;
        self.move_one(&balancer, checks)?;
        self.play(&balancer, seconds, 2, checks)?;
        self.refuse(&balancer, checks)?;
        self.stop_one(&balancer, checks)?;
        kept.stop()?.check("who has stayed meanwhile", checks)?;
        self.back()
    }

    /// The balancer is there before anybody else is, and finds whoever comes.
    fn come(&mut self, kind: Kind, checks: &mut Checks) -> anyhow::Result<Balancer> {
        let Self { specs, fleet, names, port } = self;
        names.clear()?;
        let balancer = Balancer::start(kind, port, names, specs[0].ports, fleet.folder())?;
        let reloaded = balancer.reload();
        let seen = reloaded.as_ref().map_or_else(|error| format!("{error:#}"), |()| kind.name().to_owned());
        checks.check("a balancer starts and reloads with no instance there", seen, reloaded.is_ok());
        specs.iter().try_for_each(|spec| names.add(spec))?;
        let paths = NAMES.map(|name| format!("/i/{name}"));
        let found = || paths.iter().map(String::as_str).chain([""]).try_for_each(|path| balancer.until_found(path));
        check_found("instances that come are found with no edit, within 5 s", found, checks);
        Ok(balancer)
    }

    /// An instance stops and comes back with another address, as containers do.
    fn move_one(&mut self, balancer: &Balancer, checks: &mut Checks) -> anyhow::Result<()> {
        let moved = self.specs[MOVES].moved()?;
        let mut old = self.fleet.remove(NAMES[MOVES])?;
        old.process.signal("INT")?;
        old.process.end(Duration::from_secs(20))?;
        self.fleet.grow(&moved)?;
        self.names.add(&moved)?;
        self.specs[MOVES] = moved;
        let path = format!("/i/{}", NAMES[MOVES]);
        check_found("an instance that moves is found again within 5 s", || balancer.until_found(&path), checks);
        Ok(())
    }

    /// Bots by each path and anywhere, beside those who play already.
    fn play(&self, balancer: &Balancer, seconds: u64, already: usize, checks: &mut Checks) -> anyhow::Result<()> {
        let play = |name: &str, url: String, rooms: usize| {
            let args = ["--bots", &BOTS.to_string(), "--rooms", &rooms.to_string()];
            Bots::start(name, &[url], &args, seconds, self.fleet.folder())
        };
        let by_path: Vec<_> = NAMES.iter().map(|name| play(name, balancer.url_of(name), 2)).collect();
        let anywhere = play("any", balancer.url(), BOTS)?;
        let (mut players, mut connected) = (Vec::new(), 0);
        let all = already + 4 * BOTS;
        wait_for(ALL_IN, "all bots to be in", || {
            let instances = &self.fleet.instances;
            players = instances.iter().map(|one| one.metric("tiltyard_players")).collect::<Result<Vec<_>, _>>()?;
            connected = players.iter().sum::<f64>() as usize;
            Ok((connected == all).then_some(()))
        })?;
        let spread = players.iter().all(|players| *players >= BOTS as f64);
        checks.check("players are where their path says", format!("{players:?}"), spread);
        // Who plays stays with the workers of before.
        balancer.reload()?;
        for (instance, bots) in NAMES.iter().zip(by_path) {
            bots?.finish()?.check(&format!("/i/{instance}/ws"), checks)?;
        }
        anywhere.finish()?.check("/ws", checks)
    }

    /// Strangers cannot make a balancer look up, or reach, anything but instances.
    fn refuse(&self, balancer: &Balancer, checks: &mut Checks) -> anyhow::Result<()> {
        let status = |path: &str| Ok(http::ask(balancer.address, "GET", path, "")?.0);
        let statuses = REFUSED.iter().map(|path| status(path)).collect::<anyhow::Result<Vec<_>>>()?;
        let refused = statuses.iter().all(|status| *status == 404);
        checks.check("what can be no instance's name is refused", format!("{statuses:?}"), refused);
        let unknown = NOBODY.iter().map(|name| status(&format!("/i/{name}/"))).collect::<anyhow::Result<Vec<_>>>()?;
        checks.check(
            "nobody answers for an unknown name",
            format!("{unknown:?}"),
            unknown.iter().all(|one| *one >= 502),
        );
        let known = NAMES.iter().chain(&NOBODY).map(|name| format!("{}.{FLEET}", name.to_lowercase()));
        let (known, asked) = (known.chain([FLEET.to_owned()]).collect(), self.names.asked());
        let others: Vec<_> = asked.symmetric_difference(&known).collect();
        checks.check("only instances' names are looked up, and all of them", format!("{others:?}"), others.is_empty());
        Ok(())
    }

    /// An instance that is not there is nobody's problem but its own players'.
    fn stop_one(&mut self, balancer: &Balancer, checks: &mut Checks) -> anyhow::Result<()> {
        let mut gone = self.fleet.remove(NAMES[MOVES])?;
        gone.process.signal("TERM")?;
        let status = gone.process.end(Duration::from_secs(20))?;
        checks.check("an empty instance that is told to stop ends, status 0", status, status.success());
        // The DNS may say so later.
        let answered = (0..30).filter(|_| http::get(balancer.address, "/api/rooms").is_ok()).count();
        checks.check("when one instance is gone, others answer", format!("{answered} of 30"), answered == 30);
        self.names.remove(NAMES[MOVES])?;
        balancer.reload()?;
        balancer.until_found("")?;
        let (status, _) = http::ask(balancer.address, "GET", &format!("/i/{}/api/rooms", NAMES[MOVES]), "")?;
        checks.check("nobody answers for an instance that is gone", status, status >= 502);
        Ok(())
    }

    /// The instance that went is back.
    fn back(&mut self) -> anyhow::Result<()> {
        self.specs[MOVES] = self.specs[MOVES].moved()?;
        self.fleet.grow(&self.specs[MOVES])?;
        Ok(())
    }
}

fn check_found(claim: &str, find: impl FnOnce() -> anyhow::Result<()>, checks: &mut Checks) {
    let began = Instant::now();
    let found = find();
    let seen = found
        .as_ref()
        .map_or_else(|error| format!("{error:#}"), |()| format!("{:.1} s", began.elapsed().as_secs_f64()));
    checks.check(claim, seen, found.is_ok() && began.elapsed() <= FOUND_WITHIN);
}
