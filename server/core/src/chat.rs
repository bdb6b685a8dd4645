//! Chat: who is in which channel of this instance, who hears what is said there, and who is seen there.
//!
//! What members, other instances and the time do goes in, [`Effect`]s come out. Messages are told once and not kept:
//! who is not there, or whose bus is away, does not hear them. Presence is private unless a member wants to be seen;
//! then an instance tells the others all its visible names of a channel, whenever they change and again every
//! [`RESTATED`], so that whatever was lost on the way is mended by the next time.

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

/// Most channels of an instance that somebody is in; further ones are refused with [`Code::ServerFull`].
pub const INSTANCE_CHANNELS: usize = 2_048;

/// Most members of a channel on one instance; further ones are refused with [`Code::ServerFull`].
pub const CHANNEL_MEMBERS: usize = 1_024;

/// Messages a second for long that a channel takes from members of this instance, twice as many at once: more are
/// refused. From all other instances together it takes twice as many; more are dropped.
pub const CHANNEL_MESSAGES: u32 = 16;

/// Each channel in which somebody is visible is told again so often.
pub const RESTATED: Duration = Duration::from_secs(15);

/// Most presences that go out at each [`Channels::tick`]; the others wait. At four ticks a second all channels that there
/// may be are told again within what their last word holds.
const PRESENCES_A_TICK: usize = 16;

/// A connection that is in channels, or was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemberId(u64);

/// What has to be done, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Tell these members.
    Tell(Vec<MemberId>, ServerMessage),
    /// Tell all other instances what was said here.
    Chat(ChatMessage),
    /// Tell all other instances who is visible here.
    Presence(Presence),
}

/// What became of a message from another instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Members here are told.
    Told,
    /// Nobody here is in the channel, or it is our own.
    Nobody,
    /// More came than the channel takes: this one is dropped.
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
    /// Channels whose members are to be told who is there.
    unshown: BTreeSet<Channel>,
    /// Channels whose presence is to be told to other instances, each once.
    untold: VecDeque<Channel>,
    /// The number of the last presence.
    number: u64,
    restate: Duration,
    /// Whether what is told arrives.
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
    /// An instance that nobody is in. Until [`Self::connected`] it tells other instances nothing.
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

    /// What has to be done since the last call.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        mem::take(&mut self.effects)
    }

    /// A connection that may be in channels from now on.
    pub fn join(&mut self, now: Duration) -> MemberId {
        self.last_member += 1;
        let member = MemberId(self.last_member);
        let messages = Bucket::new(SAID_BURST, SAID_SPACING, now);
        let wishes = Bucket::new(ATTEND_BURST, SAID_SPACING, now);
        self.members.insert(member, Member { messages, wishes, channels: BTreeSet::new() });
        member
    }

    /// The connection is gone.
    pub fn leave(&mut self, member: MemberId) {
        for channel in self.members.remove(&member).into_iter().flat_map(|member| member.channels) {
            self.remove(member, &channel);
        }
    }

    /// A member wants to be in a channel, or to be there in another way. In how many it is then.
    ///
    /// # Errors
    ///
    /// [`Code::BadChannel`], [`Code::BadName`], [`Code::TooManyChannels`], [`Code::ServerFull`], [`Code::Flooding`]. What was
    /// so far stays.
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

    /// A member wants to be in a channel no longer. In how many it is then.
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

    /// A member says something. All who are in the channel hear it, the member too.
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

    /// Something was said on an instance.
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

    /// An instance says who is visible there. What is late, doubled or out of bounds changes nothing.
    pub fn seen(&mut self, now: Duration, presence: Presence) {
        let channel = presence.channel.clone();
        if presence.instance != self.id && presence.is_bounded() && self.remote.take(now, presence) {
            self.unshown.insert(channel);
        }
    }

    /// The other instances are these: whoever is gone takes its names along, and whoever is new is told ours.
    pub fn peers(&mut self, alive: BTreeMap<InstanceId, Incarnation>) {
        let (left, is_new) = self.remote.know(alive);
        self.unshown.extend(left);
        if is_new {
            self.restate_all();
        }
    }

    /// From now on what is told arrives; what was told before may be missing.
    pub fn connected(&mut self, now: Duration) {
        self.connected = true;
        self.remote.renew(now);
        self.restate_all();
    }

    /// The bus is away: nothing is told, and what others told is not forgotten.
    pub fn disconnected(&mut self) {
        self.connected = false;
    }

    /// The time has come to be. To be called four times a second.
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

    /// How many connections are in channels, or were.
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

    /// Who is visible here is not as it was.
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

    /// Tells other instances who is visible here, as many channels as may be told now.
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

    /// Tells members who is there, where that has changed and was not told just now.
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

    /// A channel that nobody is in and of which no other instance holds names is gone.
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

    /// Who is visible in a channel, wherever they are.
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
