//! The receiving end of the bus: a [`Mailbox`], its deliveries and their receipts; and the bus's side of it, the
//! [`Outlet`].
//!
//! This module is independent of the kind of bus. It handles unreadable and late messages itself, so that users of
//! either bus see the same.

use std::{mem, sync::Arc, time::SystemTime};

use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use super::{Counts, Payload, Unreadable};

/// Receives the messages of [`Bus::serve`](super::Bus::serve) or [`Bus::claim`](super::Bus::claim) until it is dropped.
#[derive(Debug)]
pub struct Mailbox {
    arriving: mpsc::Receiver<Incoming>,
    counts: Arc<Counts>,
}

/// An item of a mailbox.
#[derive(Debug)]
pub enum Incoming {
    /// From here on everything arrives. Messages sent since the last delivery may be missing: whoever keeps a picture
    /// of others asks for it anew.
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

/// Settles a delivery. Dropped unused, it puts a letter back and acknowledges anything else.
#[derive(Debug)]
pub struct Receipt {
    tag: u64,
    settle: mpsc::Sender<(u64, Settlement)>,
    otherwise: Settlement,
    counts: Arc<Counts>,
}

/// The outcome of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Settlement {
    Acknowledged,
    Requeued,
    Replied(Payload),
    Dead(String),
}

impl Mailbox {
    /// Creates a mailbox and the bus's side of it.
    pub(super) fn new(prefetch: u16, kind: MailboxKind, counts: &Arc<Counts>) -> (Self, Outlet) {
        let (deliver, arriving) = mpsc::channel(usize::from(prefetch.max(1)) + 1);
        let outlet = Outlet { deliver, prefetch: prefetch.max(1), kind, counts: counts.clone() };
        (Self { arriving, counts: counts.clone() }, outlet)
    }

    /// Returns the next item; `None` once the bus is closed. Cancel safe.
    ///
    /// Unreadable messages are dead-lettered on the way, and commands past their deadline dropped.
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
    /// The key it was sent with: the subject of an event, or the inbox of a letter.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether it may have been delivered before.
    pub fn redelivered(&self) -> bool {
        self.redelivered
    }

    /// Its raw bytes.
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// Decodes its value. A message without a value of this type is dead-lettered, or passed over if its sender is
    /// newer.
    pub fn open<T: DeserializeOwned>(self) -> Option<(T, Receipt)> {
        match self.payload.read() {
            Ok(value) => Some((value, self.receipt)),
            Err(reason) => {
                self.receipt.unreadable(reason);
                None
            }
        }
    }

    /// Returns the delivery if it is to be handed out.
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
    /// Acknowledges the delivery; it will not come again.
    pub fn ack(self) {
        self.settle(Settlement::Acknowledged);
    }

    /// Puts it back for the next consumer.
    pub fn requeue(self) {
        self.settle(Settlement::Requeued);
    }

    /// Acknowledges a command and answers it. No answer is sent for anything else, or if the sender is gone.
    pub fn reply(self, reply: Payload) {
        self.settle(Settlement::Replied(reply));
    }

    /// Sends it to the dead letters because it cannot be handled, with a reason for the operator.
    pub fn dead(self, reason: &str) {
        self.counts.dead(None);
        self.settle(Settlement::Dead(reason.to_owned()));
    }

    /// Counts that a part of it was of an unknown kind and was passed over, while the rest was handled.
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
    /// Sending fails only when the connection is gone: the channel has room for all deliveries that are out.
    fn drop(&mut self) {
        let settlement = mem::replace(&mut self.otherwise, Settlement::Acknowledged);
        let _gone = self.settle.try_send((self.tag, settlement));
    }
}

/// The purpose of a mailbox.
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
    /// Begins to deliver. Deliveries of an earlier begin can no longer be settled.
    pub(super) fn begin(&self) -> Handing {
        let (settle, settled) = mpsc::channel(usize::from(self.prefetch));
        Handing { outlet: self.clone(), settle, settled }
    }

    /// The purpose of the mailbox.
    pub(super) fn kind(&self) -> MailboxKind {
        self.kind
    }

    /// The maximum number of deliveries that may be out.
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
    /// Identifies it in its settlement.
    pub(super) tag: u64,
    pub(super) key: String,
    pub(super) payload: Payload,
    pub(super) redelivered: bool,
    pub(super) deadline: Option<SystemTime>,
}

impl Handing {
    /// Announces that everything arrives from here on.
    pub(super) async fn opened(&self) {
        let _gone = self.outlet.deliver.send(Incoming::Opened).await;
    }

    /// Hands out a message. At most `prefetch` messages may be out.
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

    /// Returns the next settlement; `None` once the mailbox has been dropped and no settlement is waiting.
    pub(super) async fn settled(&mut self) -> Option<(u64, Settlement)> {
        tokio::select! {
            biased;
            settled = self.settled.recv() => settled,
            () = self.outlet.deliver.closed() => self.settled.try_recv().ok(),
        }
    }
}
