//! The proxy between real sockets.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod judged;
mod slow_join;

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use tiltyard_lab::{Change, Profile, Proxy, Ways, claims, record};

const MS: Duration = Duration::from_millis(1);

/// A server that says back what it hears.
fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || {
                let mut from = stream?;
                from.set_nodelay(true)?;
                let mut to = from.try_clone()?;
                io::copy(&mut from, &mut to)?;
                to.shutdown(std::net::Shutdown::Write)
            });
        }
    });
    address
}

fn connect(profile: &str) -> (Proxy, TcpStream) {
    let proxy = Proxy::start(&Profile::named(profile).unwrap(), 1, echo()).unwrap();
    let stream = TcpStream::connect(proxy.address()).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(20_000 * MS)).unwrap();
    (proxy, stream)
}

/// Says something and waits until it is back.
fn ask(stream: &mut TcpStream, bytes: &[u8]) -> Duration {
    let start = Instant::now();
    stream.write_all(bytes).unwrap();
    let mut back = vec![0; bytes.len()];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(back, bytes);
    start.elapsed()
}

#[test]
fn the_first_word_costs_two_round_trips_and_each_further_one_costs_one() {
    let (_proxy, mut stream) = connect("satellite");
    let (first, second) = (ask(&mut stream, b"hello"), ask(&mut stream, b"again"));
    assert!((1200 * MS..1400 * MS).contains(&first), "{first:?}");
    assert!((600 * MS..750 * MS).contains(&second), "{second:?}");
}

#[test]
fn what_is_much_comes_back_whole_on_a_lossy_line() {
    let (_proxy, mut stream) = connect("lossy");
    let bytes: Vec<u8> = (0..300_000u32).map(|at| ((at * 31) >> 3) as u8).collect();
    let sender = {
        let (mut stream, bytes) = (stream.try_clone().unwrap(), bytes.clone());
        thread::spawn(move || {
            stream.write_all(&bytes).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
        })
    };
    let (start, mut back) = (Instant::now(), Vec::new());
    stream.read_to_end(&mut back).unwrap();
    sender.join().unwrap();
    assert!(back == bytes, "{} bytes came back", back.len());
    assert!(start.elapsed() >= 2_300 * MS, "125 kB/s up: {:?}", start.elapsed());
}

#[test]
fn who_sends_on_a_narrow_line_is_blocked() {
    let (_proxy, mut stream) = connect("capped");
    stream.set_write_timeout(Some(500 * MS)).unwrap();
    let chunk = [0; 1024];
    let taken = (0..4096).take_while(|_| stream.write_all(&chunk).is_ok()).count();
    assert!(taken < 3000, "{taken} KiB taken by a line of 8 kB/s");
}

#[test]
fn a_cut_resets_what_is_open_and_lets_others_in() {
    let (proxy, mut stream) = connect("good");
    ask(&mut stream, b"hello");
    proxy.cut();
    let error = stream.read(&mut [0; 9]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    ask(&mut TcpStream::connect(proxy.address()).unwrap(), b"hello");
}

#[test]
fn nobody_is_told_of_a_silence_and_all_arrives_after_it() {
    let (proxy, mut stream) = connect("good");
    ask(&mut stream, b"hello");
    proxy.silence();
    stream.write_all(b"one").unwrap();
    stream.set_read_timeout(Some(700 * MS)).unwrap();
    assert!(stream.read(&mut [0; 9]).is_err(), "nothing comes");
    proxy.resume();
    stream.set_read_timeout(Some(5_000 * MS)).unwrap();
    let mut back = [0; 3];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"one");
}

#[test]
fn a_half_open_line_passes_one_way() {
    let (proxy, mut stream) = connect("good");
    ask(&mut stream, b"hello");
    proxy.half_open(Ways::Down);
    stream.write_all(b"one").unwrap();
    stream.set_read_timeout(Some(500 * MS)).unwrap();
    assert!(stream.read(&mut [0; 9]).is_err(), "nothing comes back");
    proxy.resume();
    stream.set_read_timeout(Some(5_000 * MS)).unwrap();
    stream.read_exact(&mut [0; 3]).unwrap();
}

#[test]
fn what_is_opened_in_a_hole_is_alive_a_second_after_it_was_asked_for() {
    let (proxy, mut first) = connect("good");
    ask(&mut first, b"hello");
    proxy.change(Change::Hang);
    let mut second = TcpStream::connect(proxy.address()).unwrap();
    second.set_read_timeout(Some(5_000 * MS)).unwrap();
    let start = Instant::now();
    second.write_all(b"hello").unwrap();
    ask(&mut first, b"what is open goes on");
    proxy.resume();
    second.read_exact(&mut [0; 5]).unwrap();
    assert!((1_000 * MS..1_300 * MS).contains(&start.elapsed()), "{:?}", start.elapsed());
}

#[test]
fn a_line_set_anew_slows_what_is_open() {
    let (proxy, mut stream) = connect("good");
    assert!(ask(&mut stream, b"hello") < 200 * MS);
    proxy.set(&Profile::named("satellite").unwrap());
    assert!(ask(&mut stream, b"again") >= 600 * MS);
}

#[test]
fn steps_come_by_themselves_once_begun() {
    let (proxy, mut stream) = connect("good");
    ask(&mut stream, b"hello");
    let mut slower = Profile::named("step-up-600").unwrap();
    slower.steps[0].at = 200 * MS;
    proxy.set(&slower);
    proxy.begin();
    let start = Instant::now();
    while ask(&mut stream, b"how long") < 600 * MS {
        assert!(start.elapsed() < 5_000 * MS);
    }
    assert!(start.elapsed() >= 800 * MS);
}

/// Real TCP over packets that are lost: needs root, `ip` and a TUN device, and says so aloud where they are missing.
#[cfg(target_os = "linux")]
#[test]
fn what_is_much_comes_back_whole_over_packets_that_are_lost() {
    let tunnel = match tiltyard_lab::Tunnel::open(&Profile::named("lossy").unwrap(), 1) {
        Ok(tunnel) => tunnel,
        // Not `println`, which is kept from whoever runs tests.
        Err(error) => return writeln!(io::stderr(), "SKIPPED: no tunnel on this machine: {error}").unwrap(),
    };
    let listener = thread::scope(|scope| {
        scope
            .spawn(|| {
                tunnel.enter_server()?;
                TcpListener::bind((tiltyard_lab::tunnel::SERVER, 0))
            })
            .join()
            .unwrap()
            .unwrap()
    });
    let address = listener.local_addr().unwrap();
    let sent: Vec<u8> = (0..300_000u32).map(|at| ((at * 31) >> 3) as u8).collect();
    let [program, args @ ..] = tunnel.players_run();
    let mut reader = std::process::Command::new(program)
        .args(args)
        .args(["bash", "-c", &format!("cat < /dev/tcp/{}/{}", address.ip(), address.port())])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let start = Instant::now();
    let (mut stream, _) = listener.accept().unwrap();
    assert!(start.elapsed() > 90 * MS, "a handshake takes a round trip");
    stream.write_all(&sent).unwrap();
    drop(stream);
    let mut back = Vec::new();
    reader.stdout.take().unwrap().read_to_end(&mut back).unwrap();
    reader.wait().unwrap();
    assert!(back == sent, "{} bytes came", back.len());
    assert!(start.elapsed() > 480 * MS, "625 kB/s: {:?}", start.elapsed());
}
