//! Channels on one instance and between instances: the messages heard, the members seen, and the refusals.

use super::*;
use crate::instance::instance;

const A: InstanceId = instance("a");
const B: InstanceId = instance("b");
const START: Duration = Duration::from_secs(100);
const BEAT: Duration = Duration::from_millis(250);

fn wish(channel: &str, name: &str, visible: bool) -> JoinChannel {
    JoinChannel { request: 0, channel: channel.to_owned(), name: name.to_owned(), visible }
}

/// An instance with the bus up.
fn channels() -> Channels {
    let mut channels = Channels::new(A, Incarnation(1));
    channels.connected(START);
    channels
}

fn member(channels: &mut Channels, name: &str, visible: bool) -> MemberId {
    let id = channels.join(START);
    assert_eq!(channels.attend(START, id, &wish("lobby", name, visible)), Ok(1));
    id
}

fn presence(number: u64, names: &[&str]) -> Presence {
    let names: Vec<_> = names.iter().copied().map(str::to_owned).collect();
    let (channel, visible) = (Channel::new("lobby").unwrap(), names.len() as u32);
    Presence { instance: B, incarnation: Incarnation(5), number, channel, visible, names }
}

/// The members that the lobby's channel listed when it was last told; `None` if it was told nothing.
fn shown(channels: &mut Channels, now: Duration) -> Option<Vec<String>> {
    channels.take_effects();
    channels.tick(now);
    channels.take_effects().into_iter().rev().find_map(|effect| match effect {
        Effect::Tell(_, ServerMessage::Present { names, .. }) => Some(names),
        _ => None,
    })
}

#[test]
fn who_is_in_the_channel_hears_and_so_does_the_speaker() {
    let mut channels = channels();
    let (ann, bob) = (member(&mut channels, "Ann", false), member(&mut channels, "Bob", true));
    let out = channels.join(START);
    channels.take_effects();
    assert_eq!(channels.say(START, ann, "lobby", "  hello   there "), Ok(()));
    let said =
        |text: &str| ServerMessage::ChannelMessage { channel: "lobby".into(), name: "Ann".into(), text: text.into() };
    let effects = channels.take_effects();
    assert_eq!(effects[0], Effect::Tell(vec![ann, bob], said("hello there")));
    assert!(matches!(&effects[1..], [Effect::Chat(message)] if message.text == "hello there" && message.instance == A));
    assert_eq!(channels.say(START, out, "lobby", "hello"), Err(Code::NotInChannel));
    assert_eq!(channels.depart(bob, "lobby"), Ok(0));
    channels.leave(ann);
    assert_eq!(channels.say(START, ann, "lobby", "hello"), Err(Code::NotInChannel));
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let mut channels = channels();
    let ann = channels.join(START);
    assert_eq!(channels.attend(START, ann, &wish("Lobby", "Ann", false)), Err(Code::BadChannel));
    assert_eq!(channels.attend(START, ann, &wish("lobby", "", false)), Err(Code::BadName));
    for number in 0..CHANNELS {
        assert_eq!(channels.attend(START, ann, &wish(&format!("c{number}"), "Ann", false)), Ok(number + 1));
    }
    assert_eq!(channels.attend(START, ann, &wish("lobby", "Ann", false)), Err(Code::TooManyChannels));
    assert_eq!(channels.depart(ann, "lobby"), Err(Code::NotInChannel));
    for text in ["", "   ", "a\nb", &"x".repeat(SAID_BYTES + 1)] {
        assert_eq!(channels.say(START, ann, "c0", text), Err(Code::BadText), "{text:?}");
    }
    assert_eq!(channels.attend(START, ann, &wish("c0", "Anna", true)), Ok(CHANNELS), "another name, no other channel");
}

