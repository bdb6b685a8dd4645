//! The task that represents this instance among the others: it carries the roster's effects to the bus and incoming
//! messages to the roster, passes on the time four times a second, and answers commands. It never waits for a publish
//! or request: those run beside it.

use std::{future, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use tiltyard_core::{
    directory::{
        messages::RoomPage,
        roster::{Effect, Roster, Unanswered},
    },
    instance::InstanceId,
};
use tokio::time;
use tracing::{debug, error, info};

use crate::{
    bus::{Address, Bus, BusError, Delivery, Incoming, Key, Mailbox, Pattern, Payload, Receipt, Serve, State, Topic},
    fleet::{
        Instance,
        driver::{Machine, drive},
        messages::{ClusterEvent, Command, LobbyEvent, Reply},
    },
    matchmaking::Matchmaking,
    metrics,
    placement::Placement,
    rooms::Rooms,
    stop::StopSender,
};

/// The interval at which the roster is told the time.
const BEAT: Duration = Duration::from_millis(250);

/// The deadline of a command.
const DEADLINE: Duration = Duration::from_secs(2);

/// The maximum number of commands and messages under way. Further commands wait in their queue; further events are not
/// sent, which other instances notice by the gap in the numbers.
const UNDER_WAY: usize = 1_024;

/// The result of work that was under way.
enum Done {
    Told,
    Asked { of: InstanceId, ask: u64, answer: Result<RoomPage, Unanswered> },
    Here { to: InstanceId, error: Option<BusError> },
}

/// See the [module](self).
struct Member {
    here: Instance,
    bus: Arc<dyn Bus>,
    commands: Mailbox,
    events: Mailbox,
    rooms: Arc<Rooms>,
    placement: Placement,
    matchmaking: Matchmaking,
    stop: StopSender,
    under_way: FuturesUnordered<BoxFuture<'static, Done>>,
}

/// Runs until the server stops, and tells the other instances when it does.
pub(crate) async fn run(
    here: Instance,
    rooms: Arc<Rooms>,
    placement: Placement,
    matchmaking: Matchmaking,
    stop: StopSender,
) {
    let bus = here.link().bus.clone();
    let served = bus.serve(Serve::Commands).and_then(|commands| Ok((commands, bus.serve(Serve::Events(wanted()))?)));
    let (commands, events) = match served {
        Ok(served) => served,
        Err(error) => return error!(%error, "the bus serves no mailbox: this instance stays alone"),
    };
    let under_way = FuturesUnordered::new();
    let mut member =
        Member { here: here.clone(), bus, commands, events, rooms, placement, matchmaking, stop, under_way };
    drive(&mut member, &here, BEAT).await;
    member.say_goodbye().await;
}

/// The topics and patterns of all cluster events and all room events.
fn wanted() -> Vec<(Topic, Pattern)> {
    let all = Pattern::new(["#"]).expect("a pattern");
    let rooms = Pattern::new(["room", "#"]).expect("a pattern");
    vec![(Topic::Cluster, all), (Topic::Lobby, rooms)]
}

impl Machine for Member {
    async fn next(&mut self) {
        tokio::select! {
            Some(done) = self.under_way.next() => self.done(done),
            Some(incoming) = self.events.next() => self.event(incoming),
            Some(Incoming::Delivery(delivery)) = self.commands.next(), if self.under_way.len() < UNDER_WAY => {
                self.command(delivery);
            }
            else => future::pending().await,
        }
    }

    fn tick(&mut self) {
        self.beat();
    }

    fn disconnected(&mut self) {
        self.roster(|roster, _| roster.disconnected());
    }

    async fn carry_out(&mut self) {
        self.run_effects();
    }
}

impl Member {
    fn roster<T>(&self, work: impl FnOnce(&mut Roster, Duration) -> T) -> T {
        let now = self.here.clock().now();
        self.here.lobby().roster(|roster| work(roster, now))
    }

    fn beat(&mut self) {
        let (players, draining) = (self.rooms.players(), self.here.is_draining());
        self.roster(|roster, now| {
            roster.set_load(now, players, draining);
            roster.tick(now);
        });
        metrics::instance(players, draining, self.here.fleet().len() + 1);
        let link = self.here.link();
        metrics::bus(matches!(*link.state.borrow(), State::Up), &link.counts);
    }

    /// Carries out the roster's effects. Messages go out in their order.
    fn run_effects(&mut self) {
        for effect in self.roster(|roster, _| roster.take_effects()) {
            match effect {
                Effect::Hello => self.tell_cluster("hello", &ClusterEvent::Hello { from: self.here.id() }),
                Effect::Alive(heartbeat) => self.tell_cluster("alive", &ClusterEvent::Alive(heartbeat)),
                Effect::Here(to, heartbeat) => {
                    let (bus, command) = (self.bus.clone(), Payload::of(&Command::Here(heartbeat)));
                    self.begin(async move {
                        let error = bus.request(&to, command, DEADLINE).await.err();
                        Done::Here { to, error }
                    });
                }
                Effect::Tell(event) => {
                    let words = ["room", event.change.name(), event.change.game(), self.here.region()];
                    if let Ok(key) = Key::new(words) {
                        self.publish(Address::Event(Topic::Lobby, key), Payload::of(&LobbyEvent::Room(event)));
                    }
                }
                Effect::Ask { to, ask, after } => {
                    let bus = self.bus.clone();
                    // Always started: the roster relies on an answer.
                    self.under_way.push(Box::pin(async move {
                        let reply = bus.request(&to, Payload::of(&Command::Rooms { after }), DEADLINE).await;
                        Done::Asked { of: to, ask, answer: page(reply) }
                    }));
                }
                Effect::Joined(instance) => info!(%instance, "an instance has joined the fleet"),
                Effect::Lost(instance) => info!(%instance, "an instance has left the fleet"),
                Effect::Twin => error!(instance = %self.here.id(), "another instance has the same name (--instance)"),
            }
        }
    }

    fn tell_cluster(&mut self, key: &str, event: &ClusterEvent) {
        let key = Key::new([key]).expect("a word");
        self.publish(Address::Event(Topic::Cluster, key), Payload::of(event));
    }

    fn publish(&mut self, to: Address, payload: Payload) {
        let bus = self.bus.clone();
        self.begin(async move {
            // A lost event is noticed by its number.
            let _ = bus.publish(to, payload).await;
            Done::Told
        });
    }

    fn begin(&mut self, work: impl Future<Output = Done> + Send + 'static) {
        if self.under_way.len() < UNDER_WAY {
            self.under_way.push(Box::pin(work));
        }
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Told => {}
            Done::Asked { of, ask, answer } => self.roster(|roster, now| roster.answer(now, of, ask, answer)),
            Done::Here { to, error } => {
                if let Some(error) = error {
                    debug!(%to, %error, "a hello was not answered");
                }
            }
        }
    }

    fn event(&mut self, incoming: Incoming) {
        let Incoming::Delivery(delivery) = incoming else {
            return self.roster(Roster::connected);
        };
        if delivery.key().starts_with("room.") {
            let Some((event, receipt)) = delivery.open() else { return };
            match event {
                LobbyEvent::Room(event) if event.change.is_bounded() => {
                    self.roster(|roster, now| roster.event(now, event));
                }
                _ => receipt.dead("out of bounds"),
            }
        } else {
            let Some((event, receipt)) = delivery.open() else { return };
            match event {
                ClusterEvent::Hello { from } => self.roster(|roster, _| roster.hello(from)),
                ClusterEvent::Alive(heartbeat) if !heartbeat.is_bounded() => receipt.dead("out of bounds"),
                ClusterEvent::Alive(heartbeat) => self.roster(|roster, now| roster.heard(now, heartbeat)),
                ClusterEvent::Bye { instance, incarnation } => {
                    self.roster(|roster, now| roster.bye(now, instance, incarnation));
                }
            }
        }
    }

    fn command(&mut self, delivery: Delivery) {
        let Some((command, receipt)) = delivery.open::<Command>() else { return };
        match command {
            Command::Here(heartbeat) if !heartbeat.is_bounded() => receipt.dead("out of bounds"),
            Command::Here(heartbeat) => {
                self.roster(|roster, now| roster.heard(now, heartbeat));
                reply(receipt, &Reply::Done);
            }
            Command::Rooms { after } => {
                let page = self.roster(|roster, _| roster.page(after));
                reply(receipt, &Reply::Rooms(page));
            }
            Command::Reserve(wish) => {
                let placement = self.placement.clone();
                self.begin(async move {
                    if let Some(answer) = placement.grant(&wish).await {
                        reply(receipt, &answer);
                    }
                    Done::Told
                });
            }
            Command::Match(note) => match note.known() {
                Some(said) => {
                    if said.len() < note.said.len() {
                        receipt.passed_over();
                    }
                    if self.matchmaking.take(&note.game, note.sent_ms, said) {
                        reply(receipt, &Reply::Done);
                    } else {
                        receipt.dead("no matchmaking for such a game, or it hears too much");
                    }
                }
                None => receipt.dead("out of bounds"),
            },
            Command::Drain => {
                info!("asked over the bus to drain");
                self.stop.drain();
                reply(receipt, &Reply::Done);
            }
        }
    }

    /// Tells the other instances that this one stops, so that they need not find out.
    async fn say_goodbye(self) {
        let (instance, incarnation) = (self.here.id(), self.here.incarnation());
        let key = Key::new(["bye"]).expect("a word");
        let bye = Payload::of(&ClusterEvent::Bye { instance, incarnation });
        let _ = time::timeout(DEADLINE, self.bus.publish(Address::Event(Topic::Cluster, key), bye)).await;
    }
}

fn reply(receipt: Receipt, reply: &Reply) {
    receipt.reply(Payload::of(reply));
}

/// Extracts the requested page from a reply.
fn page(reply: Result<Payload, BusError>) -> Result<RoomPage, Unanswered> {
    let reply =
        reply.map_err(|error| if error == BusError::Unroutable { Unanswered::Gone } else { Unanswered::Silent })?;
    match reply.read() {
        Ok(Reply::Rooms(page)) => Ok(page),
        _ => Err(Unanswered::Silent),
    }
}
