//! How bots of different threads find their rooms: the first of each makes it, the others wait for its id.

use tokio::sync::watch;
use uuid::Uuid;

/// What is known of a room: nothing yet, its id, or that it could not be made.
type Known = Option<Result<Uuid, ()>>;

/// The ids of a swarm's rooms.
#[derive(Debug)]
pub struct Rooms(Vec<watch::Sender<Known>>);

impl Rooms {
    /// So many rooms, none of them made yet.
    pub fn new(count: usize) -> Self {
        Self((0..count).map(|_| watch::Sender::new(None)).collect())
    }

    /// The room is made, or could not be.
    pub fn set(&self, index: usize, room: Result<Uuid, ()>) {
        self.0[index].send_replace(Some(room));
    }

    /// Waits for the room; `None` if it could not be made.
    pub async fn id(&self, index: usize) -> Option<Uuid> {
        let mut receiver = self.0[index].subscribe();
        let known = receiver.wait_for(Option::is_some).await.ok()?;
        known.and_then(Result::ok)
    }
}
