//! A room with its players.

use std::{collections::BTreeMap, fmt, mem, time::Duration};

use serde_json::Value;
use tiltyard_core::room::{JoinRequest, Returning, Room, SeatId};
use tiltyard_shared::{
    game::{Game, Leave, PlayerId, Tick},
    id::{EntityId, GroupId},
    protocol::{ClientMessage, Code, codec},
    replica::{Applied, Replica},
    replicate::Replicate as _,
};
use uuid::Uuid;

use crate::line::{Line, Way};

/// The maximum number of frames under way to a player who takes none: with one more its socket would be full, and the
/// room throttles the seat.
const SOCKET_FRAMES: usize = 32;

/// A room, its players and the time.
///
/// Players behave as clients do: they apply each frame when it arrives, report it, and send inputs that aim at the tick
/// of their arrival.
///
/// # Panics
///
/// All methods panic if a player's copy differs from what the room has committed, with the player, the tick and the
/// difference; and for a player who is not, or not any more, in the room.
pub struct Play<G: Game> {
    room: Room<G>,
    now: Duration,
    players: BTreeMap<PlayerId, Player<G>>,
    gone: BTreeMap<PlayerId, Code>,
}

struct Player<G: Game> {
    name: String,
    token: Uuid,
    seat: SeatId,
    replica: Replica,
    connected: bool,
    line: Line,
    down: Way<Vec<u8>>,
    up: Way<ClientMessage>,
    inputs: u32,
    events: Vec<G::Event>,
    refused: Vec<(u32, Code)>,
}

impl<G: Game> fmt::Debug for Play<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Play").field("room", &self.room).field("now", &self.now).finish_non_exhaustive()
    }
}

impl<G: Game> Play<G> {
    /// Opens an empty room with this config and seed 1.
    pub fn new(config: G::Config) -> Self {
        Self::seeded(config, 1)
    }

    /// Opens an empty room with this seed.
    pub fn seeded(config: G::Config, seed: u64) -> Self {
        Self { room: Room::open(config, seed), now: Duration::ZERO, players: BTreeMap::new(), gone: BTreeMap::new() }
    }

    /// Takes a seat. The game learns of it in the next tick.
    ///
    /// # Panics
    ///
    /// If there is no seat: [`Self::try_join`] returns the reason.
    pub fn join(&mut self, name: &str) -> PlayerId {
        self.try_join(name).unwrap_or_else(|code| panic!("{name} gets no seat: {code}"))
    }

    /// Takes a seat if there is one.
    ///
    /// # Errors
    ///
    /// The [`Code`] that the client would get, such as [`Code::RoomFull`].
    pub fn try_join(&mut self, name: &str) -> Result<PlayerId, Code> {
        let token = Uuid::from_u128(1 + self.players.len() as u128 + self.gone.len() as u128);
        let request = JoinRequest { name: name.to_owned(), token, verify: true, expected: false, team: None };
        let entered = self.room.enter(request, 0)?;
        let player = Player {
            name: name.to_owned(),
            token,
            seat: entered.seat,
            replica: Replica::new(&G::Entity::schema(), 1),
            connected: true,
            line: Line::default(),
            down: Way::default(),
            up: Way::default(),
            inputs: 0,
            events: Vec::new(),
            refused: Vec::new(),
        };
        self.players.insert(entered.player, player);
        Ok(entered.player)
    }

    /// Gives up the seat.
    pub fn leave(&mut self, player: PlayerId) {
        let seat = self.player(player).seat;
        self.room.remove(seat, Leave::Quit);
        self.close(player, Code::Left);
    }

    /// The player's line, which can be changed.
    pub fn line(&mut self, player: PlayerId) -> &mut Line {
        &mut self.player_mut(player).line
    }

    /// Sends an input as soon as the line lets it through. Returns its number.
    pub fn send(&mut self, player: PlayerId, input: &G::Input) -> u32 {
        let (now, length, tick) = (self.now, self.room.settings().tick_length(), self.room.simulation().tick());
        let playing = self.player_mut(player);
        playing.inputs += 1;
        // Clients know the time of the room and the length of the way.
        let way = playing.line.delay.as_nanos().div_ceil(length.as_nanos().max(1)) as u32;
        let aim = Tick(tick.0 + way.max(1));
        playing.replica.sent_input(playing.inputs);
        let message = ClientMessage::input(playing.inputs, playing.replica.report(), aim, codec::encode(input));
        if playing.connected {
            playing.up.send(playing.line, now, message);
        }
        playing.inputs
    }

    /// Ends the connection, with everything under way. The seat is kept for
    /// [`Settings::grace`](tiltyard_shared::game::Settings::grace).
    pub fn disconnect(&mut self, player: PlayerId) {
        let now = self.now;
        let playing = self.player_mut(player);
        (playing.connected, playing.down, playing.up) = (false, Way::default(), Way::default());
        let seat = playing.seat;
        self.room.disconnect(seat, now);
    }

    /// Resumes the player's seat with the state still held.
    ///
    /// # Errors
    ///
    /// [`Code::UnknownSession`] once the grace is over.
    pub fn resume(&mut self, player: PlayerId) -> Result<(), Code> {
        let now = self.now;
        let playing = self.players.get_mut(&player).ok_or(Code::UnknownSession)?;
        let groups = playing.replica.current_groups().into_iter().map(GroupId).collect();
        let resync = playing.replica.resync(false);
        let (token, first_input) = (playing.token, playing.inputs + 1);
        let entered = self.room.resume(Returning { token, resync, first_input, groups, verify: true }, now)?;
        (playing.seat, playing.connected) = (entered.seat, true);
        Ok(())
    }

