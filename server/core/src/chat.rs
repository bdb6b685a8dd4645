//! Chat: the members of this instance's channels, the messages they hear, and the names they see.
//!
//! Takes what members and other instances do, and the time, and returns [`Effect`]s. Messages are sent once and not
//! kept: a member who is absent, or whose bus is away, does not hear them. Presence is private unless a member wants to
//! be seen. For each channel with visible members, an instance tells the others who they are, on every change and
//! again every [`RESTATED`], which repairs whatever was lost on the way.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    mem,
    time::Duration,
};

use tiltyard_shared::protocol::{
    Code, ServerMessage,
    chat::{Channel, JoinChannel},
    limits::{ATTEND_BURST, CHANNELS, PRESENT_NAMES, PRESENT_SPACING, SAID_BURST, SAID_BYTES, SAID_SPACING},
    text::plain,
};

use crate::{
    admission::Bucket,
    instance::{Incarnation, InstanceId},
};

pub mod messages;
mod local;
mod remote;
#[cfg(test)]
mod tests;

use local::{Attendance, Local};
use messages::{ChatMessage, Presence};
use remote::Remote;

/// Most channels in use on an instance; further ones are refused with [`Code::ServerFull`].
pub const INSTANCE_CHANNELS: usize = 2_048;

/// Most members of a channel on an instance; further ones are refused with [`Code::ServerFull`].
pub const CHANNEL_MEMBERS: usize = 1_024;

/// Sustained messages a second that a channel takes from members of this instance, in bursts of twice as many; more are
/// refused. From all other instances together it takes twice this rate; more are dropped.
pub const CHANNEL_MESSAGES: u32 = 16;

/// Interval at which each channel with visible members is told again.
pub const RESTATED: Duration = Duration::from_secs(15);

/// Most presences sent at each [`Channels::tick`]; the others wait. At four ticks a second, even the most channels are
/// told again before their last presence expires.
const PRESENCES_A_TICK: usize = 16;

/// A connection that is or was in channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemberId(u64);

/// An action for the caller, to be done in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Tell these members.
    Tell(Vec<MemberId>, ServerMessage),
    /// Tell all other instances about a message from here.
    Chat(ChatMessage),
    /// Tell all other instances which members here are visible.
    Presence(Presence),
}

/// The outcome of a message from another instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Members here are told.
    Told,
    /// Nobody here is in the channel, or the message is our own.
    Nobody,
    /// The channel takes no more for now: the message is dropped.
    TooMany,
}

/// See the [module](self).
#[derive(Debug)]
pub struct Channels {
    id: InstanceId,
    incarnation: Incarnation,
    members: BTreeMap<MemberId, Member>,
    last_member: u64,
    channels: BTreeMap<Channel, Local>,
    remote: Remote,
    /// Channels whose members must be told who is visible.
    unshown: BTreeSet<Channel>,
    /// Channels whose presence must be told to other instances, each once.
    untold: VecDeque<Channel>,
    /// The number of the last presence.
    number: u64,
    restate: Duration,
    /// Whether the bus is connected.
    connected: bool,
    effects: Vec<Effect>,
}

#[derive(Debug)]
struct Member {
    messages: Bucket,
    wishes: Bucket,
    channels: BTreeSet<Channel>,
}

impl Channels {
    /// The channels of an instance with no members. Tells other instances nothing until [`Self::connected`].
    pub fn new(id: InstanceId, incarnation: Incarnation) -> Self {
        Self {
            id,
            incarnation,
            members: BTreeMap::new(),
            last_member: 0,
            channels: BTreeMap::new(),
            remote: Remote::default(),
            unshown: BTreeSet::new(),
            untold: VecDeque::new(),
            number: 0,
            restate: Duration::ZERO,
            connected: false,
            effects: Vec::new(),
        }
    }