#[test]
fn who_says_too_much_is_told_so_and_may_go_on_later() {
    let mut channels = channels();
    let ann = member(&mut channels, "Ann", false);
    let taken =
        |channels: &mut Channels, now| (0..100).filter(|_| channels.say(now, ann, "lobby", "x").is_ok()).count();
    assert_eq!(taken(&mut channels, START), SAID_BURST as usize);
    assert_eq!(channels.say(START, ann, "lobby", "x"), Err(Code::Flooding));
    assert_eq!(taken(&mut channels, START + 2 * SAID_SPACING), 2);
    // Coming and going is limited too, and does not fill the bucket.
    let wishes = (0..100).filter(|_| channels.attend(START, ann, &wish("lobby", "Ann", true)).is_ok()).count();
    assert_eq!(wishes, ATTEND_BURST as usize - 1);
    channels.depart(ann, "lobby").unwrap();
    let later = START + 3 * SAID_SPACING;
    channels.attend(later, ann, &wish("lobby", "Ann", true)).unwrap();
    assert_eq!(taken(&mut channels, later), 1);
}

#[test]
fn a_channel_takes_so_much_and_no_more() {
    let mut channels = channels();
    let many: Vec<_> = (0..CHANNEL_MEMBERS).map(|_| member(&mut channels, "Ann", false)).collect();
    let late = channels.join(START);
    assert_eq!(channels.attend(START, late, &wish("lobby", "Late", false)), Err(Code::ServerFull));
    let taken = many.iter().filter(|member| channels.say(START, **member, "lobby", "x").is_ok()).count();
    assert_eq!(taken, 2 * CHANNEL_MESSAGES as usize);
    let channel = Channel::new("lobby").unwrap();
    let message = ChatMessage { instance: B, channel, name: "Bob".into(), text: "x".into() };
    let heard: Vec<_> = (0..100).map(|_| channels.hear(START, &message)).collect();
    assert_eq!(heard.iter().filter(|heard| **heard == Heard::Told).count(), 4 * CHANNEL_MESSAGES as usize);
    assert_eq!(heard[99], Heard::TooMany);
}

#[test]
fn presence_is_private_unless_it_is_not() {
    let mut channels = channels();
    let _ann = member(&mut channels, "Ann", false);
    let bob = member(&mut channels, "Bob", true);
    assert_eq!(shown(&mut channels, START), Some(vec!["Bob".to_owned()]));
    channels.seen(START, presence(1, &["Cyd"]));
    assert_eq!(shown(&mut channels, START + BEAT), None, "not yet");
    assert_eq!(shown(&mut channels, START + PRESENT_SPACING), Some(vec!["Bob".to_owned(), "Cyd".to_owned()]));
    channels.attend(START, bob, &wish("lobby", "Bob", false)).unwrap();
    assert_eq!(shown(&mut channels, START + 2 * PRESENT_SPACING), Some(vec!["Cyd".to_owned()]));
}

#[test]
fn a_list_has_the_first_names_and_the_count_of_all() {
    let mut channels = channels();
    for number in 0..100 {
        member(&mut channels, &format!("n{number:03}"), true);
    }
    let mut told = presence(1, &["a", "z"]);
    told.visible = 2;
    channels.seen(START, told);
    let ServerMessage::Present { visible, names, .. } = channels.present(&Channel::new("lobby").unwrap()) else {
        panic!("it is about presence")
    };
    assert_eq!((visible, names.len(), &*names[0], &*names[63]), (102, 64, "a", "n062"));
}

#[test]
fn other_instances_are_told_at_most_once_a_second_and_again_and_again() {
    let mut channels = channels();
    let ann = member(&mut channels, "Ann", true);
    let mut told = Vec::new();
    for beat in 0..=240 {
        let now = START + BEAT * beat;
        if beat < 40 {
            let _ = channels.attend(now, ann, &wish("lobby", &format!("Ann {beat}"), true));
        }
        channels.tick(now);
        let effects = channels.take_effects();
        told.extend(effects.into_iter().filter_map(|effect| match effect {
            Effect::Presence(presence) => Some((now, presence)),
            _ => None,
        }));
    }
    assert!(
        told.windows(2).all(|pair| pair[0].0 + PRESENT_SPACING <= pair[1].0 && pair[0].1.number < pair[1].1.number)
    );
    assert!(told.windows(2).all(|pair| pair[1].0 <= pair[0].0 + RESTATED + BEAT));
    channels.leave(ann);
    channels.tick(START + Duration::from_secs(61));
    let empty = channels.take_effects();
    assert!(matches!(&*empty, [Effect::Presence(told)] if told.visible == 0), "{empty:?}");
    channels.tick(START + Duration::from_secs(120));
    assert_eq!((channels.take_effects(), channels.channels.len()), (vec![], 0));
}

