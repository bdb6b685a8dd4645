//! A queue of the bus in memory: bounded, with a fixed policy when full, and one consumer at a time.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, Ordering},
    time::SystemTime,
};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{self, Notify, oneshot};

use super::super::Payload;

/// A message in a queue.
#[derive(Debug)]
pub(super) struct Message {
    /// Its place in the queue.
    number: u64,
    pub(super) key: String,
    pub(super) payload: Payload,
    pub(super) redelivered: bool,
    pub(super) deadline: Option<SystemTime>,
    pub(super) answer: Option<oneshot::Sender<Payload>>,
}

impl Message {
    pub(super) fn new(key: &str, payload: Payload) -> Self {
        Self { number: 0, key: key.to_owned(), payload, redelivered: false, deadline: None, answer: None }
    }
}

/// The policy of a full queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overflow {
    DropOldest,
    Refuse,
}

/// Refused, because the queue is full.
#[derive(Clone, Copy, Debug)]
pub(super) struct Full;

#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Notify,
    limit: usize,
    overflow: Overflow,
    consumer: sync::Mutex<()>,
    abandoned: AtomicBool,
}

/// In the order of their numbers.
#[derive(Debug, Default)]
struct Waiting {
    messages: VecDeque<Message>,
    last_number: u64,
}

impl Queue {
    pub(super) fn new(limit: usize, overflow: Overflow) -> Self {
        Self {
            waiting: Mutex::default(),
            arrived: Notify::new(),
            limit,
            overflow,
            consumer: sync::Mutex::new(()),
            abandoned: AtomicBool::new(false),
        }
    }

    /// Adds a message. Returns whether another was dropped for it.
    pub(super) fn push(&self, mut message: Message) -> Result<bool, Full> {
        let mut waiting = self.waiting();
        let full = waiting.messages.len() >= self.limit;
        if full && self.overflow == Overflow::Refuse {
            return Err(Full);
        }
        if full {
            waiting.messages.pop_front();
        }
        waiting.last_number += 1;
        message.number = waiting.last_number;
        waiting.messages.push_back(message);
        drop(waiting);
        self.arrived.notify_one();
        Ok(full)
    }

    /// Puts a message back in its place.
    pub(super) fn put_back(&self, mut message: Message) {
        message.redelivered = true;
        let mut waiting = self.waiting();
        let index = waiting.messages.partition_point(|other| other.number < message.number);
        waiting.messages.insert(index, message);
        drop(waiting);
        self.arrived.notify_one();
    }

    /// Waits for the next message. Cancel safe. Only for the consumer whose turn it is.
    pub(super) async fn pop(&self) -> Message {
        loop {
            if let Some(message) = self.waiting().messages.pop_front() {
                return message;
            }
            self.arrived.notified().await;
        }
    }

    /// Waits until it is the caller's turn to consume: first come, first served.
    pub(super) async fn turn(&self) -> sync::MutexGuard<'_, ()> {
        self.consumer.lock().await
    }

    /// Marks that nobody will consume it any more.
    pub(super) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock()
    }
}
