//! How bots on different threads find their rooms: the first bot of each room makes it, and makes the next one when the
//! game in it has ended; the others wait for its id.

use tokio::sync::watch;
use uuid::Uuid;

/// The state of a room: unknown, or its round, and its id unless it could not be made.
type Known = Option<(u32, Option<Uuid>)>;

/// The ids of a swarm's rooms.
#[derive(Debug)]
pub struct Rooms(Vec<watch::Sender<Known>>);

impl Rooms {
    /// Creates this many rooms, none of them made yet.
    pub fn new(count: usize) -> Self {
        Self((0..count).map(|_| watch::Sender::new(None)).collect())
    }

    /// Sets the id of the room of a round; `None` if it could not be made.
    pub fn set(&self, index: usize, round: u32, room: Option<Uuid>) {
        self.0[index].send_replace(Some((round, room)));
    }

    /// Waits for the room of this round or a later one. `None` if it could not be made.
    pub async fn id(&self, index: usize, round: u32) -> Option<(u32, Uuid)> {
        let mut receiver = self.0[index].subscribe();
        let known = receiver.wait_for(|known| known.is_some_and(|(made, _)| made >= round)).await.ok()?;
        known.and_then(|(made, room)| Some((made, room?)))
    }
}
