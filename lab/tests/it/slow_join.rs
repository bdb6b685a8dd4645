//! Coming into a room whose only group is large, on a line that takes long to carry it.

use std::time::{Duration, Instant};

use tiltyard_client::{Client, Event, Options};
use tiltyard_lab::{Profile, Proxy};
use tiltyard_server::{Config, Games, Server};
use tiltyard_shared::{prelude::*, protocol::Target};
use tokio::{runtime, time::timeout};

/// What the line carries in 7 s and more.
const BOOKS: u32 = 120;
const PAGES: usize = 500;

#[derive(Clone, Debug, Serialize, Deserialize, Replicate)]
struct Book {
    #[replicate(max_len = 512)]
    pages: Vec<u8>,
    #[replicate(range = 0..=1_000_000)]
    read: u32,
}

/// Books that are as good as random, of which one is read all the time.
#[derive(Debug, Serialize, Deserialize)]
struct Library(EntityId);

impl Game for Library {
    const NAME: &'static str = "library";
    type Config = ();
    type Entity = Book;
    type Input = ();
    type Event = ();

    fn new((): (), ctx: &mut Ctx<'_, Self>) -> Self {
        let mut first = EntityId::NONE;
        for _ in 0..BOOKS {
            let pages = (0..PAGES).map(|_| ctx.rng.next_u32() as u8).collect();
            first = ctx.world.spawn(Book { pages, read: 0 });
        }
        Self(first)
    }

    fn join(&mut self, _: PlayerId, _: &mut Ctx<'_, Self>) {}

    fn leave(&mut self, _: PlayerId, _: Leave, _: &mut Ctx<'_, Self>) {}

    fn tick(&mut self, _: &Inputs<()>, ctx: &mut Ctx<'_, Self>) {
        if let Some(book) = ctx.world.get_mut(self.0) {
            book.read += 1;
        }
    }
}

#[test]
fn a_first_frame_that_takes_longer_than_any_silence_may_arrives_on_the_first_line() {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut config = Config::default();
        config.listen.set_port(0);
        config.ops_listen.set_port(0);
        let server = Server::start(&config, Games::new().with::<Library>()).await.unwrap();
        let line = Proxy::start(&Profile::named("capped").unwrap(), 1, server.listen_addr()).unwrap();
        let options = Options { verify: true, ..Options::new(format!("ws://{}/ws", line.address())) };
        let enter = Client::<Library>::enter(options, Target::Game("library".to_owned()));
        let mut client = timeout(Duration::from_secs(20), enter).await.unwrap().unwrap();
        let start = Instant::now();
        while client.replica().shown().count() < BOOKS as usize {
            match timeout(Duration::from_secs(30), client.next()).await.unwrap().unwrap() {
                Event::Reconnecting { .. } | Event::Resyncing(_) => panic!("after {:?}", start.elapsed()),
                _ => {}
            }
        }
        assert!(start.elapsed() > Duration::from_secs(6), "the line carried it in {:?}", start.elapsed());
        for _ in 0..20 {
            timeout(Duration::from_secs(5), client.next()).await.unwrap().unwrap();
        }
        let counts = client.session().counts();
        assert_eq!((counts.mismatches, counts.reconnects), (0, 0));
        server.stop().await;
    });
}
