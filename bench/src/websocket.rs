//! The little of WebSocket that a load generator speaks: the upgrade, masked messages out, whole frames in.

use std::net::SocketAddr;

/// Operation codes of RFC 6455.
pub mod opcode {
    /// A binary message.
    pub const BINARY: u8 = 2;
    /// The end.
    pub const CLOSE: u8 = 8;
    /// To be answered with a pong.
    pub const PING: u8 = 9;
    /// The answer.
    pub const PONG: u8 = 10;
}

/// A frame that has arrived whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrived<'a> {
    /// Its operation code.
    pub opcode: u8,
    /// What it carries.
    pub payload: &'a [u8],
    /// Its bytes, header included.
    pub bytes: usize,
}

/// The first frame in these bytes of a server; `None` if it is not whole yet.
pub fn parse(bytes: &[u8]) -> Option<Arrived<'_>> {
    let [first, second, rest @ ..] = bytes else { return None };
    let (len, header) = match second & 0x7F {
        126 => (u16::from_be_bytes(*rest.first_chunk()?) as usize, 4),
        127 => (u64::from_be_bytes(*rest.first_chunk()?) as usize, 10),
        short => (short as usize, 2_usize),
    };
    let payload = bytes.get(header..header.checked_add(len)?)?;
    Some(Arrived { opcode: first & 0x0F, payload, bytes: header + len })
}

/// Appends a client's frame. The mask is always the same, which servers neither see nor care for.
pub fn write(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    const MASK: [u8; 4] = [0x5A, 0xC3, 0x1E, 0x97];
    out.push(0x80 | opcode);
    match payload.len() {
        len @ 0..126 => out.push(0x80 | len as u8),
        len @ 126..=0xFFFF => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&MASK);
    out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

/// The request that turns a connection into a WebSocket.
pub fn upgrade(addr: SocketAddr, path: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {addr}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    .into_bytes()
}

/// Where the server's answer to [`upgrade`] ends; `None` while it has not ended.
pub fn upgraded(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|start| start + 4)
}

/// What the floor sends: a binary message that looks like a frame of Tiltyard without content, so many bytes in all.
pub fn floor_frame(bytes: usize) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode::BINARY];
    match bytes.max(8) {
        small @ ..128 => frame.push(small as u8 - 2),
        large => {
            frame.push(126);
            frame.extend_from_slice(&(large as u16 - 4).to_be_bytes());
        }
    }
    // Kind, flags, epoch; then the tick.
    frame.extend([0, 0, 1]);
    frame.resize(bytes.max(8), 0);
    frame
}

/// Gives a [`floor_frame`] its tick.
pub fn set_floor_tick(frame: &mut [u8], tick: u16) {
    let at = if frame[1] == 126 { 7 } else { 5 };
    frame[at..at + 2].copy_from_slice(&tick.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floor_frame_is_one_frame_of_the_size_asked_for() {
        for bytes in [8, 127, 128, 129, 40_000] {
            let mut frame = floor_frame(bytes);
            set_floor_tick(&mut frame, 0x1234);
            let arrived = parse(&frame).expect("it is whole");
            assert_eq!((arrived.bytes, arrived.opcode), (bytes, opcode::BINARY));
            assert_eq!(arrived.payload[..5], [0, 0, 1, 0x34, 0x12]);
            assert_eq!(parse(&frame[..bytes - 1]), None);
        }
    }

    #[test]
    fn a_written_message_is_masked() {
        let mut out = Vec::new();
        write(&mut out, opcode::BINARY, &[0; 300]);
        assert_eq!(out[..8], [0x82, 0xFE, 1, 44, 0x5A, 0xC3, 0x1E, 0x97]);
        assert_eq!(out[8..12], out[4..8]);
        assert_eq!(out.len(), 308);
    }
}
