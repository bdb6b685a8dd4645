//! Passes bytes one way on one connection: from a socket into a [`Way`], and from there to the other socket.

use std::{future::pending, io, time::Duration};

use socket2::SockRef;
use tokio::{net::TcpStream, select, sync::watch, time::sleep_until};

use crate::{
    control::Control,
    line::{Conditions, Terms},
    way::Way,
};

/// The maximum number of bytes of a read.
const HELPING: usize = 16 * 1024;

/// The stream has ended cleanly.
#[derive(Debug)]
pub(super) struct End;

pub(super) struct Pump<'a> {
    way: Way,
    control: &'a Control,
    terms: fn(&Conditions) -> Terms,
    conditions: watch::Receiver<Conditions>,
    /// Bytes that have arrived and were not taken by the receiver.
    arrived: Vec<u8>,
    /// Whether the stream ends after these bytes.
    ended: bool,
    helping: Box<[u8]>,
}

impl<'a> Pump<'a> {
    pub(super) fn new(way: Way, control: &'a Control, terms: fn(&Conditions) -> Terms) -> Self {
        let helping = vec![0; HELPING].into_boxed_slice();
        Self { way, control, terms, conditions: control.conditions(), arrived: Vec::new(), ended: false, helping }
    }

    /// Passes bytes until the stream ends, or a side is reset.
    pub(super) async fn run(mut self, from: &TcpStream, to: &TcpStream) -> io::Result<End> {
        loop {
            if self.arrived.is_empty() {
                self.take_arrived();
            }
            if self.arrived.is_empty() && self.ended {
                SockRef::from(to).shutdown(std::net::Shutdown::Write)?;
                return Ok(End);
            }
            let now = self.control.now();
            let room = self.way.room(now).min(HELPING);
            let deadline = self.way.deadline().filter(|_| self.arrived.is_empty());
            // Room comes with time and with arrivals.
            let look = (room == 0 && deadline.is_none()).then(|| self.way.room_at(now));
            select! {
                changed = self.conditions.changed() => {
                    let terms = (self.terms)(&self.conditions.borrow_and_update());
                    self.way.set(terms, self.control.now());
                    changed.map_err(io::Error::other)?;
                }
                ready = to.writable(), if !self.arrived.is_empty() => { ready?; self.write(to)?; }
                ready = from.readable(), if room > 0 => { ready?; self.read(from, room)?; }
                () = wait(self.control, deadline) => {}
                () = wait(self.control, look) => {}
            }
        }
    }

    fn take_arrived(&mut self) {
        while self.arrived.len() < HELPING && !self.ended {
            let Some(bytes) = self.way.poll(self.control.now()) else { return };
            self.ended = bytes.is_empty();
            self.arrived.extend(bytes);
        }
    }

    fn write(&mut self, to: &TcpStream) -> io::Result<()> {
        match to.try_write(&self.arrived) {
            Ok(written) => drop(self.arrived.drain(..written)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn read(&mut self, from: &TcpStream, room: usize) -> io::Result<()> {
        match from.try_read(&mut self.helping[..room]) {
            Ok(0) => self.way.finish(self.control.now()),
            Ok(read) => self.way.push(&self.helping[..read], self.control.now()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

async fn wait(control: &Control, until: Option<Duration>) {
    match until {
        Some(time) => sleep_until(control.instant(time)).await,
        None => pending().await,
    }
}
