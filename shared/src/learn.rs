//! Learns codings from what rooms commit. A [`Recording`] counts what their chunks would tell of each lane, and writes
//! a file that `#[replicate(codings = "…")]` reads.
//!
//! The result is static: neither servers nor clients adapt while they run. `divide` finds the cells of one code.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{
    bits::golomb_bits,
    chunk::{Change, ERROR_ORDER, zigzag},
    game::{Command, Game, Simulation},
    id::{GroupId, PlayerId, Tick},
    linear,
    prefix::{self, Prefix},
    replicate::{EntitySchema, KindLayout, KindSchema, LaneLayout, LaneSchema, Layout, Replicate as _},
    rng::Rng,
    world::{Committed, Member},
};

mod divide;

/// Commits between two counts of all members as they are, as joins and catch-ups tell them.
const ALL_EVERY: u32 = 64;

/// Most different values that are counted of one thing; further ones are left out.
const MAX_VALUES: usize = 1 << 16;

/// Fewest values from which a code is learned.
const MIN_COUNT: u64 = 500;

/// Most fields of a kind whose masks are coded.
const MAX_MASK_BITS: u32 = 32;

/// The beginning of a file, followed by the findings in bits a value.
const TITLE: &str = "\
# Learned codings: kind, lane (* is the mask of changed fields), what they were learned of, codes. They are for
# #[replicate(codings = \"…\")] on the entity. What they save, in bits a value:
";

/// How often each value was told.
type Counts = BTreeMap<u32, u64>;

/// Counts of what the chunks of a game's rooms tell, by lane.
#[derive(Clone, Debug)]
pub struct Recording {
    schema: EntitySchema,
    layout: Layout,
    kinds: Vec<KindCounts>,
    commits: u32,
}

#[derive(Clone, Debug, Default)]
struct KindCounts {
    masks: Counts,
    lanes: Vec<LaneCounts>,
}

#[derive(Clone, Debug, Default)]
struct LaneCounts {
    changes: Counts,
    errors: Counts,
    wholes: Counts,
}

/// The result for one thing that can be coded.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The kind of the entity.
    pub kind: String,
    /// The lane, or `*` for the mask.
    pub lane: String,
    /// `mask`, `change`, `error` or `whole`.
    pub of: &'static str,
    /// The number of values counted.
    pub count: u64,
    /// The least bits a value that any code of single values needs.
    pub entropy: f64,
    /// Bits a value by the default coding.
    pub default: f64,
    /// Bits a value by the learned coding.
    pub learned: f64,
    /// The coding; `None` if it saves less than a fiftieth, or too little was recorded.
    pub code: Option<String>,
}

impl Recording {
    /// An empty recording of these entities.
    pub fn new(schema: EntitySchema) -> Self {
        let kind = |kind: &KindSchema| KindCounts {
            masks: Counts::new(),
            lanes: vec![LaneCounts::default(); kind.lanes.len()],
        };
        let kinds = schema.kinds.iter().map(kind).collect();
        Self { layout: Layout::new(&schema), schema, kinds, commits: 0 }
    }

    /// Counts what the last commit of a room changed. Call it after every commit.
    pub fn observe(&mut self, world: &Committed) {
        let all = self.commits.is_multiple_of(ALL_EVERY);
        self.commits = self.commits.wrapping_add(1);
        for id in world.changed_groups() {
            let group = world.group(*id);
            group.changed.iter().for_each(|slot| self.change(world, *slot));
            for slot in &group.arrived {
                let member = world.member(*slot);
                if member.from.is_some() && member.mask != 0 {
                    self.change(world, *slot);
                }
                self.whole(world, *slot);
            }
        }
        if all {
            for group in (0..world.group_count() as u32).map(GroupId) {
                world.group(group).members.iter().for_each(|slot| self.whole(world, *slot));
            }
        }
    }

