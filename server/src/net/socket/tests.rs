//! What a socket reads over a real connection, in pieces, is what tungstenite alone would have read.

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};
use tokio_tungstenite::tungstenite::protocol::frame::{
    Frame,
    coding::{Data, OpCode},
};

use super::*;

/// A peer's bytes from here on: a frame, or anything.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let payload = prop_oneof![8 => 0..40usize, 1 => 120..130usize, 1 => 3_000..5_000usize];
    let opcode = prop_oneof![8 => Just(2u8), 1 => Just(0), 1 => Just(1), 2 => Just(9), 2 => Just(10), 1 => Just(8)];
    let head = (opcode, prop::bool::weighted(0.9), prop::bool::weighted(0.98), payload);
    let frame = (head, any::<[u8; 4]>()).prop_map(|((opcode, is_final, masked, len), mask)| {
        let mut bytes = vec![opcode | u8::from(is_final) << 7, u8::from(masked) << 7];
        match len {
            0..126 => bytes[1] |= len as u8,
            _ => {
                bytes[1] |= 126;
                bytes.extend((len as u16).to_be_bytes());
            }
        }
        bytes.extend(mask.iter().filter(|_| masked));
        bytes.extend((0..len).map(|at| b'a' ^ if masked { mask[at % 4] } else { 0 }));
        bytes
    });
    prop_oneof![40 => frame, 1 => prop::collection::vec(any::<u8>(), 0..9)]
}

/// What was read: payloads and control messages in order, and the error that ended it, if one did.
type Seen = (Vec<Message>, Option<Gone>);

/// Reads until nothing more is there.
fn by_us(socket: &mut Socket, inbox: &mut Inbox, all: &mut Seen) {
    if all.1.is_some() {
        return;
    }
    if let Err(gone) = socket.fetch(inbox) {
        all.1 = Some(gone);
        return;
    }
    loop {
        match socket.next(inbox) {
            Ok(Some(Incoming::Binary(bytes))) => all.0.push(Message::Binary(bytes.to_vec().into())),
            Ok(Some(Incoming::Other(message))) => all.0.extend(message),
            Ok(None) => return socket.keep(inbox),
            Err(error) => {
                all.1 = Some(error.into());
                return;
            }
        }
    }
}

/// The same by tungstenite alone, which is given all bytes at once.
fn by_tungstenite(bytes: &[u8]) -> Seen {
    struct Peer<'a>(&'a [u8]);
    impl Read for Peer<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() { Err(io::ErrorKind::WouldBlock.into()) } else { self.0.read(buffer) }
        }
    }
    impl Write for Peer<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let config = WebSocketConfig::default()
        .max_message_size(Some(limits::HELLO_BYTES))
        .max_frame_size(Some(limits::HELLO_BYTES));
    let mut socket = tungstenite::WebSocket::from_raw_socket(Peer(bytes), Role::Server, Some(config));
    let mut all = Vec::new();
    loop {
        match socket.read() {
            Ok(message) => all.push(message),
            Err(error) if would_block(&error) => return (all, None),
            Err(error) => return (all, Some(error.into())),
        }
    }
}

/// Up to what ends a connection: nobody reads on behind it.
fn until_end((mut messages, gone): Seen) -> Seen {
    match messages.iter().position(Message::is_close) {
        Some(index) => {
            messages.truncate(index + 1);
            (messages, None)
        }
        None => (messages, gone),
    }
}

async fn both_ends() -> (TcpStream, Socket) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let (peer, accepted) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    let mut socket = Socket::open(Transport::new(accepted.expect("accepted").0, None).expect("a line"), Vec::new());
    socket.line_mut().detach().expect("detached");
    (peer.expect("connected"), socket)
}

#[test]
fn what_arrives_is_what_tungstenite_would_have_read() {
    let runtime = Runtime::new().expect("a runtime");
    let cases = (prop::collection::vec(piece(), 1..12), prop::collection::vec(1..200usize, 1..20));
    let mut runner = TestRunner::new(Config { cases: 500, ..Config::default() });
    let result = runner.run(&cases, |(pieces, cuts)| {
        let bytes = pieces.concat();
        let read = runtime.block_on(async {
            let (mut peer, mut socket) = both_ends().await;
            let (mut inbox, mut all) = (Inbox::new(), (Vec::new(), None));
            let (mut rest, mut cuts) = (&bytes[..], cuts.iter().cycle());
            while !rest.is_empty() && all.1.is_none() {
                let (now, later) = rest.split_at(rest.len().min(*cuts.next().expect("endless") * 20));
                peer.write_all(now).await.expect("written");
                rest = later;
                by_us(&mut socket, &mut inbox, &mut all);
            }
            let mut received = 0;
            while all.1.is_none() && received < bytes.len() as u64 {
                by_us(&mut socket, &mut inbox, &mut all);
                received += socket.line_mut().take_traffic().0;
                tokio::task::yield_now().await;
            }
            all
        });
        prop_assert_eq!(until_end(read), until_end(by_tungstenite(&bytes)));
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_framed_message_has_the_header_that_tungstenite_writes() {
    for len in [0, 1, 125, 126, 0xFFFF, 0x1_0000] {
        let mut ours = Vec::new();
        write_header(&mut ours, len);
        ours.resize(ours.len() + len, 7);
        let mut theirs = Vec::new();
        let frame = Frame::message(vec![7; len], OpCode::Data(Data::Binary), true);
        frame.format(&mut theirs).unwrap();
        assert_eq!(ours, theirs);
    }
}
