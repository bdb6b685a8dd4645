//! Chat in a fleet: instances whose channels speak over a bus that loses, doubles and delays, while members come, talk and
//! go, and instances die, start and are cut off. A naive model says who must hear what, and whom lists must show in the end.
//!
//! `CHAT_SEED=n cargo test -p tiltyard-core --test it chat` plays one seed.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tiltyard_core::{
    chat::{
        Channels, Effect, MemberId,
        messages::{ChatMessage, Presence},
    },
    instance::{Incarnation, InstanceId},
};
use tiltyard_shared::{
    game::Rng,
    protocol::{ServerMessage, chat::JoinChannel, limits::PRESENT_NAMES},
};
use tiltyard_testing::{Faults, Network};

const BEAT: Duration = Duration::from_millis(250);
const STEPS: u32 = 300;
const SEEDS: u64 = 300;
/// Longer than a presence that is not told again is believed.
const QUIET: Duration = Duration::from_secs(70);
/// Whatever is under way may come next: no other delay is needed.
const FAULTS: Faults = Faults { lost: 0.17, doubled: 0.17, late: 0.0, usual: Duration::ZERO, latest: Duration::ZERO };
const NAMES: [&str; 4] = ["lobby", "arena", "pong", "chess"];

/// An instance, and what its members are.
struct Node {
    life: u64,
    channels: Channels,
    members: BTreeMap<MemberId, Member>,
    up: bool,
}

#[derive(Default)]
struct Member {
    /// In which channels, and whether it is seen there under a name that says so.
    attends: BTreeMap<&'static str, (String, bool)>,
    /// What it was told last of each channel.
    shown: BTreeMap<String, Vec<String>>,
}

#[derive(Clone)]
enum Message {
    Chat(ChatMessage),
    Presence(Presence),
}

struct World {
    rng: Rng,
    now: Duration,
    nodes: Vec<Node>,
    /// What is under way, and to whom.
    bus: Network<(usize, Message)>,
    faults: Faults,
    lives: u64,
    names: u64,
    heard: u64,
}

fn id(node: usize) -> InstanceId {
    InstanceId::new(&format!("i{node}")).expect("a word")
}

impl World {
    fn new(seed: u64) -> Self {
        let rng = Rng::new(seed);
        let mut world = Self {
            rng,
            now: Duration::from_secs(10),
            nodes: Vec::new(),
            bus: Network::default(),
            faults: FAULTS,
            lives: 0,
            names: 0,
            heard: 0,
        };
        for node in 0..3 {
            let fresh = world.start(node);
            world.nodes.push(fresh);
        }
        world
    }

    fn start(&mut self, node: usize) -> Node {
        self.lives += 1;
        let mut channels = Channels::new(id(node), Incarnation(self.lives));
        channels.connected(self.now);
        Node { life: self.lives, channels, members: BTreeMap::new(), up: true }
    }

    fn below(&mut self, bound: usize) -> usize {
        self.rng.below(bound as u32) as usize
    }

    /// Plays a seed; the number of messages that were heard.
    fn play(mut self) -> u64 {
        for _ in 0..STEPS {
            self.step();
        }
        self.faults = FAULTS.calm();
        for node in 0..self.nodes.len() {
            let now = self.now;
            self.nodes[node].up = true;
            self.nodes[node].channels.connected(now);
        }
        let end = self.now + QUIET;
        while self.now < end {
            self.beat();
        }
        self.check_lists();
        self.heard
    }

    fn step(&mut self) {
        let node = self.below(3);
        match self.below(20) {
            0 => self.nodes[node] = self.start(node),
            1 => {
                let up = !self.nodes[node].up;
                let now = self.now;
                self.nodes[node].up = up;
                if up {
                    self.nodes[node].channels.connected(now);
                } else {
                    self.nodes[node].channels.disconnected();
                }
            }
            2..=3 => {
                let now = self.now;
                let member = self.nodes[node].channels.join(now);
                self.nodes[node].members.insert(member, Member::default());
            }
            4..=8 => self.attend(node),
            9 => self.depart(node),
            10..=14 => self.talk(node),
            _ => self.beat(),
        }
        self.carry(node);
        for _ in 0..self.below(4) {
            self.deliver();
        }
    }

    fn any_member(&mut self, node: usize) -> Option<MemberId> {
        let count = self.nodes[node].members.len();
        let index = if count == 0 { return None } else { self.below(count) };
        self.nodes[node].members.keys().nth(index).copied()
    }

    fn attend(&mut self, node: usize) {
        let Some(member) = self.any_member(node) else { return };
        let (channel, visible) = (NAMES[self.below(NAMES.len())], self.below(2) == 0);
        self.names += 1;
        let name = format!("{}-{}", if visible { "seen" } else { "hidden" }, self.names);
        let wish = JoinChannel { request: 0, channel: channel.to_owned(), name: name.clone(), visible };
        if self.nodes[node].channels.attend(self.now, member, &wish).is_ok() {
            let member = self.nodes[node].members.get_mut(&member).expect("it is a member");
            member.attends.insert(channel, (name, visible));
        }
    }

    fn depart(&mut self, node: usize) {
        let Some(member) = self.any_member(node) else { return };
        if self.below(2) == 0 {
            self.nodes[node].channels.leave(member);
            self.nodes[node].members.remove(&member);
            return;
        }
        let channel = NAMES[self.below(NAMES.len())];
        let known = self.nodes[node].members.get_mut(&member).expect("it is a member").attends.remove(channel);
        assert_eq!(self.nodes[node].channels.depart(member, channel).is_ok(), known.is_some());
    }

