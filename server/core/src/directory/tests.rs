//! A lobby's client that applies what it is told holds the page that a naive server would show, whatever happens.

use std::{collections::BTreeMap, sync::Arc};

use proptest::{collection::vec, prelude::*};
use tiltyard_shared::protocol::{
    limits::PAGE_ROOMS,
    lobby::{Browse, RoomEntry, RoomList},
};
use uuid::Uuid;

use super::{Directory, Listing, Page};

/// Rooms that come and go again: more than two pages of them.
const ROOMS: u128 = 130;

#[derive(Clone, Debug)]
enum Step {
    Put { room: u128, arena: bool, private: bool, players: u32, locked: bool, metadata: u8 },
    Remove(u128),
    Browse { client: usize, browse: Browse },
    Look(usize),
}

fn browse() -> impl Strategy<Value = Browse> {
    let game = prop::option::of(prop_oneof![Just("arena".to_owned()), Just("pong".to_owned())]);
    (game, any::<bool>(), 0..4u32).prop_map(|(game, open, page)| Browse { game, open, page })
}

fn step() -> impl Strategy<Value = Step> {
    let put = (0..ROOMS, any::<bool>(), prop::bool::weighted(0.1), 0..4u32, prop::bool::weighted(0.2), 0..3u8);
    prop_oneof![
        8 => put.prop_map(|(room, arena, private, players, locked, metadata)| {
            Step::Put { room, arena, private, players, locked, metadata }
        }),
        2 => (0..ROOMS).prop_map(Step::Remove),
        1 => (0..4usize, browse()).prop_map(|(client, browse)| Step::Browse { client, browse }),
        3 => (0..4usize).prop_map(Step::Look),
    ]
}

/// The rooms that the directory should know.
#[derive(Default)]
struct Naive(BTreeMap<Uuid, Listing>);

impl Naive {
    fn page(&self, browse: &Browse) -> (u32, Vec<RoomEntry>) {
        let all: Vec<_> = self
            .0
            .values()
            .rev()
            .filter(|listing| !listing.private)
            .map(|listing| listing.entry.clone())
            .filter(|entry| browse.game.as_ref().is_none_or(|game| *game == entry.game))
            .filter(|entry| !browse.open || (entry.players < entry.seats && !entry.locked))
            .collect();
        let page = all.chunks(PAGE_ROOMS).nth(browse.page as usize).unwrap_or_default().to_vec();
        (all.len() as u32, page)
    }
}

#[derive(Default)]
struct Client {
    browse: Browse,
    held: Option<Arc<Page>>,
    list: RoomList,
}

impl Client {
    fn look(&mut self, directory: &mut Directory) {
        let told = match &self.held {
            None => Some(directory.snapshot(&self.browse)),
            Some(held) => directory.difference(&self.browse, held),
        };
        if let Some((page, message)) = told {
            assert!(self.list.apply(message), "it is about a list");
            self.held = Some(page);
        }
    }
}

fn listing(room: Uuid, game: &str, private: bool) -> Listing {
    let entry = RoomEntry {
        room,
        code: format!("{:06}", room.as_u128()),
        game: game.to_owned(),
        title: String::new(),
        players: 0,
        seats: 3,
        spectators: 0,
        locked: false,
        metadata: String::new(),
        flags: 0,
    };
    Listing { entry, private }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn snapshot_and_differences_are_the_page(steps in vec(step(), 1..400)) {
        let (mut directory, mut naive) = (Directory::default(), Naive::default());
        let mut clients: [Client; 4] = Default::default();
        for step in steps {
            match step {
                Step::Put { room, arena, private, players, locked, metadata } => {
                    let mut new = listing(Uuid::from_u128(room), if arena { "arena" } else { "pong" }, private);
                    (new.entry.players, new.entry.locked, new.entry.metadata) = (players, locked, metadata.to_string());
                    directory.put(new.clone());
                    naive.0.insert(new.entry.room, new);
                }
                Step::Remove(room) => {
                    directory.remove(Uuid::from_u128(room));
                    naive.0.remove(&Uuid::from_u128(room));
                }
                Step::Browse { client, browse } => {
                    clients[client] = Client { browse, ..Client::default() };
                }
                Step::Look(client) => {
                    let client = &mut clients[client];
                    client.look(&mut directory);
                    let (total, rooms) = naive.page(&client.browse);
                    prop_assert_eq!(client.list.total, total);
                    prop_assert_eq!(client.list.rooms().cloned().collect::<Vec<_>>(), rooms);
                    let again = directory.difference(&client.browse, client.held.as_ref().expect("it has looked"));
                    prop_assert_eq!(again, None, "told once");
                }
            }
        }
        for listing in naive.0.values() {
            prop_assert_eq!(directory.find(listing.entry.room), Some(listing));
        }
        prop_assert_eq!(directory.rooms().count(), naive.0.len());
        for game in ["arena", "pong", "none"] {
            let listed = naive.0.values().filter(|listing| listing.entry.game == game && !listing.private);
            let mut fullest: Vec<_> = listed.map(|listing| &listing.entry).collect();
            fullest.sort_by_key(|entry| std::cmp::Reverse((entry.players, entry.room)));
            prop_assert_eq!(directory.fullest(game).collect::<Vec<_>>(), fullest);
        }
    }
}

#[test]
fn the_newest_rooms_come_first_and_pages_do_not_overlap() {
    let mut directory = Directory::default();
    for number in 0..120 {
        directory.put(listing(Uuid::from_u128(number), "arena", false));
    }
    let mut seen = Vec::new();
    for page in 0..4 {
        let mut list = RoomList::default();
        assert!(list.apply(directory.snapshot(&Browse { page, ..Browse::default() }).1));
        assert_eq!(list.total, 120);
        seen.extend(list.rooms().map(|entry| entry.room.as_u128()));
    }
    assert_eq!(seen, (0..120).rev().collect::<Vec<_>>());
}

#[test]
fn private_rooms_are_found_by_their_code_and_listed_nowhere() {
    let mut directory = Directory::default();
    let mut hidden = listing(Uuid::from_u128(7), "arena", true);
    hidden.entry.code = "ABCDEF".to_owned();
    directory.put(hidden.clone());
    assert_eq!(directory.revision(), 0, "nobody is told of anything");
    assert_eq!(directory.find_code("abcdef".parse().expect("a code")), Some(&hidden));
    let (_, message) = directory.snapshot(&Browse::default());
    let mut list = RoomList::default();
    assert!(list.apply(message));
    assert_eq!((list.total, list.rooms().count()), (0, 0));
    directory.remove(hidden.entry.room);
    assert_eq!(directory.find_code("ABCDEF".parse().expect("a code")), None);
}
