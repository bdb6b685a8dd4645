//! An author's crate in a folder of its own, outside the workspace: the game of the README, and the project that
//! `tiltyard new` writes, build against the libraries, offline and with the same versions of everything, pass their check,
//! and serve.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tiltyard_shared::{
    game::Tick,
    protocol::{CONTROL, ClientMessage, Enter, Hello, Report, ServerMessage, Target, VERSION, codec},
    replica::Replica,
    schema::Schema,
};
use tiltyard_testing::{Server, http};
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

/// Everything that comes from the server comes long before; it only keeps a failing test from hanging.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the README tells authors to add.
const CHECK: &str = "#[test] fn plays() { check_game::<Dots>() }";

/// The author's folder, which goes with the test.
struct Crate(PathBuf);

impl Crate {
    /// The game of the README, as an author would write it down.
    fn of_the_readme() -> Self {
        let workspace = workspace();
        let folder = std::env::temp_dir().join(format!("tiltyard-author-{}", std::process::id()));
        fs::create_dir_all(folder.join("src")).unwrap();
        let readme = fs::read_to_string(workspace.join("README.md")).unwrap();
        let (_, game) = readme.split_once("```rust").unwrap();
        let (game, rest) = game.split_once('\n').unwrap().1.split_once("```").unwrap();
        assert!(rest.contains(CHECK), "the README says how to check the game");
        let tests = format!("{CHECK}\n#[test] fn three_play() {{\n{}}}\n", three_play(workspace));
        fs::write(folder.join("src/main.rs"), format!("{game}\n{tests}")).unwrap();
        fs::write(folder.join("Cargo.toml"), manifest(workspace)).unwrap();
        fs::copy(workspace.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        Self(folder)
    }

    /// What `tiltyard new` writes.
    fn new_project(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("tiltyard-new-{}", std::process::id())).join(name);
        fs::create_dir_all(folder.parent().unwrap()).unwrap();
        let mut new = Command::new(env!("CARGO_BIN_EXE_tiltyard"));
        new.arg("new").arg(&folder).arg("--path").arg(workspace());
        let output = new.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::copy(workspace().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        Self(folder)
    }

    /// Runs cargo in the folder; what the workspace has built already is not built again.
    fn cargo(&self, command: &str) {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut run = Command::new(cargo);
        run.args([command, "--offline", "--quiet"]).current_dir(&self.0).env("CARGO_TARGET_DIR", target());
        let output = run.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Crate {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
        // A new project stands in a folder of its own; the system's has others in it.
        let _ = self.0.parent().map(fs::remove_dir);
    }
}

/// The test of three players that tiltyard-testing shows, which is of the same game.
fn three_play(workspace: &Path) -> String {
    let library = fs::read_to_string(workspace.join("testing/src/lib.rs")).unwrap();
    let example = library.split("//! ```\n").nth(1).unwrap();
    let lines: Vec<_> = example.lines().map(|line| line.strip_prefix("//!").unwrap()).collect();
    let shown: Vec<_> = lines.into_iter().filter(|line| !line.starts_with(" #")).collect();
    assert!(shown.len() <= 30, "it is short");
    shown.iter().map(|line| format!("{line}\n")).collect()
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap()
}

fn manifest(workspace: &Path) -> String {
    let workspace = workspace.display();
    format!(
        r#"
        [package]
        name = "dots"
        version = "0.1.0"
        edition = "2024"

        [dependencies]
        serde = "1"
        tiltyard-server = {{ path = "{workspace}/server" }}
        tiltyard-shared = {{ path = "{workspace}/shared" }}

        [dev-dependencies]
        tiltyard-testing = {{ path = "{workspace}/testing" }}

        # The workspace's own, so that what it has built fits.
        [profile.dev]
        opt-level = 1
        debug = "line-tables-only"
        "#
    )
}

/// A server of the author, from the workspace's folder of binaries.
fn serve(name: &str, args: &[&str]) -> Server {
    let mut command = Command::new(target().join("debug").join(name));
    command.args(args);
    Server::start(command).unwrap()
}

/// A client that knows of the game what the server tells it.
struct Client(WebSocket<TcpStream>);

impl Client {
    fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(tungstenite::client(format!("ws://{addr}/ws"), stream).unwrap().0)
    }

    fn say(&mut self, message: &ClientMessage) {
        self.0.send(Message::Binary(codec::encode(message).into())).unwrap();
    }

    fn read(&mut self) -> Vec<u8> {
        loop {
            let Message::Binary(bytes) = self.0.read().unwrap() else { continue };
            match codec::decode::<ServerMessage>(&bytes[1..]) {
                Ok(ServerMessage::Ping { number }) if bytes[0] == CONTROL => {
                    self.say(&ClientMessage::Pong { number, held_ms: 0 });
                }
                _ => return bytes.into(),
            }
        }
    }

    fn control(&mut self) -> ServerMessage {
        let bytes = self.read();
        assert_eq!(bytes[0], CONTROL);
        codec::decode(&bytes[1..]).unwrap()
    }

    /// A client with a seat in a room of the only game, and what it sees.
    fn seated(addr: SocketAddr, game: &str) -> (Self, Replica) {
        let mut client = Self::connect(addr);
        client.say(&ClientMessage::Hello(Hello { protocol: VERSION, client: "test".to_owned(), ..Hello::default() }));
        assert!(matches!(client.control(), ServerMessage::Welcome { games, .. } if games == [game]));
        let (target, name) = (Target::Game(game.to_owned()), String::new());
        client.say(&ClientMessage::Enter(Enter {
            request: 1,
            target,
            name,
            schema: None,
            verify: true,
            spectate: false,
        }));
        let ServerMessage::Entered(entered) = client.control() else { panic!("no seat") };
        let (schema, epoch) = (entered.schema.expect("it was not known"), entered.epoch);
        let schema: Schema = serde_json::from_str(&schema).unwrap();
        let replica = Replica::new(&schema.entity, epoch);
        (client, replica)
    }
}

#[test]
fn the_game_of_the_readme_builds_outside_the_workspace_and_serves() {
    let folder = Crate::of_the_readme();
    folder.cargo("test");
    folder.cargo("build");
    let server = serve("dots", &[]);
    let addr = server.listen();
    let (mut client, mut replica) = Client::seated(addr, "dots");

    // The one dot is pushed to the right: its first lane rises.
    let push = ClientMessage::input(1, Report::default(), Tick(0), codec::encode(&(1i8, 0i8)));
    client.say(&push);
    replica.sent_input(1);
    let mut place = || {
        replica.apply(&client.read()).unwrap();
        replica.shown().next().map(|dot| dot.lanes[0])
    };
    let first = std::iter::repeat_with(&mut place).find_map(|place| place).unwrap();
    while place().is_none_or(|place| place <= first) {}
}

#[test]
fn the_project_that_tiltyard_writes_is_played_at_once() {
    let folder = Crate::new_project("moon-pong");
    folder.cargo("test");
    folder.cargo("build");
    let web = folder.0.join("web");
    let server = serve("moon-pong", &["--web", web.to_str().unwrap()]);
    let addr = server.listen();
    let (mut ann, mut replica) = Client::seated(addr, "moon-pong");
    let (_bob, _) = Client::seated(addr, "moon-pong");
    let push = ClientMessage::input(1, Report::default(), Tick(0), codec::encode(&-1i8));
    ann.say(&push);
    replica.sent_input(1);
    // Of the table's lanes the first two are who plays, the third is the left paddle, which goes up.
    let mut paddle = || {
        replica.apply(&ann.read()).unwrap();
        replica.shown().next().map(|table| table.lanes[2])
    };
    let first = std::iter::repeat_with(&mut paddle).find_map(|place| place).unwrap();
    while paddle().is_none_or(|place| place >= first) {}

    let page = http::get(addr, "/web/games/moon-pong/index.js").unwrap();
    assert!(page.contains("export function play"), "{page}");
}

#[test]
fn a_project_is_not_written_over_another() {
    let there = std::env::temp_dir();
    let output = Command::new(env!("CARGO_BIN_EXE_tiltyard")).arg("new").arg(there.join("Bad Name")).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is no name for a game"));
    let folder = there.join(format!("taken-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_tiltyard")).arg("new").arg(&folder).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("exists already"));
    fs::remove_dir(folder).unwrap();
}