#[test]
fn late_and_doubled_presence_changes_nothing_and_the_dead_are_not_seen() {
    let mut channels = channels();
    member(&mut channels, "Ann", false);
    let mut seconds = (0..).map(|second| START + Duration::from_secs(second));
    let mut now = || seconds.next().expect("there is always another");
    channels.peers(BTreeMap::from([(B, Incarnation(5))]));
    channels.seen(START, presence(2, &["Bob"]));
    assert_eq!(shown(&mut channels, now()), Some(vec!["Bob".to_owned()]));
    for stale in [presence(2, &["Bob"]), presence(1, &["Early"])] {
        channels.seen(START, stale);
        assert_eq!(shown(&mut channels, now()), None);
    }
    // Nobody: and what comes late does not bring anybody back.
    channels.seen(START, presence(3, &[]));
    channels.seen(START, presence(2, &["Bob"]));
    assert_eq!(shown(&mut channels, now()), Some(vec![]));
    channels.seen(START, presence(4, &["Bob"]));
    assert_eq!(shown(&mut channels, now()), Some(vec!["Bob".to_owned()]));
    channels.peers(BTreeMap::new());
    assert_eq!(shown(&mut channels, now()), Some(vec![]));
}

#[test]
fn names_that_nobody_tells_again_do_not_stay_unless_the_bus_was_away() {
    let mut channels = channels();
    member(&mut channels, "Ann", false);
    channels.peers(BTreeMap::from([(B, Incarnation(5))]));
    channels.seen(START, presence(1, &["Bob"]));
    assert!(shown(&mut channels, START).is_some());
    channels.disconnected();
    assert_eq!(shown(&mut channels, START + 2 * remote::LEASE), None);
    channels.connected(START + 2 * remote::LEASE);
    assert_eq!(shown(&mut channels, START + 3 * remote::LEASE - BEAT), None);
    assert_eq!(shown(&mut channels, START + 3 * remote::LEASE), Some(vec![]));
}

#[test]
fn nothing_piles_up_while_the_bus_is_away() {
    let mut channels = Channels::new(A, Incarnation(1));
    for number in 0..3 * INSTANCE_CHANNELS {
        let ann = channels.join(START);
        assert_eq!(channels.attend(START, ann, &wish(&format!("c{number}"), "Ann", true)), Ok(1));
        assert_eq!(channels.say(START, ann, &format!("c{number}"), "x"), Ok(()));
        channels.tick(START);
        channels.leave(ann);
    }
    let told = channels.take_effects().into_iter().filter(|effect| !matches!(effect, Effect::Tell(..))).count();
    assert_eq!((told, channels.channels.len(), channels.untold.len(), channels.members()), (0, 0, 0, 0));
}

#[test]
fn what_is_out_of_bounds_is_not_believed() {
    let mut channels = channels();
    member(&mut channels, "Ann", false);
    let many: Vec<_> = (0..65).map(|number| format!("{number:02}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let boast = Presence { visible: 9, ..presence(1, &["Bob"]) };
    for bad in [presence(1, &many), presence(1, &[""]), presence(1, &["A\u{202e}"]), boast] {
        assert!(!bad.is_bounded());
        channels.seen(START, bad);
    }
    let channel = Channel::new("lobby").unwrap();
    let message = ChatMessage { instance: B, channel, name: "Bob".into(), text: "a\nb".into() };
    assert_eq!(channels.hear(START, &message), Heard::Nobody);
    assert_eq!(shown(&mut channels, START), None);
}