    /// Plays one room of a game with `players` who all join at once, and records it. `input` gives the input of each
    /// player at every tick.
    pub fn play<G: Game>(
        config: G::Config,
        seed: u64,
        players: u32,
        ticks: u32,
        mut input: impl FnMut(PlayerId, &Simulation<G>, &mut Rng) -> Option<G::Input>,
    ) -> Self {
        let (mut recording, mut rng) = (Self::new(G::Entity::schema()), Rng::new(seed));
        let send_every = G::settings(&config).send_every.max(1);
        let mut room = Simulation::<G>::new(config, seed);
        let join = |player| Command::Join { player, name: format!("player {}", player.0), team: None };
        let mut commands: Vec<Command<G::Input>> = (1..=players).map(PlayerId).map(join).collect();
        for tick in 1..=ticks {
            room.step(commands.drain(..));
            room.outbox().events.clear();
            if room.outbox().finished.is_some() {
                break;
            }
            if tick.is_multiple_of(send_every) {
                room.commit();
                recording.observe(room.world().committed());
            }
            for player in (1..=players).map(PlayerId) {
                commands.extend(input(player, &room, &mut rng).map(|input| Command::Input { player, input }));
            }
        }
        recording
    }

    /// Adds the counts of another recording of the same entities.
    pub fn merge(&mut self, other: &Self) {
        let merge =
            |into: &mut Counts, from: &Counts| from.iter().for_each(|(value, times)| count(into, *value, *times));
        for (into, from) in self.kinds.iter_mut().zip(&other.kinds) {
            merge(&mut into.masks, &from.masks);
            for (into, from) in into.lanes.iter_mut().zip(&from.lanes) {
                merge(&mut into.changes, &from.changes);
                merge(&mut into.errors, &from.errors);
                merge(&mut into.wholes, &from.wholes);
            }
        }
    }

    fn change(&mut self, world: &Committed, slot: u16) {
        let Member { kind, mask, .. } = world.member(slot);
        let (layout, counts) = (&self.layout.kinds[kind as usize], &mut self.kinds[kind as usize]);
        count(&mut counts.masks, mask as u32, 1);
        let (old, new, Tick(tick)) = (world.lanes_before(slot), world.lanes(slot), world.tick());
        for (lane, counts) in counts.lanes.iter_mut().enumerate().filter(|(lane, _)| mask >> lane & 1 == 1) {
            match layout.change(lane, old, new, tick) {
                Change::Held(_) if layout.lanes[lane].bits < 2 => {}
                Change::Held(coded) => count(&mut counts.changes, coded, 1),
                Change::Line { rate, error } => {
                    count(&mut counts.changes, rate, 1);
                    count(&mut counts.errors, error, 1);
                }
            }
        }
    }

    fn whole(&mut self, world: &Committed, slot: u16) {
        let kind = world.member(slot).kind as usize;
        let (layout, codes): (&KindLayout, _) = (&self.layout.kinds[kind], world.lanes(slot));
        for (lane, counts) in self.kinds[kind].lanes.iter_mut().enumerate() {
            let line = layout.line(codes, lane);
            let signed = |rate| zigzag(linear::signed(layout.lanes[lane].bits, rate));
            count(&mut counts.wholes, line.map_or(codes[lane], |line| signed(line.rate)), 1);
        }
    }

    /// The results, by kind and lane in their order.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for ((kind, layout), counts) in self.schema.kinds.iter().zip(&self.layout.kinds).zip(&self.kinds) {
            let bits = kind.fields();
            if (2..=MAX_MASK_BITS).contains(&bits) {
                findings.push(finding([&kind.name, "*"], "mask", &counts.masks, bits, |_| bits));
            }
            for (lane, (layout, counts)) in kind.lanes.iter().zip(layout.lanes.iter().zip(&counts.lanes)) {
                lane_findings(&kind.name, lane, layout, counts, &mut findings);
            }
        }
        findings
    }

    /// The file for `#[replicate(codings = "…")]`. The same counts give the same text.
    pub fn file(&self, findings: &[Finding]) -> String {
        let mut file = String::from(TITLE);
        for line in table(findings).lines() {
            let _ = writeln!(file, "#{}", line.trim_end());
        }
        for kind in &self.schema.kinds {
            let lanes = kind.lanes.iter().map(|lane| (lane.name.as_str(), lane.mark()));
            for (lane, mark) in [("*", kind.mask_mark())].into_iter().chain(lanes) {
                let here = findings.iter().filter(|finding| finding.kind == kind.name && finding.lane == lane);
                let codes: String =
                    here.filter_map(|finding| Some(format!(" {}={}", finding.of, finding.code.as_ref()?))).collect();
                if !codes.is_empty() {
                    let _ = writeln!(file, "{} {lane} {:016x}{codes}", kind.name, mark.number());
                }
            }
        }
        file
    }
}

