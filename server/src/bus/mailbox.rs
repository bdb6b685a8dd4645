//! Where messages arrive: a [`Mailbox`], its deliveries and their receipts; and the bus's side of it, the [`Outlet`].
//!
//! Nothing in here knows what the bus is made of. What is no message of ours, or too late, is dealt with here, so that the
//! users of both buses see the same.

use std::{mem, sync::Arc, time::SystemTime};

use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use super::{Counts, Payload, Unreadable};

/// Receives what [`Bus::serve`](super::Bus::serve) or [`Bus::claim`](super::Bus::claim) asked for, until it is dropped.
#[derive(Debug)]
pub struct Mailbox {
    arriving: mpsc::Receiver<Incoming>,
    counts: Arc<Counts>,
}

/// What comes out of a mailbox.
#[derive(Debug)]
pub enum Incoming {
    /// From here on everything arrives. What was sent before, and since the last delivery, may be missing: who keeps a
    /// picture of others asks for it anew.
    Opened,
    /// A message.
    Delivery(Delivery),
}

/// A message that arrived.
#[derive(Debug)]
pub struct Delivery {
    key: String,
    payload: Payload,
    redelivered: bool,
    deadline: Option<SystemTime>,
    receipt: Receipt,
}

/// The right to say what became of a delivery. Dropped, it puts a letter back, and settles anything else.
#[derive(Debug)]
pub struct Receipt {
    tag: u64,
    settle: mpsc::Sender<(u64, Settlement)>,
    otherwise: Settlement,
    counts: Arc<Counts>,
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Settlement {
    Acknowledged,
    Requeued,
    Replied(Payload),
    Dead(String),
}

impl Mailbox {
    /// A mailbox, and the bus's side of it.
    pub(super) fn new(prefetch: u16, kind: MailboxKind, counts: &Arc<Counts>) -> (Self, Outlet) {
        let (deliver, arriving) = mpsc::channel(usize::from(prefetch.max(1)) + 1);
        let outlet = Outlet { deliver, prefetch: prefetch.max(1), kind, counts: counts.clone() };
        (Self { arriving, counts: counts.clone() }, outlet)
    }

    /// What comes next; `None` once the bus is closed. Cancel safe.
    ///
    /// What is not a message of ours is dead-lettered on the way, a command after its deadline dropped.
    pub async fn next(&mut self) -> Option<Incoming> {
        loop {
            let Incoming::Delivery(delivery) = self.arriving.recv().await? else { return Some(Incoming::Opened) };
            if let Some(delivery) = delivery.admit(&self.counts) {
                return Some(Incoming::Delivery(delivery));
            }
        }
    }
}

impl Delivery {
    /// The key it was sent with: what an event is about, or the inbox of a letter.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether it may have been delivered before.
    pub fn redelivered(&self) -> bool {
        self.redelivered
    }

    /// Its bytes, as they are.
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// The value in it. If there is none of this type, it is dead-lettered, or passed over if its sender is newer.
    pub fn open<T: DeserializeOwned>(self) -> Option<(T, Receipt)> {
        match self.payload.read() {
            Ok(value) => Some((value, self.receipt)),
            Err(reason) => {
                self.receipt.unreadable(reason);
                None
            }
        }
    }

    /// Itself, if it is to be handed out.
    fn admit(self, counts: &Counts) -> Option<Self> {
        if self.receipt.otherwise == Settlement::Requeued && self.receipt.settle.is_closed() {
            return None; // the connection it came by is gone: the broker delivers it again
        }
        match self.payload.is_newer() {
            Ok(false) => {}
            Ok(true) => counts.newer.add(),
            Err(reason) => {
                self.receipt.unreadable(reason);
                return None;
            }
        }
        if self.deadline.is_some_and(|deadline| deadline < SystemTime::now()) {
            counts.expired.add();
            return None;
        }
        counts.delivered.add();
        if self.redelivered {
            counts.redelivered.add();
        }
        Some(self)
    }
}

impl Receipt {
    /// It has been dealt with; it will not come again.
    pub fn ack(self) {
        self.settle(Settlement::Acknowledged);
    }

    /// It is put back, for whoever is next.
    pub fn requeue(self) {
        self.settle(Settlement::Requeued);
    }

