//! Who may come in, and how often: seats reserved for a short time against a pass, and how many messages are taken.

use std::{collections::BTreeMap, time::Duration};

use tiltyard_shared::protocol::{Code, limits};
use uuid::Uuid;

mod bucket;

pub use bucket::Bucket;

/// Bytes of a pass.
const PASS_BYTES: usize = 16;

/// Most wishes from elsewhere that are remembered; further ones are left without an answer.
const WISHES: usize = 16 * 1024;

/// The number of a reservation, which nobody guesses: its bytes are the pass. One instance needs no signature over them.
type Number = [u8; PASS_BYTES];

/// Seats that are kept for whoever shows the pass; `T` is what keeps one. There are never more than there are seats.
#[derive(Debug)]
pub struct Reservations<T> {
    kept: BTreeMap<Number, (T, Duration)>,
    /// Wishes from elsewhere by their ids, as long as a pass would live, with the pass once there is one.
    wishes: BTreeMap<Uuid, (Option<Number>, Duration)>,
}

/// Whether a wish from elsewhere has been heard before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// It is new.
    New,
    /// It is being looked after, or there are too many.
    Pending,
    /// This pass was given for it.
    Granted(Vec<u8>),
}

impl<T> Default for Reservations<T> {
    fn default() -> Self {
        Self { kept: BTreeMap::new(), wishes: BTreeMap::new() }
    }
}

impl<T> Reservations<T> {
    /// Keeps a seat for [`limits::PASS_LIFETIME`]; returns the pass. `secret` are 128 random bits.
    pub fn keep(&mut self, secret: u128, seat: T, now: Duration) -> Vec<u8> {
        let number = secret.to_be_bytes();
        self.kept.insert(number, (seat, now + limits::PASS_LIFETIME));
        number.to_vec()
    }

    /// Hears of a wish from elsewhere. Its pass, if there will be one, is to be told to [`Self::granted`].
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

    /// A wish that was heard has got this pass.
    pub fn granted(&mut self, wish: Uuid, pass: &[u8]) {
        if let (Some((given, _)), Ok(number)) = (self.wishes.get_mut(&wish), Number::try_from(pass)) {
            *given = Some(number);
        }
    }

    /// The seat that a pass was given for. The pass is used up.
    ///
    /// # Errors
    ///
    /// [`Code::BadPass`] if it was never given, has been used, or is too old.
    pub fn redeem(&mut self, pass: &[u8], now: Duration) -> Result<T, Code> {
        let number = Number::try_from(pass).map_err(|_| Code::BadPass)?;
        let (seat, until) = self.kept.remove(&number).ok_or(Code::BadPass)?;
        if now < until { Ok(seat) } else { Err(Code::BadPass) }
    }

    /// The seat that a pass was given for. The pass stays good.
    pub fn look(&self, pass: &[u8]) -> Option<&T> {
        let number = Number::try_from(pass).ok()?;
        self.kept.get(&number).map(|(seat, _)| seat)
    }

    /// Lets go of the seats that nobody came for in time.
    pub fn expire(&mut self, now: Duration) {
        self.kept.retain(|_, (_, until)| now < *until);
        self.wishes.retain(|_, (_, until)| now < *until);
    }

    /// How many seats are kept.
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
