//! How much send memory the kernel holds for a connection, seen from outside the process that owns the socket: a question
//! to Linux' `sock_diag` (inet_diag with INET_DIAG_SKMEMINFO), which anybody may ask.

use std::{io::Read as _, net::SocketAddrV4};

use anyhow::{Context as _, ensure};
use socket2::{Domain, Protocol, Socket, Type};

const AF_NETLINK: i32 = 16;
const NETLINK_SOCK_DIAG: i32 = 4;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const AF_INET: u8 = 2;
const IPPROTO_TCP: u8 = 6;
const INET_DIAG_SKMEMINFO: u16 = 7;
const NETLINK_HEADER: usize = 16;
const DIAG_MESSAGE: usize = 72;
/// Places in the answer, as in SO_MEMINFO: memory handed to the device, and all that stands in the send queue.
const WMEM_ALLOC: usize = 2;
const WMEM_QUEUED: usize = 5;

/// Asks about sockets of this machine.
pub(crate) struct SocketMemory(Socket);

impl SocketMemory {
    pub(crate) fn open() -> anyhow::Result<Self> {
        let (domain, protocol) = (Domain::from(AF_NETLINK), Protocol::from(NETLINK_SOCK_DIAG));
        Ok(Self(Socket::new(domain, Type::RAW, Some(protocol)).context("cannot ask for socket memory")?))
    }

    /// Bytes of send memory of the socket whose own address is `local`. The two counts overlap; the larger one holds.
    pub(crate) fn of(&mut self, local: SocketAddrV4, peer: SocketAddrV4) -> anyhow::Result<u32> {
        self.0.send(&question(local, peer))?;
        let mut answer = [0; 4096];
        let length = self.0.read(&mut answer)?;
        let kind = u16::from_ne_bytes([answer[4], answer[5]]);
        ensure!(kind == SOCK_DIAG_BY_FAMILY && length > NETLINK_HEADER + DIAG_MESSAGE, "the socket is gone");
        let mut rest = &answer[NETLINK_HEADER + DIAG_MESSAGE..length];
        while rest.len() >= 4 {
            let size = usize::from(u16::from_ne_bytes([rest[0], rest[1]]));
            ensure!(size >= 4 && size <= rest.len(), "an attribute of odd size");
            if u16::from_ne_bytes([rest[2], rest[3]]) == INET_DIAG_SKMEMINFO {
                let values: Vec<u32> = rest[4..size]
                    .chunks_exact(4)
                    .map(|bytes| u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
                    .collect();
                ensure!(values.len() > WMEM_QUEUED, "too few counts");
                return Ok(values[WMEM_ALLOC].max(values[WMEM_QUEUED]));
            }
            rest = &rest[size.next_multiple_of(4).min(rest.len())..];
        }
        anyhow::bail!("the kernel does not tell")
    }
}

/// `struct nlmsghdr`, then `struct inet_diag_req_v2`.
fn question(local: SocketAddrV4, peer: SocketAddrV4) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(72u32.to_ne_bytes());
    bytes.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    bytes.extend(1u16.to_ne_bytes());
    bytes.extend([0; 8]);
    bytes.extend([AF_INET, IPPROTO_TCP, 1 << (INET_DIAG_SKMEMINFO - 1), 0]);
    bytes.extend(u32::MAX.to_ne_bytes());
    bytes.extend(local.port().to_be_bytes());
    bytes.extend(peer.port().to_be_bytes());
    for address in [local, peer] {
        bytes.extend(address.ip().octets());
        bytes.extend([0; 12]);
    }
    bytes.extend([0; 4]);
    bytes.extend([0xFF; 8]);
    bytes
}
