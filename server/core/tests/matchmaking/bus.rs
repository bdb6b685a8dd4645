//! The simulated broker: envelopes between instances that get lost, doubled, late and refused, and the ticket queue
//! with a single active consumer.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use tiltyard_core::matchmaking::{
    InstanceId,
    proposals::{
        Request,
        outbox::{Outcome, Said},
    },
};
use tiltyard_shared::game::Rng;
use tiltyard_testing::{Faulted, Faults, Network};

use crate::faults::Counts;

/// Something on its way to an instance.
#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    pub(crate) to: InstanceId,
    pub(crate) sent: Duration,
    pub(crate) body: Body,
}

#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// What an outbox sends.
    Batch { from: InstanceId, serial: u64, said: Vec<Said> },
    /// What became of a batch to this instance.
    Report { of: InstanceId, serial: u64, outcome: Outcome },
    /// To the ticket queue.
    Publish(Request),
    /// From the ticket queue.
    Delivery { tag: u64, request: Request },
}

/// A batch that was not answered by then counts as not taken.
const PATIENCE: Duration = Duration::from_secs(1);
/// An instance takes so many batches in a step; more are refused.
const TAKEN: usize = 3;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nothing.
    None,
    /// Many commands are refused, which their sender is told at once, and some replies are lost.
    Refusals,
    /// Players do not come to their matches, or are turned away there.
    NoShows,
    /// Everything.
    All,
}

impl Trouble {
    /// Whether players do not come, or are turned away.
    pub(crate) fn has_no_shows(self) -> bool {
        matches!(self, Self::NoShows | Self::All)
    }

    fn refused(self) -> f32 {
        match self {
            Self::None | Self::NoShows => 0.0,
            Self::Refusals => 0.2,
            Self::All => 0.03,
        }
    }
}

/// What happens to envelopes when everything goes wrong.
const FAULTS: Faults = Faults {
    lost: 0.03,
    doubled: 0.03,
    late: 0.03,
    usual: Duration::from_millis(240),
    latest: Duration::from_secs(15),
};

/// All envelopes by when they arrive.
#[derive(Default)]
pub(crate) struct Bus {
    network: Network<Envelope>,
    /// Batches to each instance in this step.
    taken: BTreeMap<InstanceId, usize>,
}

impl Bus {
    /// Another step: everybody takes batches again.
    pub(crate) fn step(&mut self) {
        self.taken.clear();
    }

    /// Sends an envelope, with whatever happens to envelopes.
    pub(crate) fn send(&mut self, envelope: Envelope, trouble: Trouble, rng: &mut Rng) {
        let faults = if trouble == Trouble::All { FAULTS } else { FAULTS.calm() };
        self.network.send(envelope.sent, envelope, &faults, rng);
    }

    /// Sends a batch: it is refused, or comes as envelopes do. Its sender waits only so long for the reply.
    pub(crate) fn send_batch(&mut self, envelope: Envelope, trouble: Trouble, rng: &mut Rng, counts: &mut Counts) {
        let Body::Batch { from, serial, .. } = envelope.body else { unreachable!("a batch is sent") };
        let taken = self.taken.entry(envelope.to).or_default();
        *taken += 1;
        let refused = trouble != Trouble::None && *taken > TAKEN || rng.chance(trouble.refused());
        let (of, outcome) = (envelope.to, Outcome::NotTaken);
        let wait = if refused { Duration::from_millis(20) } else { PATIENCE };
        self.put(
            envelope.sent + wait,
            Envelope { to: from, sent: envelope.sent, body: Body::Report { of, serial, outcome } },
        );
        match refused {
            true => counts.refused += 1,
            false => self.send(envelope, trouble, rng),
        }
    }

    /// Tells the sender of a batch what became of it, if the reply is not lost.
    pub(crate) fn reply(
        &mut self,
        now: Duration,
        (to, of, serial): (InstanceId, InstanceId, u64),
        outcome: Outcome,
        lost: bool,
    ) {
        if !lost {
            let body = Body::Report { of, serial, outcome };
            self.put(now, Envelope { to, sent: now, body });
        }
    }

    /// An envelope that arrives at this time for sure.
    pub(crate) fn put(&mut self, at: Duration, envelope: Envelope) {
        self.network.put(at, envelope);
    }

    /// The next envelope that has arrived.
    pub(crate) fn arrived(&mut self, now: Duration) -> Option<Envelope> {
        self.network.arrived(now)
    }

    /// What happened to envelopes.
    pub(crate) fn faulted(&self) -> Faulted {
        self.network.faulted()
    }
}

/// The ticket queue. Who is connected first is the active consumer; what it has not acknowledged when its connection is
/// gone goes to the next.
#[derive(Default)]
pub(crate) struct TicketQueue {
    ready: VecDeque<(Duration, Request)>,
    unacknowledged: BTreeMap<u64, (Duration, Request)>,
    consumers: Vec<InstanceId>,
    tags: u64,
}

impl TicketQueue {
    pub(crate) fn publish(&mut self, sent: Duration, request: Request) {
        self.ready.push_back((sent, request));
    }

    pub(crate) fn active(&self) -> Option<InstanceId> {
        self.consumers.first().copied()
    }

    /// These are connected now. Returns what was redelivered.
    pub(crate) fn connected(&mut self, instances: &[InstanceId]) -> usize {
        let before = self.active();
        self.consumers.retain(|consumer| instances.contains(consumer));
        let new: Vec<_> = instances.iter().filter(|instance| !self.consumers.contains(instance)).copied().collect();
        self.consumers.extend(new);
        if before == self.active() {
            return 0;
        }
        let back = std::mem::take(&mut self.unacknowledged);
        for unacknowledged in back.values().rev() {
            self.ready.push_front(unacknowledged.clone());
        }
        back.len()
    }

    /// What goes to the active consumer now.
    pub(crate) fn deliver(&mut self) -> Vec<(InstanceId, u64, Duration, Request)> {
        let Some(to) = self.active() else { return Vec::new() };
        let ready = std::mem::take(&mut self.ready);
        let deliver = |(sent, request): (Duration, Request)| {
            self.tags += 1;
            self.unacknowledged.insert(self.tags, (sent, request.clone()));
            (to, self.tags, sent, request)
        };
        ready.into_iter().map(deliver).collect()
    }

    /// Forgets a delivery; one that has gone to another consumer meanwhile has another tag.
    pub(crate) fn acknowledge(&mut self, tag: u64) {
        self.unacknowledged.remove(&tag);
    }
}
