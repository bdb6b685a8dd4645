//! Admission: seats reserved for a short time against a pass, and message rate limits.

use std::{collections::BTreeMap, time::Duration};

use tiltyard_shared::protocol::{Code, limits};
use uuid::Uuid;

mod bucket;

pub use bucket::Bucket;

/// Bytes of a pass.
const PASS_BYTES: usize = 16;

/// Most wishes from elsewhere that are remembered. Further ones get no answer.
const WISHES: usize = 16 * 1024;

/// The number of a reservation: its bytes are the pass. It cannot be guessed, and one instance needs no signature over
/// it.
type Number = [u8; PASS_BYTES];

/// Seats reserved against a pass; `T` is what keeps one. There are never more than there are seats.
#[derive(Debug)]
pub struct Reservations<T> {
    kept: BTreeMap<Number, (T, Duration)>,
    /// Wishes from elsewhere by id, each with its pass once there is one. Kept as long as a pass would live.
    wishes: BTreeMap<Uuid, (Option<Number>, Duration)>,
}

/// Whether a wish from elsewhere has been heard before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// It is new.
    New,
    /// It is being handled, or there are too many.
    Pending,
    /// It was granted this pass.
    Granted(Vec<u8>),
}

impl<T> Default for Reservations<T> {
    fn default() -> Self {
        Self { kept: BTreeMap::new(), wishes: BTreeMap::new() }
    }
}

impl<T> Reservations<T> {
    /// Keeps a seat for [`limits::PASS_LIFETIME`] and returns its pass. `secret` is 128 random bits.
    pub fn keep(&mut self, secret: u128, seat: T, now: Duration) -> Vec<u8> {
        let number = secret.to_be_bytes();
        self.kept.insert(number, (seat, now + limits::PASS_LIFETIME));
        number.to_vec()
    }

    /// Takes a wish from elsewhere. If a pass is given for it, [`Self::granted`] must be told.
    pub fn hear(&mut self, wish: Uuid, now: Duration) -> Wish {
        match self.wishes.get(&wish) {
            None if self.wishes.len() >= WISHES => Wish::Pending,
            None => {
                self.wishes.insert(wish, (None, now + limits::PASS_LIFETIME));
                Wish::New
            }
            Some((None, _)) => Wish::Pending,
            Some((Some(number), _)) => Wish::Granted(number.to_vec()),
        }
    }

    /// Notes the pass that was given for a wish.
    pub fn granted(&mut self, wish: Uuid, pass: &[u8]) {
        if let (Some((given, _)), Ok(number)) = (self.wishes.get_mut(&wish), Number::try_from(pass)) {
            *given = Some(number);
        }
    }

    /// Takes the seat that a pass was given for, and uses up the pass.
    ///
    /// # Errors
    ///
    /// [`Code::BadPass`] if it was never given, has been used, or is too old.
    pub fn redeem(&mut self, pass: &[u8], now: Duration) -> Result<T, Code> {
        let number = Number::try_from(pass).map_err(|_| Code::BadPass)?;
        let (seat, until) = self.kept.remove(&number).ok_or(Code::BadPass)?;
        if now < until { Ok(seat) } else { Err(Code::BadPass) }
    }

    /// Returns the seat that a pass was given for. The pass stays valid.
    pub fn look(&self, pass: &[u8]) -> Option<&T> {
        let number = Number::try_from(pass).ok()?;
        self.kept.get(&number).map(|(seat, _)| seat)
    }

    /// Drops the seats that were not taken in time.
    pub fn expire(&mut self, now: Duration) {
        self.kept.retain(|_, (_, until)| now < *until);
        self.wishes.retain(|_, (_, until)| now < *until);
    }

    /// The number of seats kept.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether no seat is kept.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_pass_is_good_once() {
        let mut seats = Reservations::default();
        let (ann, bob) = (seats.keep(1, "Ann", SECOND), seats.keep(2, "Bob", SECOND));
        assert_eq!(seats.redeem(&bob, SECOND), Ok("Bob"));
        assert_eq!(seats.redeem(&bob, SECOND), Err(Code::BadPass));
        assert_eq!(seats.redeem(&ann, SECOND), Ok("Ann"));
        assert!(seats.is_empty());
    }

    #[test]
    fn a_pass_is_good_for_ten_seconds() {
        let mut seats = Reservations::default();
        let in_time = seats.keep(1, "in time", SECOND);
        let late = seats.keep(2, "late", SECOND);
        assert_eq!(seats.redeem(&in_time, 11 * SECOND - Duration::from_nanos(1)), Ok("in time"));
        assert_eq!(seats.redeem(&late, 11 * SECOND), Err(Code::BadPass));
        seats.keep(3, "nobody", SECOND);
        seats.expire(10 * SECOND);
        assert_eq!(seats.len(), 1);
        seats.expire(11 * SECOND);
        assert_eq!(seats.len(), 0);
    }

    #[test]
    fn a_wish_that_comes_twice_has_one_pass() {
        let (mut seats, wish) = (Reservations::default(), Uuid::from_u128(9));
        assert_eq!(seats.hear(wish, SECOND), Wish::New);
        assert_eq!(seats.hear(wish, SECOND), Wish::Pending);
        let pass = seats.keep(1, "Ann", SECOND);
        seats.granted(wish, &pass);
        assert_eq!(seats.hear(wish, 2 * SECOND), Wish::Granted(pass));
        seats.expire(11 * SECOND);
        assert_eq!(seats.hear(wish, 11 * SECOND), Wish::New);
    }

    #[test]
    fn what_is_no_pass_is_refused() {
        let mut seats = Reservations::default();
        let pass = seats.keep(u128::MAX / 3, "Ann", SECOND);
        let longer = [&pass[..], &[0]].concat();
        for wrong in [&[][..], &pass[1..], &longer, &[0; PASS_BYTES]] {
            assert_eq!(seats.redeem(wrong, SECOND), Err(Code::BadPass));
        }
        assert_eq!(seats.redeem(&pass, SECOND), Ok("Ann"));
    }
}