    /// The actions due since the last call.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        mem::take(&mut self.effects)
    }

    /// Adds a connection that may join channels.
    pub fn join(&mut self, now: Duration) -> MemberId {
        self.last_member += 1;
        let member = MemberId(self.last_member);
        let messages = Bucket::new(SAID_BURST, SAID_SPACING, now);
        let wishes = Bucket::new(ATTEND_BURST, SAID_SPACING, now);
        self.members.insert(member, Member { messages, wishes, channels: BTreeSet::new() });
        member
    }

    /// Removes a connection.
    pub fn leave(&mut self, member: MemberId) {
        for channel in self.members.remove(&member).into_iter().flat_map(|member| member.channels) {
            self.remove(member, &channel);
        }
    }

    /// Joins a member to a channel, or changes how it is there. Returns how many channels it is in.
    ///
    /// # Errors
    ///
    /// [`Code::BadChannel`], [`Code::BadName`], [`Code::TooManyChannels`], [`Code::ServerFull`], [`Code::Flooding`].
    /// The membership stays as it was.
    pub fn attend(&mut self, now: Duration, id: MemberId, wish: &JoinChannel) -> Result<usize, Code> {
        let (channel, name) = wish.check()?;
        let member = self.members.get_mut(&id).ok_or(Code::NotInChannel)?;
        if !member.wishes.take(now) {
            return Err(Code::Flooding);
        }
        if !member.channels.contains(&channel) {
            let room = self
                .channels
                .get(&channel)
                .map_or(self.channels.len() < INSTANCE_CHANNELS, |local| local.members.len() < CHANNEL_MEMBERS);
            match member.channels.len() {
                CHANNELS.. => return Err(Code::TooManyChannels),
                _ if !room => return Err(Code::ServerFull),
                _ => member.channels.insert(channel.clone()),
            };
        }
        let count = member.channels.len();
        let local = self.channels.entry(channel.clone()).or_insert_with(|| Local::new(now));
        let attendance = Attendance { name, visible: wish.visible };
        let seen = attendance.visible;
        let before = local.members.insert(id, attendance);
        if before.as_ref() != local.members.get(&id) && (seen || before.is_some_and(|before| before.visible)) {
            self.changed(&channel);
        }
        let present = self.present(&channel);
        self.effects.push(Effect::Tell(vec![id], present));
        Ok(count)
    }

    /// Takes a member out of a channel. Returns how many channels it is still in.
    ///
    /// # Errors
    ///
    /// [`Code::NotInChannel`].
    pub fn depart(&mut self, id: MemberId, channel: &str) -> Result<usize, Code> {
        let channel = Channel::new(channel).map_err(|_| Code::NotInChannel)?;
        let member = self.members.get_mut(&id).ok_or(Code::NotInChannel)?;
        if !member.channels.remove(&channel) {
            return Err(Code::NotInChannel);
        }
        let count = member.channels.len();
        self.remove(id, &channel);
        Ok(count)
    }

    /// Sends a member's message to everyone in the channel, the member included.
    ///
    /// # Errors
    ///
    /// [`Code::NotInChannel`], [`Code::BadText`], [`Code::Flooding`].
    pub fn say(&mut self, now: Duration, id: MemberId, channel: &str, text: &str) -> Result<(), Code> {
        let channel = Channel::new(channel).map_err(|_| Code::NotInChannel)?;
        let local = self.channels.get_mut(&channel).ok_or(Code::NotInChannel)?;
        let name = local.members.get(&id).ok_or(Code::NotInChannel)?.name.clone();
        let text = plain(text, SAID_BYTES).ok().filter(|text| !text.is_empty()).ok_or(Code::BadText)?;
        let member = self.members.get_mut(&id).ok_or(Code::NotInChannel)?;
        if !member.messages.take(now) || !local.said.take(now) {
            return Err(Code::Flooding);
        }
        let message = ChatMessage { instance: self.id, channel, name, text };
        self.tell(&message);
        if self.connected {
            self.effects.push(Effect::Chat(message));
        }
        Ok(())
    }

    /// Takes a message from another instance.
    pub fn hear(&mut self, now: Duration, message: &ChatMessage) -> Heard {
        let local = self.channels.get_mut(&message.channel).filter(|local| !local.members.is_empty());
        let Some(local) = local.filter(|_| message.instance != self.id && message.is_bounded()) else {
            return Heard::Nobody;
        };
        if !local.heard.take(now) {
            return Heard::TooMany;
        }
        self.tell(message);
        Heard::Told
    }

    /// Takes an instance's presence in a channel. A late, repeated or out-of-bounds one changes nothing.
    pub fn seen(&mut self, now: Duration, presence: Presence) {
        let channel = presence.channel.clone();
        if presence.instance != self.id && presence.is_bounded() && self.remote.take(now, presence) {
            self.unshown.insert(channel);
        }
    }

    /// Takes the set of living instances. The names of those that are gone go with them; new ones are told ours.
    pub fn peers(&mut self, alive: BTreeMap<InstanceId, Incarnation>) {
        let (left, is_new) = self.remote.know(alive);
        self.unshown.extend(left);
        if is_new {
            self.restate_all();
        }
    }

    /// Notes that the bus is connected: what is sent arrives from now on, and earlier messages may be missing.
    pub fn connected(&mut self, now: Duration) {
        self.connected = true;
        self.remote.renew(now);
        self.restate_all();
    }

    /// Notes that the bus is away: nothing is sent, and what others told is kept.
    pub fn disconnected(&mut self) {
        self.connected = false;
    }

    /// Advances the time. Call it four times a second.
    pub fn tick(&mut self, now: Duration) {
        if self.connected {
            let left = self.remote.expire(now);
            self.unshown.extend(left);
            if now >= self.restate {
                self.restate = now + RESTATED;
                self.restate_all();
            }
            self.tell_presences(now);
        }
        self.show(now);
    }

    /// The number of connections that are or were in channels.
    pub fn members(&self) -> usize {
        self.members.len()
    }

    fn remove(&mut self, id: MemberId, channel: &Channel) {
        let Some(local) = self.channels.get_mut(channel) else { return };
        if local.members.remove(&id).is_some_and(|member| member.visible) {
            self.changed(channel);
        }
        self.tidy(channel);
    }

    /// Notes that the visible members of a channel have changed.
    fn changed(&mut self, channel: &Channel) {
        self.unshown.insert(channel.clone());
        self.restate_one(channel);
    }

    fn restate_one(&mut self, channel: &Channel) {
        let Some(local) = self.channels.get_mut(channel) else { return };
        if !mem::replace(&mut local.is_waiting, true) {
            self.untold.push_back(channel.clone());
        }
    }

    fn restate_all(&mut self) {
        for (channel, local) in self.channels.iter_mut().filter(|(_, local)| local.is_seen()) {
            if !mem::replace(&mut local.is_waiting, true) {
                self.untold.push_back(channel.clone());
            }
        }
    }

    /// Tells other instances about visible members, in as many channels as is allowed now.
    fn tell_presences(&mut self, now: Duration) {
        let mut left = PRESENCES_A_TICK;
        for _ in 0..self.untold.len() {
            let Some(channel) = self.untold.pop_front() else { return };
            let Some(local) = self.channels.get_mut(&channel) else { continue };
            let is_due = local.told.is_none_or(|told| told + PRESENT_SPACING <= now);
            if left == 0 || !is_due {
                self.untold.push_back(channel);
                continue;
            }
            left -= 1;
            let (visible, names) = local.visible();
            (local.told, local.is_held, local.is_waiting) = (Some(now), visible > 0, false);
            self.number += 1;
            let (instance, incarnation, number) = (self.id, self.incarnation, self.number);
            let presence = Presence { instance, incarnation, number, channel: channel.clone(), visible, names };
            self.effects.push(Effect::Presence(presence));
            self.tidy(&channel);
        }
    }

    /// Tells members who is visible, in channels where that has changed and was not just told.
    fn show(&mut self, now: Duration) {
        let channels = &mut self.channels;
        let due = self.unshown.extract_if(.., |channel| {
            let Some(local) = channels.get_mut(channel) else { return true };
            let is_due = local.shown.is_none_or(|shown| shown + PRESENT_SPACING <= now);
            if is_due {
                local.shown = Some(now);
            }
            is_due
        });
        for channel in due.collect::<Vec<_>>() {
            let members = self.listeners(&channel);
            if !members.is_empty() {
                let present = self.present(&channel);
                self.effects.push(Effect::Tell(members, present));
            }
        }
    }

    /// Removes a channel with no members of which no other instance holds names.
    fn tidy(&mut self, channel: &Channel) {
        if self.channels.get(channel).is_some_and(|local| local.members.is_empty() && !local.is_held) {
            self.channels.remove(channel);
            self.untold.retain(|other| other != channel);
        }
    }

    fn tell(&mut self, message: &ChatMessage) {
        let ChatMessage { channel, name, text, .. } = message;
        let (to, channel) = (self.listeners(channel), channel.as_str().to_owned());
        self.effects
            .push(Effect::Tell(to, ServerMessage::ChannelMessage { channel, name: name.clone(), text: text.clone() }));
    }

    fn listeners(&self, channel: &Channel) -> Vec<MemberId> {
        self.channels.get(channel).map(|local| local.members.keys().copied().collect()).unwrap_or_default()
    }

    /// The visible members of a channel, on all instances.
    fn present(&self, channel: &Channel) -> ServerMessage {
        let (mut visible, mut names) = self.channels.get(channel).map(Local::visible).unwrap_or_default();
        for (count, first) in self.remote.visible(channel) {
            visible = visible.saturating_add(count);
            names.extend_from_slice(first);
        }
        names.sort_unstable();
        names.truncate(PRESENT_NAMES);
        ServerMessage::Present { channel: channel.as_str().to_owned(), visible, names }
    }
}
