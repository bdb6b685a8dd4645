//! How bots of different threads find their rooms: the first of each makes it, and the next one when the game in it has
//! ended; the others wait for its id.

use tokio::sync::watch;
use uuid::Uuid;

/// What is known of a room: nothing yet, or its round, and its id unless it could not be made.
type Known = Option<(u32, Option<Uuid>)>;

/// The ids of a swarm's rooms.
#[derive(Debug)]
pub struct Rooms(Vec<watch::Sender<Known>>);

impl Rooms {
    /// So many rooms, none of them made yet.
    pub fn new(count: usize) -> Self {
        Self((0..count).map(|_| watch::Sender::new(None)).collect())
    }

    /// The room of a round is made, or could not be.
    pub fn set(&self, index: usize, round: u32, room: Option<Uuid>) {
        self.0[index].send_replace(Some((round, room)));
    }

    /// Waits for the room of this round or of a later one. `None` if it could not be made.
    pub async fn id(&self, index: usize, round: u32) -> Option<(u32, Uuid)> {
        let mut receiver = self.0[index].subscribe();
        let known = receiver.wait_for(|known| known.is_some_and(|(made, _)| made >= round)).await.ok()?;
        known.and_then(|(made, room)| Some((made, room?)))
    }
}