    /// Lets this much time pass, at least a tick.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.tick();
            if self.now >= end {
                return;
            }
        }
    }

    /// Lets a tick pass: the room takes the messages that have arrived by then, the game plays the tick, and frames go
    /// to the players.
    pub fn tick(&mut self) {
        self.now += self.room.settings().tick_length();
        self.take_up();
        let due = self.room.step(self.now);
        let lost: Vec<_> = self.room.closed().collect();
        for (seat, code) in lost {
            self.close_seat(seat, code);
        }
        if due {
            self.serve();
        }
        for (id, player) in &mut self.players {
            while let Some((at, bytes)) = player.down.next(player.line, self.now) {
                player.apply(*id, at, &bytes);
            }
        }
    }

    /// The entities in a player's view as its client holds them: older than the room's by the way down, and as exact as
    /// the fields are sent.
    pub fn sees(&self, player: PlayerId) -> Vec<(EntityId, G::Entity)> {
        let shown = self.player(player).replica.shown();
        shown.map(|shown| (shown.id(), shown.restore().expect("of this game"))).collect()
    }

    /// The tick of the last frame that a player holds; 0 before the first. While nothing that the player sees changes,
    /// a frame comes only every 250 ms.
    pub fn holds(&self, player: PlayerId) -> Tick {
        self.player(player).replica.tick().unwrap_or_default()
    }

    /// The events that a player has received since the last call, in order.
    pub fn events(&mut self, player: PlayerId) -> Vec<G::Event> {
        mem::take(&mut self.player_mut(player).events)
    }

    /// The inputs that were refused since the last call, by number.
    pub fn refused(&mut self, player: PlayerId) -> Vec<(u32, Code)> {
        mem::take(&mut self.player_mut(player).refused)
    }

    /// Why a player is not in the room any more; `None` for a player who is.
    pub fn gone(&self, player: PlayerId) -> Option<Code> {
        self.gone.get(&player).copied()
    }

    /// Whether the room throttles a player who does not take its frames.
    pub fn is_throttled(&self, player: PlayerId) -> bool {
        self.room.is_throttled(self.player(player).seat)
    }

    /// The result, once the game has ended.
    pub fn result(&self) -> Option<&Value> {
        self.room.authority().finished()
    }

    /// The room, to inspect the game and its world, or the counters.
    pub fn room(&self) -> &Room<G> {
        &self.room
    }

    fn take_up(&mut self) {
        let mut closed = Vec::new();
        for (id, player) in &mut self.players {
            while let Some((at, message)) = player.up.next(player.line, self.now) {
                if let Err(code) = self.room.receive(player.seat, message, at) {
                    closed.push((*id, code));
                }
            }
        }
        for (id, code) in closed {
            let seat = self.players.get(&id).map(|player| player.seat);
            if let Some(seat) = seat {
                self.room.remove(seat, Leave::Removed);
                self.close(id, code);
            }
        }
    }

    fn serve(&mut self) {
        let mut closed = Vec::new();
        let mut out = Vec::new();
        for (id, player) in self.players.iter_mut().filter(|(_, player)| player.connected) {
            if player.down.len() >= SOCKET_FRAMES && player.line.stalled {
                self.room.throttle(player.seat, self.now);
                continue;
            }
            match self.room.frame(player.seat, self.now, 2 * player.line.delay, &mut out) {
                Ok(true) => player.down.send(player.line, self.now, mem::take(&mut out)),
                Ok(false) => {}
                Err(code) => closed.push((*id, code)),
            }
        }
        for (id, code) in closed {
            let seat = self.player(id).seat;
            self.room.remove(seat, Leave::Removed);
            self.close(id, code);
        }
    }

    fn close_seat(&mut self, seat: SeatId, code: Code) {
        let of_seat = self.players.iter().find(|(_, player)| player.seat == seat).map(|(id, _)| *id);
        if let Some(id) = of_seat {
            self.close(id, code);
        }
    }

    fn close(&mut self, player: PlayerId, code: Code) {
        self.players.remove(&player);
        self.gone.insert(player, code);
    }

    fn player(&self, player: PlayerId) -> &Player<G> {
        self.players.get(&player).unwrap_or_else(|| panic!("{player:?} is not in the room: {:?}", self.gone(player)))
    }

    fn player_mut(&mut self, player: PlayerId) -> &mut Player<G> {
        let gone = self.gone(player);
        self.players.get_mut(&player).unwrap_or_else(|| panic!("{player:?} is not in the room: {gone:?}"))
    }
}

impl<G: Game> Player<G> {
    fn apply(&mut self, id: PlayerId, at: Duration, bytes: &[u8]) {
        let (name, held) = (&self.name, self.replica.tick());
        match self.replica.apply(bytes) {
            Ok(Applied::Frame(head)) => self.refused.extend(head.refused),
            Ok(Applied::Stale | Applied::Piece) => return,
            Err(error) => panic!("{name} ({id:?}), who holds {held:?}, cannot follow the room: {error}"),
        }
        for event in self.replica.drain_events() {
            self.events.push(codec::decode(&event.bytes).expect("an event of this game"));
        }
        // It is sent when the frame has arrived, which may be before the end of this tick.
        self.up.send(self.line, at, ClientMessage::Report(self.replica.report()));
    }
}
