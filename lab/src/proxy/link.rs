//! One connection through the proxy, from its opening to its end.

use std::{future::pending, net::SocketAddr, time::Duration};

use socket2::SockRef;
use tokio::{
    io::{Interest, Ready},
    net::TcpStream,
    select,
    sync::watch,
    time::sleep_until,
};

use super::{
    pump::{End, Pump},
    small,
};
use crate::{
    control::Control,
    line::Conditions,
    opening::{Opening, Outcome},
    way::Way,
};

/// Runs an accepted connection.
pub(super) async fn run(client: TcpStream, target: SocketAddr, control: Control, number: u64) {
    let mut conditions = control.conditions();
    let cuts = conditions.borrow_and_update().cuts;
    let seed = control.seed_of(number);
    select! {
        biased;
        () = cut(conditions, cuts) => reset(&client),
        clean = pass(&client, target, &control, seed) => if !clean { reset(&client) },
    }
}

/// Waits for a cut.
async fn cut(mut conditions: watch::Receiver<Conditions>, before: u64) {
    if conditions.wait_for(|now| now.cuts != before).await.is_err() {
        pending::<()>().await;
    }
}

/// Makes the closing of the stream a reset.
fn reset(stream: &TcpStream) {
    // If the peer was faster, there is nothing to reset.
    SockRef::from(stream).set_linger(Some(Duration::ZERO)).ok();
}

/// Opens the other side and passes bytes. Returns true if both sides have ended cleanly.
async fn pass(client: &TcpStream, target: SocketAddr, control: &Control, seed: u64) -> bool {
    if !open(control, seed).await || is_gone(client).await {
        return false;
    }
    let Ok(socket) = small(&target) else { return false };
    let Ok(server) = socket.connect(target).await else { return false };
    client.set_nodelay(true).and_then(|()| server.set_nodelay(true)).ok();
    let mut guard = Reset(&server, true);
    let terms = *control.conditions().borrow();
    let up = Pump::new(Way::new(terms.up, seed), control, |now| now.up);
    let down = Pump::new(Way::new(terms.down, seed ^ 1), control, |now| now.down);
    let both = async { tokio::try_join!(up.run(client, &server), down.run(&server, client)) };
    let clean = matches!(both.await, Ok((End, End)));
    guard.1 = !clean;
    clean
}

/// Resets a stream when dropped, unless all went well: also when a cut drops the future around it.
struct Reset<'a>(&'a TcpStream, bool);

impl Drop for Reset<'_> {
    fn drop(&mut self) {
        if self.1 {
            reset(self.0);
        }
    }
}

/// Waits until the connection is open; false if it fails.
async fn open(control: &Control, seed: u64) -> bool {
    let mut opening = Opening::new(control.now(), seed);
    loop {
        let conditions = *control.conditions().borrow();
        match opening.attempt(&conditions) {
            Outcome::Open(at) => {
                sleep_until(control.instant(at)).await;
                return true;
            }
            Outcome::Again(at) => sleep_until(control.instant(at)).await,
            Outcome::Failed => return false,
        }
    }
}

/// Whether the client has given up meanwhile.
async fn is_gone(client: &TcpStream) -> bool {
    select! {
        biased;
        ready = client.ready(Interest::READABLE) => ready.is_ok_and(Ready::is_read_closed),
        () = async {} => false,
    }
}
