//! A client's way in: from the first byte of its connection to its seat.

use tiltyard_shared::{
    protocol::{
        ClientMessage, Enter, Entered, Hello, Report, ServerMessage, Target, VERSION, codec,
        lobby::{Browse, RoomOptions},
    },
    replica::Replica,
};

use super::{Client, Request, Stage};
use crate::{
    crowd::{Dialect, Measures, Plan, colyseus},
    websocket::{self, opcode},
};

impl Client {
    /// Speaks first, once the connection is made.
    pub(super) fn connected(&mut self, plan: &Plan) {
        if self.stream.peer_addr().is_err() {
            return;
        }
        self.stream.set_nodelay(true).ok();
        if plan.dialect == Dialect::Floor {
            self.report.epoch = 1;
            self.stage = Stage::Playing;
        } else {
            let request = websocket::upgrade(plan.addr, &self.path);
            self.stage = Stage::Upgrading;
            self.write(&request);
        }
    }

    /// Says hello, once the connection is a WebSocket.
    pub(super) fn upgraded(&mut self, plan: &Plan) {
        if plan.dialect == Dialect::Colyseus {
            self.stage = Stage::Entering;
            return;
        }
        self.stage = Stage::Greeting;
        self.say(&ClientMessage::Hello(Hello {
            protocol: VERSION,
            client: "tiltyard-bench".to_owned(),
            ..Hello::default()
        }));
    }

    /// Takes what the server says beside frames.
    pub(super) fn take_control(&mut self, plan: &Plan, bytes: &[u8], measures: &mut Measures) {
        match codec::decode_server(bytes) {
            Ok(ServerMessage::Welcome { .. }) => {
                self.stage = Stage::Entering;
                self.ask(plan);
            }
            Ok(ServerMessage::Rooms { .. }) => self.stage = Stage::Playing,
            Ok(ServerMessage::RoomsChanged { .. }) => {}
            Ok(ServerMessage::Ping { number }) => self.say(&ClientMessage::Pong { number, held_ms: 0 }),
            Ok(ServerMessage::Entered(entered)) => {
                let Entered { room, epoch, tick, .. } = *entered;
                self.made = (self.request == Request::NewRoom).then_some(room);
                self.report = Report { epoch, applied: tick, event: 0 };
                self.replica = self.verifies.then(|| Box::new(Replica::new(&plan.schema, epoch)));
                self.stage = Stage::Playing;
            }
            Ok(other) => {
                self.lose(measures, &format!("{other:?}"));
            }
            Err(error) => self.lose(measures, &error.to_string()),
        }
    }

    /// Asks for what it has come for.
    fn ask(&mut self, plan: &Plan) {
        let target = match self.request {
            Request::Rooms => return self.say(&ClientMessage::Browse { request: 2, browse: Some(Browse::default()) }),
            Request::AnySeat => Target::Game(plan.game.to_owned()),
            Request::Seat(room) => Target::Room(room),
            Request::NewRoom => Target::Create {
                game: plan.game.to_owned(),
                config: Some(plan.config.clone()),
                options: RoomOptions::default(),
            },
        };
        self.say(&ClientMessage::Enter(Enter {
            request: 1,
            target,
            name: String::new(),
            schema: Some(plan.schema_hash),
            verify: self.verifies,
            spectate: false,
        }));
    }

    /// Whether a message of Colyseus is a frame.
    pub(super) fn take_colyseus(&mut self, payload: &[u8]) -> bool {
        match payload.first() {
            Some(&colyseus::JOIN_ROOM) => {
                self.stage = Stage::Playing;
                self.send(opcode::BINARY, &[colyseus::JOIN_ROOM]);
                false
            }
            kind => kind == Some(&colyseus::ROOM_STATE_PATCH),
        }
    }
}