    /// Who is in the channel on the same instance hears it, each once, and nobody else.
    fn talk(&mut self, node: usize) {
        let Some(member) = self.any_member(node) else { return };
        let channel = NAMES[self.below(NAMES.len())];
        self.carry(node);
        let said = self.nodes[node].channels.say(self.now, member, channel, "hello");
        let listeners = self.listeners(node, channel);
        assert!(said.is_err() || listeners.contains(&member), "who is not in a channel cannot speak there");
        let told = self.carry(node);
        assert_eq!(told, if said.is_ok() { listeners } else { BTreeSet::new() });
    }

    fn listeners(&self, node: usize, channel: &str) -> BTreeSet<MemberId> {
        let members = self.nodes[node].members.iter();
        members.filter(|(_, member)| member.attends.contains_key(channel)).map(|(id, _)| *id).collect()
    }

    /// Carries out what an instance wants done. Who heard a message by that.
    fn carry(&mut self, node: usize) -> BTreeSet<MemberId> {
        let mut heard = BTreeSet::new();
        for effect in self.nodes[node].channels.take_effects() {
            match effect {
                Effect::Tell(to, ServerMessage::ChannelMessage { .. }) => {
                    for member in to {
                        assert!(heard.insert(member), "nobody hears it twice");
                    }
                }
                Effect::Tell(to, ServerMessage::Present { channel, names, visible }) => {
                    assert!(names.iter().all(|name| name.starts_with("seen")), "{names:?}");
                    assert_eq!(names.len(), (visible as usize).min(PRESENT_NAMES));
                    for member in to {
                        let member = self.nodes[node].members.get_mut(&member).expect("only members are told");
                        assert!(member.attends.contains_key(&*channel), "only who is there is told who is there");
                        member.shown.insert(channel.clone(), names.clone());
                    }
                }
                Effect::Tell(_, other) => panic!("{other:?}"),
                Effect::Chat(message) => self.publish(node, &Message::Chat(message)),
                Effect::Presence(presence) => self.publish(node, &Message::Presence(presence)),
            }
        }
        self.heard += heard.len() as u64;
        heard
    }

    fn publish(&mut self, from: usize, message: &Message) {
        if let Message::Presence(presence) = message {
            assert!(presence.is_bounded() && presence.names.iter().all(|name| name.starts_with("seen")));
        }
        for to in 0..self.nodes.len() {
            if self.nodes[from].up {
                self.bus.send(self.now, (to, message.clone()), &self.faults, &mut self.rng);
            }
        }
    }

    /// Something arrives; with faults, anything that is under way.
    fn deliver(&mut self) {
        let index = if self.faults == FAULTS { self.below(self.bus.under_way().clamp(1, 12)) } else { 0 };
        let Some((to, message)) = self.bus.take(index) else { return };
        if !self.nodes[to].up {
            return;
        }
        self.carry(to);
        let now = self.now;
        match message {
            Message::Chat(message) => {
                let own = message.instance == id(to);
                self.nodes[to].channels.hear(now, &message);
                let (told, listeners) = (self.carry(to), self.listeners(to, message.channel.as_str()));
                assert!(if own { told.is_empty() } else { told.is_empty() || told == listeners });
            }
            Message::Presence(presence) => {
                self.nodes[to].channels.seen(now, presence);
                self.carry(to);
            }
        }
    }

    /// A quarter of a second passes everywhere; who is there, all know at once.
    fn beat(&mut self) {
        self.now += BEAT;
        for node in 0..self.nodes.len() {
            let others = self.nodes.iter().enumerate().filter(|(other, _)| *other != node);
            let alive = others.map(|(other, node)| (id(other), Incarnation(node.life))).collect();
            let now = self.now;
            self.nodes[node].channels.peers(alive);
            self.nodes[node].channels.tick(now);
            self.carry(node);
        }
        while self.faults != FAULTS && self.bus.under_way() > 0 {
            self.deliver();
        }
    }

    /// Whoever is in a channel was told last of all who want to be seen there.
    fn check_lists(&self) {
        for channel in NAMES {
            let members = || self.nodes.iter().flat_map(|node| node.members.values());
            let attending = members().filter_map(|member| member.attends.get(channel));
            let mut expected: Vec<_> = attending.filter(|(_, seen)| *seen).map(|(name, _)| name.clone()).collect();
            expected.sort_unstable();
            for member in members().filter(|member| member.attends.contains_key(channel)) {
                assert_eq!(member.shown.get(channel), Some(&expected), "{channel}");
            }
        }
    }
}

#[test]
fn who_is_there_hears_and_lists_are_whole_once_faults_stop() {
    let seed = std::env::var("CHAT_SEED").ok().and_then(|text| text.parse().ok());
    let seeds = seed.map_or(1..=SEEDS, |seed| seed..=seed);
    let mut heard = 0;
    for seed in seeds {
        let played = std::panic::catch_unwind(|| World::new(seed).play());
        heard += played.unwrap_or_else(|_| panic!("CHAT_SEED={seed} cargo test -p tiltyard-core --test it chat"));
    }
    assert!(heard > 100, "hardly anybody heard anything: {heard}");
}