fn count(counts: &mut Counts, value: u32, times: u64) {
    if counts.len() < MAX_VALUES || counts.contains_key(&value) {
        *counts.entry(value).or_default() += times;
    }
}

fn lane_findings(kind: &str, lane: &LaneSchema, layout: &LaneLayout, counts: &LaneCounts, out: &mut Vec<Finding>) {
    let (bits, k) = (lane.coded_bits(), layout.golomb);
    let rate_bits = |rate: u32| if rate == 0 { 1 } else { 1 + golomb_bits(rate - 1, k) };
    let mut add = |of, counts: &Counts, default: &dyn Fn(u32) -> u32| {
        out.push(finding([kind, &lane.name], of, counts, bits, default));
        out.last().is_some_and(|finding| finding.code.is_some())
    };
    if lane.linear {
        // Without a code of the changes, a code of the errors would not be used.
        if add("change", &counts.changes, &rate_bits) {
            add("error", &counts.errors, &|error| golomb_bits(error, ERROR_ORDER));
        }
        add("whole", &counts.wholes, &rate_bits);
    } else {
        if bits > 1 {
            add("change", &counts.changes, &|coded| golomb_bits(coded, k));
        }
        add("whole", &counts.wholes, &|_| bits);
    }
}

/// The result for one thing, named by its kind, its lane and the part that is coded.
fn finding(
    [kind, lane]: [&str; 2],
    of: &'static str,
    counts: &Counts,
    bits: u32,
    default: impl Fn(u32) -> u32,
) -> Finding {
    let values: Vec<(u32, u64)> = counts.iter().map(|(value, times)| (*value, *times)).collect();
    let total: u64 = values.iter().map(|(_, times)| times).sum();
    let mean = |cost: &dyn Fn(u32) -> u32| {
        let sum: u64 = values.iter().map(|(value, times)| times * u64::from(cost(*value))).sum();
        sum as f64 / total.max(1) as f64
    };
    let share = |times: u64| times as f64 / total as f64;
    let entropy = values.iter().map(|(_, times)| -share(*times) * share(*times).log2()).sum::<f64>().abs();
    let text = prefix::text(divide::cells(&values, bits).into_iter());
    let learned = Prefix::parse(&text, bits).map_or(f64::INFINITY, |code| mean(&|value| code.bits_of(value)));
    let default = mean(&default);
    let code = (total >= MIN_COUNT && learned < default * 0.98).then_some(text);
    let [kind, lane] = [kind, lane].map(str::to_owned);
    Finding { kind, lane, of, count: total, entropy, default, learned, code }
}

/// The findings as a table for people.
fn table(findings: &[Finding]) -> String {
    let mut out = format!(" {:28} {:6} {:>9} {:>8} {:>8} {:>8}\n", "", "", "count", "entropy", "default", "learned");
    for Finding { kind, lane, of, count, entropy, default, learned, code } in findings.iter().filter(|it| it.count > 0)
    {
        let kept = if code.is_some() { "" } else { "  not used" };
        let name = format!("{kind}.{lane}");
        let _ = writeln!(out, " {name:28} {of:6} {count:9} {entropy:8.2} {default:8.2} {learned:8.2}{kept}");
    }
    out
}