    /// Answers a command. Of what is no command, or of one whose sender is gone, nothing comes.
    pub fn reply(self, reply: Payload) {
        self.settle(Settlement::Replied(reply));
    }

    /// It cannot be handled: it goes to the dead letters, with a reason for the operator.
    pub fn dead(self, reason: &str) {
        self.counts.dead(None);
        self.settle(Settlement::Dead(reason.to_owned()));
    }

    /// A part of it is of a kind that is not known here: it was passed over, and the rest dealt with.
    pub fn passed_over(&self) {
        self.counts.passed_over.add();
    }

    fn unreadable(self, reason: Unreadable) {
        if reason == Unreadable::Newer {
            self.passed_over();
            return self.reply(Payload::not_understood());
        }
        self.counts.dead(Some(reason));
        self.settle(Settlement::Dead(reason.to_string()));
    }

    fn settle(mut self, settlement: Settlement) {
        self.otherwise = settlement;
    }
}

impl Drop for Receipt {
    /// Fails only when the connection is gone. It cannot be full: it has room for all deliveries that are out.
    fn drop(&mut self) {
        let settlement = mem::replace(&mut self.otherwise, Settlement::Acknowledged);
        let _gone = self.settle.try_send((self.tag, settlement));
    }
}

/// What a mailbox is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MailboxKind {
    Commands,
    Events,
    Letters,
}

/// The bus's side of a mailbox.
#[derive(Clone, Debug)]
pub(super) struct Outlet {
    deliver: mpsc::Sender<Incoming>,
    prefetch: u16,
    kind: MailboxKind,
    counts: Arc<Counts>,
}

impl Outlet {
    /// Begins to deliver. What was handed out by an earlier begin can no longer be settled.
    pub(super) fn begin(&self) -> Handing {
        let (settle, settled) = mpsc::channel(usize::from(self.prefetch));
        Handing { outlet: self.clone(), settle, settled }
    }

    /// What it is for.
    pub(super) fn kind(&self) -> MailboxKind {
        self.kind
    }

    /// Most deliveries that may be out.
    pub(super) fn prefetch(&self) -> u16 {
        self.prefetch
    }

    /// Whether the mailbox has been dropped.
    pub(super) fn is_closed(&self) -> bool {
        self.deliver.is_closed()
    }

    /// Waits until the mailbox has been dropped.
    pub(super) async fn closed(&self) {
        self.deliver.closed().await;
    }
}

/// The bus's side of a mailbox while it delivers.
#[derive(Debug)]
pub(super) struct Handing {
    outlet: Outlet,
    settle: mpsc::Sender<(u64, Settlement)>,
    settled: mpsc::Receiver<(u64, Settlement)>,
}

/// A message about to be handed out.
#[derive(Debug)]
pub(super) struct Arrival {
    /// By which its settlement names it.
    pub(super) tag: u64,
    pub(super) key: String,
    pub(super) payload: Payload,
    pub(super) redelivered: bool,
    pub(super) deadline: Option<SystemTime>,
}

impl Handing {
    /// Says that everything arrives from here on.
    pub(super) async fn opened(&self) {
        let _gone = self.outlet.deliver.send(Incoming::Opened).await;
    }

    /// Hands a message out. At most as many as the prefetch may be out.
    pub(super) async fn hand(&self, arrival: Arrival) {
        let Arrival { tag, key, payload, redelivered, deadline } = arrival;
        let otherwise = match self.outlet.kind {
            MailboxKind::Letters => Settlement::Requeued,
            MailboxKind::Commands | MailboxKind::Events => Settlement::Acknowledged,
        };
        let receipt = Receipt { tag, settle: self.settle.clone(), otherwise, counts: self.outlet.counts.clone() };
        let delivery = Delivery { key, payload, redelivered, deadline, receipt };
        let _gone = self.outlet.deliver.send(Incoming::Delivery(delivery)).await;
    }

    /// The next settlement; `None` once the mailbox has been dropped and nothing is left to settle at the moment.
    pub(super) async fn settled(&mut self) -> Option<(u64, Settlement)> {
        tokio::select! {
            biased;
            settled = self.settled.recv() => settled,
            () = self.outlet.deliver.closed() => self.settled.try_recv().ok(),
        }
    }
}
