//! The one call that has no safe function: it turns an opened `/dev/net/tun` into a device with a name.

use std::{fs::File, io};

use rustix::ioctl::{Opcode, Setter, ioctl, opcode};

/// `TUNSETIFF` of `linux/if_tun.h`: its argument is declared as an `int`, but is a `struct ifreq`.
const SET_INTERFACE: Opcode = opcode::write::<i32>(b'T', 202);

/// Whole packets, without four bytes of header before each: `IFF_TUN | IFF_NO_PI`.
const FLAGS: u16 = 0x0001 | 0x1000;

/// `struct ifreq` of `linux/if.h`, of which only the flags are used.
#[repr(C)]
struct Request {
    name: [u8; 16],
    flags: u16,
    rest: [u8; 22],
}

/// Makes it the device with this name, in the network namespace of this thread.
#[expect(unsafe_code, reason = "TUN devices are made by an ioctl")]
pub(super) fn attach(file: &File, name: &str) -> io::Result<()> {
    let mut request = Request { name: [0; 16], flags: FLAGS, rest: [0; 22] };
    for (to, from) in request.name.iter_mut().take(15).zip(name.bytes()) {
        *to = from;
    }
    // SAFETY: the kernel reads 40 bytes of a `struct ifreq`, whose layout `Request` has, and nothing that it writes
    // back is used.
    unsafe {
        ioctl(file, Setter::<SET_INTERFACE, Request>::new(request))?;
    }
    Ok(())
}
