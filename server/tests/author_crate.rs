//! An author's crate in a folder of its own, outside the workspace: the game of the README builds against the libraries,
//! offline and with the same versions of everything, passes its check, and serves.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tiltyard_shared::{
    game::Tick,
    protocol::{CONTROL, ClientMessage, Enter, Report, ServerMessage, Target, VERSION, codec},
    replica::Replica,
    schema::Schema,
};
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

/// Everything that comes from the server comes long before; it only keeps a failing test from hanging.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the README tells authors to add.
const CHECK: &str = "#[test] fn plays() { check_game::<Dots>() }";

/// The author's folder, which goes with the test.
struct Crate(PathBuf);

impl Crate {
    fn new() -> Self {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let folder = std::env::temp_dir().join(format!("tiltyard-author-{}", std::process::id()));
        fs::create_dir_all(folder.join("src")).unwrap();
        let readme = fs::read_to_string(workspace.join("README.md")).unwrap();
        let (_, game) = readme.split_once("```rust").unwrap();
        let (game, rest) = game.split_once('\n').unwrap().1.split_once("```").unwrap();
        assert!(rest.contains(CHECK), "the README says how to check the game");
        fs::write(folder.join("src/main.rs"), format!("{game}\n{CHECK}\n")).unwrap();
        fs::write(folder.join("Cargo.toml"), manifest(workspace)).unwrap();
        fs::copy(workspace.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
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
    }
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

        # The workspace's own, so that what it has built fits.
        [profile.dev]
        opt-level = 1
        debug = "line-tables-only"
        "#
    )
}

/// A server that is killed with its test.
struct Server(Child);

impl Server {
    fn start() -> (Self, SocketAddr) {
        let mut command = Command::new(target().join("debug/dots"));
        command
            .args(["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut server = Self(command.spawn().unwrap());
        let line = BufReader::new(server.0.stdout.take().unwrap()).lines().next().unwrap().unwrap();
        (server, line.strip_prefix("listening ").unwrap().parse().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
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
            if let Message::Binary(bytes) = self.0.read().unwrap() {
                return bytes.into();
            }
        }
    }

    fn control(&mut self) -> ServerMessage {
        let bytes = self.read();
        assert_eq!(bytes[0], CONTROL);
        codec::decode(&bytes[1..]).unwrap()
    }
}

#[test]
fn the_game_of_the_readme_builds_outside_the_workspace_and_serves() {
    let folder = Crate::new();
    folder.cargo("test");
    folder.cargo("build");
    let (_server, addr) = Server::start();
    let mut client = Client::connect(addr);
    client.say(&ClientMessage::Hello { protocol: VERSION, client: "test".to_owned() });
    assert!(matches!(client.control(), ServerMessage::Welcome { games, .. } if games == ["dots"]));
    let target = Target::Game("dots".to_owned());
    client.say(&ClientMessage::Enter(Enter {
        target,
        name: String::new(),
        schema: None,
        verify: true,
        spectate: false,
    }));
    let ServerMessage::Entered { schema: Some(schema), epoch, .. } = client.control() else { panic!("no seat") };
    let schema: Schema = serde_json::from_str(&schema).unwrap();
    let mut replica = Replica::new(&schema.entity, epoch);

    // The one dot is pushed to the right: its first lane rises.
    let push = ClientMessage::Input {
        number: 1,
        aim: Tick(0),
        report: Report::default(),
        payload: codec::encode(&(1i8, 0i8)),
    };
    client.say(&push);
    replica.sent_input(1);
    let mut place = || {
        replica.apply(&client.read()).unwrap();
        replica.shown().next().map(|dot| dot.lanes[0])
    };
    let first = std::iter::repeat_with(&mut place).find_map(|place| place).unwrap();
    while place().is_none_or(|place| place <= first) {}
}
