//! The physical floor: what the kernel asks for one read and one write a player and tick, and nothing else.
//!
//! `bench-floor FRAME_BYTES HZ`: one thread; at each tick it reads each connection once, as every server must before it can
//! say what came of the inputs, then writes each the same pre-framed bytes, of which only the tick number changes. No game, no protocol, no handshake, no readiness: sockets are non-blocking
//! with the server's options, and a connection that does not take all bytes at once is closed.

use std::{
    io::{self, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use socket2::SockRef;
use tiltyard_bench::websocket;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<usize>());
    let mut next = || args.next().context("bench-floor FRAME_BYTES HZ")?.context("no number");
    let (frame_bytes, hz) = (next()?, next()?);
    rlimit::increase_nofile_limit(u64::MAX)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    writeln!(io::stdout(), "listening {}\nready", listener.local_addr()?)?;
    let mut floor = Floor { frame: websocket::floor_frame(frame_bytes), players: Vec::new() };
    let length = Duration::from_secs(1) / hz.max(1) as u32;
    let mut deadline = Instant::now();
    for tick in 0u16.. {
        while let Ok((stream, _)) = listener.accept() {
            floor.players.extend(prepare(stream));
        }
        websocket::set_floor_tick(&mut floor.frame, tick);
        floor.tick();
        deadline = (deadline + length).max(Instant::now());
        thread::sleep(deadline.saturating_duration_since(Instant::now()));
        if tick == u16::MAX {
            return Ok(());
        }
    }
    Ok(())
}

/// The connections, and the bytes that each gets.
struct Floor {
    frame: Vec<u8>,
    players: Vec<TcpStream>,
}

impl Floor {
    fn tick(&mut self) {
        let mut inputs = [0; 4096];
        self.players.retain_mut(|player| match player.read(&mut inputs) {
            Ok(read) => read > 0,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        });
        let frame = &self.frame;
        self.players.retain_mut(|player| player.write(frame).is_ok_and(|written| written == frame.len()));
    }
}

/// The options that the server sets, too.
fn prepare(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nonblocking(true)?;
    stream.set_nodelay(true)?;
    let socket = SockRef::from(&stream);
    socket.set_send_buffer_size(32 * 1024)?;
    socket.set_tcp_notsent_lowat(16 * 1024)?;
    Ok(stream)
}
